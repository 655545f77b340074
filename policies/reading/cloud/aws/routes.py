"""Where route tables send packets: by ways of the program, of which rules know who stands there."""

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Final

from policies.reading.cloud.aws.kinds import INTERNET_GATEWAY, NAT_GATEWAY, ROUTE, SUBNET, VPC
from policies.reading.cloud.flaws import Flaw
from policies.reading.cloud.references import named
from policies.reading.resource import Resource

if TYPE_CHECKING:
    from policies.reading.stack import Stack

WAYS: Final[Mapping[str, str]] = {"gatewayId": INTERNET_GATEWAY, "natGatewayId": NAT_GATEWAY}
"""Fields of routes that say by what packets leave, with what that has to be."""
STANDING: Final[Mapping[str, tuple[str, str]]] = {NAT_GATEWAY: ("subnetId", SUBNET), INTERNET_GATEWAY: ("vpcId", VPC)}
"""Where ways out stand: field, and what that has to be."""


def lead_by_own_ways(resource: Resource, stack: "Stack") -> Iterator[Flaw]:
    """Check that routes lead by gateways of the program: behind any other somebody else takes, and answers, what the network sends.

    Raises:
        UnknownValueError: if one does not.
    """
    inside = () if resource.kind == ROUTE else ("routes",)
    for field, kind in WAYS.items():
        named(stack, resource, *inside, field, kinds=(kind,))
    yield from ()


def stand_in_own_network(way: Resource, stack: "Stack") -> Iterator[Flaw]:
    """Check that a way out stands in the network of the program.

    Raises:
        UnknownValueError: if it does not.
    """
    field, kind = STANDING[way.kind]
    named(stack, way, field, kinds=(kind,))
    yield from ()
