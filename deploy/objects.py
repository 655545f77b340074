"""Objects: applied by server-side apply, put back when they drifted, replaced when a field cannot change."""

import base64
import time
from collections.abc import Callable, Mapping
from enum import StrEnum
from typing import Any, Final

from deploy.api import MANAGER, Api, ApiError, Object
from deploy.applyset import PART_OF
from deploy.discovery import Kinds, Served
from deploy.documents import entries, part, text
from deploy.drift import without_foreign_fields
from deploy.items import Key
from planner import wire

_MISSING: Final = 60.0
"""Seconds that a kind or a namespace may take to be served after what brings it is ready; pulumi-kubernetes tries for half a minute."""
_PASSING: Final = 120.0
"""Seconds that a starting admission webhook may take to answer."""
_PAUSE: Final = 1.0
_GONE: Final = 600.0
"""Seconds until a deleted object must be gone, finalizers included, as pulumi-kubernetes waits."""

_OWNERS: Final = frozenset({"", "apps", "batch"})
"""Groups whose objects own pods, directly or not: these are gone before their owner is, as pulumi-kubernetes asks for."""


class Change(StrEnum):
    """What became of something."""

    SAME = "unchanged"
    CREATED = "created"
    CHANGED = "changed"
    REPLACED = "replaced"
    REMOVED = "removed"


def manifest(inputs: Mapping[str, Any], set_id: str) -> Object:
    """Return the body to apply: secrets with their values, `stringData` as the API server keeps it, and the label of the set."""
    body: dict[str, Any] = dict(_plain(inputs))
    metadata = dict(part(body, "metadata"))
    metadata["labels"] = {**part(metadata, "labels"), PART_OF: set_id}
    body["metadata"] = metadata
    if body["kind"] == "Secret" and "/" not in body["apiVersion"] and "stringData" in body:
        encoded = {key: base64.b64encode(str(value).encode()).decode() for key, value in part(body, "stringData").items()}
        body["data"] = {**part(body, "data"), **encoded}
        del body["stringData"]
    return body


def _plain(inputs: Mapping[str, Any]) -> dict[str, Any]:
    """Return inputs without secrets' envelopes and without what the SDK adds for itself."""
    found = wire.plain(dict(inputs))
    return {key: value for key, value in found.items() if not key.startswith("__")} if isinstance(found, dict) else {}


