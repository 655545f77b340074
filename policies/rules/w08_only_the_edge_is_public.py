"""W08: the set of public addresses is the edge's."""

from collections.abc import Iterator
from typing import Final

from policies.reading.cloud.joined import provider_of
from policies.reading.cloud.model import EDGE
from policies.reading.pods import TEMPLATES
from policies.reading.stack import Stack
from policies.reading.waf import behind_balancers, fronts
from policies.rule import Finding, Hop, Rule, Severity

PUBLISHERS: Final = frozenset({"Service", "Ingress", "Gateway", "Release", "EnvoyProxy", "GatewayClass", *TEMPLATES})
"""Kinds that can have a public address: one that cannot be read may have one."""


class W08(Rule):
    """The edge is public, and nothing else is.

    Forbids:
        Any public address besides the WAF's: a Service of type NodePort or LoadBalancer or with `externalIPs`, an Ingress, a
        pod on its node's network or port, a Gateway whose controller makes a load balancer, a chart whose default is one; an nginx behind a
        load balancer that has an address of its own beside that; in a cloud a public address or load balancer of anything else, and an API Management that is not in the internal network. And a
        stack in which nothing is public although the topology has doors: then somebody else owns the way in.

    Why:
        The proof of the whole boundary begins with "every request enters at the edge". Each further public address is a way
        around the WAF, the gateway's authentication and its limits, however well the layers behind are guarded.

    Instead:
        One public Service, in front of the edge; everything else ClusterIP. Charts have to be told::

            type: kubernetes:helm.sh/v3:Release
            inputs:
              chart: gateway          # Istio's; its default is a LoadBalancer
              values: {service: {type: None}}
    """

    id = "W08"
    name = "only-the-edge-is-public"
    severity = Severity.CRITICAL
    frameworks = ("OWASP API9:2023",)

    def judge(self, stack: Stack) -> Iterator[Finding]:
        """Compare the public addresses with the edge's."""
        edge = {(front.exposure, front.nginx.pod) for front in fronts(stack)}
        balanced = {front.nginx.pod for front in behind_balancers(stack)}
        for exposure in stack.exposures:
            strangers = [pod for pod in exposure.pods if (exposure, pod) not in edge or pod in balanced]
            if strangers or not exposure.pods:
                behind = str(strangers[0]) if strangers else "whatever is behind it"
                hops = (
                    Hop(place="internet", allowed_by=exposure.why, urn=exposure.resource.urn),
                    Hop(place=behind, allowed_by="a public address"),
                )
                yield self.broken(exposure.resource, f"{exposure.why}: {behind} can be reached past the edge", exposure.fix, hops)
        ways_in = [entrance for entrance in stack.cloud.entrances if entrance.station is not None and entrance.station.role == EDGE]
        for entrance in stack.cloud.entrances:
            if entrance not in ways_in:
                behind = str(entrance.station or entrance.place or "whatever is behind it")
                hops = (
                    Hop(place="internet", allowed_by=entrance.why, urn=entrance.resource.urn),
                    Hop(place=behind, allowed_by="a public address"),
                )
                message = f"{entrance.why}: {behind} can be reached past the edge"
                yield self.broken(entrance.resource, message, entrance.fix, hops)
        for resource, error in stack.unreadable:
            if resource.kind in PUBLISHERS or provider_of(resource):
                yield self.undecided(resource, f"whether it has a public address cannot be read: {error}")
        if stack.intent.doors and not edge and not ways_in:
            yield self.broken(
                None,
                "no WAF of this stack is public although the topology has doors: the way in belongs to somebody else, whom nobody judges here",
                "let this program own the edge and its public Service",
            )
