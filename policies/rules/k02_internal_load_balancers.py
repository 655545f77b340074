"""K02: a load balancer in front of the gateway belongs to the private network."""

import re
from collections.abc import Iterator
from ipaddress import ip_network
from typing import ClassVar, Final

from policies.layers import Layer, layers_of
from policies.reading.exposure import INTERNAL_LOAD_BALANCER, is_internal
from policies.reading.resource import Resource
from policies.reading.stack import Stack
from policies.rule import Finding, ResourceRule, Severity

GATEWAYS: Final = frozenset({Layer.GATEWAY, Layer.INGRESS})

RANGE_ANNOTATIONS: Final = (
    "service.beta.kubernetes.io/load-balancer-source-ranges",
    "service.beta.kubernetes.io/azure-allowed-ip-ranges",
)
"""Annotations with the meaning of `loadBalancerSourceRanges`, as comma-separated ranges."""

OF_CLOUDS: Final = ("service.beta.kubernetes.io/", "cloud.google.com/", "networking.gke.io/")

KNOWN: Final = re.compile(
    r"service\.beta\.kubernetes\.io/(azure-load-balancer-(internal|internal-subnet|ipv4|ipv6|tcp-idle-timeout|health-probe-.+|resource-group)"
    r"|azure-(allowed-ip-ranges|deny-all-except-load-balancer-source-ranges)|load-balancer-source-ranges"
    r"|aws-load-balancer-(scheme|internal|type|nlb-target-type|subnets|healthcheck-.+|attributes|name|private-ipv4-addresses))"
    r"|networking\.gke\.io/load-balancer-type|cloud\.google\.com/load-balancer-type"
)
"""Annotations that some rule reads, or that open nothing. Not among them: addresses besides, private link services, service tags."""

FIX: Final = (
    'set service.beta.kubernetes.io/azure-load-balancer-internal: "true" or service.beta.kubernetes.io/aws-load-balancer-internal: "true"'
)


class K02(ResourceRule):
    """A load balancer for the API gateway or the mesh ingress is internal and names who may use it.

    Forbids:
        A Service of type LoadBalancer in front of the API gateway or the mesh ingress without the annotation that makes it
        internal, with another value than the one the cloud knows, or without source ranges, or with the whole Internet as range.
        An annotation of a cloud of which it is not known what it opens (a private link service, public addresses besides) leaves it
        undecided.

    Why:
        Load balancers are public unless an annotation of the cluster's own cloud says otherwise. It is text: `"yes"`, `true` without quotes in
        the wrong place or a misspelt key are not errors, they are a public address. Source ranges hold even when the
        annotation is lost in an upgrade.

    Instead:
        On Azure, and likewise in EKS with `aws-load-balancer-internal: "true"`::

            kind: Service
            metadata:
              annotations:
                service.beta.kubernetes.io/azure-load-balancer-internal: "true"
            spec:
              type: LoadBalancer
              loadBalancerSourceRanges: [10.10.1.0/24]
    """

    id = "K02"
    name = "gateway-load-balancers-are-internal"
    severity = Severity.CRITICAL
    frameworks = ("cloud-provider-azure internal load balancer", "AWS Load Balancer Controller service annotations", "C-0256")
    kinds: ClassVar = ("Service",)

    def check(self, resource: Resource, stack: Stack) -> Iterator[Finding]:
        """Check one Service."""
        if resource.at("spec", "type", default="ClusterIP") != "LoadBalancer":
            return
        service = stack.service(resource.namespace, resource.name)
        layers = layers_of(stack)
        if service is None or not {layers.pods.get(pod) for pod in service.pods} & GATEWAYS:
            return
        if not is_internal(service, stack.clouds):
            said = {key: resource.annotations[key] for key in INTERNAL_LOAD_BALANCER if key in resource.annotations}
            wrong = "".join(f' ({key} is "{value}")' for key, value in said.items())
            yield self.broken(resource, f"nothing makes its load balancer internal{wrong}: it has a public address", FIX)
        for annotation in sorted(resource.annotations):
            if annotation.startswith(OF_CLOUDS) and not KNOWN.fullmatch(annotation):
                yield self.undecided(
                    resource,
                    f"its annotation {annotation} tells the cloud something of which it is not known what that opens",
                    "remove it, or add it to the rule after review",
                )
        ranges = [*resource.at("spec", "loadBalancerSourceRanges", default=[])]
        for annotation in RANGE_ANNOTATIONS:
            ranges += [part.strip() for part in resource.annotations.get(annotation, "").split(",") if part.strip()]
        if not ranges:
            yield self.broken(
                resource, "it has no source ranges: whoever reaches the load balancer may use it", "set loadBalancerSourceRanges"
            )
        for block in ranges:
            if ip_network(block, strict=False).prefixlen == 0:
                yield self.broken(
                    resource, f"its source ranges allow every address ({block})", "name the ranges of the layer in front of it"
                )
