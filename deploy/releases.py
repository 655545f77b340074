"""Helm releases: what a `helm.v3.Release` says, said to helm."""

import base64
import gzip
import hashlib
import json
import os
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import yaml

from deploy.api import Api
from deploy.documents import entries, part, text
from deploy.errors import DeployError
from deploy.items import Key
from deploy.objects import Change, Objects
from deploy.processes import Tools, run
from planner import wire

Mirror = Callable[[str, str], Path | None]
"""Returns a local copy of a published chart, by what a Release names and its version; None where there is none."""

_SWITCHES: Final = {
    "atomic": "--atomic",
    "cleanupOnFail": "--cleanup-on-fail",
    "createNamespace": "--create-namespace",
    "dependencyUpdate": "--dependency-update",
    "devel": "--devel",
    "disableOpenapiValidation": "--disable-openapi-validation",
    "disableWebhooks": "--no-hooks",
    "forceUpdate": "--force",
    "renderSubchartNotes": "--render-subchart-notes",
    "resetValues": "--reset-values",
    "reuseValues": "--reuse-values",
    "skipCrds": "--skip-crds",
    "verify": "--verify",
    "waitForJobs": "--wait-for-jobs",
}
"""Properties of a Release that are true or false, by the flag of `helm upgrade` that says the same."""

_OPTIONS: Final = {"description": "--description", "keyring": "--keyring", "maxHistory": "--history-max", "version": "--version"}
_REPOSITORY: Final = {
    "repo": "--repo",
    "caFile": "--ca-file",
    "certFile": "--cert-file",
    "keyFile": "--key-file",
    "username": "--username",
    "password": "--password",
}
_SAID_ELSEWHERE: Final = frozenset(
    {"chart", "compat", "lint", "name", "namespace", "repositoryOpts", "skipAwait", "timeout", "values", "allowNullValues", "resourceNames"}
)
_TIMEOUT: Final = 300
"""Seconds that Helm waits where the release does not say (its own default, and that of pulumi-kubernetes)."""

_OWNER: Final = "owner=helm"
_PENDING: Final = frozenset({"pending-install", "pending-upgrade", "pending-rollback", "uninstalling"})
_WRITTEN_LATER: Final = frozenset(
    {"ValidatingWebhookConfiguration", "MutatingWebhookConfiguration", "APIService", "CustomResourceDefinition"}
)
"""Kinds that controllers complete (certificate authorities, failure policies), so that only their absence is drift."""


def arguments(inputs: Mapping[str, Any], chart: Path | None, values: str) -> list[str]:
    """Return the arguments of `helm upgrade` for a release.

    Args:
        inputs: the Release's properties, secrets revealed.
        chart: a local copy of the chart, in place of the published one.
        values: the file to read values from.

    Raises:
        DeployError: a property has no equivalent here.
    """
    odd = sorted(
        key for key, value in inputs.items() if value and key not in {*_SWITCHES, *_OPTIONS, *_SAID_ELSEWHERE} and not key.startswith("__")
    )
    if odd:
        raise DeployError(
            [f"Release {inputs['name']}: {', '.join(odd)}: not known here. Deploy this stack with the Pulumi CLI (--with pulumi)."]
        )
    repository = part(inputs, "repositoryOpts")
    given = dict(inputs)
    if chart is not None:
        repository, given = {}, {key: value for key, value in inputs.items() if key != "version"}
    return [
        "upgrade",
        "--install",
        str(inputs["name"]),
        str(chart or inputs["chart"]),
        "--namespace",
        str(inputs.get("namespace") or "default"),
        "--values",
        values,
        "--timeout",
        f"{int(inputs.get('timeout') or _TIMEOUT)}s",
        *([] if inputs.get("skipAwait") else ["--wait"]),
        *(flag for key, flag in _SWITCHES.items() if given.get(key)),
        *(word for key, flag in _OPTIONS.items() if given.get(key) for word in (flag, str(given[key]))),
        *(word for key, flag in _REPOSITORY.items() if repository.get(key) for word in (flag, str(repository[key]))),
    ]


def digest(inputs: Mapping[str, Any], local: Path) -> str:
    """Return a digest of everything that decides what a release installs.

    Args:
        inputs: the Release's properties, secrets revealed.
        local: where the chart's files are, if they are on this machine.
    """
    content = hashlib.sha256(json.dumps(inputs, sort_keys=True).encode())
    for file in sorted(local.rglob("*")) if local.is_dir() else [local] if local.is_file() else []:
        if file.is_file():
            content.update(file.name.encode() + hashlib.sha256(file.read_bytes()).digest())
    return content.hexdigest()


@dataclass(frozen=True, kw_only=True)
class Record:
    """The newest revision of a release, as Helm keeps it in a Secret."""

    secret: str
    revision: int
    status: str
    data: str

    def manifests(self) -> list[dict[str, Any]]:
        """Return the objects of the revision, hooks left out."""
        content: dict[str, Any] = json.loads(gzip.decompress(base64.b64decode(base64.b64decode(self.data))))
        loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
        documents: Iterable[dict[str, Any] | None] = yaml.load_all(content.get("manifest") or "", loader)
        return [document for document in documents if document]


