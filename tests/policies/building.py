"""Stacks from YAML: the manifests of fixtures and baselines as the planner would register them."""

import json
from collections.abc import Iterable, Mapping
from copy import deepcopy
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from policies.reading.normalise import normalise
from policies.reading.resource import Resource
from policies.reading.stack import Stack
from policies.reading.values import UNKNOWN_SENTINELS
from topology.digest import digest
from topology.load import load, parse
from topology.model.system import Topology

ROOT = Path(__file__).parents[2]
BASELINES = Path(__file__).parent / "baseline"
UNKNOWN = "<unknown>"
"""How a fixture spells a value that the plan does not know."""

DIGEST = "<digest>"
"""How a fixture spells the digest of its own topology."""

Manifest = dict[str, Any]


def topology_of(given: str | Mapping[str, Any] | None) -> Topology:
    """Return a topology: by the name of a file in stacks/, by path, or written inline; abc by default."""
    if isinstance(given, Mapping):
        return parse(yaml.safe_dump(dict(given)), file="inline")
    return _loaded(given or "abc")


@cache
def _loaded(name: str) -> Topology:
    path = ROOT / "stacks" / f"{name}.topology.yaml"
    return load(path if path.is_file() else ROOT / name)


@cache
def _documents(name: str) -> tuple[Manifest, ...]:
    text = (BASELINES / f"{name}.yaml").read_text(encoding="utf-8")
    return tuple(document for document in yaml.load_all(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader)) if document)


def baseline(name: str) -> list[Manifest]:
    """Return a fresh copy of the manifests of a complete system, by the name of a file in tests/policies/baseline/."""
    return [deepcopy(document) for document in _documents(name)]


def key_of(item: Mapping[str, Any]) -> str:
    """Return what a manifest is called in a fixture: `Kind namespace/name`, or `Kind name`."""
    if "type" in item and "inputs" in item:
        inputs = item["inputs"]
        kind = "Release" if item["type"].endswith(":Release") else item["type"]
        return f"{kind} {inputs['namespace']}/{inputs['name']}" if kind == "Release" else f"{kind} {item['name']}"
    metadata = item.get("metadata") or {}
    place = f"{metadata['namespace']}/" if metadata.get("namespace") else ""
    return f"{item['kind']} {place}{metadata.get('name', '')}"


def merge_patch(target: Any, patch: Any) -> Any:
    """Return a value changed by a JSON merge patch (RFC 7386): mappings key by key, null removes, all else replaces."""
    if not isinstance(patch, dict):
        return patch
    result = dict(target) if isinstance(target, dict) else {}
    for key, value in patch.items():
        if value is None:
            result.pop(key, None)
        else:
            result[key] = merge_patch(result.get(key), value)
    return result


def changed(items: Iterable[Manifest], *, without: Iterable[str] = (), change: Mapping[str, Any] | None = None) -> list[Manifest]:
    """Return manifests without some and with others merge-patched; each name must be there."""
    result = {key_of(item): item for item in items}
    for name in without:
        assert name in result, f"{name} is not in the baseline: {', '.join(sorted(result))}"
        del result[name]
    for name, patch in (change or {}).items():
        assert name in result, f"{name} is not in the baseline: {', '.join(sorted(result))}"
        result[name] = merge_patch(result[name], patch)
    return list(result.values())


def records(items: Iterable[Manifest]) -> list[dict[str, Any]]:
    """Return manifests, or `{type, name, inputs}` resources, as records of a plan."""
    return [_record(item) for item in items]


def resources_of(items: Iterable[Manifest]) -> tuple[Resource, ...]:
    """Return manifests as the judge reads them."""
    return normalise(records(items))


def stack_of(
    items: Iterable[Manifest], topology: str | Mapping[str, Any] | Topology | None = None, config: Mapping[str, Any] | None = None
) -> Stack:
    """Return the stack of manifests, held against a topology and what a stack file says."""
    intent = topology if isinstance(topology, Topology) else topology_of(topology)
    said = {key: json.dumps(value) for key, value in (config or {}).items()}
    return Stack(resources_of(_filled(items, digest(intent))), intent, config=said)


def _filled(value: Any, said: str) -> Any:
    if isinstance(value, dict):
        return {key: _filled(item, said) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_filled(item, said) for item in value]
    return said if value == DIGEST else value


def stack_from(fixture: Mapping[str, Any]) -> Stack:
    """Return the stack that a fixture describes."""
    items = baseline(fixture["base"]) if "base" in fixture else []
    items = changed(items, without=fixture.get("without") or (), change=fixture.get("change"))
    return stack_of([*items, *(fixture.get("resources") or ())], fixture.get("topology"), fixture.get("config"))


def _record(item: Manifest) -> dict[str, Any]:
    if "type" in item and "inputs" in item:
        token, name = item["type"], item["name"]
        return {
            "custom": True,
            **item,
            "urn": item.get("urn") or f"urn:pulumi:test::perimeter::{token}::{name}",
            "inputs": _unknown(item["inputs"]),
        }
    api_version = item["apiVersion"]
    token = f"kubernetes:{'core/v1' if api_version == 'v1' else api_version}:{item['kind']}"
    metadata = item.get("metadata") or {}
    name = "/".join(part for part in (metadata.get("namespace"), metadata.get("name")) if part)
    return {"urn": f"urn:pulumi:test::perimeter::{token}::{name}", "type": token, "custom": True, "inputs": _unknown(item)}


def _unknown(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _unknown(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_unknown(item) for item in value]
    return UNKNOWN_SENTINELS[0] if value == UNKNOWN else value
