"""What a stack file says of an Azure environment."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Annotated, Final

from pydantic import Field

from components import ranges
from components.azure.regions import ZONAL, ZONELESS
from components.fitting import Fitting
from components.part import AddressRange, Part, Size, known
from topology.model.text import Text

Guid = Annotated[
    str,
    Text(
        pattern="[0-9a-f]{8}-([0-9a-f]{4}-){3}[0-9a-f]{12}",
        must="an id: 32 digits and letters from a to f, in small letters, with four '-'",
        examples=("01234567-89ab-cdef-0123-456789abcdef",),
    ),
]
"""An id of Azure or Entra ID, in small letters."""

Label = Annotated[
    str,
    Text(
        pattern="[a-z](-?[a-z0-9])+",
        max_length=12,
        must="2 to 12 lower-case letters, digits and inner '-', one at a time, beginning with a letter",
        examples=("shop-dev",),
    ),
]
"""Begins the names of all resources; at most 12 characters, because a Key Vault has 24, and not two `-` in a row (Learn, `resource-name-rules`)."""

NETWORK_PREFIX: Final = 20
"""The smallest network (`/20`) that holds the plan of subnets."""

NOBODYS: Final = "00000000-0000-0000-0000-000000000000"
"""The subscription of the files that ship, whose operators come from an address of documentation; nothing can be made in it."""
Email = Annotated[
    str,
    Text(
        pattern=r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]+@([A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)+[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?",
        must="an e-mail address",
        examples=("api@shop.example",),
    ),
]
"""What HTML calls a valid e-mail address (HTML Standard, `input` type `email`), with a domain of two names at least."""
Location = Annotated[
    str,
    Text(pattern="[a-z0-9]+", must="a region's name in small letters and digits", examples=("westeurope",)),
    known(
        ZONAL,
        what="region of Azure with availability zones that is known here",
        where="components/azure/regions.py",
        refused=dict.fromkeys(ZONELESS, "has no availability zones: name a region that has"),
    ),
]


class Publisher(Part):
    """Who offers the APIs, as the developer portal says."""

    name: str
    """Name of the publisher."""
    email: Email
    """Where API Management writes to."""


class PublicCertificate(Part):
    """The certificate that clients see: a secret of a Key Vault of yours, in PKCS #12."""

    secret: Annotated[str, Text(pattern="[0-9A-Za-z-]{1,127}", must="1 to 127 letters, digits and '-'", examples=("api-shop-example",))]
    """Name of the secret or certificate."""
    vault: Annotated[
        str,
        Text(
            pattern=r"/subscriptions/[^/]+/resourceGroups/[^/]+/providers/Microsoft\.KeyVault/vaults/[0-9A-Za-z-]{3,24}",
            must="the resource id of a Key Vault",
            examples=(
                "/subscriptions/01234567-89ab-cdef-0123-456789abcdef/resourceGroups/rg-certificates"
                "/providers/Microsoft.KeyVault/vaults/kv-certificates",
            ),
        ),
    ]
    """Resource id of the vault."""


ZONE: Final = re.compile(
    r"/subscriptions/(?P<subscription>[^/]+)/resourceGroups/(?P<group>[^/]+)/providers/Microsoft\.Network/dnsZones/(?P<name>[^/]+)"
)


ZoneId = Annotated[
    str,
    Text(
        pattern=ZONE.pattern,
        must="the resource id of a public zone of Azure DNS",
        examples=(
            "/subscriptions/01234567-89ab-cdef-0123-456789abcdef/resourceGroups/rg-dns/providers/Microsoft.Network/dnsZones/shop.example",
        ),
    ),
]


@dataclass(frozen=True, kw_only=True)
class DnsZone:
    """A public zone of Azure DNS."""

    id: str
    subscription: str
    group: str
    name: str


class AzureSettings(Fitting):
    """One Azure environment."""

    subscription_id: Guid
    """Your subscription: `az account show --query id`. The files that ship hold zeros."""
    tenant_id: Guid
    """Your tenant: `az account show --query tenantId`. The files that ship hold zeros."""
    location: Location
    """A region with availability zones, such as `westeurope`."""
    name: Label
    """Begins every name. Names that all of Azure shares get six digits from subscription and name."""
    size: Size = Size.SMALL
    """SKUs, zones and numbers (`components/azure/sizes.py`)."""
    publisher: Publisher | None = None
    """Who offers the APIs. API Management needs it; nothing else has a use for it."""
    administrators: Annotated[tuple[Guid, ...], Field(min_length=1)]
    """Object ids of the Entra ID groups that administer the cluster; there are no local accounts."""
    network: AddressRange = "10.60.0.0/16"
    """Addresses of the virtual network, a /20 or larger; its subnets are computed from it."""
    pods: AddressRange = "10.244.0.0/16"
    """Addresses of pods, which only the cluster knows (overlay)."""
    services: AddressRange = "10.245.0.0/16"
    """Addresses of Kubernetes Services."""
    operators: tuple[AddressRange, ...] = ()
    """Who may reach the Kubernetes API from outside the network; nobody where empty, and the program must run in a connected network."""
    private_operators: tuple[AddressRange, ...] = ()
    """Private ranges of networks connected to this one (peering, VPN, ExpressRoute) from which the Kubernetes API is reached."""
    public_certificate: PublicCertificate | None = None
    """The certificate that clients see at the Application Gateway. Default: one signed by an authority made on deploy, which no browser trusts."""
    discovery: Mapping[
        str, Annotated[str, Text(pattern=r"https://\S+", must="an address with https", examples=("https://login.shop.example/openid",))]
    ] = {}
    """Issuers of the topology whose OpenID configuration is not at `<issuer>/.well-known/openid-configuration`."""
    application_insights: bool = False
    """Traces of the gateway in Application Insights."""
    dns_zone: ZoneId | None = None
    """Resource id of a public zone of Azure DNS that holds the topology's hosts: they get their address there, and a certificate that
    browsers trust. Without it you make the records, and an authority is made on deploy."""
    ddos_protection: bool = False
    """DDoS IP Protection of the edge's address, beside what every address of Azure has; charged by the month."""

    @property
    def zone(self) -> DnsZone | None:
        """The zone that holds the hosts."""
        found = ZONE.fullmatch(self.dns_zone or "")
        return DnsZone(id=found[0], **found.groupdict()) if found else None

    def own_ranges(self) -> dict[str, str]:
        """Return the environment's own ranges that can be read, by their keys."""
        return {key: getattr(self, key) for key in ("network", "pods", "services") if self.read(key)}

    def faults(self) -> Iterator[str]:
        """Yield what cannot be, each with what to do."""
        yield from ranges.faults(
            self.own_ranges(),
            longest_prefix=NETWORK_PREFIX,
            operators=self.operators,
            private_operators=self.private_operators,
            elsewhere=True,
        )
        if self.read("subscription_id") and self.subscription_id != NOBODYS:
            yield from ranges.unreachable(self.operators, "is nobody's address on the internet, where AKS is reached")
        if self.read("subscription_id") and self.zone and self.zone.subscription.lower() != self.subscription_id:
            yield f"dnsZone is in subscription {self.zone.subscription}, and the program works in {self.subscription_id} alone"