class Releases:
    """The releases of one stack in one cluster."""

    def __init__(self, api: Api, objects: Objects, tools: Tools, root: Path, mirror: Mirror) -> None:
        """Take the cluster, the tools, the folder that paths of charts begin in, and where local copies of published charts are."""
        self._api = api
        self._objects = objects
        self._tools = tools
        self._root = root
        self._mirror = mirror

    def digest(self, inputs: Mapping[str, Any]) -> str:
        """Return a digest of what a release installs, with the chart that would be used."""
        given = _revealed(inputs)
        return digest(given, self._chart(given) or self._root / str(given["chart"]))

    def apply(self, inputs: Mapping[str, Any], installed: str | None) -> Change:
        """Make a release what it should be.

        Args:
            inputs: the Release's properties, with nothing unknown.
            installed: the digest it was last installed with from here.

        Raises:
            DeployError: with Helm's words.
        """
        given = _revealed(inputs)
        name, namespace, chart = str(given["name"]), str(given.get("namespace") or "default"), self._chart(given)
        record = self.record(namespace, name)
        if record and record.status in _PENDING:
            # Whoever installed it is gone (the lease says so): without its record Helm takes the objects that exist over.
            self._api.request("DELETE", f"/api/v1/namespaces/{namespace}/secrets/{record.secret}")
            record = self.record(namespace, name)
        elif record and record.status == "deployed" and installed == self.digest(inputs) and not self.drifted(record, namespace):
            return Change.SAME
        self._upgrade(given, chart)
        return Change.CHANGED if record else Change.CREATED

    def record(self, namespace: str, name: str) -> Record | None:
        """Return the newest revision of a release, or None where it is not installed."""
        found = self._api.request("GET", f"/api/v1/namespaces/{namespace}/secrets", labelSelector=f"{_OWNER},name={name}")
        records = [
            Record(
                secret=text(each, "metadata", "name"),
                revision=int(text(each, "metadata", "labels", "version") or 0),
                status=text(each, "metadata", "labels", "status"),
                data=text(each, "data", "release"),
            )
            for each in entries(found, "items")
        ]
        return max(records, key=lambda each: each.revision, default=None)

    def drifted(self, record: Record, namespace: str) -> bool:
        """Whether an object of a release is gone, or is not what its manifest says."""
        documents = record.manifests()
        with ThreadPoolExecutor(4) as pool:
            return any(pool.map(self._is_drifted, documents, [namespace] * len(documents)))

    def _is_drifted(self, document: dict[str, Any], namespace: str) -> bool:
        served = self._objects.served(document)
        if served is None:
            return True
        metadata = part(document, "metadata")
        if served.namespaced and not metadata.get("namespace"):
            document = {**document, "metadata": {**metadata, "namespace": namespace}}
        live = self._objects.get(Key.of(document), document["apiVersion"])
        if live is None or document["kind"] in _WRITTEN_LATER:
            return live is None
        return self._objects.would_change(document, live)

    def remove(self, namespace: str, name: str) -> bool:
        """Uninstall a release and wait for its objects to be gone; returns whether it was installed. Definitions that charts keep stay.

        Raises:
            DeployError: with Helm's words.
        """
        if self.record(namespace, name) is None:
            return False
        command = self._tools.helm("uninstall", name, "--namespace", namespace, "--ignore-not-found", "--wait", "--timeout", f"{_TIMEOUT}s")
        code, _, said = run(command, _ENVIRONMENT)
        if code:
            raise DeployError([said.strip()])
        return True

    def _upgrade(self, given: Mapping[str, Any], chart: Path | None) -> None:
        # Values may hold secrets, so they reach helm through memory.
        reading = _in_memory(json.dumps(given.get("values") or {}).encode())
        try:
            command = self._tools.helm(*arguments(given, chart, f"/dev/fd/{reading}"))
            code, _, said = run(command, _ENVIRONMENT, (reading,), self._root)
        finally:
            os.close(reading)
        if code:
            raise DeployError([said.strip().removeprefix("Error: ")])

    def _chart(self, given: Mapping[str, Any]) -> Path | None:
        return self._mirror(str(given["chart"]), str(given.get("version") or ""))


_ENVIRONMENT: Final = {"HELM_DRIVER": "secret"}
"""Where Helm keeps its records, whatever the user's shell says: they are read here."""


def _in_memory(data: bytes) -> int:
    """Return a descriptor from which data is read, and which no disk ever sees."""
    if hasattr(os, "memfd_create"):
        descriptor = os.memfd_create("values")
        os.write(descriptor, data)
        os.lseek(descriptor, 0, os.SEEK_SET)
        return descriptor
    reading, writing = os.pipe()
    os.write(writing, data)  # the values of a chart are smaller than a pipe
    os.close(writing)
    return reading


def _revealed(inputs: Mapping[str, Any]) -> dict[str, Any]:
    found = wire.plain(dict(inputs))
    return found if isinstance(found, dict) else {}
