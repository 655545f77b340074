"""What small and production mean in Azure. The boundary is the same in both."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from pulumi_azure_native.apimanagement import SkuType
from pulumi_azure_native.containerservice import ManagedClusterSKUTier
from pulumi_azure_native.storage import SkuName

from components.part import Size


@dataclass(frozen=True, kw_only=True)
class Range:
    """A number of instances between two bounds."""

    least: int
    most: int


@dataclass(frozen=True, kw_only=True)
class Sizing:
    """SKUs, zones and numbers of one size."""

    zones: tuple[str, ...]
    edge: Range
    """Instances of the Application Gateway, each of ten capacity units (Learn, `application-gateway/understanding-pricing`)."""
    gateway_sku: SkuType
    """Of API Management: of the SKUs that run inside a network, Developer has no SLA and Premium has zones."""
    gateway_units: int
    """A multiple of the number of zones."""
    cluster_tier: ManagedClusterSKUTier
    """Of AKS: Standard has an SLA."""
    system_nodes: Range
    system_vm: str
    user_nodes: Range
    user_vm: str
    customer_managed_key: bool
    """Whether disks are encrypted with a key of ours, beside encryption at the host."""
    log_days: int
    log_copies: SkuName
    """SKU of the storage account that keeps flow logs."""


ALL_ZONES: Final = ("1", "2", "3")

SIZES: Final[Mapping[Size, Sizing]] = {
    Size.SMALL: Sizing(
        zones=ALL_ZONES,  # spreading costs nothing, and moving later means making anew
        edge=Range(least=0, most=2),
        gateway_sku=SkuType.DEVELOPER,
        gateway_units=1,
        cluster_tier=ManagedClusterSKUTier.FREE,
        system_nodes=Range(least=1, most=2),
        system_vm="Standard_D2ds_v5",
        user_nodes=Range(least=2, most=4),
        user_vm="Standard_D4ds_v5",
        customer_managed_key=False,
        log_days=30,
        log_copies=SkuName.STANDARD_LRS,
    ),
    Size.PRODUCTION: Sizing(
        zones=ALL_ZONES,
        edge=Range(least=3, most=20),
        gateway_sku=SkuType.PREMIUM,
        gateway_units=3,
        cluster_tier=ManagedClusterSKUTier.STANDARD,
        system_nodes=Range(least=3, most=6),
        system_vm="Standard_D4ds_v5",
        user_nodes=Range(least=3, most=30),
        user_vm="Standard_D8ds_v5",
        customer_managed_key=True,
        log_days=90,
        log_copies=SkuName.STANDARD_ZRS,
    ),
}
"""SKUs as of 2026-11 (Learn: `api-management-features`, `free-standard-pricing-tiers` of AKS, `sizes/general-purpose`)."""
