"""Register a manifest as the Pulumi resource of its kind."""

from typing import Any, Final, Protocol

import pulumi
import pulumi_kubernetes as kubernetes

from topology.derive.manifest import Manifest, key_of


class _Kind(Protocol):
    def __call__(self, resource_name: str, *, opts: pulumi.ResourceOptions, **properties: Any) -> pulumi.CustomResource: ...


KINDS: Final[dict[tuple[str, str], _Kind]] = {
    ("v1", "Namespace"): kubernetes.core.v1.Namespace,
    ("v1", "Service"): kubernetes.core.v1.Service,
    ("v1", "ServiceAccount"): kubernetes.core.v1.ServiceAccount,
    ("v1", "ConfigMap"): kubernetes.core.v1.ConfigMap,
    ("v1", "Secret"): kubernetes.core.v1.Secret,
    ("apps/v1", "Deployment"): kubernetes.apps.v1.Deployment,
    ("autoscaling/v2", "HorizontalPodAutoscaler"): kubernetes.autoscaling.v2.HorizontalPodAutoscaler,
    ("policy/v1", "PodDisruptionBudget"): kubernetes.policy.v1.PodDisruptionBudget,
    ("networking.k8s.io/v1", "NetworkPolicy"): kubernetes.networking.v1.NetworkPolicy,
    ("networking.k8s.io/v1", "IngressClass"): kubernetes.networking.v1.IngressClass,
    ("rbac.authorization.k8s.io/v1", "Role"): kubernetes.rbac.v1.Role,
    ("rbac.authorization.k8s.io/v1", "RoleBinding"): kubernetes.rbac.v1.RoleBinding,
    ("rbac.authorization.k8s.io/v1", "ClusterRole"): kubernetes.rbac.v1.ClusterRole,
    ("rbac.authorization.k8s.io/v1", "ClusterRoleBinding"): kubernetes.rbac.v1.ClusterRoleBinding,
    ("apiextensions.k8s.io/v1", "CustomResourceDefinition"): kubernetes.apiextensions.v1.CustomResourceDefinition,
}
"""Built-in kinds that the program uses. Every other kind is a custom resource."""

PYTHON_NAMES: Final = {
    "stringData": "string_data",
    "binaryData": "binary_data",
    "automountServiceAccountToken": "automount_service_account_token",
    "imagePullSecrets": "image_pull_secrets",
    "roleRef": "role_ref",
    "aggregationRule": "aggregation_rule",
}
"""Top-level fields whose Python name differs from the field's name."""


def register(document: Manifest, options: pulumi.ResourceOptions) -> pulumi.CustomResource:
    """Register an object; its Pulumi name is `namespace/name`, or `name` where it has no namespace."""
    api_version, kind = document["apiVersion"], document["kind"]
    fields = {key: value for key, value in document.items() if key not in {"apiVersion", "kind"}}
    if (known := KINDS.get((api_version, kind))) is not None:
        renamed = {PYTHON_NAMES.get(key, key): value for key, value in fields.items()}
        return known(key_of(document), opts=options, **renamed)
    return kubernetes.apiextensions.CustomResource(
        key_of(document), api_version=api_version, kind=kind, metadata=fields.pop("metadata"), opts=options, **fields
    )
