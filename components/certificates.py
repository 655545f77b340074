"""Certificate authorities outside the meshes, and every certificate they sign."""

from collections.abc import Iterable, Mapping

import pulumi

from components.component import Component
from components.context import Context
from topology.derive import certificates, names
from topology.derive.certificates import Authority
from topology.derive.manifest import manifest
from topology.model.base import Name


class Certificates(Component, layer="cluster"):
    """Issuers and certificates. What mounts a certificate's Secret waits for `issued`; cert-manager writes the Secret soon after."""

    issued: pulumi.Resource

    def __init__(
        self,
        context: Context,
        namespaces: Mapping[Name, pulumi.Resource],
        *,
        parent: pulumi.Resource,
        after: Iterable[pulumi.Resource],
    ) -> None:
        """Register the issuers after cert-manager, and each certificate after its issuer and its namespace."""
        t, binding, outside = context.relations.t, context.binding, context.outside
        own = binding.certificate_issuer.name if binding.certificate_issuer else None
        super().__init__("certificates", {"authorities": [str(authority) for authority in Authority], "publicIssuer": own}, parent=parent)
        waited = list(after)
        issuers: dict[str, pulumi.Resource] = {}
        if outside:
            data = {"tls.crt": outside.authority.certificate, "tls.key": outside.authority.key}
            name, home = Authority.BOUNDARY.issuer, names.CERT_MANAGER_NAMESPACE
            secret = manifest("v1", "Secret", name, home, type="kubernetes.io/tls", stringData=data)
            waited.append(self.add(secret, after=[namespaces[home]]))
        for document in certificates.authorities(t, binding.layers_in_cluster):
            made = self.add(document, after=waited)
            if document["kind"] == "ClusterIssuer":
                issuers[document["metadata"]["name"]] = made
        server_names = {mesh: balancer.server_name for mesh, balancer in outside.load_balancers.items()} if outside else {}
        for document in certificates.leaves(t, own, binding.layers_in_cluster, server_names):
            issuer = issuers.get(document["spec"]["issuerRef"]["name"])
            self.add(document, after=[*([issuer] if issuer else waited), namespaces[document["metadata"]["namespace"]]])
        self.issued = issuers[Authority.BOUNDARY.issuer]
        self.register_outputs({"issuer": Authority.BOUNDARY.issuer})
