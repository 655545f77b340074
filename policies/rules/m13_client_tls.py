"""M13: callers use the mesh's TLS inside, and verify whom they reach outside."""

from collections.abc import Iterator, Mapping
from typing import Any, ClassVar, Final

from policies.checks import at
from policies.layers import Layer, layers_of
from policies.reading.certificates import SPIFFE
from policies.reading.resource import Resource
from policies.reading.services import CLUSTER_DOMAIN, host_of
from policies.reading.stack import Stack
from policies.rule import Finding, ResourceRule, Severity

MESH_TLS: Final = "ISTIO_MUTUAL"
ORIGINATED: Final = frozenset({"SIMPLE", "MUTUAL"})


class M13(ResourceRule):
    """A DestinationRule never takes mutual TLS from a call inside the mesh, and names the certificate it expects outside it.

    Forbids:
        For hosts of the cluster: `tls` modes DISABLE, SIMPLE and MUTUAL, at any level of the DestinationRule. For other hosts:
        DISABLE; SIMPLE or MUTUAL without `subjectAltNames` or without a CA (`caCertificates` or `credentialName`), with other
        names than the host's own or those of the other side of a bridge, or with another `sni`; `insecureSkipVerify`.

    Why:
        A DestinationRule decides how every caller connects. With DISABLE it connects in plaintext, with SIMPLE without a
        certificate of its own: under STRICT the call fails, and under anything less it succeeds without an identity. TLS that does
        not check a name accepts any certificate of its CA.

    Instead:
        Inside, say ISTIO_MUTUAL or nothing. Outside, say who must answer::

            spec:
              host: api.rates.example
              trafficPolicy:
                tls:
                  mode: SIMPLE
                  sni: api.rates.example
                  caCertificates: system
                  subjectAltNames: [api.rates.example]
    """

    id = "M13"
    name = "callers-keep-mutual-tls"
    severity = Severity.HIGH
    frameworks = ("IST0128", "IST0129")
    kinds: ClassVar = ("DestinationRule", "DestinationRulePatch")

    def check(self, resource: Resource, stack: Stack) -> Iterator[Finding]:
        """Check every TLS setting of one DestinationRule."""
        host: str = resource.at("spec", "host", default="")
        inside = is_inside(host, resource.namespace, stack)
        for where, tls in _settings(resource.at("spec", default={})):
            mode = tls.get("mode", "DISABLE")
            if tls.get("insecureSkipVerify"):
                yield self.broken(resource, f"{where} does not verify the certificate of {host}", "remove insecureSkipVerify")
            if inside and mode != MESH_TLS:
                yield self.broken(
                    resource,
                    f"{where} is {mode} for {host}, a host of the mesh: callers do not show their identity",
                    f"set mode {MESH_TLS}, or remove tls",
                )
            elif not inside and mode == "DISABLE":
                yield self.broken(resource, f"{where} is DISABLE: calls to {host} leave in plaintext", "originate TLS (mode SIMPLE)")
            elif not inside and mode in ORIGINATED:
                yield from self._verified(resource, where, host, tls)
                yield from self._names(resource, where, host, tls, stack)

    def _names(self, resource: Resource, where: str, host: str, tls: Mapping[str, Any], stack: Stack) -> Iterator[Finding]:
        """Check that the other side is asked for as the host, and may only be the host or the other side of a bridge."""
        bridges = {f"{SPIFFE}{stack.identity(pod)}" for pod in layers_of(stack).of(Layer.BRIDGE)}
        if more := sorted(set(tls.get("subjectAltNames") or ()) - {host} - bridges):
            yield self.broken(resource, f"{where} takes {', '.join(more)} for {host}", "list the host alone in subjectAltNames")
        if (sni := tls.get("sni", host)) != host:
            yield self.broken(resource, f"{where} asks for {sni} (`sni`) where {host} is called", "set sni to the host")

    def _verified(self, resource: Resource, where: str, host: str, tls: Mapping[str, Any]) -> Iterator[Finding]:
        if not tls.get("subjectAltNames"):
            yield self.broken(resource, f"{where} accepts any name that the CA signs for {host}", "list subjectAltNames")
        if not tls.get("caCertificates") and not tls.get("credentialName"):
            yield self.broken(
                resource,
                f"{where} does not say which CA must have signed the certificate of {host}",
                "set caCertificates or credentialName",
            )


def _settings(spec: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Yield place and content of every TLS setting: of the host, its ports, its subsets and their ports."""
    policies: list[tuple[str, Any]] = [("trafficPolicy", spec.get("trafficPolicy"))]
    policies += [(f"subset {subset.get('name')}", subset.get("trafficPolicy")) for subset in spec.get("subsets") or ()]
    for where, policy in policies:
        if (tls := at(policy, "tls")) is not None:
            yield f"{where}.tls", tls
        for setting in at(policy, "portLevelSettings", default=()):
            if (tls := at(setting, "tls")) is not None:
                yield f"{where} port {at(setting, 'port', 'number')}.tls", tls


def is_inside(host: str, namespace: str, stack: Stack) -> bool:
    """Say whether a host, or some host that its wildcard matches, is a Service of the cluster."""
    if host == "*" or host.endswith((f".svc.{CLUSTER_DOMAIN}", ".svc", f".{CLUSTER_DOMAIN}", ".local")):
        return True
    if host.startswith("*"):
        return CLUSTER_DOMAIN.endswith(host.lstrip("*."))
    meant = host_of(host, namespace)
    return meant is not None and (stack.service(meant[1], meant[0]) is not None or "." not in host)
