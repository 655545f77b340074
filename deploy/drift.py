"""Fields that a person added to one of our objects.

Server-side apply puts back what it was told and leaves what others added, such as an annotation that takes a pod out of the mesh. Fields of
controllers must stay (an autoscaler's replicas, a webhook's CA); those set by kubectl, in the hand of a person, go.
"""

import copy
import json
from collections.abc import Iterator, Mapping
from typing import Any, Final, cast

from deploy.api import MANAGER, Object
from deploy.documents import entries, part, text

_HANDS: Final = ("kubectl-edit", "kubectl-patch", "kubectl-annotate", "kubectl-label", "kubectl-set", "kubectl-replace", "kubectl-create",
                 "kubectl-client-side-apply", "kubectl-last-applied", "kubectl")  # fmt: skip
"""Field managers that kubectl uses when a person changes something. Restarts and scaling (`kubectl-rollout`, `kubectl-scale`) are no drift."""

Path = tuple[str, ...]


def without_foreign_fields(live: Object) -> Object | None:
    """Return an object without the fields that only a person's kubectl manages, or None where there are none."""
    by_manager: dict[str, set[Path]] = {}
    for entry in entries(live, "metadata", "managedFields"):
        if not entry.get("subresource"):
            by_manager.setdefault(text(entry, "manager"), set()).update(_leaves(part(entry, "fieldsV1")))
    foreign = {path for manager, paths in by_manager.items() if manager in _HANDS for path in paths}
    if MANAGER not in by_manager or not foreign:
        return None
    kept = {path for manager, paths in by_manager.items() if manager not in _HANDS for path in paths}
    cleaned = copy.deepcopy(live)
    # Who put a whole mapping there owns it as well as what is in it: with it would go what is ours inside.
    around_kept = {path[:at] for path in kept for at in range(len(path) + 1)}
    removed = [_remove(cleaned, path) for path in sorted(foreign - around_kept)]
    return cleaned if any(removed) else None


def _leaves(fields: Mapping[str, Any], above: Path = ()) -> Iterator[Path]:
    below = {name: value for name, value in fields.items() if name != "."}
    if not below and above:
        yield above
    for name, value in below.items():
        yield from _leaves(value, (*above, name))


def _remove(holder: object, path: Path) -> bool:
    """Remove the field at a path of `FieldsV1`: `f:name`, `k:{keys of a list's entry}`, `v:value`."""
    step, *rest = path
    sort, _, name = step.partition(":")
    if isinstance(holder, dict) and sort == "f":
        mapping = cast(dict[str, Any], holder)
        if name not in mapping:
            return False
        if not rest:
            del mapping[name]
            return True
        return _remove(mapping[name], tuple(rest))
    if not isinstance(holder, list):
        return False
    listed = cast(list[Any], holder)
    wanted: Any = json.loads(name)
    for index, entry in enumerate(listed):
        if sort == "k" and isinstance(entry, dict) and cast(dict[str, Any], entry).items() >= wanted.items():
            if not rest:
                del listed[index]
                return True
            return _remove(cast(object, entry), tuple(rest))
        if sort == "v" and entry == wanted:
            del listed[index]
            return True
    return False
