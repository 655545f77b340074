"""Values that follow from names, for what is made after the resources that they speak of."""

from typing import TypeVar

import pulumi

T = TypeVar("T")


def known(value: T, *owners: pulumi.Resource) -> pulumi.Output[T]:
    """Return a value that follows from names, as an output of the resources that it speaks of.

    An id taken from a resource that does not exist yet is unknown in a preview. This one is known, and whoever uses it still waits for
    the resource, and says so to whoever reads the plan.
    """

    async def future() -> T:
        return value

    async def true() -> bool:
        return True

    return pulumi.Output(set(owners), future(), true())
