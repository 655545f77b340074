"""How mutations of the API gateway change its resources."""

from collections.abc import Callable
from typing import Any

from tests.policies.mutations.plan import Plan

Inputs = dict[str, Any]


def change_first(plan: Plan, kind: str, change: Callable[[Inputs], object], where: Callable[[Any], bool] = lambda _: True) -> bool:
    """Change the inputs of the first record of a kind that fits; False where there is none."""
    record = plan.first(kind, where=where)
    if record is None:
        return False
    change(plan.edit(record))
    return True


def change_plugin(plan: Plan, called: str, change: Callable[[Inputs], object]) -> bool:
    """Change the first Kong plugin of a name."""
    return change_first(plan, "KongPlugin", change, lambda i: i.get("plugin") == called)


def annotate(plan: Plan, kind: str, key: str, value: str) -> bool:
    """Annotate the first object of a kind that speaks to Kong."""
    if not plan.is_kong():
        return False
    return change_first(
        plan,
        kind,
        lambda i: i["metadata"].setdefault("annotations", {}).update({key: value}),
        lambda i: "konghq.com/" in str(i["metadata"]),
    )
