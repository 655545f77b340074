"""Secrets Manager: what is kept there stands in no plan."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from policies.reading.cloud.flaws import Flaw
from policies.reading.resource import Resource
from policies.reading.values import is_unknown

if TYPE_CHECKING:
    from policies.reading.stack import Stack


def is_secret(version: Resource, stack: "Stack") -> Iterator[Flaw]:
    """Check that what is in a secret is marked as one, so that plan and state do not show it."""
    for key in ("secretString", "secretBinary"):
        given = version.props.get(key)
        if not is_unknown(given) and given is not None and not stack.is_made(version, key):
            yield Flaw(message=f"holds its secret in clear ({key})", fix="let the program make it, and mark it as secret")
