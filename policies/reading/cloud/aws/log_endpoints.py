"""Endpoints by which CloudWatch Logs answers inside a network: whether what containers say passes them."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from policies.reading.cloud.addresses import OUTSIDE, Addresses
from policies.reading.cloud.aws.documents import account_of, region_of
from policies.reading.cloud.aws.groups import groups_in, groups_named, members
from policies.reading.cloud.aws.kinds import VPC_ENDPOINT
from policies.reading.cloud.aws.permissions import OVER_TLS, Request, lets
from policies.reading.cloud.aws.roles import WRITING
from policies.reading.cloud.aws.vpc import subnets_named, within
from policies.reading.cloud.flaws import Flaw
from policies.reading.cloud.model import Place, connection
from policies.reading.cloud.outside import HTTPS
from policies.reading.resource import Resource

if TYPE_CHECKING:
    from policies.reading.stack import Stack

ON_THE_NODE: Final = "what containers say, access logs among it, stays on the disks of the nodes"


def cloudwatch(stack: "Stack") -> Addresses:
    """Return where CloudWatch Logs answers: at the interfaces of its endpoint in the network; on the internet where that has none.

    https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/cloudwatch-logs-and-interface-VPC.html
    """
    found = _endpoints(stack)
    return within(subnet for each in found for subnet in subnets_named(stack, each, "subnetIds")) if found else Addresses(OUTSIDE.ranges)


def _endpoints(stack: "Stack") -> list[Resource]:
    """Return the endpoints of CloudWatch Logs that take its name over: without that, who asks for it is told its address on the internet."""
    name = f"com.amazonaws.{region_of(stack)}.logs"
    return [
        each
        for each in stack.of(VPC_ENDPOINT)
        if each.at("serviceName", default="") == name and each.at("privateDnsEnabled", default=False) is True
    ]


def passes(stack: "Stack") -> Iterator[Flaw]:
    """Check that endpoints of CloudWatch Logs take connections of the nodes, and pass on what the collector asks for.

    Raises:
        UnknownValueError: if an endpoint's security groups are not of the program.
    """
    nodes, account = stack.cloud.nodes, account_of(stack)
    facts = {**OVER_TLS, "aws:principalaccount": account, "aws:resourceaccount": account}
    for endpoint in _endpoints(stack):
        groups = groups_named(stack, endpoint, "securityGroupIds")
        place = Place(
            name=str(endpoint),
            resource=endpoint,
            addresses=within(subnets_named(stack, endpoint, "subnetIds")) | members(groups),
            filters=(groups_in(stack).around(groups),),
        )
        if nodes is None or not groups or not connection(nodes, place, HTTPS).allowed:
            yield Flaw(
                message=f"{ON_THE_NODE}: the nodes do not reach CloudWatch at {endpoint}",
                fix="let the nodes' security group in on port 443",
                resource=endpoint,
            )
        asked = [Request(action=action, thing=f"arn:aws:logs:{region_of(stack)}:{account}:*", facts=facts) for action in WRITING]
        if not all(lets([endpoint], "policy", each) for each in asked):
            yield Flaw(
                message=f"{ON_THE_NODE}: {endpoint} does not pass on what writes it ({', '.join(sorted(WRITING))})",
                fix="let it pass on everything of this account",
                resource=endpoint,
            )
