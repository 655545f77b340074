"""What editors are told about topology files is what the model accepts."""

import json
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from jsonschema import Draft202012Validator

from tests.topology.strategies import topologies
from topology.laws import admit
from topology.load import read
from topology.model.system import Topology
from topology.schema import EXAMPLE, schema, schema_text

STACKS = Path(__file__).parents[2] / "stacks"
VALIDATOR: Any = Draft202012Validator(schema())


def complaints(value: Any) -> list[str]:
    """Return what an editor would mark."""
    return [str(error.message) for error in VALIDATOR.iter_errors(value)]


def document(name: str) -> dict[str, Any]:
    """Return a file as an editor sees it: days are texts."""
    value = read((STACKS / f"{name}.topology.yaml").read_text(encoding="utf-8")).value
    return json.loads(json.dumps(value, default=str))


def test_the_schema_is_a_valid_schema() -> None:
    Draft202012Validator.check_schema(schema())


@pytest.mark.parametrize("name", sorted(file.name.removesuffix(".topology.yaml") for file in STACKS.glob("*.topology.yaml")))
def test_the_systems_of_the_sources_satisfy_the_schema(name: str) -> None:
    assert complaints(document(name)) == []


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(topologies())
def test_every_random_topology_satisfies_the_schema(t: Topology) -> None:
    assert complaints(t.model_dump(mode="json", by_alias=True, exclude_defaults=True)) == []


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        (("prot",), 1, "'prot' was unexpected"),
        (("services", "a", "prot"), 1, "'prot' was unexpected"),
        (("services", "Big"), {}, "'Big' does not match"),
        (("services", "a", "port"), 99999, "99999 is greater than the maximum of 65535"),
        (("services", "a", "protocol"), "https", "'https' is not one of"),
        (("doors", "a", "methods"), ["get"], "'get' is not one of"),
        (("doors", "a", "methods"), [], "[] should be non-empty"),
        (("doors", "a", "paths"), ["a"], "'a' does not match"),
        (("doors", "a", "timeout"), "soon", "'soon' does not match"),
        (
            ("doors", "a", "auth"),
            {"jwt": "customers", "public": "for everybody, and yet not"},
            "is not valid under any of the given schemas",
        ),
        (("hosts",), ["*.abc.example"], "'*.abc.example' does not match"),
    ],
)
def test_an_editor_marks_what_cannot_be(path: tuple[str, ...], value: object, message: str) -> None:
    broken = deepcopy(document("abc"))
    inner = broken
    for key in path[:-1]:
        inner = inner[key]
    inner[path[-1]] = value
    assert any(message in complaint for complaint in complaints(broken))


def test_every_key_and_every_part_is_described() -> None:
    found = schema()
    for name, part in {**found["$defs"], "Topology": found}.items():
        assert part.get("description"), name
        for key, field in part.get("properties", {}).items():
            described = "description" in field or "$ref" in field or any("$ref" in choice for choice in field.get("anyOf", []))
            assert described, f"{name}.{key}"


def test_the_keys_are_spelled_as_in_files() -> None:
    assert "jwksUri" in schema()["$defs"]["Issuer"]["properties"]
    assert schema()["title"] == "Topology of a system"


def test_the_example_is_a_topology() -> None:
    admit(Topology.model_validate(EXAMPLE))
    assert complaints(EXAMPLE) == []


def test_the_text_is_the_schema_and_ends_with_a_line_break() -> None:
    assert json.loads(schema_text()) == schema()
    assert schema_text().endswith("}\n")
