"""What small and production mean in AWS. The boundary is the same in both."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from components.part import Size


@dataclass(frozen=True, kw_only=True)
class Sizing:
    """Instance types and numbers of one size. Everything stands in three availability zones in all sizes."""

    nat_gateways: int
    """Ways out of the nodes. With one, all nodes lose the outside when its zone does; doors stay open."""
    node_type: str
    least_nodes: int
    most_nodes: int
    disk_gibibytes: int
    deletion_protection: bool
    """Of load balancer and cluster: they are not deleted before this is taken back."""
    log_days: int


SIZES: Final[Mapping[Size, Sizing]] = {
    Size.SMALL: Sizing(
        nat_gateways=1,
        node_type="t3.xlarge",
        least_nodes=3,
        most_nodes=4,
        disk_gibibytes=50,
        deletion_protection=False,
        log_days=30,
    ),
    Size.PRODUCTION: Sizing(
        nat_gateways=3,
        node_type="m7i.2xlarge",
        least_nodes=3,
        most_nodes=12,
        disk_gibibytes=100,
        deletion_protection=True,
        log_days=90,
    ),
}
"""As of 2026-11 (AWS: EC2 User Guide, `instance-types`; EKS User Guide, `choosing-instance-type`)."""
