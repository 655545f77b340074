"""Reads parts of Kubernetes documents, in which anything may be missing."""

from collections.abc import Mapping
from typing import Any, cast


def part(document: Mapping[str, Any], *path: str) -> dict[str, Any]:
    """Return the mapping at a path; empty where there is none."""
    found = _at(document, path)
    return cast(dict[str, Any], found) if isinstance(found, dict) else {}


def entries(document: Mapping[str, Any], *path: str) -> list[dict[str, Any]]:
    """Return the mappings in the list at a path."""
    found = _at(document, path)
    listed = cast(list[object], found) if isinstance(found, list) else []
    return [cast(dict[str, Any], each) for each in listed if isinstance(each, dict)]


def text(document: Mapping[str, Any], *path: str) -> str:
    """Return the text at a path; empty where there is none."""
    found = _at(document, path)
    return found if isinstance(found, str) else ""


def number(document: Mapping[str, Any], *path: str, default: int = 0) -> int:
    """Return the whole number at a path."""
    found = _at(document, path)
    return found if isinstance(found, int) and not isinstance(found, bool) else default


def _at(document: Mapping[str, Any], path: tuple[str, ...]) -> object:
    found: object = document
    for name in path:
        if not isinstance(found, Mapping):
            return None
        found = cast(Mapping[str, object], found).get(name)
    return found
