"""Who vouches for the certificate that clients see: an authority that asks the hosts' public DNS zone, in which cert-manager may answer.

cert-manager signs in to Azure with the token of its own ServiceAccount: no password is anywhere (cert-manager,
`configuration/acme/dns01/azuredns`; Learn, `workload-identity-overview`).
"""

from typing import Final

import pulumi
import pulumi_azure_native.managedidentity as identities

from components.azure.land import AzureLand
from components.azure.roles import Role, grant
from components.azure.settings import DnsZone
from components.component import Component
from components.contracts import PublicIssuer
from components.known import known
from topology.derive import names

SUBJECT: Final = f"system:serviceaccount:{names.CERT_MANAGER_NAMESPACE}:cert-manager"
AUDIENCE: Final = "api://AzureADTokenExchange"
"""Of the tokens that Entra ID takes (Learn, `workload-identity-federation`)."""


class HostProofs(Component, layer="cluster"):
    """The identity with which cert-manager writes into the zone, and nowhere else."""

    issuer: PublicIssuer

    def __init__(self, zone: DnsZone, land: AzureLand, token_issuer: pulumi.Input[str], *, parent: pulumi.Resource) -> None:
        """Register identity, trust and right.

        Args:
            zone: which holds the hosts.
            land: where the identity is made.
            token_issuer: who signs the tokens of the cluster's ServiceAccounts.
            parent: the component that owns this one.
        """
        super().__init__("host-proofs", {"zone": zone.name}, parent=parent)
        where = land.place
        named = where.of("id-cert-manager")
        identity = identities.UserAssignedIdentity(
            "cert-manager-identity",
            resource_name_=named,
            resource_group_name=where.group,
            location=where.location,
            opts=pulumi.ResourceOptions(parent=self),
        )
        trust = identities.FederatedIdentityCredential(
            "cert-manager-identity",
            federated_identity_credential_resource_name="cert-manager",
            resource_name_=known(named, identity),
            resource_group_name=where.group,
            issuer=token_issuer,
            subject=SUBJECT,
            audiences=[AUDIENCE],
            opts=pulumi.ResourceOptions(parent=self),
        )
        right = grant(
            where,
            Role.DNS_ZONE_CONTRIBUTOR,
            name="cert-manager-proves-hosts",
            scope=zone.id,
            scope_id=zone.id,
            to=identity.principal_id,
            parent=self,
        )
        azure_dns = {
            "subscriptionID": zone.subscription,
            "resourceGroupName": zone.group,
            "hostedZoneName": zone.name,
            "managedIdentity": {"clientID": identity.client_id},
        }
        self.issuer = PublicIssuer(solver={"azureDNS": azure_dns}, pod_labels={"azure.workload.identity/use": "true"}, ready=(trust, right))
        self.register_outputs({"identity": named})
