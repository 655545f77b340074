"""Property values between the wire (protobuf structs) and a plan (JSON as a state file spells it)."""

import hashlib
import json
import math
import struct as binary
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import cast

from google.protobuf.struct_pb2 import Struct, Value

from planner import wire
from planner.wire import Json


def seal(content: Json) -> Json:
    """Return what a plan holds for a secret: a placeholder, or the unknown sentinel where any part of the content is unknown."""
    return wire.UNKNOWN_SECRET if wire.has_unknown(content) else wire.KNOWN_SECRET


def reveal(content: Json) -> Json:
    """Return a secret with its value, as a state file of an unencrypted stack spells it."""
    return wire.UNKNOWN_SECRET if wire.has_unknown(content) else {wire.SIGNATURE: wire.SECRET, "plaintext": json.dumps(content)}


def read(properties: Struct, secret: Callable[[Json], Json] = seal) -> dict[str, Json]:
    """Return properties as a state file holds them.

    As the engine does when it writes state: unknown values become the unknown sentinel, output values lose their dependencies, whole numbers
    lose their fraction.

    Args:
        properties: as they came over the wire.
        secret: what is kept of a secret's content; by default the plaintext goes no further than this function.
    """
    return {key: _read(value, secret) for key, value in sorted(properties.fields.items())}


def _read(value: Value, secret: Callable[[Json], Json]) -> Json:
    # This runs for every value of every resource. Reading the string field first saves the slower look-up of the kind for most of them.
    text = value.string_value
    if text:
        return text
    kind = value.WhichOneof("kind")
    if kind == "struct_value":
        fields = value.struct_value.fields
        if wire.SIGNATURE in fields:
            return _read_signed(fields, secret)
        return {key: _read(item, secret) for key, item in sorted(fields.items())}
    if kind == "list_value":
        return [_read(item, secret) for item in value.list_value.values]
    if kind == "number_value":
        return _number(value.number_value)
    if kind == "bool_value":
        return value.bool_value
    return "" if kind == "string_value" else None


def _number(number: float) -> Json:
    if not math.isfinite(number):
        return {wire.SIGNATURE: wire.FLOAT, "value": binary.pack(">d", number).hex()}
    return int(number) if number.is_integer() and abs(number) < 1e21 else number


def _read_signed(fields: Mapping[str, Value], secret: Callable[[Json], Json]) -> Json:
    signature = fields[wire.SIGNATURE].string_value
    if signature == wire.SECRET:
        return secret(_read(fields["value"], secret))
    if signature == wire.OUTPUT:
        element = _read(fields["value"], secret) if "value" in fields else wire.UNKNOWN
        return secret(element) if "secret" in fields and fields["secret"].bool_value else element
    plain = {key: _read(item, secret) for key, item in sorted(fields.items())}
    if signature == wire.RESOURCE:
        return {"packageVersion": "", **plain}
    if signature == wire.ASSET:
        return {**_asset_hash(plain), **plain}
    return plain


def _asset_hash(asset: Mapping[str, Json]) -> dict[str, Json]:
    """Return the content's digest where the content is at hand: the engine keeps it so that a changed file is a changed property."""
    text, path = asset.get("text"), asset.get("path")
    if isinstance(text, str):
        return {"hash": hashlib.sha256(text.encode()).hexdigest()}
    if isinstance(path, str) and Path(path).is_file():
        return {"hash": hashlib.sha256(Path(path).read_bytes()).hexdigest()}
    return {}


def is_secret(value: Json) -> bool:
    """Whether a value of a plan is a secret."""
    return isinstance(value, dict) and value.get(wire.SIGNATURE) == wire.SECRET


def mark_secret(properties: Mapping[str, Json], names: Iterable[str], secret: Callable[[Json], Json] = seal) -> dict[str, Json]:
    """Return properties with those of the given names made secret."""
    names = frozenset(names)
    return {key: secret(value) if key in names and not is_secret(value) else value for key, value in properties.items()}


def fill(properties: Mapping[str, Json], extra: Mapping[str, Json]) -> dict[str, Json]:
    """Return properties with what they lack of `extra`, at any depth."""
    filled = dict(properties)
    for key, value in extra.items():
        present = filled.get(key)
        if key not in filled:
            filled[key] = value
        elif isinstance(present, dict) and isinstance(value, dict) and wire.SIGNATURE not in present:
            filled[key] = fill(present, value)
    return filled


def fill_struct(properties: Struct, extra: Mapping[str, Json]) -> None:
    """Add to properties what they lack of `extra`, at any depth."""
    for key, value in extra.items():
        if key not in properties.fields:
            properties[key] = value
        elif isinstance(value, dict) and properties.fields[key].HasField("struct_value"):
            present = properties.fields[key].struct_value
            if wire.SIGNATURE not in present.fields:
                fill_struct(present, value)


def mark_secret_struct(properties: Struct, names: Iterable[str]) -> None:
    """Make the properties of the given names secret on the wire."""
    for name in names:
        if name in properties.fields and not _is_wire_secret(properties.fields[name]):
            plain = Value()
            plain.CopyFrom(properties.fields[name])
            marked = Struct()
            marked[wire.SIGNATURE] = wire.SECRET
            marked.fields["value"].CopyFrom(plain)
            properties.fields[name].struct_value.CopyFrom(marked)


def _is_wire_secret(value: Value) -> bool:
    fields = value.struct_value.fields
    return wire.SIGNATURE in fields and fields[wire.SIGNATURE].string_value == wire.SECRET


def write(properties: Mapping[str, Json]) -> Struct:
    """Return properties of a plan as the engine sends them to a policy pack.

    Source: `MarshalProperties` with `KeepUnknowns`, `KeepSecrets` and `SkipInternalKeys`: resource references become an id or a urn, and the
    outermost names that begin with two underscores are left out.
    """
    message = Struct()
    message.update({key: _write(value) for key, value in properties.items() if not key.startswith("__")})
    return message


def _write(value: Json) -> Json:
    if isinstance(value, list):
        return [_write(item) for item in value]
    if not isinstance(value, dict):
        return value
    signature = value.get(wire.SIGNATURE)
    if signature is None:
        return {key: _write(item) for key, item in value.items()}
    if signature == wire.SECRET:
        plaintext = value.get("plaintext")
        content = cast(Json, json.loads(plaintext)) if isinstance(plaintext, str) else wire.PLACEHOLDER
        return {wire.SIGNATURE: wire.SECRET, "value": content}
    if signature == wire.RESOURCE:
        return value.get("id") or (wire.UNKNOWN if "id" in value else value.get("urn"))
    if signature == wire.FLOAT:
        return binary.unpack(">d", bytes.fromhex(str(value["value"])))[0]
    return {key: _write(item) for key, item in value.items()}
