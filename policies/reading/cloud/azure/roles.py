"""Roles of Azure: those that an identity of the system may have, each at one type of resource, and those that nobody of it may have.

https://learn.microsoft.com/azure/role-based-access-control/built-in-roles
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from policies.reading.cloud.azure.apis import SERVICE as GATEWAY
from policies.reading.cloud.azure.cluster import CLUSTER
from policies.reading.cloud.references import names
from policies.reading.resource import Resource

if TYPE_CHECKING:
    from policies.reading.stack import Stack

OURS: Final = "azure-native:"

ASSIGNMENT: Final = "azure-native:authorization:RoleAssignment"
"""What gives an identity a role."""

READER: Final = "acdd72a7-3385-48ef-bd42-f606fba81ae7"
CRYPTO_USER: Final = "e147488a-f6f5-4113-8e2d-b22465e65bf6"
BLOB_WRITER: Final = "ba92f5b4-2d11-453d-a403-e96b0029c9fe"


@dataclass(frozen=True, kw_only=True)
class Role:
    """A built-in role that is narrow where it is given."""

    name: str
    at: frozenset[str]
    """Types of the resources at which it is."""
    of: frozenset[str]
    """Kinds of the resources that act with it: by an identity of their own, or by one that they are given."""
    group_of: str = ""
    """The kind of resources of which a group may hold nothing else, and none that others use, for the role to be narrow at the group."""


def _role(name: str, *types: str, of: tuple[str, ...], group_of: str = "") -> Role:
    return Role(name=name, at=frozenset(types), of=frozenset(of), group_of=group_of)


NARROW: Final[Mapping[str, Role]] = {
    "4d97b98b-1d4f-4787-a291-c67834d212e7": _role(
        "Network Contributor",
        "Microsoft.Network/virtualNetworks/subnets",
        of=(CLUSTER,),
        group_of="azure-native:network:PublicIPAddress",  # AKS looks for one among all of a group (Learn, `aks/static-ip`)
    ),
    "befefa01-2a29-4197-83a8-272ff33ce314": _role(
        "DNS Zone Contributor", "Microsoft.Network/dnsZones", of=("azure-native:managedidentity:FederatedIdentityCredential",)
    ),
    READER: _role("Reader", "Microsoft.Compute/diskEncryptionSets", of=(CLUSTER,)),
    "4633458b-17de-408a-b874-0445c86b69e6": _role(
        "Key Vault Secrets User", "Microsoft.KeyVault/vaults/secrets", of=(GATEWAY, "azure-native:network:ApplicationGateway")
    ),
    CRYPTO_USER: _role(
        "Key Vault Crypto Service Encryption User", "Microsoft.KeyVault/vaults/keys", of=("azure-native:compute:DiskEncryptionSet",)
    ),
    "3913510d-42f4-4e42-8a64-420c390055eb": _role("Monitoring Metrics Publisher", "Microsoft.Insights/components", of=(GATEWAY,)),
    BLOB_WRITER: _role("Storage Blob Data Contributor", "Microsoft.Storage/storageAccounts", of=("azure-native:network:FlowLog",)),
}
"""By id."""

WIDE: Final[Mapping[str, str]] = {
    "8e3af657-a8ff-443c-a75c-2fe8c4bcb635": "Owner",
    "b24988ac-6180-42a0-ab88-20f7382dd24c": "Contributor",
    "18d7d88d-d35e-4fb5-a5c3-7773c20a72d9": "User Access Administrator",
    "f58310d9-a9f6-439a-9e8d-f62e7b41a168": "Role Based Access Control Administrator",
    "00482a5a-887f-4fb3-b363-3b7fe8e74483": "Key Vault Administrator",
    "b86a8fe4-44ce-4948-aee5-eccb2c155cd7": "Key Vault Secrets Officer",
    "b1ff04bb-8a4e-4dc4-8eb5-8693973ce19b": "Azure Kubernetes Service RBAC Cluster Admin",
    "0ab0b1a8-8aac-4efd-b8c2-3ee1fb270be8": "Azure Kubernetes Service Cluster Admin Role",
}
"""By id: whoever has one changes the boundary, or gives itself the right to."""


def holders_of(assignment: Resource, stack: "Stack") -> tuple[Resource, ...]:
    """Return the resources of the program to whose identity a role is given; none where it is somebody else's, or may be."""
    return tuple(each for each in stack.resources if each.kind.startswith(OURS) and names(assignment, "principalId", each))
