"""What an object loses at its first update, and a preview of that update still shows.

pulumi-kubernetes makes an object by POST, as the manager `pulumi-kubernetes` and the operation `Update`, and applies every change of it on
the server's side, as a manager of its own. To the API server those are two owners, so that what the program no longer gives would stay. An
update therefore hands over all that was made with the object first; a preview does not, for that would be a write: fields and entries of
lists that are about to go stand in what the API server answers to it (`Creation` and `fixCSAFieldManagers` in provider/pkg/await/await.go
of pulumi/pulumi-kubernetes 4.34).
"""

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from policies.reading.values import is_known, mapping, sequence

MAKER: Final = "pulumi-kubernetes"
"""Whom the provider makes objects as."""
CHANGER: Final = f"{MAKER}-"
"""How whom it applies changes as begins; the engine shows policies no more of it (`SkipInternalKeys` of its analyzers)."""
AT_ONCE: Final = timedelta(seconds=30)
"""Between what a request is noted as and what its object is: an API server waits no longer for all who admit it."""

Fields = Mapping[str, Any]
"""Who owns what, as the API server keeps it: `f:` a field, `k:` an entry by its keys, `v:` an entry by its value (FieldsV1)."""


def without_what_goes(props: Mapping[str, Any]) -> dict[str, Any]:
    """Return the outputs of a Kubernetes object without what its first update takes away; as they are where none is previewed.

    Both owners are there in the answer to such a preview alone. Whoever writes as the same manager later than the object was made is
    somebody else, and what he owns stays: an update that is not asked for does not take it away.
    """
    metadata = props.get("metadata")
    if not isinstance(metadata, dict):
        return dict(props)
    managers = [mapping(each) for each in sequence(mapping(metadata).get("managedFields"))]
    made = [each for each in managers if _made_with(mapping(metadata), each)]
    applied = any(each.get("operation") == "Apply" and str(each.get("manager")).startswith(CHANGER) for each in managers)
    if not made or not applied:
        return dict(props)
    others = [mapping(each.get("fieldsV1")) for each in managers if each not in made]
    return _left(props, mapping(made[0].get("fieldsV1")), others)


def _made_with(metadata: Mapping[str, Any], manager: Mapping[str, Any]) -> bool:
    if (manager.get("manager"), manager.get("operation")) != (MAKER, "Update") or manager.get("subresource"):
        return False
    made, noted = _time(metadata.get("creationTimestamp")), _time(manager.get("time"))
    return made is not None and noted is not None and abs(made - noted) <= AT_ONCE


def _time(given: Any) -> datetime | None:
    try:
        return datetime.strptime(given, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)
    except (TypeError, ValueError):
        return None


def _left(value: Mapping[str, Any], owned: Fields, others: Sequence[Fields]) -> dict[str, Any]:
    """Return an object without the fields that one owns and no other does."""
    found = dict(value)
    for key, inner in owned.items():
        name = key.removeprefix("f:")
        if not key.startswith("f:") or name not in found:
            continue
        shared = [mapping(other[key]) for other in others if key in other]
        if not shared:
            del found[name]
        elif is_known(found[name], dict):
            found[name] = _left(mapping(found[name]), mapping(inner), shared)
        elif is_known(found[name], list):
            found[name] = _entries(sequence(found[name]), mapping(inner), shared)
    return found


def _entries(value: Sequence[Any], owned: Fields, others: Sequence[Fields]) -> list[Any]:
    """Return a list without the entries that one owns and no other does."""
    found: list[Any] = []
    for entry in value:
        key = next((key for key in owned if _names(key, entry)), "")
        shared = [mapping(other[key]) for other in others if key in other]
        if not key:
            found.append(entry)
        elif shared:
            found.append({**_left(mapping(entry), mapping(owned[key]), shared), **_keys(key)} if is_known(entry, dict) else entry)
    return found


def _names(key: str, entry: Any) -> bool:
    """Return whether a key of `FieldsV1` names an entry of a list."""
    if key.startswith("v:"):
        return bool(json.loads(key[2:]) == entry)
    if key.startswith("k:") and is_known(entry, dict):
        return _keys(key).items() <= mapping(entry).items()
    return False


def _keys(key: str) -> dict[str, Any]:
    """Return the fields by which an entry is told from others: whoever owns a part of it owns them."""
    return mapping(json.loads(key[2:]))
