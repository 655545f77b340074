"""Who may enter the cluster by the account's own identities."""

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Final

from policies.reading.cloud.aws.documents import account_in, account_of
from policies.reading.cloud.aws.roles import own_roles
from policies.reading.cloud.flaws import Flaw
from policies.reading.resource import Resource
from policies.reading.values import UnknownValueError

if TYPE_CHECKING:
    from policies.reading.stack import Stack

PERSON: Final = re.compile(r"arn:aws:iam::\d{12}:(role|user)/[\w+=,.@/-]+")
COMPONENT: Final = "perimeter:cluster:EksCluster"
FIX: Final = "remove it; `administrators` of the stack file says who administers the cluster"


def is_an_administrator(entry: Resource, stack: "Stack") -> Iterator[Flaw]:
    """Check that an access entry is of somebody in this account whom the stack file names, and of nothing that runs here."""
    principal = str(entry.at("principalArn"))
    if not PERSON.fullmatch(principal):
        yield Flaw(message=f"lets {principal} into the cluster, which is no role and no user", fix=FIX)
    elif account_in(principal) != account_of(stack):
        yield Flaw(message=f"lets {principal} into the cluster, from another account", fix=FIX)
    elif principal in own_roles(stack):
        yield Flaw(message=f"lets {principal} into the cluster, which pods, nodes or AWS's services take on", fix=FIX)
    elif principal not in _named(stack):
        yield Flaw(message=f"lets {principal} into the cluster, whom the stack file does not name", fix=FIX)


def _named(stack: "Stack") -> set[str]:
    """Return whom the stack file names, as the cluster's component repeats it."""
    said: list[Any] = [each for component in stack.of(COMPONENT) for each in component.at("administrators", default=[])]
    if not said:
        raise UnknownValueError("the administrators of the stack file", f"not said by any {COMPONENT}")
    return set(map(str, said))
