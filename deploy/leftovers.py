"""What is in a cluster of a stack of which nothing is remembered: its memory was lost, or the Pulumi CLI made it."""

from collections.abc import Iterable
from typing import Final

from deploy import applyset, strangers
from deploy.api import Object
from deploy.documents import entries, part, text
from deploy.errors import DeployError, MadeByPulumiError
from deploy.items import Key, items_of
from deploy.session import Session
from planner.program import resolve_program

_PULUMI: Final = "pulumi"
"""Begins the field managers of pulumi-kubernetes.

Source: https://github.com/pulumi/pulumi-kubernetes/pull/2271.
"""
_NAMED: Final = 5


def refuse(session: Session) -> None:
    """Look for everything that a stack may have left.

    Raises:
        DeployError: the objects that carry the stack's label, but for those that are to stay when the stack is removed.
        MadeByPulumiError: the objects of its plan that the Pulumi CLI made.
        PlanError: the program cannot be registered.
    """
    target, store = session.target, session.store
    items = items_of(resolve_program(target.root, target.stack, target.config, {})).values()
    retained = {item.key for item in items if item.retained}
    members = applyset.members(session.api, session.kinds, store.id, dict.fromkeys(session.kinds.listable()))
    # What a controller made of one of them, with its labels, goes with it.
    if left := [key for key, live in members.items() if key not in retained and not entries(part(live, "metadata"), "ownerReferences")]:
        raise DeployError(
            [
                f"stack {target.stack}: {_listed(left)} of it still there, found by the label {applyset.PART_OF}={store.id}, and nothing was "
                f"removed: the Secret {store.parent.namespace}/{store.parent.name} is gone, which knew their order and the Helm releases. "
                "Run perimeter up, which finds them and writes it anew, then perimeter down."
            ]
        )
    if made := [key for key, live in strangers.existing(session.objects, items, ()).items() if _is_of_pulumi(live)]:
        raise MadeByPulumiError(
            [
                f"stack {target.stack}: {_listed(made)} in the cluster and made by Pulumi, and nothing was removed: only the Pulumi CLI knows "
                "what belongs to them. Run perimeter down --with pulumi where it is on PATH and logged in as it was when it deployed them."
            ]
        )


def _is_of_pulumi(live: Object) -> bool:
    return any(text(entry, "manager").startswith(_PULUMI) for entry in entries(part(live, "metadata"), "managedFields"))


def _listed(keys: Iterable[Key]) -> str:
    names = sorted(map(str, keys))
    more = [f"{len(names) - _NAMED} more"] if len(names) > _NAMED else []
    return f"{', '.join([*names[:_NAMED], *more])} {'is' if len(names) == 1 else 'are'}"
