"""Names that only the environment's network knows."""

from typing import Final

import pulumi
import pulumi_azure_native.privatedns as dns

from components.azure.ids import Place
from components.known import known

MESH: Final = "mesh.internal"
"""The zone in which ingresses have names, for the gateway alone."""
VAULT: Final = "privatelink.vaultcore.azure.net"
"""By which a vault's public name leads to its private endpoint (Learn, `private-endpoint-dns`)."""
API_MANAGEMENT: Final = "azure-api.net"
"""Every API Management service has names in it. No zone of this name is made: Azure has refused one as "a reserved Azure infrastucture domain"
(MicrosoftDocs/azure-docs, issue 102958), it would hide names that Azure's own services ask for (Azure/apim-landing-zone-accelerator, issue 86),
and Learn tells to own a service's names alone (`api-management-using-with-internal-vnet`, since 2026-04). So each name is a zone of its own, with
one record (MicrosoftDocs/azure-docs, issue 80370)."""
SELF: Final = "@"
"""The record of a zone's own name."""


def private_zone(
    name: str, zone: str, where: Place, network_id: pulumi.Input[str], *, parent: pulumi.Resource
) -> tuple[dns.PrivateZone, dns.VirtualNetworkLink]:
    """Register a zone of names that only the network knows, and the link by which it knows them."""
    made = dns.PrivateZone(
        f"{name}-zone",
        dns.PrivateZoneArgs(private_zone_name=zone, resource_group_name=where.group, location="global"),
        opts=pulumi.ResourceOptions(parent=parent),
    )
    link = dns.VirtualNetworkLink(
        f"{name}-link",
        dns.VirtualNetworkLinkArgs(
            virtual_network_link_name=where.of("link"),
            private_zone_name=known(zone, made),
            resource_group_name=where.group,
            location="global",
            registration_enabled=False,
            virtual_network=dns.SubResourceArgs(id=network_id),
        ),
        opts=pulumi.ResourceOptions(parent=parent),
    )
    return made, link


def address_record(  # noqa: PLR0913 # the parts of a record
    name: str, record: str, address: pulumi.Input[str], *, zone: str, owner: dns.PrivateZone, where: Place, parent: pulumi.Resource
) -> dns.PrivateRecordSet:
    """Register the address of a name in a private zone; `record` is relative to the zone, `SELF` the zone itself."""
    return dns.PrivateRecordSet(
        name,
        dns.PrivateRecordSetArgs(
            private_zone_name=known(zone, owner),
            resource_group_name=where.group,
            record_type="A",
            relative_record_set_name=record,
            ttl=300,
            a_records=[dns.ARecordArgs(ipv4_address=address)],
        ),
        opts=pulumi.ResourceOptions(parent=parent),
    )
