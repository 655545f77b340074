"""Register a manifest as a Pulumi resource."""

import pulumi

from topology.derive.manifest import Manifest, key_of


class KubernetesObject(pulumi.CustomResource):
    """A Kubernetes object of any kind, registered under the token that pulumi-kubernetes gives that kind.

    The generated classes do the same and more, but a `CustomResource` of theirs carries no field outside `spec` (Kong's
    objects have such fields), and importing them costs two seconds.
    """

    def __init__(self, document: Manifest, options: pulumi.ResourceOptions) -> None:
        """Register the object; its Pulumi name is `namespace/name`, or `name` where it has no namespace."""
        super().__init__(token_of(document), key_of(document), dict(document), options)


def token_of(document: Manifest) -> str:
    """Return the Pulumi type token of an object: `kubernetes:core/v1:Service`."""
    api_version = document["apiVersion"]
    return f"kubernetes:{api_version if '/' in api_version else f'core/{api_version}'}:{document['kind']}"
