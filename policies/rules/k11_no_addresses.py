"""K11: pods are reached by Service name, never by address."""

import re
from collections.abc import Iterator, Mapping
from ipaddress import AddressValueError, IPv4Address, IPv6Address, ip_address
from typing import Any, Final

from policies.checks import attempt
from policies.reading.pods import TEMPLATES, Pod, pod_of
from policies.reading.resource import Resource
from policies.reading.stack import Stack
from policies.rule import Finding, Rule, Severity
from topology.model.system import OutsideProtocol

HAND_MADE: Final[Mapping[str, str]] = {
    "Endpoints": "it sends a Service's traffic to addresses of its own choice",
    "EndpointSlice": "it sends a Service's traffic to addresses of its own choice",
    "WorkloadEntry": "it makes an address a member of the mesh",
    "WorkloadGroup": "it lets machines outside the cluster become members of the mesh",
}
"""Kinds by which addresses are written by hand, and what each does."""

_IPV4: Final = re.compile(r"(?<![\w.])(?:\d{1,3}\.){3}\d{1,3}(?![\w.]|/\d)")
_IPV6: Final = re.compile(r"\[((?:[0-9a-fA-F]{0,4}:){2,7}[0-9a-fA-F]{0,4})\]")


class K11(Rule):
    """No resource leads traffic to an address instead of a Service.

    Forbids:
        Endpoints, EndpointSlices, WorkloadEntries and WorkloadGroups of the program; Services without selector; addresses of pods, nodes or the cloud's
        metadata service in variables, arguments or ConfigMaps of a service; names that pods give to addresses themselves (`hostAliases`), but for
        the virtual address of an outside host that the topology calls over TCP.

    Why:
        A policy names identities and a NetworkPolicy names pods; an address says neither. Hand-made endpoints put any target
        behind a name that callers trust. A call to a pod's address passes by the routes, versions and limits of its Service,
        and tomorrow the address belongs to another pod.

    Instead:
        Call the Service by name::

            env:
              - name: ORDERS_URL
                value: http://orders.shop.svc.cluster.local:8080
    """

    id = "K11"
    name = "no-addresses-by-hand"
    severity = Severity.HIGH
    frameworks = ("CVE-2021-25740",)

    def judge(self, stack: Stack) -> Iterator[Finding]:
        """Check hand-made endpoints everywhere, and texts of the namespaces of services."""
        yield from self.over(stack.of(*HAND_MADE), self._hand_made)
        yield from self.over(stack.of("Service"), self._service)
        yield from self.over((r for r in stack.of("ConfigMap") if r.namespace in stack.app_namespaces), self._texts)
        yield from self.over((r for r in stack.of(*TEMPLATES) if r.namespace in stack.app_namespaces), self._texts)
        known = _virtual(stack)
        for pod in stack.pods:
            yield from attempt(self, pod.resource, self._aliases(pod, known))

    def _hand_made(self, resource: Resource) -> Iterator[Finding]:
        yield self.broken(resource, HAND_MADE[resource.kind], "remove it, and let a Service select the pods")

    def _service(self, service: Resource) -> Iterator[Finding]:
        if not service.at("spec", "selector", default={}) and service.at("spec", "type", default="ClusterIP") != "ExternalName":
            yield self.undecided(service, "it has no selector: whoever writes its endpoints decides who answers", "select the pods")

    def _aliases(self, pod: Pod, known: Mapping[str, frozenset[str]]) -> Iterator[Finding]:
        for address, host in pod.aliases:
            if address not in known.get(host, ()):
                yield self.broken(
                    pod.resource,
                    f"its pods take {address} for {host} (hostAliases): who answers there is nobody that a policy knows",
                    "remove it; the name service knows Services, and a host outside is declared under egress with protocol tcp",
                )

    def _texts(self, resource: Resource) -> Iterator[Finding]:
        for where, text in texts(resource):
            for address in _addresses(text):
                yield self.broken(
                    resource,
                    f"{where} names the address {address}: who answers there is nobody that a policy knows",
                    "use the name of a Service",
                )


def texts(resource: Resource) -> Iterator[tuple[str, str]]:
    """Yield place and text of everything that a ConfigMap or a workload tells its program.

    Raises:
        UnknownValueError: if a text is not known.
    """
    if resource.kind == "ConfigMap":
        for key, text in resource.at("data", default={}).items():
            yield f"its file {key}", text
        return
    pod = pod_of(resource)
    if pod is None:
        return
    for container, variable, value in pod.env():
        yield f"variable {variable} of container {container}", str(value or "")
    for container in pod.all_containers:
        name = container.get("name", "")
        for field in ("command", "args"):
            arguments: list[Any] = container.get(field) or []
            for argument in arguments:
                yield f"{field} of container {name}", str(argument)


def _virtual(stack: Stack) -> Mapping[str, frozenset[str]]:
    """Return the addresses under which proxies take calls for outside hosts that the topology calls over TCP; M16 judges which those may be."""
    found: dict[str, frozenset[str]] = {}
    outside = {exit_.host for exit_ in stack.intent.egress.values() if exit_.protocol is OutsideProtocol.TCP}
    for entry in stack.traffic.entries:
        for host in outside.intersection(entry.hosts):
            found[host] = found.get(host, frozenset()) | frozenset(entry.addresses)
    return found


def _addresses(text: str) -> Iterator[str]:
    """Yield the addresses in a text that belong to a cluster, a node or a cloud, not to the host itself."""
    for candidate in (*_IPV4.findall(text), *_IPV6.findall(text)):
        address = _parsed(candidate)
        if address and (address.is_private or address.is_link_local) and not address.is_loopback and not address.is_unspecified:
            yield candidate


def _parsed(text: str) -> IPv4Address | IPv6Address | None:
    try:
        return ip_address(text)
    except (AddressValueError, ValueError):
        return None
