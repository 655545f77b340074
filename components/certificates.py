"""Certificate authorities outside the meshes, and every certificate they sign."""

from collections.abc import Iterable, Mapping

import pulumi

from components.binding import Binding
from components.component import Component
from topology.derive import certificates
from topology.derive.certificates import Authority
from topology.model.base import Name
from topology.model.system import Topology


class Certificates(Component, layer="cluster"):
    """Issuers and certificates. What mounts a certificate's Secret waits for `issued`; cert-manager writes the Secret soon after."""

    issued: pulumi.Resource

    def __init__(
        self,
        binding: Binding,
        t: Topology,
        namespaces: Mapping[Name, pulumi.Resource],
        *,
        parent: pulumi.Resource,
        after: Iterable[pulumi.Resource],
    ) -> None:
        """Register the issuers after cert-manager, and each certificate after its issuer and its namespace."""
        own = binding.certificate_issuer.name if binding.certificate_issuer else None
        super().__init__("certificates", {"authorities": [str(authority) for authority in Authority], "publicIssuer": own}, parent=parent)
        waited = list(after)
        issuers: dict[str, pulumi.Resource] = {}
        for document in certificates.authorities(t):
            made = self.add(document, after=waited)
            if document["kind"] == "ClusterIssuer":
                issuers[document["metadata"]["name"]] = made
        for document in certificates.leaves(t, own):
            issuer = issuers.get(document["spec"]["issuerRef"]["name"])
            self.add(document, after=[*([issuer] if issuer else waited), namespaces[document["metadata"]["namespace"]]])
        self.issued = issuers[Authority.BOUNDARY.issuer]
        self.register_outputs({"issuer": Authority.BOUNDARY.issuer})