class Objects:
    """The objects of one stack in one cluster."""

    def __init__(self, api: Api, kinds: Kinds, set_id: str) -> None:
        self._api = api
        self._kinds = kinds
        self._set_id = set_id

    def apply(self, inputs: Mapping[str, Any], live: Object | None) -> tuple[Change, Object]:
        """Make an object what it should be and return what that took, and the live object.

        Args:
            inputs: as the plan has them, with nothing unknown.
            live: the object as it was before, None where there was none.

        Raises:
            ApiError: the server refuses it.
        """
        body = manifest(inputs, self._set_id)
        try:
            made = self._insist(lambda: self._put_right(body))
        except ApiError as error:
            if live is None or not _immutable(error):
                raise
            self.remove(Key.of(body), body["apiVersion"])
            return Change.REPLACED, self._insist(lambda: self._patch(body))
        if live is None:
            return Change.CREATED, made
        return (Change.SAME if _substance(live) == _substance(made) else Change.CHANGED), made

    def get(self, key: Key, api_version: str | None = None) -> Object | None:
        """Return a live object, or None where it, or its kind, does not exist."""
        served = self._kinds.find(api_version, key.kind) if api_version else self._kinds.of_group(key.group, key.kind)
        if served is None:
            return None
        try:
            found = self._api.request("GET", served.path(key.namespace or "default", key.name))
        except ApiError as error:
            if error.not_found:
                return None
            raise
        return {"apiVersion": served.api_version, "kind": key.kind, **found}

    def served(self, document: Mapping[str, Any]) -> Served | None:
        """Return how the kind of a manifest is served."""
        return self._kinds.find(str(document["apiVersion"]), str(document["kind"]))

    def would_change(self, document: Object, live: Object) -> bool:
        """Whether applying a manifest would change anything of a live object."""
        made = self._api.request(
            "PATCH",
            self._path(document),
            document,
            "application/apply-patch+yaml",
            fieldManager="perimeter-look",
            force="true",
            dryRun="All",
        )
        return _substance({"apiVersion": document["apiVersion"], "kind": document["kind"], **made}) != _substance(live)

    def remove(self, key: Key, api_version: str | None = None, tell: Callable[[str], None] = lambda why: None) -> bool:
        """Delete an object, what it owns first, and wait until it is gone; returns whether there was anything to delete.

        Args:
            key: which.
            api_version: in which version; default: the preferred one.
            tell: told why it is still there.

        Raises:
            TimeoutError: it is still there; the message says what holds it.
        """
        served = self._kinds.find(api_version, key.kind) if api_version else self._kinds.of_group(key.group, key.kind)
        if served is None:
            return False
        path = served.path(key.namespace or "default", key.name)
        if (key.group, key.kind) == ("", "Namespace"):
            self._until_pods_ended(key.name, tell)
        # Custom resources own nothing that must go first, and the garbage collector needs half a minute to know a new kind.
        policy = "Foreground" if key.group in _OWNERS else "Background"
        options = {"apiVersion": "v1", "kind": "DeleteOptions", "propagationPolicy": policy}
        try:
            self._insist(lambda: self._api.request("DELETE", path, options), missing=0)
        except ApiError as error:
            if error.not_found:
                return False
            raise
        began, pause = time.monotonic(), 0.05
        while (found := self.get(key, served.api_version)) is not None:
            tell(why := _held_by(found))
            if time.monotonic() - began > _GONE:
                raise TimeoutError(f"deleted {_GONE:.0f} s ago and still there: {why}")
            time.sleep(pause)
            pause = min(pause * 1.6, _PAUSE)
        return True

    def _until_pods_ended(self, namespace: str, tell: Callable[[str], None]) -> None:
        """Wait for pods that are ending.

        Those that a namespace's controller still finds, it looks at again after half of their grace period (`ResourcesRemainingError`):
        minutes for those of Envoy Gateway, which end in seconds.
        """
        began = time.monotonic()
        while ending := self._ending_pods(namespace):
            tell(f"pods are ending: {', '.join(ending)}")
            if time.monotonic() - began > _GONE:
                break  # deleting the namespace then says what holds them
            time.sleep(_PAUSE)

    def _ending_pods(self, namespace: str) -> list[str]:
        found = self._api.request("GET", f"/api/v1/namespaces/{namespace}/pods")
        return [text(pod, "metadata", "name") for pod in entries(found, "items") if "deletionTimestamp" in part(pod, "metadata")]

    def _put_right(self, body: Object) -> Object:
        made = self._patch(body)
        cleaned = without_foreign_fields(made)
        return made if cleaned is None else self._api.request("PUT", self._path(body), cleaned, fieldManager=MANAGER)

    def _patch(self, body: Object) -> Object:
        # Strict: a server that does not know a field would drop it silently, and with it a part of the boundary.
        made = self._api.request(
            "PATCH",
            self._path(body),
            body,
            "application/apply-patch+yaml",
            fieldManager=MANAGER,
            force="true",
            fieldValidation="Strict",
        )
        return {"apiVersion": body["apiVersion"], "kind": body["kind"], **made}

    def _path(self, body: Object) -> str:
        path = self._kinds.path(body)
        if path is None:
            raise ApiError(404, {"reason": "NotFound", "message": f"the cluster does not know {body['apiVersion']} {body['kind']}"})
        return path

    def _insist(self, request: Callable[[], Object], missing: float = _MISSING) -> Object:
        """Repeat a request for as long as its refusal may pass by itself."""
        began = time.monotonic()
        while True:
            try:
                return request()
            except ApiError as error:
                waited = time.monotonic() - began
                patience = missing if error.not_found else _PASSING if error.passing or error.status == 409 else 0
                if waited >= patience:
                    raise
            time.sleep(_PAUSE)


def _immutable(error: ApiError) -> bool:
    said = " ".join([str(error), *error.causes])
    return error.status == 422 and any(word in said for word in ("immutable", "may not change once set", "updates to statefulset spec"))


def _held_by(document: Object) -> str:
    """Return what keeps a deleted object: its finalizers, and what a namespace says of what is still in it."""
    finalizers: list[str] = part(document, "metadata").get("finalizers") or []
    conditions = [text(each, "message") for each in entries(document, "status", "conditions") if each.get("status") == "True"]
    terminating = conditions if document["kind"] == "Namespace" else []
    return "; ".join([*terminating, *(["finalizers " + ", ".join(finalizers)] if finalizers else [])]) or "it does not say why"


def _substance(document: Object) -> Object:
    """Return what of an object is not the server's own bookkeeping."""
    metadata = {
        key: value for key, value in part(document, "metadata").items() if key not in {"managedFields", "resourceVersion", "generation"}
    }
    return {**{key: value for key, value in document.items() if key != "status"}, "metadata": metadata}
