"""A program registered with the outputs of a deployment, and its dynamic providers asked as the engine asks them."""

import json
from typing import Any

import pytest

from planner.dynamic import dynamic_provider
from planner.errors import PlanError
from planner.plan import Known, Mode, Plan
from planner.program import plan_program, resolve_program
from planner.wire import KNOWN_SECRET, UNKNOWN, plain
from tests.planner.running import HERE

PROGRAM = HERE.parent / "deploy" / "program"
KEY = "urn:pulumi:dev::shop::pulumi-python:dynamic/shop:Key::acme"


def resolved(known: dict[str, Known] = {}, **config: str) -> Plan:  # noqa: B006 # read only
    return resolve_program(PROGRAM, "dev", {f"shop:{key}": value for key, value in config.items()}, known)


def inputs_of(plan: Plan, name: str) -> dict[str, Any]:
    return next(resource["inputs"] for resource in plan.resources if resource["urn"].endswith(f"::{name}"))


def test_outputs_that_a_deployment_knows_are_values_to_the_program_and_those_that_it_does_not_are_unknown():
    assert plain(inputs_of(resolved(), "Secret-key"))["stringData"] == {"key": UNKNOWN}
    known = {KEY: Known(id="key", outputs={"owner": "acme", "rotation": "1", "key": "hush"})}
    plan = resolved(known)
    assert plan.mode is Mode.RESOLVED
    assert plain(inputs_of(plan, "Secret-key"))["stringData"] == {"key": "hush"}
    [key] = [resource for resource in plan.resources if resource["urn"] == KEY]
    assert key["id"] == "key"
    assert plain(key["outputs"])["key"] == "hush"


def test_outputs_named_secret_stay_secret_in_whatever_they_are_put_into():
    known = {KEY: Known(id="key", outputs={"key": "hush"})}
    value = inputs_of(resolved(known), "Secret-key")["stringData"]["key"]
    assert value.keys() == KNOWN_SECRET.keys()
    assert json.loads(value["plaintext"]) == "hush"


def test_a_plan_that_is_not_resolved_holds_no_secret_and_is_otherwise_the_same():
    planned = plan_program(PROGRAM, "dev")
    assert inputs_of(planned, "acme")["__provider"] == KNOWN_SECRET
    names = [resource["urn"] for resource in planned.resources]
    assert names == [resource["urn"] for resource in resolved().resources]


def test_values_of_a_plan_do_not_show_when_it_is_printed():
    assert "hush" not in repr(Known(id="key", outputs={"key": "hush"}))


def test_a_program_that_fails_fails_with_its_own_words():
    with pytest.raises(PlanError, match="items"):
        resolved(items="many")


def test_a_dynamic_provider_is_the_programs_own():
    inputs = plain(inputs_of(resolved(), "acme"))
    assert isinstance(inputs, dict)
    with dynamic_provider(PROGRAM, "dev", {}) as provider:
        made = provider.create(KEY, provider.check(KEY, {}, inputs))
        assert made.id == "key"
        assert len(str(made.outputs["key"])) == 16
        assert not provider.diff(KEY, made, inputs).changes
        rotated = provider.diff(KEY, made, {**inputs, "rotation": "2"})
        assert (rotated.changes, list(rotated.replaces)) == (True, ["rotation"])
        provider.delete(KEY, made)


def test_a_dynamic_provider_that_fails_says_so_with_its_traceback():
    with dynamic_provider(PROGRAM, "dev", {}) as provider, pytest.raises(PlanError, match="its dynamic provider failed"):
        provider.create(KEY, {"__provider": "bm8gcGlja2xl"})
