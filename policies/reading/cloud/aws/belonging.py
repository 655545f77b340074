"""What parts of AWS build on: whether that is in the program, so that rules see it. What is not, nobody judges."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from policies.reading.cloud.aws.eks import belongs, template_of
from policies.reading.cloud.aws.kinds import CLUSTER, VPC
from policies.reading.cloud.flaws import Flaw
from policies.reading.cloud.references import one
from policies.reading.resource import Resource
from policies.reading.values import is_unknown, mapping

if TYPE_CHECKING:
    from policies.reading.stack import Stack

LATEST: Final = "$Latest"
DEFAULT: Final = "$Default"
"""Versions of a launch template by which nodes start as its newest, or its default one, says (EKS User Guide, `launch-templates`)."""


def joins_own_cluster(resource: Resource, stack: "Stack") -> Iterator[Flaw]:
    """Check that nodes, add-ons and users are of a cluster of the program: of another one no rule knows who reaches it."""
    if not any(belongs(stack, resource, cluster) for cluster in stack.of(CLUSTER)):
        yield Flaw(
            message="belongs to a cluster that the program does not make: who reaches its Kubernetes API is in no plan",
            fix="give it the name of the program's cluster (clusterName)",
            undecided=True,
        )


def is_in_own_network(subnet: Resource, stack: "Stack") -> Iterator[Flaw]:
    """Check that a subnet is in a network of the program: of another one nobody knows what is connected to it, and what is written down.

    Raises:
        UnknownValueError: if it is in no network of the program.
    """
    if one(stack, subnet, "vpcId", kinds=(VPC,)) is None:
        yield Flaw(message="says no network that it is in", fix="give the network of the program (vpcId)", undecided=True)


def starts_as_planned(node_group: Resource, stack: "Stack") -> Iterator[Flaw]:
    """Check that nodes start as the launch template in the plan says, and not as an earlier version of it.

    Raises:
        UnknownValueError: if the template is not one of the program.
    """
    template = template_of(stack, node_group)
    if template is None:
        return
    version = mapping(node_group.at("launchTemplate", default={})).get("version")
    newest = {LATEST, *template.known_as}
    if template.at("updateDefaultVersion", default=False) is True and template.props.get("defaultVersion") is None:
        newest.add(DEFAULT)
    if not is_unknown(version) and str(version) not in newest:
        yield Flaw(
            message=f"its nodes start as version {version} of {template} says, which is not in the plan",
            fix="give the template's own latestVersion",
            undecided=True,
        )
