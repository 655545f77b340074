"""Requests through API Management: API, operation, policies, and the backend behind them."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Final

from policies.reading.certificates import Certificate
from policies.reading.cloud.azure.apis import Api, Operation, apis, backends
from policies.reading.cloud.azure.facts import Facts, facts_of
from policies.reading.cloud.azure.policy import Element
from policies.reading.cloud.azure.station import AzureStation
from policies.reading.cloud.model import GATEWAY, Landing
from policies.reading.flow import PLAIN, Flow, Peer
from policies.reading.patterns import ByFirst, Pattern, parse
from policies.reading.requests import Requests
from policies.reading.resource import Resource
from policies.reading.values import UnknownValueError, mapping
from topology.edges import ANY_METHOD

if TYPE_CHECKING:
    from policies.reading.stack import Stack
    from policies.reading.walk import Walk

URL: Final = re.compile(r"^(?P<scheme>https?)://(?P<host>[^/:{}@]+)(?::(?P<port>\d+))?(?P<path>/[^{}@?#]*)?$")


@dataclass(frozen=True, kw_only=True, eq=False)
class ApiManagement(AzureStation):
    """API Management as the API gateway."""

    stack: "Stack"

    @cached_property
    def apis(self) -> tuple[Api, ...]:
        """Return its APIs.

        Raises:
            UnknownValueError: if one cannot be read.
        """
        return apis(self.stack, self.resource)

    @cached_property
    def _by_path(self) -> dict[Api, ByFirst[Operation]]:
        return {api: ByFirst(((operation.pattern,), operation) for operation in api.operations) for api in self.apis}

    @cached_property
    def operations(self) -> dict[Resource, Operation]:
        """Return the operations by their resources."""
        return {operation.resource: operation for api in self.apis for operation in api.operations}

    @cached_property
    def backends(self) -> dict[str, Resource]:
        """Return its backends by name."""
        return backends(self.stack, self.resource)

    @cached_property
    def _facts(self) -> dict[Operation, Facts]:
        return {}

    def facts(self, operation: Operation) -> Facts:
        """Return what an operation's policies do.

        Raises:
            UnknownValueError: if they cannot be read.
        """
        if operation not in self._facts:
            self._facts[operation] = facts_of(operation)
        return self._facts[operation]

    def enter(self, walk: "Walk", flow: Flow, landing: Landing) -> None:
        """Follow requests to the operations of each API, the longest path first."""
        rest: Requests | None = flow.requests
        for api in self.apis:
            if rest is None:
                return
            if not landing.peer.tls and "http" not in api.resource.at("protocols", default=["https"]):
                walk.refuse(flow, f"API {api.name}", "it asks for TLS", api.resource)
                continue
            own = rest.having(api.headers)
            if own is not None:
                for operation in self._by_path[api].about(own.path):
                    self._operation(walk, flow.with_requests(own), operation)
            rest = rest if api.headers else rest.minus(_below(api.prefix))
        walk.refuse(flow, str(self), "no operation of an API is asked for by other requests", self.resource)

    def _operation(self, walk: "Walk", flow: Flow, operation: Operation) -> None:
        methods = None if operation.method == ANY_METHOD else [operation.method]
        for by_method in flow.requests.by(methods):
            for requests in by_method.at([operation.pattern]):
                taken = flow.with_requests(requests)
                walk.reading(taken, operation.resource, lambda taken=taken: self._through(walk, taken, operation))

    def _through(self, walk: "Walk", flow: Flow, operation: Operation) -> None:
        facts = self.facts(operation)
        if facts.answered or facts.forward is None:
            walk.refuse(
                flow,
                str(operation),
                "its policies send nothing on",
                (facts.answered or facts.forward or operation).said_by if facts.answered else operation.resource,
            )
            return
        locked = facts.keyed or operation.api.locked
        if locked and facts.products is not None and not facts.products & {product.name for product in operation.api.products}:
            walk.refuse(flow, str(operation), "it takes keys of products that do not have its API", operation.resource)
            return
        if forged := flow.forged & {
            *(token.get("header-name").lower() for token in facts.tokens),
            *([operation.api.key_header] if locked else []),
        }:
            raise UnknownValueError(
                f"{operation}: {', '.join(sorted(forged))}", "set by an earlier layer: the credential is not the client's"
            )
        onward = replace(flow, roles=(*flow.roles, GATEWAY), doubt=", ".join(facts.unread) or flow.doubt)
        onward = onward.demanding(["api-key"]) if locked else onward
        for requests in onward.requests.to(sorted(facts.hosts) if facts.hosts is not None else ("*",)):
            for demands in _demanded(facts.tokens):
                if demands and not onward.token:
                    walk.refuse(onward, str(operation), "it asks for a token, which an earlier hop removed", operation.resource)
                    continue
                admitted = onward.with_requests(requests).demanding(demands)
                shown = " and ".join(sorted(admitted.demands)) or "none"
                by = next((str(document.resource) for document in operation.documents), str(operation.resource))
                self._send(walk, _changed(admitted.hop(f"{self} {operation}, credential: {shown}", by, operation.resource), facts), facts)

    def _send(self, walk: "Walk", flow: Flow, facts: Facts) -> None:
        operation = facts.operation
        backend = self.backends.get(facts.backend)
        if facts.backend and backend is None:
            raise UnknownValueError(f"{operation}: backend {facts.backend}", "a backend that the program does not have")
        written = str(backend.at("url") if backend else facts.url or operation.api.resource.at("serviceUrl", default=""))
        match = URL.match(written)
        if match is None or (backend and backend.at("type", default="Single") != "Single"):
            raise UnknownValueError(f"{operation}: {written or 'no backend'}", "an address that cannot be read")
        tls, host = match["scheme"] == "https", match["host"].lower()
        port = int(match["port"] or (443 if tls else 80))
        flow = flow.rewritten(operation.api.prefix, (match["path"] or "").rstrip("/"))
        flow = flow.rehost(_host(facts) or host).hop(
            f"backend {written}", str(backend or operation.resource), backend or operation.resource
        )
        peer = self._peer(walk, facts, backend, host) if tls else PLAIN
        self.call(walk, flow, host, port, peer)

    def _peer(self, walk: "Walk", facts: Facts, backend: Resource | None, host: str) -> Peer:
        if backend and mapping(backend.at("credentials")).get("certificate"):
            raise UnknownValueError(f"{backend}: credentials.certificate", "a certificate by thumbprint, which is not followed")
        if not facts.certificate:
            return Peer(tls=True, sni=host)
        certificate = self.certificate(facts.certificate)
        if certificate is None:
            walk.doubt(
                Flow(source="internet", requests=Requests()),
                facts.operation.resource,
                f"certificate {facts.certificate}, which {self} shows, is made by nothing in the program",
            )
            return Peer(tls=True, sni=host)
        walk.presented.add((certificate.namespace, certificate.secret))
        identity = certificate.identities[0] if certificate.identities else ""
        return Peer(identity=identity, authority=certificate.authority, tls=True, sni=host)

    def certificate(self, name: str) -> Certificate | None:
        """Return the certificate of an id; None where the program does not make it."""
        return self.azure.shown(self.resource, name)


def _below(prefix: str) -> list[Pattern]:
    return [parse(f"{prefix}/*"), parse(prefix)] if prefix else [parse("/*")]


def _host(facts: Facts) -> str:
    """Return the `Host` that requests are sent with; empty for the backend's own."""
    given = [each for each in facts.written if each.name == "host"]
    if any(len(each.values) > 1 for each in given):
        raise UnknownValueError(str(given[-1].element), "several hosts at once")
    return given[-1].values[0] if given and given[-1].values else ""


def _demanded(tokens: Iterable[Element]) -> list[list[str]]:
    """Return what tokens must be shown, in every way in which all checks are passed."""
    ways: list[list[str]] = [[]]
    for token in tokens:
        if token.get("require-signed-tokens", "true") != "true" or not (token.all("openid-config") or token.all("key")):
            continue
        issuers = token.values("issuers/issuer") or ("*",)
        ways = [[*way, f"jwt {issuer}"] for way in ways for issuer in issuers]
    return ways


def _changed(flow: Flow, facts: Facts) -> Flow:
    """Return the flow with the headers as the policies leave them."""
    given = {each.name for each in facts.written if each.name != "host" and each.action != "skip"}
    return replace(flow, token=flow.token and "authorization" not in facts.removed, forged=flow.forged | given)
