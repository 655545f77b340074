"""K03: no Service gets traffic by an address or a name that is not the cluster's own."""

from collections.abc import Iterator
from typing import ClassVar

from policies.reading.resource import Resource
from policies.reading.stack import Stack
from policies.rule import Finding, ResourceRule, Severity


class K03(ResourceRule):
    """No Service has externalIPs, and none is an ExternalName.

    Forbids:
        `spec.externalIPs` on any Service, and Services of type ExternalName.

    Why:
        Whoever may create a Service can name any address in `externalIPs`: every node then takes traffic for that address and
        hands it to the Service's pods, past edge and gateway, or takes over an address that others use (CVE-2020-8554, not fixed
        by design). An ExternalName is an alias: a call to a name inside the mesh leaves it, or comes back through the front door.

    Instead:
        Reach a service by its ClusterIP. Name outside hosts under `egress` of the topology; they are then called through the
        egress gateway::

            egress:
              rates:
                host: api.rates.example
                services: [pricing]
    """

    id = "K03"
    name = "no-external-ips-or-names"
    severity = Severity.HIGH
    frameworks = ("C-0283", "CKV2_K8S_4", "CVE-2020-8554")
    kinds: ClassVar = ("Service", "ServicePatch")

    def check(self, resource: Resource, stack: Stack) -> Iterator[Finding]:
        """Check one Service."""
        if addresses := resource.at("spec", "externalIPs", default=[]):
            yield self.broken(
                resource,
                f"every node takes traffic for {', '.join(addresses)} and hands it to this Service's pods",
                "remove spec.externalIPs",
            )
        target = resource.at("spec", "externalName", default="")
        if resource.at("spec", "type", default="ClusterIP") == "ExternalName" or target:
            yield self.broken(
                resource,
                f"it is an alias (ExternalName) of {target or 'another name'}: calls to it leave the mesh's rules",
                "call the target by its own name, or declare it under `egress` in the topology",
            )
