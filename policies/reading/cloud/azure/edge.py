"""Requests through an Application Gateway: firewall, listener, rule, and how it calls what stands behind."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from policies.reading.cloud.azure import firewall
from policies.reading.cloud.azure.application_gateway import Gateway, Routed
from policies.reading.cloud.azure.station import AzureStation
from policies.reading.cloud.model import EDGE, Landing
from policies.reading.flow import PLAIN, Flow, Peer
from policies.reading.requests import Requests
from policies.reading.resource import Resource
from policies.reading.values import UnknownValueError, mapping, sequence

if TYPE_CHECKING:
    from policies.reading.walk import Walk


@dataclass(frozen=True, kw_only=True, eq=False)
class Edge(AzureStation):
    """An Application Gateway on the way in."""

    gateway: Gateway

    def ports(self) -> tuple[int, ...]:
        """Return the ports of its public listeners."""
        return tuple(dict.fromkeys(listener.port for listener in self.gateway.listeners if listener.public))

    def enter(self, walk: "Walk", flow: Flow, landing: Landing) -> None:
        """Follow requests through the rules of every listener on a port."""
        rest: dict[str, list[Requests]] = {}
        for listener in self.gateway.listeners:
            if listener.port == landing.port and (listener.public or landing.sender is not None):
                rest[listener.name] = list(flow.requests.to(listener.hosts or ("*",)))
        if not rest:
            walk.refuse(flow, str(self), f"no listener on port {landing.port}", self.resource)
        for routed in self.gateway.routes:
            left: list[Requests] = []
            for requests in rest.get(routed.listener.name, ()):
                for taken in requests.at(routed.patterns):
                    walk.reading(
                        flow, self.resource, lambda taken=taken, routed=routed: self._routed(walk, flow.with_requests(taken), routed)
                    )
                more = requests.minus(routed.patterns)
                left += [more] if more is not None else []
            rest[routed.listener.name] = left

    def _routed(self, walk: "Walk", flow: Flow, routed: Routed) -> None:
        by = f"{routed}{'' if routed.listener.tls else ' (plain HTTP)'}"
        onward = replace(flow.hop(str(self), by, self.resource), roles=(*flow.roles, EDGE))
        if routed.redirect:
            walk.refuse(onward, str(routed), f"answered by the redirect {routed.redirect}", self.resource)
            return
        if not routed.pool:
            raise UnknownValueError(f"{self.resource}: {routed}", "one without a pool")
        targets = self.gateway.targets(routed.pool)
        if not targets:
            walk.refuse(onward, str(routed), f"its pool {routed.pool} is empty", self.resource)
        for each in self._inspected(walk, onward, routed):
            changed = self._edited(each, routed)
            for address in targets:
                self._send(walk, changed, routed, address)

    def _inspected(self, walk: "Walk", flow: Flow, routed: Routed) -> Iterator[Flow]:
        """Yield what the firewall's own rules leave: methods and hosts that they name."""
        policy = self.gateway.firewall(walk.stack, routed)
        if policy is None:
            yield flow
            return
        methods = firewall.only(policy, "RequestMethod")
        hosts = firewall.only(policy, "RequestHeaders", "host")
        names = None if hosts is None else sorted({host.partition(":")[0].lower() for host in hosts})
        for by_method in flow.requests.by(sorted(methods) if methods is not None else None):
            asked = flow.with_requests(by_method).hop(str(policy), "its rules let them pass", policy)
            for requests in by_method.to(names) if names is not None else (by_method,):
                yield asked.with_requests(requests)
            if names is not None:
                others = sorted(set(walk.stack.intent.public_hosts()).difference(names))
                self._refused(walk, asked, policy, by_method.to(others), f"it lets {', '.join(names)} pass, and no other host")
        if methods is not None:
            others = sorted({edge.method for edge in walk.stack.expected if edge.host} - methods)
            reason = f"it lets {', '.join(sorted(methods))} pass, and no other method"
            self._refused(walk, flow, policy, flow.requests.by(others), reason)

    @staticmethod
    def _refused(walk: "Walk", flow: Flow, policy: Resource, others: Iterable[Requests], reason: str) -> None:
        """Note what is refused of the requests that doors take: no more, so that nothing else is blamed for what it let pass."""
        for requests in others:
            walk.refuse(flow.with_requests(requests), str(policy), reason, policy)

    def _edited(self, flow: Flow, routed: Routed) -> Flow:
        for edit in self.gateway.edits(routed.rewrites):
            if edit.get("urlConfiguration"):
                raise UnknownValueError(
                    f"{self.resource}: rewrite rules {routed.rewrites}", "a rewrite of addresses, which is not followed"
                )
            headers = {str(each["headerName"]).lower(): str(each.get("headerValue") or "") for each in _request(edit)}
            removed = {name for name, value in headers.items() if not value}
            forged = {name for name, value in headers.items() if value}
            flow = replace(flow, token=flow.token and "authorization" not in removed, forged=flow.forged | forged)
        return flow

    def _send(self, walk: "Walk", flow: Flow, routed: Routed, address: str) -> None:
        settings = self.gateway.part("backendHttpSettingsCollection", routed.settings)
        tls, port = str(settings.get("protocol")).lower() == "https", int(settings["port"])
        if settings.get("path"):
            raise UnknownValueError(
                f"{self.resource}: settings {routed.settings}", "a path that replaces the client's, which is not followed"
            )
        host = str(settings.get("hostName") or (address if settings.get("pickHostNameFromBackendAddress") else ""))
        onward = flow.hop(f"pool {routed.pool}", f"{'https' if tls else 'http'}://{address}:{port}", self.resource)
        onward = onward.rehost(host)
        peer = Peer(tls=True, sni=host or flow.requests.host) if tls else PLAIN
        self.call(walk, onward, address, port, peer)


def _request(edit: Any) -> list[dict[str, Any]]:
    return [mapping(each) for each in sequence(edit.get("requestHeaderConfigurations")) if not edit["conditions"]]
