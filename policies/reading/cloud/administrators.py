"""Whom the stack file names as administrators of a cluster: the component that makes the cluster repeats it."""

from typing import TYPE_CHECKING, Final

from policies.reading.values import UnknownValueError

if TYPE_CHECKING:
    from policies.reading.stack import Stack

FIX: Final = "remove it; `administrators` of the stack file says who administers the cluster"


def administrators(stack: "Stack", component: str) -> set[str]:
    """Return whom the stack file names, as the components of a type repeat it.

    Raises:
        UnknownValueError: if none of them names anybody.
    """
    said = {str(each) for repeating in stack.of(component) for each in repeating.at("administrators", default=[])}
    if not said:
        raise UnknownValueError("the administrators of the stack file", f"not said by any {component}")
    return said
