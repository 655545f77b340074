"""The JSON Schema of topology files, by which editors complete, explain and check while a file is written."""

import json
from collections.abc import Iterator
from typing import Any, cast

from topology.model.system import Topology

EXAMPLE: dict[str, Any] = {
    "system": "shop",
    "hosts": ["api.shop.example"],
    "meshes": {"main": {"trustDomain": "shop.example"}},
    "tiers": {"visitor": {"limits": [{"requests": 60, "per": "minute"}]}},
    "services": {
        "web": {"calls": {"catalogue": [{"methods": ["GET"], "paths": ["/items/*"]}]}},
        "catalogue": {"data": "public"},
    },
    "doors": {
        "web": {
            "methods": ["GET"],
            "paths": ["/shop/*"],
            "service": "web",
            "auth": {"public": "The shop window is open to everybody."},
            "tiers": ["visitor"],
        }
    },
}
"""A whole topology, as short as one can be."""


def schema() -> dict[str, Any]:
    """Return the JSON Schema (draft 2020-12) of a topology file, with the descriptions of the model."""
    found = Topology.model_json_schema(by_alias=True)
    for part in _parts(found):
        for field in part.get("properties", {}).values():
            field.pop("title", None)  # made of the field's name: says nothing that the key does not
        if names := part.pop("patternProperties", None):
            # pydantic lets keys that do not match the pattern pass; this model does not.
            ((pattern, values),) = names.items()
            part["additionalProperties"] = values
            part["propertyNames"] = part.get("propertyNames", {}) | {"pattern": pattern}
    return {"$schema": "https://json-schema.org/draft/2020-12/schema"} | found | {"title": "Topology of a system", "examples": [EXAMPLE]}


def schema_text() -> str:
    """Return the schema as the text of `docs/topology.schema.json`."""
    return json.dumps(schema(), indent=2, ensure_ascii=False) + "\n"


def _parts(value: Any) -> Iterator[dict[str, Any]]:
    """Yield every mapping inside a JSON value, itself included."""
    if isinstance(value, dict):
        mapping = cast(dict[str, Any], value)
        yield mapping
        for inner in list(mapping.values()):
            yield from _parts(inner)
    elif isinstance(value, list):
        for inner in cast(list[Any], value):
            yield from _parts(inner)
