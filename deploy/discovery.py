"""Under which path a kind of object is served. Kinds may appear while a deployment runs: a Release brings their definitions."""

import threading
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from deploy.api import Api, ApiError
from deploy.documents import entries, text
from deploy.items import Key


@dataclass(frozen=True, kw_only=True)
class Served:
    """A kind that the API server knows."""

    api_version: str
    plural: str
    namespaced: bool

    def path(self, namespace: str = "", name: str = "") -> str:
        """Return the path of an object, of a namespace's objects, or of all."""
        base = f"/apis/{self.api_version}" if "/" in self.api_version else f"/api/{self.api_version}"
        parts = [base, *(["namespaces", namespace] if self.namespaced and namespace else []), self.plural, *([name] if name else [])]
        return "/".join(parts)


class Kinds:
    """The kinds of one cluster, asked for once each."""

    def __init__(self, api: Api) -> None:
        self._api = api
        self._served: dict[str, dict[str, Served]] = {}
        self._versions: dict[str, list[str]] = {}
        self._lock = threading.Lock()

    def find(self, api_version: str, kind: str) -> Served | None:
        """Return how a kind is served, or None where the server does not know it (yet)."""
        with self._lock:
            if kind not in self._served.get(api_version, {}):
                self._served[api_version] = self._read(api_version)
            return self._served[api_version].get(kind)

    def of_group(self, group: str, kind: str) -> Served | None:
        """Return how a kind is served in the version that the server prefers among those that have it."""
        with self._lock:
            if group not in self._versions:
                self._versions = {"": ["v1"], **dict(map(_versions, entries(self._api.request("GET", "/apis"), "groups")))}
            versions = self._versions.get(group, [])
        return next((found for version in versions if (found := self.find(version, kind))), None)

    def path(self, document: Mapping[str, Any]) -> str | None:
        """Return an object's own path, or None where its kind is not served. A namespaced object without namespace is in `default`."""
        served = self.find(str(document["apiVersion"]), str(document["kind"]))
        key = Key.of(document)
        return served.path(key.namespace or "default", key.name) if served else None

    def _read(self, api_version: str) -> dict[str, Served]:
        base = f"/apis/{api_version}" if "/" in api_version else f"/api/{api_version}"
        try:
            listed: list[dict[str, Any]] = self._api.request("GET", base).get("resources") or []
        except ApiError as error:
            if error.not_found:
                return {}
            raise
        return {
            each["kind"]: Served(api_version=api_version, plural=each["name"], namespaced=bool(each["namespaced"]))
            for each in listed
            if "/" not in each["name"]
        }


def _versions(group: Mapping[str, Any]) -> tuple[str, list[str]]:
    """Return a group's name and its versions, the preferred one first."""
    preferred = text(group, "preferredVersion", "groupVersion")
    return text(group, "name"), [
        preferred,
        *(each for found in entries(group, "versions") if (each := text(found, "groupVersion")) != preferred),
    ]
