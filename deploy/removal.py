"""What is removed, and in which order: the reverse of how it was made, namespaces last."""

from collections.abc import Iterable, Mapping, Set
from typing import Final

from deploy.items import Key, Sort
from deploy.order import reversed_order
from deploy.state import Made

_FOUND: Final = "found:"
"""Begins the names of what carries the set's label and is in no memory: a lost state, or an object that was copied with its label."""


def plan(gone: Mapping[str, Made], members: Iterable[Key], kept: Set[Key]) -> dict[str, Made]:
    """Return everything to be removed: what is remembered, and what carries the label of the set."""
    remembered = {made.key for made in gone.values()}
    found = [key for key in members if key not in remembered and key not in kept]
    return {**gone, **{f"{_FOUND}{key}": Made(sort=Sort.OBJECT, key=key, after=frozenset()) for key in found}}


def order(leaving: Mapping[str, Made]) -> dict[str, set[str]]:
    """Return what is removed after what: a thing after everything that was made after it, a namespace after everything in it."""
    turned = reversed_order({urn: made.after for urn, made in leaving.items()})
    namespaces = {made.key.name: urn for urn, made in leaving.items() if (made.key.group, made.key.kind) == ("", "Namespace")}
    for urn, made in leaving.items():
        if made.key.namespace in namespaces:
            turned[namespaces[made.key.namespace]].add(urn)
    return turned
