"""Secrets Manager: what is kept there stands in no plan."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from policies.reading.cloud.aws import kinds
from policies.reading.cloud.flaws import Flaw
from policies.reading.cloud.references import one
from policies.reading.resource import Resource
from policies.reading.values import is_unknown

if TYPE_CHECKING:
    from policies.reading.stack import Stack

CREDENTIALS: Final = {kinds.SECRET_VERSION: (("secretString",), ("secretBinary",))}
"""Fields whose value is a credential, by kind."""


def is_secret(version: Resource, stack: "Stack") -> Iterator[Flaw]:
    """Check that what is in a secret is marked as one, so that plan and state do not show it."""
    del stack
    for (key,) in CREDENTIALS[kinds.SECRET_VERSION]:
        if version.props.get(key) is not None and not is_unknown(version.props[key]):
            yield Flaw(message=f"holds its secret in clear ({key})", fix="let the program make it, and mark it as secret")


def stays_here(version: Resource, stack: "Stack") -> Iterator[Flaw]:
    """Check that what is in a secret is put into a secret of the program, of which it is known whom it answers.

    Raises:
        UnknownValueError: if it is put elsewhere.
    """
    one(stack, version, "secretId", kinds=(kinds.SECRET,))
    yield from ()
