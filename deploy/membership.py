"""What exists of a stack before a run, and whether it may be touched."""

from collections.abc import Mapping

from deploy import applyset, strangers
from deploy.api import Object
from deploy.errors import DeployError
from deploy.items import Item, Key, Sort
from deploy.session import Session


def members(session: Session, items: Mapping[str, Item]) -> dict[Key, Object]:
    """Return everything that exists of the stack, in the versions in which it will be applied.

    Raises:
        DeployError: with every object that exists and was made by somebody else.
    """
    objects = [item for item in items.values() if item.sort is Sort.OBJECT]
    remembered: dict[tuple[str, str], str | None] = dict.fromkeys(applyset.member_kinds(session.store.found or {}))
    wanted = {(item.key.group, item.key.kind): str(item.inputs["apiVersion"]) for item in objects}
    found = applyset.members(session.api, session.kinds, session.store.id, {**remembered, **wanted})
    others = strangers.existing(session.objects, objects, found)
    adopt = session.target.adopt
    refused = [said for key, live in others.items() if (said := strangers.refusal(key, live, session.store.id, adopt=adopt))]
    if refused:
        raise DeployError([*sorted(refused), "Nothing was applied."])
    return {**found, **others}
