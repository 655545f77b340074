"""What has to be remembered of a stack between two runs, kept in the cluster: nothing of it touches a disk here.

One Secret holds the order in which things were made, the digests of the releases and the outputs of dynamic resources (which are secrets).
It is also the parent of the stack's ApplySet. Everything else is read from the live objects.
"""

import base64
import gzip
import json
import threading
import time
from collections.abc import Set
from dataclasses import dataclass, field
from typing import Any, Final

from deploy.api import MANAGER, Api, ApiError, Object
from deploy.applyset import identity, parent_metadata
from deploy.documents import entries, part, text
from deploy.errors import DeployError
from deploy.items import Item, Key, Sort
from planner.plan import Known

NAMESPACE: Final = "perimeter"
"""The namespace of perimeter's own; nothing of any system is in it."""

_TYPE: Final = "perimeter.dev/state"
_DATA: Final = "state.json.gz"
_VERSION: Final = 1
_PAUSE: Final = 0.2
_NAMESPACE_PATH: Final = f"/api/v1/namespaces/{NAMESPACE}"
_SECRETS: Final = f"{_NAMESPACE_PATH}/secrets"


@dataclass(frozen=True, kw_only=True)
class Made:
    """Something that a run has made, or was about to make."""

    sort: Sort
    key: Key
    after: frozenset[str]
    retained: bool = False

    @classmethod
    def of(cls, item: Item) -> "Made":
        """Return what is remembered of an item."""
        return cls(sort=item.sort, key=item.key, after=item.after, retained=item.retained)


@dataclass(kw_only=True)
class Memory:
    """What is remembered of a stack.

    Attributes:
        made: by urn.
        releases: digest of the inputs that each release was last installed with, by urn.
        outputs: of dynamic resources, by urn.
    """

    made: dict[str, Made] = field(default_factory=dict[str, Made])
    releases: dict[str, str] = field(default_factory=dict[str, str])
    outputs: dict[str, Known] = field(default_factory=dict[str, Known], repr=False)

    def to_bytes(self) -> bytes:
        """Return the memory as it is stored."""
        document = {
            "version": _VERSION,
            "made": {
                urn: {"sort": made.sort, "key": [*made.key], "after": sorted(made.after), "retained": made.retained}
                for urn, made in self.made.items()
            },
            "releases": self.releases,
            "outputs": {urn: {"id": known.id, "outputs": dict(known.outputs)} for urn, known in self.outputs.items()},
        }
        return gzip.compress(json.dumps(document, separators=(",", ":")).encode(), mtime=0)

    @classmethod
    def from_bytes(cls, data: bytes) -> "Memory":
        """Read a stored memory.

        Raises:
            DeployError: it was written by another version of this tool.
        """
        document: dict[str, Any] = json.loads(gzip.decompress(data))
        if document.get("version") != _VERSION:
            raise DeployError(
                [f"the stack's state has version {document.get('version')}, this perimeter reads {_VERSION}. Use the one that deployed it."]
            )
        return cls(
            made={
                urn: Made(sort=Sort(each["sort"]), key=Key(*each["key"]), after=frozenset(each["after"]), retained=each["retained"])
                for urn, each in document["made"].items()
            },
            releases=document["releases"],
            outputs={urn: Known(**each) for urn, each in document["outputs"].items()},
        )


class Store:
    """The Secret that holds a stack's memory."""

    def __init__(self, api: Api, project: str, stack: str) -> None:
        self._api = api
        self._lock = threading.Lock()
        self.parent = Key("", "Secret", NAMESPACE, f"{project}-{stack}".lower())
        self.id = identity(self.parent)
        self.memory = Memory()
        self.found: Object | None = None
        """The Secret as it was when it was loaded, None where there was none."""
        self.members: Set[Key] = frozenset()
        """Live members of the set that may not be remembered."""

    def exists(self) -> bool:
        """Whether anything is remembered."""
        try:
            self._api.request("GET", f"{_SECRETS}/{self.parent.name}")
        except ApiError as error:
            if error.not_found:
                return False
            raise
        return True

    def load(self) -> Memory:
        """Read the memory; a stack that was never deployed has an empty one."""
        try:
            self.found = self._api.request("GET", f"{_SECRETS}/{self.parent.name}")
        except ApiError as error:
            if not error.not_found:
                raise
            return self.memory
        stored = text(self.found, "data", _DATA)
        if stored:
            self.memory = Memory.from_bytes(base64.b64decode(stored))
        return self.memory

    def prepare(self) -> None:
        """Make the namespace, which may be on its way out after the last stack was removed."""
        while self._is_leaving():
            time.sleep(_PAUSE)
        document = {
            "apiVersion": "v1",
            "kind": "Namespace",
            "metadata": {"name": NAMESPACE, "labels": {"app.kubernetes.io/managed-by": MANAGER}},
        }
        _apply(self._api, _NAMESPACE_PATH, document)

    def _is_leaving(self) -> bool:
        try:
            return "deletionTimestamp" in part(self._api.request("GET", _NAMESPACE_PATH), "metadata")
        except ApiError as error:
            if error.not_found:
                return False
            raise

    def save(self) -> None:
        """Write the memory. The parent names the kinds of everything remembered, and of every live member."""
        with self._lock:
            own = [made.key for made in self.memory.made.values() if made.sort is Sort.OBJECT]
            metadata = parent_metadata(self.parent, [*own, *self.members])
            data = {_DATA: base64.b64encode(self.memory.to_bytes()).decode()}
            document = {"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "type": _TYPE, "data": data}
            _apply(self._api, f"{_SECRETS}/{self.parent.name}", document)

    def forget(self) -> None:
        """Remove the memory, and the namespace unless another stack is remembered there."""
        _delete(self._api, f"{_SECRETS}/{self.parent.name}")
        if not entries(self._api.request("GET", _SECRETS, fieldSelector=f"type={_TYPE}"), "items"):
            _delete(self._api, _NAMESPACE_PATH)
            while self._is_leaving():
                time.sleep(_PAUSE)


def _apply(api: Api, path: str, document: Object) -> None:
    api.request("PATCH", path, document, "application/apply-patch+yaml", fieldManager=MANAGER, force="true")


def _delete(api: Api, path: str) -> None:
    try:
        api.request("DELETE", path)
    except ApiError as error:
        if not error.not_found:
            raise
