"""Under which path a kind of object is served. Kinds may appear while a deployment runs: a Release brings their definitions."""

import threading
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from deploy.api import Api, ApiError
from deploy.documents import entries, text
from deploy.items import Key
from deploy.parallel import each


@dataclass(frozen=True, kw_only=True)
class Served:
    """A kind that the API server knows."""

    api_version: str
    plural: str
    namespaced: bool
    listable: bool

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
            versions = self._versions.get(group) or self._read_groups().get(group, [])
        return next((found for version in versions if (found := self.find(version, kind))), None)

    def listable(self) -> list[tuple[str, str]]:
        """Return group and kind of everything that can be listed, whichever version of its group has it."""
        with self._lock:
            versions = [(group, version) for group, versions in self._read_groups().items() for version in versions]
            self._served |= zip((version for _, version in versions), each(self._read, [version for _, version in versions]), strict=True)
            return sorted({(group, kind) for group, version in versions for kind, found in self._served[version].items() if found.listable})

    def path(self, document: Mapping[str, Any]) -> str | None:
        """Return an object's own path, or None where its kind is not served. A namespaced object without namespace is in `default`."""
        served = self.find(str(document["apiVersion"]), str(document["kind"]))
        key = Key.of(document)
        return served.path(key.namespace or "default", key.name) if served else None

    def _read_groups(self) -> Mapping[str, list[str]]:
        self._versions = {"": ["v1"], **dict(map(_versions, entries(self._api.request("GET", "/apis"), "groups")))}
        return self._versions

    def _read(self, api_version: str) -> dict[str, Served]:
        base = f"/apis/{api_version}" if "/" in api_version else f"/api/{api_version}"
        try:
            listed: list[dict[str, Any]] = self._api.request("GET", base).get("resources") or []
        except ApiError as error:
            if error.not_found:
                return {}
            raise
        return {
            kind["kind"]: Served(
                api_version=api_version,
                plural=kind["name"],
                namespaced=bool(kind["namespaced"]),
                listable="list" in kind.get("verbs", ()),
            )
            for kind in listed
            if "/" not in kind["name"]
        }


def _versions(group: Mapping[str, Any]) -> tuple[str, list[str]]:
    """Return a group's name and its versions, the preferred one first."""
    preferred = text(group, "preferredVersion", "groupVersion")
    return text(group, "name"), [
        preferred,
        *(version for found in entries(group, "versions") if (version := text(found, "groupVersion")) != preferred),
    ]
