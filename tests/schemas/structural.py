"""Structural schemas of Kubernetes, made strict and applied with jsonschema.

A structural schema lists fields and leaves unknown ones to be pruned; a strict server refuses them instead. The difference is made here, together with the `x-kubernetes-*` words.
(Kubernetes documentation: Extend the Kubernetes API with CustomResourceDefinitions, "Specifying a structural schema".)
"""

import base64
import binascii
import datetime
import ipaddress
from collections.abc import Callable, Iterator
from typing import Any

from jsonschema import Draft202012Validator, FormatChecker
from jsonschema.exceptions import ValidationError
from jsonschema.validators import extend

from tests.schemas.cel_rules import broken_rules

Json = dict[str, Any]

_CONSTRAINTS = ("allOf", "anyOf", "oneOf", "not")  # they constrain values; only the schema outside them says which fields exist
_QUANTITY = r"^[+-]?(\d+(\.\d*)?|\.\d+)([numkMGTPE]|[KMGTPE]i|[eE][+-]?\d+)?$"
_OBJECT_META = {"$ref": "#/definitions/io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta"}
_OPEN_DEFINITIONS: dict[str, Json] = {
    "io.k8s.apimachinery.pkg.util.intstr.IntOrString": {"type": ["integer", "string"]},
    "io.k8s.apimachinery.pkg.api.resource.Quantity": {"anyOf": [{"type": "number"}, {"type": "string", "pattern": _QUANTITY}]},
    "io.k8s.apimachinery.pkg.apis.meta.v1.FieldsV1": {"type": "object"},
    "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.JSON": {},
    "io.k8s.apimachinery.pkg.runtime.RawExtension": {"type": "object"},
}


def strict(schema: Json, *, root: bool = False) -> Json:
    """The JSON Schema that refuses what a strict server refuses."""
    made: Json = {key: value for key, value in schema.items() if key in _CONSTRAINTS or key in _PLAIN}
    if "$ref" in schema:
        return {"$ref": schema["$ref"]}
    if schema.get("x-kubernetes-int-or-string") and "type" not in made:
        made["type"] = ["integer", "string"]
    if schema.get("nullable") and "type" in made:
        made["type"] = [*([made["type"]] if isinstance(made["type"], str) else made["type"]), "null"]
        if "enum" in made:
            made["enum"] = [*made["enum"], None]
    properties = {name: strict(value) for name, value in schema.get("properties", {}).items()}
    if root or schema.get("x-kubernetes-embedded-resource"):
        properties |= {"apiVersion": {"type": "string"}, "kind": {"type": "string"}, "metadata": _OBJECT_META}
    if properties:
        made["properties"] = properties
    if "items" in schema:
        made["items"] = strict(schema["items"])
    if isinstance(schema.get("additionalProperties"), dict):
        made["additionalProperties"] = strict(schema["additionalProperties"])
    elif schema.get("type") == "object" and not (
        schema.get("x-kubernetes-preserve-unknown-fields") or schema.get("additionalProperties") is True
    ):
        made["additionalProperties"] = False
    return made


_PLAIN = frozenset(
    {
        "type",
        "enum",
        "format",
        "pattern",
        "minimum",
        "maximum",
        "exclusiveMinimum",
        "exclusiveMaximum",
        "multipleOf",
        "minLength",
        "maxLength",
        "minItems",
        "maxItems",
    }
    | {
        "minProperties",
        "maxProperties",
        "uniqueItems",
        "required",
        "x-kubernetes-validations",
        "x-kubernetes-list-type",
        "x-kubernetes-list-map-keys",
    }
)


def with_defaults(schema: Json, value: Any) -> Any:
    """The value with every default of the schema in place, as the server stores it; rules are evaluated on this."""
    if isinstance(value, dict):
        for name, field in schema.get("properties", {}).items():
            if name not in value and "default" in field:
                value[name] = field["default"]
        extra = schema.get("additionalProperties")
        for name, item in value.items():
            field = schema.get("properties", {}).get(name, extra if isinstance(extra, dict) else {})
            value[name] = with_defaults(field, item)
    elif isinstance(value, list):
        return [with_defaults(schema.get("items", {}), item) for item in value]
    return value


class Judge:
    """One kind's strict schema, compiled once."""

    def __init__(self, schema: Json, definitions: Json) -> None:
        compiled = {name: _OPEN_DEFINITIONS.get(name) or strict(definition) for name, definition in definitions.items()}
        complete = {**strict(schema, root=True), "definitions": compiled}
        self._structure = _STRUCTURE(complete, format_checker=_FORMATS)
        self._rules = _RULES(complete)

    def findings(self, manifest: Json) -> list[str]:
        """Each refusal as `path: reason`, in the order of the paths. Rules are asked only about a well-formed object, as on a server."""
        errors = list(self._structure.iter_errors(manifest)) or list(self._rules.iter_errors(manifest))
        return [f"{_written(error)}: {error.message}" for error in sorted(errors, key=_written)]


def _written(error: ValidationError) -> str:
    path = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in error.absolute_path)
    return path.removeprefix(".") or "(object)"


def _list_type(_: Any, kind: str, instance: Any, schema: Json) -> Iterator[ValidationError]:
    """Refuses two entries with the same keys in a list that is a map, and two equal entries in one that is a set."""
    if not isinstance(instance, list) or kind == "atomic":
        return
    keys = schema.get("x-kubernetes-list-map-keys", [])
    if kind == "map" and not all(isinstance(entry, dict) and all(key in entry for key in keys) for entry in instance):
        return
    seen: list[Any] = []
    for entry in instance:
        identity = {key: entry[key] for key in keys} if kind == "map" else entry
        if identity in seen:
            yield ValidationError(f"{identity!r} appears twice")
        seen.append(identity)


def _rules(_: Any, rules: list[Json], instance: Any, schema: Json) -> Iterator[ValidationError]:
    yield from (ValidationError(message) for message in broken_rules(rules, instance, schema))


_STRUCTURE = extend(Draft202012Validator, {"x-kubernetes-list-type": _list_type})
_RULES = extend(Draft202012Validator, {"x-kubernetes-validations": _rules})
_FORMATS = FormatChecker(formats=())


def _format(name: str, parse: Callable[[Any], object], of: type) -> None:
    def check(value: object) -> bool:
        if isinstance(value, of):
            parse(value)
        return True

    _FORMATS.checks(name, raises=(ValueError, binascii.Error))(check)


def _within(bits: int) -> Callable[[int], None]:
    def check(value: int) -> None:
        if not -(2 ** (bits - 1)) <= value < 2 ** (bits - 1):
            message = f"{value} does not fit into {bits} bits"
            raise ValueError(message)

    return check


_format("int32", _within(32), int)
_format("int64", _within(64), int)
_format("ipv4", ipaddress.IPv4Address, str)
_format("ipv6", ipaddress.IPv6Address, str)
_format("date-time", datetime.datetime.fromisoformat, str)
_format("byte", lambda text: base64.b64decode("".join(text.splitlines()), validate=True), str)
