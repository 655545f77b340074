"""The rules of names, labels and annotations, which every kind shares and no schema states (Kubernetes: Object Names and IDs; Labels and Selectors)."""

import re
from collections.abc import Iterator
from typing import Any

_LABEL = r"[a-z0-9]([-a-z0-9]*[a-z0-9])?"
_SUBDOMAIN = re.compile(rf"{_LABEL}(\.{_LABEL})*")
_QUALIFIED = re.compile(r"[A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?")
_PATH_SEGMENT = re.compile(r"(?!\.{1,2}$)[^/%]+")
_PATH_SEGMENT_KINDS = frozenset({"ClusterRole", "ClusterRoleBinding", "Role", "RoleBinding"})
_DNS_LABEL_KINDS = frozenset({"Namespace", "Service"})


def metadata_findings(manifest: dict[str, Any]) -> Iterator[str]:
    """What is wrong with the name, the namespace, the labels and the annotation keys of an object."""
    metadata = manifest.get("metadata")
    if not isinstance(metadata, dict):
        yield "metadata: is missing"
        return
    name, kind = metadata.get("name"), manifest["kind"]
    if name is None and "generateName" not in metadata:
        yield "metadata.name: is missing"
    if isinstance(name, str):
        pattern = _PATH_SEGMENT if kind in _PATH_SEGMENT_KINDS else _SUBDOMAIN
        limit = 63 if kind in _DNS_LABEL_KINDS else 253
        if not pattern.fullmatch(name) or len(name) > limit or (kind in _DNS_LABEL_KINDS and "." in name):
            yield f"metadata.name: {name!r} is not a valid name for a {kind}"
    namespace = metadata.get("namespace")
    if isinstance(namespace, str) and (not _SUBDOMAIN.fullmatch(namespace) or "." in namespace or len(namespace) > 63):
        yield f"metadata.namespace: {namespace!r} is not a valid namespace"
    for field in ("labels", "annotations"):
        entries = metadata.get(field)
        if isinstance(entries, dict):
            yield from (
                f"metadata.{field}: {key!r} is not a valid key"
                for key in entries
                if not _is_key(str(key).lower() if field == "annotations" else str(key))
            )
    labels = metadata.get("labels")
    if isinstance(labels, dict):
        yield from (
            f"metadata.labels[{key!r}]: {value!r} is not a valid value"
            for key, value in labels.items()
            if isinstance(value, str) and not _is_value(value)
        )


def _is_key(key: str) -> bool:
    prefix, slash, name = key.rpartition("/")
    return (
        (not slash or (bool(_SUBDOMAIN.fullmatch(prefix)) and len(prefix) <= 253)) and bool(_QUALIFIED.fullmatch(name)) and len(name) <= 63
    )


def _is_value(value: str) -> bool:
    return value == "" or (bool(_QUALIFIED.fullmatch(value)) and len(value) <= 63)
