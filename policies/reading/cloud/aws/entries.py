"""Who may enter the cluster by the account's own identities."""

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from policies.reading.cloud.administrators import FIX, administrators
from policies.reading.cloud.aws.documents import account_in, account_of
from policies.reading.cloud.aws.roles import own_roles
from policies.reading.cloud.flaws import Flaw
from policies.reading.resource import Resource
from policies.reading.stack_file import AWS

if TYPE_CHECKING:
    from policies.reading.stack import Stack

PERSON: Final = re.compile(r"arn:aws:iam::\d{12}:(role|user)/[\w+=,.@/-]+")


def is_an_administrator(entry: Resource, stack: "Stack") -> Iterator[Flaw]:
    """Check that an access entry is of somebody in this account whom the stack file names, and of nothing that runs here."""
    principal = str(entry.at("principalArn"))
    if not PERSON.fullmatch(principal):
        yield Flaw(message=f"lets {principal} into the cluster, which is no role and no user", fix=FIX)
    elif account_in(principal) != account_of(stack):
        yield Flaw(message=f"lets {principal} into the cluster, from another account", fix=FIX)
    elif principal in own_roles(stack):
        yield Flaw(message=f"lets {principal} into the cluster, which pods, nodes or AWS's services take on", fix=FIX)
    elif principal not in administrators(stack, AWS):
        yield Flaw(message=f"lets {principal} into the cluster, whom the stack file does not name", fix=FIX)
