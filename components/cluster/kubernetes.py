"""The provider of every Kubernetes object, whoever made the cluster."""

from collections.abc import Sequence

import pulumi
import pulumi_kubernetes as kubernetes


def provider(
    kubeconfig: pulumi.Input[str] | None,
    *,
    name: str = "cluster",
    context: str | None = None,
    after: Sequence[pulumi.Resource] = (),
) -> kubernetes.Provider:
    """Return the provider; what must exist before anything can run in the cluster comes before it."""
    return kubernetes.Provider(
        name,
        context=context,
        kubeconfig=kubeconfig,
        enable_server_side_apply=True,
        # What somebody changed by hand is put back, instead of stopping the update as a conflict over who owns the field.
        enable_patch_force=True,
        # A changed configuration or a rotated key is an update: replacing the object would take it away from running pods.
        enable_config_map_mutable=True,
        enable_secret_mutable=True,
        opts=pulumi.ResourceOptions(depends_on=list(after)) if after else None,
    )
