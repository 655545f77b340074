"""Whom the stack file names as administrators of a cluster."""

from typing import TYPE_CHECKING, Final

from policies.reading.stack_file import listed
from policies.reading.values import UnknownValueError

if TYPE_CHECKING:
    from policies.reading.stack import Stack

FIX: Final = "remove it; `administrators` of the stack file says who administers the cluster"


def administrators(stack: "Stack", cloud: str) -> set[str]:
    """Return whom the stack file names.

    Raises:
        UnknownValueError: if that is nobody, or not known.
    """
    said = set(listed(stack, cloud, "administrators"))
    if not said:
        raise UnknownValueError("the administrators of the stack file", f"nobody ({cloud})")
    return said
