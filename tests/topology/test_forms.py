"""The example of a value that a finding shows is such a value."""

import re
from typing import Any

import pytest
import yaml
from pydantic import BaseModel

from tests.topology.test_explain import models
from topology.findings import MOST_NAMES
from topology.forms import NAME, fits, form
from topology.hints import HINTS, hint, keys_of
from topology.model.door import Door, Tier
from topology.model.service import Service
from topology.model.system import Topology
from topology.standins import typed

PARTS = sorted(models(Topology, set()), key=lambda model: model.__name__)
PLACES = [(model, name) for model in PARTS for name in model.model_fields]


@pytest.mark.parametrize(("model", "name"), PLACES, ids=lambda value: getattr(value, "__name__", value))
def test_the_form_of_a_value_is_accepted_at_its_place(model: type[BaseModel], name: str) -> None:
    here: Any = typed(model.model_fields[name])
    for written in form(here).split(" or "):
        # Where one entry is too few, more are hinted at: `, ...`.
        value = re.sub(r"\{(\w+): (\{[^{}]*\}), \.\.\.\}", r"{\1: \2, \1-b: \2}", written.replace(NAME, "orders"))
        assert fits(here, yaml.safe_load(value)), written


@pytest.mark.parametrize("model", PARTS, ids=lambda model: model.__name__)
def test_every_key_of_a_part_is_listed_where_none_is_near_to_what_was_written(model: type[BaseModel]) -> None:
    assert len(keys_of(model)) <= MOST_NAMES


@pytest.mark.parametrize(("part", "key"), [(part, key) for part, said in HINTS.items() for key in said], ids=str)
def test_a_hint_is_about_a_key_that_the_part_has_not(part: type[BaseModel], key: str) -> None:
    assert key not in keys_of(part)


@pytest.mark.parametrize(
    ("part", "key", "expected"),
    [
        (Service, "secret", "write versions.<version>.secrets"),
        (Service, "secrets", "it stands deeper: versions.<name>.secrets"),
        (Service, "timeout", "it stands deeper: resilience.timeout"),
        (Service, "attempts", "it stands deeper: resilience.retries.attempts"),
        (Service, "protocoll", None),
        (Service, "zone", None),
        (Door, "jwt", "it stands deeper: auth.jwt"),
        (Door, "method", None),
        (Tier, "per", "it stands deeper: limits[0].per"),
        (None, "key", None),
    ],
)
def test_who_looks_for_a_key_in_the_wrong_place_is_told_the_right_one(part: type[BaseModel] | None, key: str, expected: str | None) -> None:
    assert hint(part, key) == expected
