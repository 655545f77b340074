"""A Kubernetes object as plain data."""

from collections.abc import Mapping
from typing import Any

Manifest = dict[str, Any]
"""A Kubernetes object as it would stand in a YAML file: `apiVersion`, `kind`, `metadata`, and the rest in camelCase."""

MANAGER_LABEL = "app.kubernetes.io/managed-by"
MANAGER = "perimeter"


def manifest(  # noqa: PLR0913 # the parts of an object
    api_version: str,
    kind: str,
    name: str,
    namespace: str | None = None,
    spec: Mapping[str, Any] | None = None,
    *,
    labels: Mapping[str, str] | None = None,
    annotations: Mapping[str, str] | None = None,
    **fields: Any,
) -> Manifest:
    """Return an object; `fields` are its top-level fields other than `spec` (`data`, `rules`, ...)."""
    metadata: dict[str, Any] = {"name": name}
    if namespace is not None:
        metadata["namespace"] = namespace
    metadata["labels"] = {MANAGER_LABEL: MANAGER, **(labels or {})}
    if annotations:
        metadata["annotations"] = dict(annotations)
    document: Manifest = {"apiVersion": api_version, "kind": kind, "metadata": metadata}
    if spec is not None:
        document["spec"] = dict(spec)
    return document | fields


def key_of(document: Manifest) -> str:
    """Return the name an object has among objects of its kind: `namespace/name`, or `name` without a namespace."""
    metadata = document["metadata"]
    namespace = metadata.get("namespace")
    return f"{namespace}/{metadata['name']}" if namespace else str(metadata["name"])
