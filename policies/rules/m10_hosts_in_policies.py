"""M10: host names in policies match with and without a port, and only where hosts mean something."""

from collections.abc import Iterator
from typing import ClassVar

from policies.checks import at
from policies.reading.meshes import Proxy
from policies.reading.resource import Resource
from policies.reading.stack import Stack
from policies.rule import Finding, ResourceRule, Severity


class M10(ResourceRule):
    """Policies that name hosts stand on gateways and name each host with and without port.

    Forbids:
        `hosts` or `notHosts` that name `shop.example` but not `shop.example:*`; either in a policy for pods that are no gateway;
        hosts with a wildcard in front.

    Why:
        The Host header may carry a port, and Istio compares the whole of it: without `shop.example:*` the same host is another
        host (ISTIO-SECURITY-2021-008). Inside the mesh the caller may send any Host it likes to any address, so a host says
        nothing there.

    Instead:
        Name hosts on the mesh ingress only, in both spellings::

            to:
              - operation:
                  hosts: [shop.example, "shop.example:*"]
    """

    id = "M10"
    name = "hosts-with-and-without-port"
    severity = Severity.MEDIUM
    frameworks = ("ISTIO-SECURITY-2021-008", "CVE-2021-39155")
    kinds: ClassVar = ("AuthorizationPolicy",)

    def check(self, resource: Resource, stack: Stack) -> Iterator[Finding]:
        """Check one policy."""
        spoken = False
        for index, rule in enumerate(resource.at("spec", "rules", default=[])):
            for each in at(rule, "to", default=()):
                for field in ("hosts", "notHosts"):
                    hosts: list[str] = at(each, "operation", field, default=[])
                    spoken = spoken or bool(hosts)
                    yield from self._hosts(resource, f"rules[{index}].{field}", hosts)
        if spoken:
            yield from self._place(resource, stack)

    def _hosts(self, resource: Resource, where: str, hosts: list[str]) -> Iterator[Finding]:
        named = set(hosts)
        for host in hosts:
            if host.startswith("*"):
                yield self.broken(resource, f"{where} names {host}: hosts that nobody declared match it", "name each host in full")
            elif ":" not in host and f"{host}:*" not in named:
                yield self.broken(
                    resource, f"{where} names {host} but not {host}:*, so the same host with a port is another", f'add "{host}:*"'
                )
            elif host.endswith(":*") and host.removesuffix(":*") not in named:
                yield self.broken(resource, f"{where} names {host} but not the host without port", f"add {host.removesuffix(':*')}")

    def _place(self, resource: Resource, stack: Stack) -> Iterator[Finding]:
        pods = stack.pods.selected(resource.namespace, resource.at("spec", "selector", default={}))
        for pod in pods:
            member = stack.member(pod)
            if member is None or member[1] is not Proxy.GATEWAY:
                yield self.broken(
                    resource,
                    f"it names hosts for the {pod}, which are no gateway: a caller inside the mesh sends any Host it likes",
                    "remove hosts",
                )
                return
