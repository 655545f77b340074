"""The API Management service itself: inside the network, known there by name, its keys in the vault."""

from collections.abc import Sequence
from typing import Final

import pulumi
import pulumi_azure_native.apimanagement as apim

from components.authority import Leaf, der
from components.azure.addresses import Subnet
from components.azure.land import AzureLand
from components.azure.roles import Role, grant
from components.azure.vault import PKCS12, secret
from components.azure.zones import API_MANAGEMENT, SELF, address_record, private_zone
from components.component import Component
from components.gateway.api_management.policies import CLIENT_CERTIFICATE
from components.known import known
from topology.derive import names
from topology.model.door import ApiKeyAuth
from topology.model.system import Topology

GATEWAY: Final = ""
PORTAL: Final = (".developer", ".management")
"""What a service's names say it is asked for: the gateway, the developer portal and who administers it. The others, `.portal` and `.scm`, are of a portal
that is switched off and of a repository that nobody asks."""
LEAST_API_VERSION: Final = "2021-08-01"
"""Of its management interface: older ones show secrets."""
OLD: Final = (
    "Protocols.Tls10", "Protocols.Tls11", "Protocols.Ssl30", "Backend.Protocols.Tls10", "Backend.Protocols.Tls11",
    "Backend.Protocols.Ssl30", "Ciphers.TripleDes168", "Ciphers.TLS_RSA_WITH_AES_128_CBC_SHA", "Ciphers.TLS_RSA_WITH_AES_256_CBC_SHA",
    "Ciphers.TLS_RSA_WITH_AES_128_CBC_SHA256", "Ciphers.TLS_RSA_WITH_AES_256_CBC_SHA256", "Ciphers.TLS_RSA_WITH_AES_128_GCM_SHA256",
    "Ciphers.TLS_RSA_WITH_AES_256_GCM_SHA384", "Ciphers.TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA", "Ciphers.TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA",
)  # fmt: skip
"""Protocols and ciphers without forward secrecy or authenticated encryption."""
_SECURITY: Final = "Microsoft.WindowsAzure.ApiManagement.Gateway.Security."
HTTP2: Final = "Microsoft.WindowsAzure.ApiManagement.Gateway.Protocols.Server.Http2"
SERVICE: Final = "Microsoft.ApiManagement/service"


