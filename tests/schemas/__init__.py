"""What a strict Kubernetes API server would say of a manifest, without one.

`validate` knows the kinds that this product writes: built-in Kubernetes, Istio, Gateway API, Envoy Gateway, cert-manager and Kong. It applies defaults, refuses unknown fields,
checks types, formats, patterns and list keys, and evaluates the CEL rules of the definitions. It does not do what admission webhooks or the built-in kinds' own validation do.
How the files are made is written in `refresh.py`.
"""

import functools
import gzip
import json
from copy import deepcopy
from pathlib import Path
from typing import Any

from tests.schemas.names import metadata_findings
from tests.schemas.structural import Judge, with_defaults

Json = dict[str, Any]

_FOLDER = Path(__file__).parent


@functools.cache
def _files() -> tuple[Json, ...]:
    return tuple(json.loads(gzip.decompress(file.read_bytes())) for file in sorted(_FOLDER.glob("*.json.gz")))


@functools.cache
def _definitions() -> Json:
    merged: Json = {}
    for content in _files():
        merged.update(content.get("definitions", {}))
    return merged


@functools.cache
def kinds() -> frozenset[tuple[str, str]]:
    """Every (apiVersion, kind) that can be judged."""
    split = (name.rpartition("/") for content in _files() for name in content["schemas"])
    return frozenset((api_version, kind) for api_version, _, kind in split)


@functools.cache
def _judge(api_version: str, kind: str) -> tuple[Json, Judge]:
    name = f"{api_version}/{kind}"
    schema = next(content["schemas"][name] for content in _files() if name in content["schemas"])
    return schema, Judge(schema, _definitions())


def validate(manifest: Json) -> list[str]:
    """Everything that a strict API server would refuse in a manifest; an empty list means accepted.

    An apiVersion and kind without a definition is itself a finding: what cannot be judged is not accepted.
    """
    api_version, kind = manifest.get("apiVersion"), manifest.get("kind")
    subject = f"{kind} {(manifest.get('metadata') or {}).get('name')}"
    if not isinstance(api_version, str) or not isinstance(kind, str) or (api_version, kind) not in kinds():
        return [f"{subject}: no definition of apiVersion {api_version!r}, kind {kind!r}"]
    schema, judge = _judge(api_version, kind)
    complete = with_defaults(schema, deepcopy(manifest))
    return [f"{subject}: {finding}" for finding in (*metadata_findings(manifest), *judge.findings(complete))]
