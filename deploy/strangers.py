"""Objects that exist and were not made from here. They are not taken over unasked: removing the stack would remove them too."""

from collections.abc import Iterable

from deploy.api import MANAGER, Object
from deploy.applyset import PART_OF
from deploy.documents import entries, part, text
from deploy.items import Item, Key, Sort
from deploy.objects import Objects
from deploy.parallel import each


def existing(objects: Objects, items: Iterable[Item], members: Iterable[Key]) -> dict[Key, Object]:
    """Return the live objects of items that are no members of the stack's set."""
    known = set(members)
    new = [item for item in items if item.sort is Sort.OBJECT and item.key not in known]
    found = each(lambda item: objects.get(item.key, str(item.inputs["apiVersion"])), new)
    return {item.key: live for item, live in zip(new, found, strict=True) if live is not None}


def refusal(key: Key, live: Object, set_id: str, *, adopt: bool) -> str:
    """Return why an object may not be taken over; empty where it may: it is ours, or belongs to no set and is to be adopted."""
    owner = text(part(live, "metadata", "labels"), PART_OF)
    managers = {text(entry, "manager") for entry in entries(live, "metadata", "managedFields")}
    if owner and owner != set_id:
        return f"{key}: exists already and belongs to another set of objects ({owner}). Remove it first."
    if owner or adopt or MANAGER in managers:
        return ""
    makers = ", ".join(sorted(managers)) or "somebody else"
    return f"{key}: exists already and was made by {makers}. Remove it, or take it over with --adopt (perimeter down would then remove it)."