class Service(Component, layer="gateway"):
    """The service, its names and its client certificate."""

    service: apim.ApiManagementService
    portal: bool
    """Whether there is a developer portal: where developers have APIs to read or keys to ask for, inside the network alone."""
    ready: tuple[pulumi.Resource, ...]
    """The last of what must exist before anything can be configured that shows the mesh a certificate."""

    def __init__(self, t: Topology, land: AzureLand, *, parent: pulumi.Resource) -> None:
        """Register the service, and after it what needs its identity or its address."""
        self._land, where = land, land.place
        self.portal = bool(t.apis) or any(isinstance(door.auth, ApiKeyAuth) for door in t.doors.values())
        self.service_name = where.unique("apim")
        super().__init__("service", {"name": self.service_name, "hosts": list(t.public_hosts())}, parent=parent)
        hosts = t.public_hosts()
        server = Leaf("gateway-server", land.boundary, usage="server", dns_names=hosts, parent=self)
        self.service = self._service(t, server)
        named = self._names()
        self.ready = (*named, self._certificate())
        self.register_outputs({"name": self.service_name, "host": f"{self.service_name}.{API_MANAGEMENT}"})

    def inside(self, parent: pulumi.Resource, after: Sequence[pulumi.Resource]) -> pulumi.ResourceOptions:
        """Return the options of something within the service, made after some others.

        It goes with the service: a product cannot be deleted by itself, because Azure gives each a subscription of its own when it is made
        (azure-service-operator, issue 3408), and the provider does not ask for its deletion (azure-native, issue 846).
        """
        return pulumi.ResourceOptions(parent=parent, depends_on=list(after), deleted_with=self.service)

    @property
    def principal(self) -> pulumi.Output[str]:
        """The service's own identity, which Azure makes with it."""
        return self.service.identity.apply(lambda identity: identity.principal_id if identity else "")

    def _service(self, t: Topology, server: Leaf) -> apim.ApiManagementService:
        settings, where, size = self._land.settings, self._land.place, self._land.sizing
        premium = size.gateway_sku == apim.SkuType.PREMIUM
        publisher = settings.publisher
        if publisher is None:
            raise TypeError("API Management without a publisher, which no stack file can say")
        return apim.ApiManagementService(
            "apim",
            apim.ApiManagementServiceArgs(
                service_name=self.service_name,
                resource_group_name=where.group,
                location=where.location,
                publisher_name=publisher.name,
                publisher_email=publisher.email,
                sku=apim.ApiManagementServiceSkuPropertiesArgs(name=size.gateway_sku, capacity=size.gateway_units),
                zones=list(size.zones) if premium else None,
                identity=apim.ApiManagementServiceIdentityArgs(type=apim.ApimIdentityType.SYSTEM_ASSIGNED),
                virtual_network_type=apim.VirtualNetworkType.INTERNAL,
                virtual_network_configuration=apim.VirtualNetworkConfigurationArgs(subnet_resource_id=self._land.subnet_id(Subnet.GATEWAY)),
                # Its address is inside the network; this switch is about other networks, and Azure wants it on when a service is made.
                public_network_access=apim.PublicNetworkAccess.ENABLED,
                hostname_configurations=[
                    apim.HostnameConfigurationArgs(
                        type=apim.HostnameType.PROXY,
                        host_name=host,
                        encoded_certificate=server.secret,
                        certificate_source=apim.CertificateSource.CUSTOM,
                        default_ssl_binding=host == t.public_hosts()[0],
                        negotiate_client_certificate=False,
                    )
                    for host in t.public_hosts()
                ],
                # By this it verifies the mesh ingresses.
                certificates=[
                    apim.CertificateConfigurationArgs(store_name="Root", encoded_certificate=self._land.boundary.certificate.apply(der))
                ],
                custom_properties={**{f"{_SECURITY}{name}": "False" for name in OLD}, HTTP2: "True"},
                api_version_constraint=apim.ApiVersionConstraintArgs(min_api_version=LEAST_API_VERSION),
                developer_portal_status=apim.DeveloperPortalStatus.ENABLED if self.portal else apim.DeveloperPortalStatus.DISABLED,
                legacy_portal_status=apim.LegacyPortalStatus.DISABLED,
            ),
            # It takes the better part of an hour.
            opts=pulumi.ResourceOptions(parent=self, custom_timeouts=pulumi.CustomTimeouts(create="2h", update="2h", delete="2h")),
        )

    def _names(self) -> list[pulumi.Resource]:
        """Register the names of the service: its address is chosen by Azure, and only there is it not known beforehand."""
        roles = (GATEWAY, *(PORTAL if self.portal else ()))
        return [part for role in roles for part in self._zone(role)]

    def _zone(self, role: str) -> tuple[pulumi.Resource, ...]:
        """Register one name: a zone that holds nothing else, so that the network asks Azure for those of other services."""
        where, name = self._land.place, f"{self.service_name}{role}.{API_MANAGEMENT}"
        zone, link = private_zone(f"apim{role}", name, where, self._land.network_id, parent=self)
        address = self.service.private_ip_addresses.apply(lambda addresses: addresses[0])
        return link, address_record(f"apim{role or '.gateway'}", SELF, address, zone=name, owner=zone, where=where, parent=self)

    def _certificate(self) -> apim.Certificate:
        """Register the certificate that the gateway shows the mesh: a secret that only the gateway may read."""
        land, where = self._land, self._land.place
        client = Leaf(CLIENT_CERTIFICATE, land.boundary, usage="client", uris=[f"{names.SPIFFE}{names.GATEWAY_IDENTITY}"], parent=self)
        kept = secret(CLIENT_CERTIFICATE, client.secret, land, parent=self, content_type=PKCS12)
        secret_id = land.secret_id(CLIENT_CERTIFICATE)
        right = grant(
            where,
            Role.KEY_VAULT_SECRETS_USER,
            name="gateway-reads-certificate",
            scope=known(secret_id, kept),
            scope_id=secret_id,
            to=self.principal,
            parent=self,
        )
        return apim.Certificate(
            "gateway-client-certificate",
            apim.CertificateArgs(
                certificate_id=CLIENT_CERTIFICATE,
                service_name=known(self.service_name, self.service),
                resource_group_name=where.group,
                key_vault=apim.KeyVaultContractCreatePropertiesArgs(secret_identifier=known(land.secret_url(CLIENT_CERTIFICATE), kept)),
            ),
            opts=self.inside(self, [right, *land.vault_ready]),
        )
