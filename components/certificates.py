"""Certificate authorities outside the meshes, and every certificate they sign."""

from collections.abc import Iterable, Mapping
from typing import Final

import pulumi

from components.component import Component
from components.context import Context
from components.contracts import PublicIssuer
from components.placement import layers_in_cluster
from components.ways import inside
from topology.derive import certificates, names
from topology.derive.certificates import Authority
from topology.derive.manifest import Manifest, manifest
from topology.model.base import Name

PROVED: Final = "perimeter-proved"
"""Name of the ClusterIssuer, and of the Secret with its account's key, that proves the hosts to a public authority."""
AUTHORITY: Final = "https://acme-v02.api.letsencrypt.org/directory"
"""The public authority, by RFC 8555 (letsencrypt.org, `docs/acme-protocol-updates`)."""


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
        layers = layers_in_cluster(binding, t)
        own = binding.certificate_issuer.name if binding.certificate_issuer else PROVED if context.issuer else None
        super().__init__("certificates", {"authorities": [str(authority) for authority in Authority], "publicIssuer": own}, parent=parent)
        waited = list(after)
        issuers: dict[str, pulumi.Resource] = {}
        if outside:
            data = {"tls.crt": outside.authority.certificate, "tls.key": outside.authority.key}
            name, home = Authority.BOUNDARY.issuer, names.CERT_MANAGER_NAMESPACE
            secret = manifest("v1", "Secret", name, home, type="kubernetes.io/tls", stringData=data)
            waited.append(self.add(secret, after=[namespaces[home]]))
        for document in certificates.authorities(t, layers, brought=[Authority.BOUNDARY] if outside else []):
            made = self.add(document, after=waited)
            if document["kind"] == "ClusterIssuer":
                issuers[document["metadata"]["name"]] = made
        if context.issuer:
            issuers[PROVED] = self.add(_proved(context.issuer), after=[*waited, *context.issuer.ready])
        server_names = {mesh: balancer.server_name for mesh, balancer in outside.load_balancers.items()} if outside else {}
        served = inside(binding, t) or t
        for document in certificates.leaves(t, own, layers, server_names, served.public_hosts()):
            issuer = issuers.get(document["spec"]["issuerRef"]["name"])
            self.add(document, after=[*([issuer] if issuer else waited), namespaces[document["metadata"]["namespace"]]])
        self.issued = issuers[Authority.BOUNDARY.issuer]
        self.register_outputs({"issuer": Authority.BOUNDARY.issuer})


def _proved(issuer: PublicIssuer) -> Manifest:
    acme = {"server": AUTHORITY, "privateKeySecretRef": {"name": PROVED}, "solvers": [{"dns01": dict(issuer.solver)}]}
    return manifest(certificates.API, "ClusterIssuer", PROVED, spec={"acme": acme})
