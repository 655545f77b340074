"""What the judge can read, kind by kind. Everything that is not in these tables is undecided: the judge never fails open."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any, Final, cast

from policies.reading.normalise import RELEASE
from policies.reading.resource import Resource
from policies.reading.values import Unknown, is_unknown, values_in


class Role(Enum):
    """What a kind of object means for the boundary."""

    BOUNDARY = "boundary"
    """It decides who may reach whom, and rules read it: what is not known in it is not proved."""
    INERT = "inert"
    """It opens no path, whatever it says."""


@dataclass(frozen=True, kw_only=True)
class Kind:
    """A Kubernetes kind that the judge can read, in the versions whose meaning it knows."""

    group: str
    kind: str
    versions: frozenset[str]
    namespaced: bool
    role: Role


_TABLE: Final = (
    # group, versions, namespaced, role, kinds
    ("", "v1", True, Role.BOUNDARY, "ConfigMap Endpoints Pod Service ServiceAccount"),
    ("", "v1", True, Role.INERT, "LimitRange PersistentVolumeClaim ResourceQuota Secret"),
    ("", "v1", False, Role.BOUNDARY, "Namespace"),
    ("apps", "v1", True, Role.BOUNDARY, "DaemonSet Deployment ReplicaSet StatefulSet"),
    ("batch", "v1", True, Role.BOUNDARY, "CronJob Job"),
    ("autoscaling", "v1 v2", True, Role.INERT, "HorizontalPodAutoscaler"),
    ("policy", "v1", True, Role.INERT, "PodDisruptionBudget"),
    ("discovery.k8s.io", "v1", True, Role.BOUNDARY, "EndpointSlice"),
    ("networking.k8s.io", "v1", True, Role.BOUNDARY, "Ingress NetworkPolicy"),
    ("networking.k8s.io", "v1", False, Role.BOUNDARY, "IngressClass"),
    ("rbac.authorization.k8s.io", "v1", True, Role.BOUNDARY, "Role RoleBinding"),
    ("rbac.authorization.k8s.io", "v1", False, Role.BOUNDARY, "ClusterRole ClusterRoleBinding"),
    ("scheduling.k8s.io", "v1", False, Role.INERT, "PriorityClass"),
    ("apiextensions.k8s.io", "v1", False, Role.INERT, "CustomResourceDefinition"),
    ("admissionregistration.k8s.io", "v1", False, Role.INERT, "ValidatingAdmissionPolicy ValidatingAdmissionPolicyBinding"),
    ("cert-manager.io", "v1", True, Role.BOUNDARY, "Certificate Issuer"),
    ("cert-manager.io", "v1", False, Role.BOUNDARY, "ClusterIssuer"),
    ("security.istio.io", "v1 v1beta1", True, Role.BOUNDARY, "AuthorizationPolicy PeerAuthentication RequestAuthentication"),
    (
        "networking.istio.io",
        "v1 v1beta1 v1alpha3",
        True,
        Role.BOUNDARY,
        "DestinationRule Gateway ServiceEntry Sidecar VirtualService WorkloadEntry WorkloadGroup",
    ),
    ("networking.istio.io", "v1alpha3", True, Role.BOUNDARY, "EnvoyFilter"),
    ("networking.istio.io", "v1beta1", True, Role.BOUNDARY, "ProxyConfig"),
    ("extensions.istio.io", "v1alpha1", True, Role.BOUNDARY, "TrafficExtension WasmPlugin"),
    ("telemetry.istio.io", "v1 v1alpha1", True, Role.INERT, "Telemetry"),
    ("gateway.networking.k8s.io", "v1 v1beta1", False, Role.BOUNDARY, "GatewayClass"),
    ("gateway.networking.k8s.io", "v1 v1beta1", True, Role.BOUNDARY, "Gateway HTTPRoute ReferenceGrant"),
    ("gateway.networking.k8s.io", "v1", True, Role.BOUNDARY, "BackendTLSPolicy GRPCRoute TCPRoute TLSRoute UDPRoute"),
    (
        "gateway.envoyproxy.io",
        "v1alpha1",
        True,
        Role.BOUNDARY,
        "Backend BackendTrafficPolicy ClientTrafficPolicy EnvoyProxy HTTPRouteFilter SecurityPolicy",
    ),
    ("elbv2.k8s.aws", "v1beta1", True, Role.BOUNDARY, "TargetGroupBinding"),
    ("configuration.konghq.com", "v1", True, Role.BOUNDARY, "KongConsumer KongPlugin"),
    ("configuration.konghq.com", "v1", False, Role.BOUNDARY, "KongClusterPlugin"),
    ("configuration.konghq.com", "v1beta1", True, Role.BOUNDARY, "KongUpstreamPolicy"),
    ("configuration.konghq.com", "v1alpha1", False, Role.INERT, "KongLicense KongVault"),
)

KINDS: Final[Mapping[tuple[str, str], Kind]] = {
    (group, kind): Kind(group=group, kind=kind, versions=frozenset(versions.split()), namespaced=namespaced, role=role)
    for group, versions, namespaced, role, kinds in _TABLE
    for kind in kinds.split()
}
"""Kinds by group and name. An apiVersion that is not listed may mean something else: it is undecided."""

REWRITERS: Final[Mapping[tuple[str, str], str]] = {
    ("gateway.envoyproxy.io", "EnvoyPatchPolicy"): "rewrites the gateway's configuration beneath every rule",
    ("gateway.envoyproxy.io", "EnvoyExtensionPolicy"): "runs code of its own on every request",
    ("configuration.konghq.com", "KongCustomEntity"): "puts any entity into the gateway's configuration",
    ("configuration.konghq.com", "KongIngress"): "overrides the gateway's upstreams and routes",
    ("configuration.konghq.com", "TCPIngress"): "opens a port of the gateway without a route",
    ("configuration.konghq.com", "UDPIngress"): "opens a port of the gateway without a route",
    ("admissionregistration.k8s.io", "MutatingWebhookConfiguration"): "changes any object after it was judged",
    ("admissionregistration.k8s.io", "MutatingAdmissionPolicy"): "changes any object after it was judged",
    ("apiregistration.k8s.io", "APIService"): "answers for the API server",
}
"""Kinds that nothing after them can be read through, with the reason."""


_ISTIO_CHARTS: Final = ("https://istio-release.storage.googleapis.com/charts", "oci://gcr.io/istio-release/charts")
_ENVOY_CHARTS: Final = ("oci://docker.io/envoyproxy",)

CHART_SOURCES: Final[Mapping[str, tuple[str, ...]]] = {
    "base": _ISTIO_CHARTS,
    "istiod": _ISTIO_CHARTS,
    "gateway": _ISTIO_CHARTS,
    "cert-manager": ("https://charts.jetstack.io", "oci://quay.io/jetstack/charts"),
    "gateway-helm": _ENVOY_CHARTS,
    "gateway-crds-helm": _ENVOY_CHARTS,
    "kong": ("https://charts.konghq.com",),
    "aws-load-balancer-controller": ("https://aws.github.io/eks-charts",),
}
"""Charts that a Release may install, and where their makers publish them: Helm repositories, or OCI references without the name."""

REMOTE_COMPONENTS: Final = re.compile(r"^kubernetes:(helm\.sh/v[234]:Chart|yaml(/v2)?:Config(File|Group)|kustomize(/v2)?:Directory)$")
"""Components that make their objects elsewhere: in a plugin, or from files and addresses (pulumi-kubernetes 4.34)."""

OUR_COMPONENTS: Final = re.compile(r"^perimeter:[a-z]+:[A-Z][A-Za-z0-9]*$")
"""Components that only group what the program itself registers."""

OUR_DYNAMICS: Final = frozenset(f"pulumi-python:dynamic/perimeter:{kind}" for kind in ("ApiKey", "Certificate", "CertificateAuthority"))
"""Dynamic resources of the program, which make keys and certificates and touch nothing else."""

ENGINE_TYPES: Final = frozenset(
    {"pulumi:pulumi:Stack", "pulumi:providers:kubernetes", "pulumi:providers:pulumi-python", "pulumi:providers:pulumi"}
)
"""Types of the engine itself that touch nothing."""


def is_kubernetes_object(resource: Resource) -> bool:
    """Say whether the resource is one Kubernetes object, in any spelling: the reading gives everything else its token as kind."""
    return resource.token.startswith("kubernetes:") and ":" not in resource.kind and resource.token != RELEASE


def kind_of(resource: Resource) -> Kind | None:
    """Return what is known about the resource's kind, or None."""
    return KINDS.get((resource.group, resource.kind)) if is_kubernetes_object(resource) else None


def is_patch(resource: Resource) -> bool:
    """Say whether the resource changes fields of an object that somebody else owns (`ServicePatch`, `CustomResourcePatch`)."""
    return is_kubernetes_object(resource) and resource.kind.endswith("Patch")


def holds_unknown(value: Any) -> bool:
    """Say whether something inside a value is unknown: the quick question before `unknown_paths`."""
    return Unknown in map(type, values_in(value))


def unknown_paths(value: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """Yield path and value of every unknown inside a value."""
    if is_unknown(value):
        yield path, value
    elif isinstance(value, Mapping):
        for key, item in cast("Mapping[str, Any]", value).items():
            yield from unknown_paths(item, f"{path}.{key}" if path else key)
    elif isinstance(value, list):
        for index, item in enumerate(cast("list[Any]", value)):
            yield from unknown_paths(item, f"{path}[{index}]")
