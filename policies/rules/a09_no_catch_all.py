"""A09: routes say which hosts and paths they are for."""

from collections.abc import Iterator
from typing import Final

from policies.reading.management import is_management
from policies.reading.patterns import EVERY
from policies.reading.stack import Stack
from policies.reading.waf import fronts
from policies.route_rule import Published, RouteRule
from policies.rule import Finding, Severity

DEFAULT_SLASHES: Final = "UnescapeAndRedirect"
"""What Envoy Gateway does with an escaped slash in a path where nothing is said."""

SLASHES: Final = frozenset({"RejectRequest", "UnescapeAndRedirect", "UnescapeAndForward"})
"""Ways to treat an escaped slash after which a path has one spelling."""


class A09(RouteRule):
    """Every published route names its hosts and paths, and none leads to a management path.

    Forbids:
        - a route that takes every host, a wildcard, or a host that the topology does not have;
        - a route that takes every path, where no door of the topology says so;
        - a route to a path under which programs show or change their own state (`/metrics`, `/healthz`, `/admin`, `/actuator`, ...),
          in any case of letters, and `stub_status` in a public nginx. Of `/live` and `/status` it is the page itself: below it a route may
          name something else, as `/live/{*}` and `/status/orders` do and `/live/*` does not;
        - a ClientTrafficPolicy that leaves escaped (`KeepUnchanged`) or doubled slashes (`disableMergeSlashes`) in paths;
        - an operation of API Management of which one of the first three holds, or that takes more paths than a door;
        - a policy of all its APIs, of an API or of a product that sends requests on (`forward-request`, `set-backend-service`), so that
          operations without a policy of their own are answered too;
        - an API Management that answers for another host than the topology's, or gives its portals or its management a name.

    Why:
        What a catch-all route publishes is decided later and elsewhere: by the next version of the service, by a framework that
        adds `/actuator/env`. The topology's doors are the list of what clients may ask for.

        `/live` and `/status` are words of APIs as well (a feed of live prices), and what programs tell operators there is one page. The
        boundary is not weaker for that: the page is refused in each spelling that servers take for it, `/live/` included, which is why
        `/live/*` is refused too. What is known below them says ready or not (Kong's `/status/ready`). Other words have more below them:
        `/health/ready` of MicroProfile, `/env/<name>` and `/metrics/<name>` of Spring Boot.

    Instead:
        Write out the host and the path prefix of each door::

            kind: HTTPRoute
            spec:
              hostnames: [api.abc.example]
              rules:
                - matches: [{path: {type: PathPrefix, value: /a}, method: GET}]
    """

    id = "A09"
    name = "no-catch-all-route"
    severity = Severity.HIGH
    frameworks = ("OWASP API8:2023", "OWASP API9:2023")

    def judge(self, stack: Stack) -> Iterator[Finding]:
        """Check every rule of every route, then the edge for pages of its own."""
        yield from super().judge(stack)
        for front in fronts(stack):
            for server in front.servers:
                for directive in server.directive.walk():
                    if directive.name == "stub_status":
                        yield self.broken(
                            front.resource,
                            f"{directive.file}:{directive.line}: a public server shows nginx's own state",
                            "remove stub_status",
                        )

    def check(self, published: Published, stack: Stack) -> Iterator[Finding]:
        """Check the hosts and paths of one rule."""
        if not published.rule.backends:
            return
        if not published.is_kong:
            yield from self._paths(published)
        hosts = set(stack.intent.public_hosts())
        for host in published.rule.hosts:
            if host not in hosts:
                what = "every host" if host == "*" else f"the hosts {host}" if "*" in host else f"the host {host}"
                yield self.broken(
                    published.route,
                    f"{published}: takes {what}; the topology's hosts are {', '.join(sorted(hosts))}",
                    "name hosts of the topology under `hostnames`",
                )
        declared = {edge.entry for edge in published.doors}
        for match in published.rule.matches:
            for pattern in match.patterns:
                if pattern == EVERY and "/*" not in declared:
                    yield self.broken(published.route, f"{published}: takes every path", "match the paths of one door")
                elif is_management(pattern):
                    yield self.broken(
                        published.route,
                        f"{published}: publishes {pattern}, where programs show or change their own state",
                        "take the door out of the topology; reach such paths from inside",
                    )

    def _paths(self, published: Published) -> Iterator[Finding]:
        """Check that the gateway compares paths in one spelling only."""
        policy = published.client_policy
        if policy is None:
            return
        action: str = policy.at("spec", "path", "escapedSlashesAction", default=DEFAULT_SLASHES)
        if action not in SLASHES:
            yield self.broken(
                policy,
                f"escapedSlashesAction {action}: `%2F` passes routes and rules as something else than the `/` that services may read",
                "reject requests with escaped slashes (RejectRequest)",
            )
        if policy.at("spec", "path", "disableMergeSlashes", default=False):
            yield self.broken(
                policy,
                "disableMergeSlashes: `//a` passes routes and rules as another path than the `/a` that services may read",
                "remove disableMergeSlashes",
            )
