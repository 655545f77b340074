"""W07: the edge refuses requests that layers read differently."""

from collections.abc import Iterator

from policies.edge_rule import EdgeRule
from policies.reading.ambiguous import AMBIGUOUS
from policies.reading.modsecurity import Directive
from policies.reading.nginx import Server
from policies.reading.nginx_conditions import refuses
from policies.reading.stack import Stack
from policies.reading.waf import Front, Passage
from policies.rule import Finding, Severity


class W07(EdgeRule):
    """The edge refuses requests that the layers behind may read differently.

    Forbids:
        - a place in a public nginx that sends on paths with escaped slashes or dots, backslashes, `.`, `..` or empty segments,
          control characters, characters escaped twice, or bytes that are no text;
        - a server to which clients connect and that answers for its name on a connection that was opened for another's (SNI);
        - `ignore_invalid_headers off`; `underscores_in_headers on` where no rule of the WAF refuses such headers;
        - a cloud's firewall whose own rules do not refuse such paths; they are asked with one sample of each kind;
        - a load balancer of AWS that passes invalid headers or requests without a clear end on, or that does not say the client's
          address last in `x-forwarded-for`.

    Why:
        Every layer decides by the path, and each has its own way to unescape, merge and shorten it. `/a/..%2fadmin` is `/a/...`
        for one and `/admin` for the next: the first checks the wrong door. What all layers read in one way cannot be told
        twice. The same goes for a request whose host is not the one that the connection was opened for.

    Instead:
        Refuse it before anything else looks at it::

            map $request_uri $refused {
              default "";
              "~*^[^?]*%(?:2f|5c|2e)" "escaped";
              "~^[^?]*//" "empty segment";
            }
            server {
              if ($ssl_server_name != $server_name) { return 421; }
              if ($refused) { return 400; }
            }
    """

    id = "W07"
    name = "one-reading"
    severity = Severity.HIGH
    frameworks = ("ELB.4", "ELB.12", "CKV_AWS_131", "CKV_AWS_328", "ISTIO-SECURITY-2021-008")

    def check(self, front: Front, stack: Stack) -> Iterator[Finding]:
        """Ask the configuration what becomes of requests of each kind."""
        for passage in front.passages:
            passed = [kind for kind, paths in AMBIGUOUS.items() if not all(_is_refused(passage, path) for path in paths)]
            if passed:
                yield self.broken(
                    front.resource,
                    f"{passage}: sends on paths with {', '.join(passed)}, which layers read differently",
                    "refuse them in the server: `if ($refused) { return 400; }`, by a map of $request_uri",
                )
            if (switch := passage.get("ignore_invalid_headers")) is not None and switch.args == ("off",):
                yield self.broken(
                    front.resource,
                    f"{switch.file}:{switch.line}: `ignore_invalid_headers off`: headers that layers read differently are sent on",
                    "remove it",
                )
            switch = passage.get("underscores_in_headers")
            lets_in = switch is not None and switch.args == ("on",) and passage.is_inspected
            if switch is not None and lets_in and not any(map(_refuses_underscores, passage.rules)):
                yield self.broken(
                    front.resource,
                    f"{switch.file}:{switch.line}: `underscores_in_headers on`: `X_User` and `X-User` are the same to some programs",
                    'remove it, or refuse them: `SecRule REQUEST_HEADERS_NAMES "@contains _" "phase:1,deny,status:400,..."`',
                )
        for server in dict.fromkeys(passage.server for passage in front.passages if front.balancer is None):
            for other in sorted(_names_beside(front, server)):
                if not refuses(server, (server.directive,), {"ssl_server_name": other, "request_uri": "/"}):
                    yield self.broken(
                        front.resource,
                        f"{server}: answers on connections that were opened for {other}",
                        "write `if ($ssl_server_name != $server_name) { return 421; }` in the server",
                    )
                    break


def _refuses_underscores(rule: Directive) -> bool:
    actions = {action.name for action in rule.actions}
    return (
        rule.key == "secrule"
        and (rule.arguments[0].upper(), rule.arguments[1]) == ("REQUEST_HEADERS_NAMES", "@contains _")
        and "deny" in actions
        and "chain" not in actions
    )


def _is_refused(passage: Passage, path: str) -> bool:
    name = passage.server.names[0] if passage.server.names else ""
    return refuses(passage.server, (passage.location.directive, passage.server.directive), {"request_uri": path, "ssl_server_name": name})


def _names_beside(front: Front, server: Server) -> set[str]:
    """Return the names with which a connection to the server's ports may be opened, apart from its own."""
    found: set[str] = set()
    for listen in server.listens:
        beside = [each for each in front.listening if any(other.port == listen.port and other.tls for other in each.listens)]
        default = next(
            (each for each in beside if any(other.default and other.port == listen.port for other in each.listens)),
            beside[0] if beside else None,
        )
        for each in beside:
            switch = each.get("ssl_reject_handshake")
            if each is server or (switch is not None and switch.args == ("on",)):
                continue
            found |= {"another.example"} if each is default else set()
            found |= {name for name in each.names if name and name not in server.names}
    return found
