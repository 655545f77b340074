"""The AWS Load Balancer Controller: in which namespaces it does what objects say."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from policies.reading.charts import chart_name
from policies.reading.cloud.aws.kinds import TARGET_BINDING
from policies.reading.cloud.flaws import Flaw
from policies.reading.resource import Resource
from policies.reading.values import mapping

if TYPE_CHECKING:
    from policies.reading.stack import Stack

CHART: Final = "aws-load-balancer-controller"
RELEASE: Final = "Release"


def accounts_of(stack: "Stack") -> set[tuple[str, str]]:
    """Return the service accounts of its pods, each with its namespace."""
    return {
        (release.namespace, str(mapping(mapping(release.at("values", default={})).get("serviceAccount")).get("name") or CHART))
        for release in stack.of(RELEASE)
        if chart_name(release) == CHART
    }


def watches_targets_alone(release: Resource, stack: "Stack") -> Iterator[Flaw]:
    """Check that it reads objects of one namespace, where the program's TargetGroupBindings are; else whoever makes one opens a door.

    `watchNamespace` of its chart; where nothing is said, every namespace
    (https://kubernetes-sigs.github.io/aws-load-balancer-controller/latest/deploy/configurations/).
    """
    if chart_name(release) != CHART:
        return
    watched = str(mapping(release.at("values", default={})).get("watchNamespace") or "")
    if watched not in {each.namespace for each in stack.of(TARGET_BINDING)}:
        yield Flaw(
            message=f"makes targets of what objects in {watched or 'every namespace'} say",
            fix="name in watchNamespace the namespace of the TargetGroupBinding",
        )
