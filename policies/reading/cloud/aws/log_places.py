"""Where logs go: which log group or bucket of the program that is."""

from typing import TYPE_CHECKING, Any, Final

from policies.reading.cloud.aws.documents import account_of, region_of
from policies.reading.cloud.aws.kinds import BUCKET, LOG_GROUP
from policies.reading.cloud.references import is_known_as, meant
from policies.reading.resource import Resource
from policies.reading.values import is_unknown

if TYPE_CHECKING:
    from policies.reading.stack import Stack

OF_S3: Final = "arn:aws:s3:::"
NAMED: Final = {BUCKET: "bucket", LOG_GROUP: "name"}
"""Fields that say what a place is called."""


def place_of(stack: "Stack", resource: Resource, field: str, given: Any) -> Resource | None:
    """Return the log group or bucket of the program that a property names, by a value in it; None for any other place.

    Raises:
        UnknownValueError: if it is not known what a log group's ARN begins with: account and region.
    """
    found = meant(stack, resource, field, given, among=stack.of(*NAMED), spelled=lambda each, value: _is(each, str(value), stack))
    return found[0] if len(found) == 1 else None


def kept_here(stack: "Stack", resource: Resource, field: str, given: Any) -> bool:
    """Say whether a log goes to a log group or bucket of the program.

    Raises:
        UnknownValueError: as `place_of`.
    """
    return place_of(stack, resource, field, given) is not None


def arn_of(group: Resource, stack: "Stack") -> str:
    """Return the ARN that a log group will have.

    Raises:
        UnknownValueError: if its name, or where the program makes it, is not known.
    """
    return f"arn:aws:logs:{region_of(stack)}:{account_of(stack)}:log-group:{group.at('name')}"


def _is(place: Resource, given: str, stack: "Stack") -> bool:
    """Say whether a place is spelled so: a log group by its ARN, a bucket by its name or ARN, with a folder in it or not."""
    name = place.props.get(NAMED[place.kind])
    if is_known_as(place, given):
        return True
    if name is None or is_unknown(name):
        return False
    if place.kind == LOG_GROUP:
        return given.removesuffix(":*") == arn_of(place, stack)
    return given.removeprefix(OF_S3).partition("/")[0] == name
