"""Which objects of a cluster belong to a stack: Kubernetes' ApplySet, so that other tools see the same.

A parent object names kinds and namespaces of the members, every member carries the parent's id. Members are applied in waves, which
`kubectl apply --prune` cannot do (it prunes what one invocation did not name), so labels and annotations are kept here.
Source: KEP-3659, https://kubernetes.io/docs/reference/labels-annotations-taints/#applyset-kubernetes-io-id.
"""

import base64
import hashlib
from collections.abc import Iterable, Mapping
from typing import Any, Final

from deploy.api import Api, ApiError, Object
from deploy.discovery import Kinds
from deploy.documents import entries, part, text
from deploy.items import Key
from deploy.parallel import each

PART_OF: Final = "applyset.kubernetes.io/part-of"
ID: Final = "applyset.kubernetes.io/id"
_TOOLING: Final = "applyset.kubernetes.io/tooling"
_KINDS: Final = "applyset.kubernetes.io/contains-group-kinds"
_NAMESPACES: Final = "applyset.kubernetes.io/additional-namespaces"
_TOOL: Final = "perimeter/1"
_PAGE: Final = 500


def identity(parent: Key) -> str:
    """Return the id of the set whose parent is given; it depends on nothing but the parent's name, so it survives the loss of the parent."""
    text = f"{parent.name}.{parent.namespace}.{parent.kind}.{parent.group}"
    return f"applyset-{base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).rstrip(b'=').decode()}-v1"


def parent_metadata(parent: Key, members: Iterable[Key]) -> Object:
    """Return labels and annotations of the parent of a set with these members."""
    members = list(members)
    kinds = sorted({f"{key.kind}.{key.group}" if key.group else key.kind for key in members})
    namespaces = sorted({key.namespace for key in members} - {"", parent.namespace})
    return {
        "name": parent.name,
        "namespace": parent.namespace,
        "labels": {ID: identity(parent)},
        "annotations": {_TOOLING: _TOOL, _KINDS: ",".join(kinds), _NAMESPACES: ",".join(namespaces)},
    }


def member_kinds(parent: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Return group and kind of everything that may belong to a set, as its parent says."""
    listed = [name for name in text(part(parent, "metadata", "annotations"), _KINDS).split(",") if name]
    return [(name.partition(".")[2], name.partition(".")[0]) for name in listed]


def members(api: Api, kinds: Kinds, id_: str, listed: Mapping[tuple[str, str], str | None]) -> dict[Key, Object]:
    """Return the live members of a set.

    Args:
        api: the cluster.
        kinds: what it serves.
        id_: the set.
        listed: groups and kinds to look among, each with the version to read objects in, where that matters.
    """

    def of(wanted: tuple[str, str]) -> list[Object]:
        version = listed[wanted]
        served = kinds.find(version, wanted[1]) if version else kinds.of_group(*wanted)
        return _list(api, served.path(), wanted, served.api_version, id_) if served else []

    return {Key.of(found): found for several in each(of, sorted(listed)) for found in several}


def _list(api: Api, path: str, wanted: tuple[str, str], api_version: str, id_: str) -> list[Object]:
    found: list[Object] = []
    query: dict[str, Any] = {"labelSelector": f"{PART_OF}={id_}", "limit": _PAGE}
    while True:
        try:
            page = api.request("GET", path, **query)
        except ApiError as error:
            if error.not_found:
                return found
            raise
        # A list's items say neither version nor kind themselves.
        found += [{**item, "apiVersion": api_version, "kind": wanted[1]} for item in entries(page, "items")]
        query["continue"] = text(page, "metadata", "continue")
        if not query["continue"]:
            return found
