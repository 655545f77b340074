"""W05: clients are served over TLS only."""

from collections.abc import Iterator

from policies.cloud_rule import in_clouds
from policies.reading.controllers import GATEWAY_API
from policies.reading.nginx import Server
from policies.reading.resource import Resource
from policies.reading.stack import Stack
from policies.reading.waf import Front, fronts
from policies.rule import Finding, Rule, Severity


class W05(Rule):
    """Clients are served over TLS only; plain HTTP is refused or redirected.

    Forbids:
        A public nginx that serves a public port without `ssl`, unless all it does there is to refuse or to redirect to https,
        or that sends requests on which came to any port without `ssl`; a Gateway with a listener of protocol HTTP, TCP or UDP;
        the same of listeners of a cloud's gateway or load balancer.

    Why:
        On a plain connection everybody on the way reads tokens and changes answers. A port that answers plainly is used: by an
        old link, by a client that was told to, by an attacker who keeps the redirect from arriving.

    Instead:
        Listen with TLS alone::

            server {
              listen 8443 ssl http2;
              server_name api.abc.example;
            }

        and give the Gateway's listeners `protocol: HTTPS`.
    """

    id = "W05"
    name = "https-only"
    severity = Severity.HIGH
    frameworks = ("ELB.1", "CKV_AWS_2", "CKV_AZURE_217")

    def judge(self, stack: Stack) -> Iterator[Finding]:
        """Check public servers, then the listeners of Gateways."""
        for front in fronts(stack):
            yield from self.over([front.resource], lambda _, front=front: self._front(front))
        yield from self.over(stack.of(f"Gateway.{GATEWAY_API}"), self._gateway)
        yield from in_clouds(self, stack)

    def _front(self, front: Front) -> Iterator[Finding]:
        passing = {passage.server for passage in front.passages}
        for server in front.listening:
            plain = [listen.port for listen in server.listens if not listen.tls and (server in passing or front.hears(listen.port))]
            if plain and not _only_redirects(server):
                why = f"and {front.exposure.why}" if front.hears(plain[0]) else "and sends requests on"
                yield self.broken(
                    front.resource,
                    f"server {' '.join(server.names) or '(without name)'}: serves port {plain[0]} without TLS, {why}",
                    "write `listen <port> ssl;`, or let the server only `return 308 https://$host$request_uri;`",
                )

    def _gateway(self, gateway: Resource) -> Iterator[Finding]:
        for listener in gateway.at("spec", "listeners", default=[]):
            if listener["protocol"] not in {"HTTPS", "TLS"}:
                yield self.broken(
                    gateway,
                    f"listener `{listener['name']}` has protocol {listener['protocol']}: requests arrive without TLS",
                    "give it protocol HTTPS and a certificate",
                )


def _only_redirects(server: Server) -> bool:
    """Say whether a server does nothing but refuse or send clients to https."""
    returns = [directive for directive in server.directive.walk() if directive.name == "return"]
    serves = any(directive.name.endswith("_pass") or directive.name in {"root", "alias"} for directive in server.directive.walk())
    return bool(returns) and not serves and all(_refuses(directive.args) for directive in returns)


def _refuses(args: tuple[str, ...]) -> bool:
    code, *target = args
    if code.startswith("4"):
        return True
    return code in {"301", "307", "308"} and bool(target) and target[0].startswith("https://")
