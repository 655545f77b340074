"""Each field of the topology's model is held by the judge: the plan of a topology that differs in it alone is not kept.

A field that a generator drops, or that a colleague changes in the topology of one environment, changes the plan and nothing else. The judge holds
that plan against the topology as it was. P06, which compares digests, stands aside: it says that something differs, not what is possible.
"""

from collections.abc import Iterator
from copy import deepcopy
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any, cast, get_args

import pytest
import yaml

from policies.harness import Report, judge
from policies.reading.normalise import normalise
from policies.reading.stack import Stack
from policies.registry import rules
from policies.rule import Verdict
from tests.cross.cases import CASES, GONE, UNJUDGED, Change
from tests.cross.planning import planned
from topology.load import load
from topology.model.base import Model
from topology.model.system import Topology

FILE = Path(__file__).parent / "everything.topology.yaml"
TODAY = date(2026, 11, 1)
DIGESTS = "P06"


@cache
def intent() -> Topology:
    return load(FILE)


def models(annotation: Any) -> Iterator[type[Model]]:
    """Yield the models that a type is made of."""
    if isinstance(annotation, type) and issubclass(annotation, Model):
        yield annotation
    for part in get_args(annotation):
        yield from models(part)


def fields() -> dict[str, None]:
    """Return every field of every model that a topology is made of, as `Model.field`."""
    found: dict[type[Model], None] = {}
    waiting: list[type[Model]] = [Topology]
    while waiting:
        model = waiting.pop()
        if model not in found:
            found[model] = None
            waiting += [inner for field in model.model_fields.values() for inner in models(field.annotation)]
    return {f"{model.__name__}.{name}": None for model in found for name in model.model_fields}


def changed(change: Change) -> dict[str, Any]:
    """Return the topology with a change, as its file has it."""
    document: Any = yaml.safe_load(FILE.read_text(encoding="utf-8"))
    for place, value in change.items():
        *above, last = place.split(".")
        inner: Any = document
        for step in above:
            inner = inner[int(step)] if step.isdigit() else inner.setdefault(step, {})
        key: Any = int(last) if last.isdigit() else last
        if value == GONE:
            del inner[key]
        else:
            inner[key] = deepcopy(value)
    return document


def judged(document: dict[str, Any], folder: Path) -> Report:
    """Return what the judge says of the plan of one topology, held against the other."""
    file = folder / "changed.topology.yaml"
    file.write_text(yaml.safe_dump(document, sort_keys=False), encoding="utf-8")
    stack = Stack(normalise(planned(file).resources), intent(), topology_path=str(file))
    return judge(stack, [rule for rule in rules() if rule.id != DIGESTS], today=TODAY)


def said(report: Report) -> str:
    return "\n".join(f"{finding.rule} {finding.resource}: {finding.message}" for finding in report.findings) or "(nothing)"


def test_every_field_of_the_model_has_a_case_or_a_reason_for_having_none() -> None:
    assert not (missing := sorted(fields().keys() - CASES.keys() - UNJUDGED.keys())), f"write a case for {', '.join(missing)}"
    assert not (both := sorted(CASES.keys() & UNJUDGED.keys())), f"one or the other for {', '.join(both)}"
    assert not (stale := sorted({*CASES, *UNJUDGED} - fields().keys())), f"no such field: {', '.join(stale)}"


def test_the_topology_says_something_in_every_field() -> None:
    def given(model: Model) -> Iterator[str]:
        for name in model.model_fields_set:
            yield f"{type(model).__name__}.{name}"
            yield from within(getattr(model, name))

    def within(value: object) -> Iterator[str]:
        if isinstance(value, Model):
            yield from given(value)
        elif isinstance(value, dict):
            yield from within(tuple(cast("dict[str, object]", value).values()))
        elif isinstance(value, tuple):
            for each in cast("tuple[object, ...]", value):
                yield from within(each)

    absent = {"Issuer.public_keys"}  # nobody needs them here
    assert fields().keys() - {*given(intent())} == absent


def test_the_plan_of_the_topology_itself_is_kept(tmp_path: Path) -> None:
    report = judged(changed({}), tmp_path)
    assert report.verdict is Verdict.KEPT, said(report)


@pytest.mark.parametrize(
    ("field", "change"),
    [pytest.param(field, change, id=f"{field}-{number}") for field, each in CASES.items() for number, change in enumerate(each)],
)
def test_a_plan_that_differs_in_a_field_is_not_kept(field: str, change: Change, tmp_path: Path) -> None:
    document = changed(change)
    report = judged(document, tmp_path)
    assert report.verdict is not Verdict.KEPT, f"{field}: nobody notices {dict(change)}"


def test_plans_may_differ_in_what_the_judge_does_not_look_at(tmp_path: Path) -> None:
    """All at once, so that none of the reasons outlives the day on which a rule begins to look."""
    together = {place: value for unjudged in UNJUDGED.values() for place, value in unjudged.change.items()}
    assert len(together) == sum(len(unjudged.change) for unjudged in UNJUDGED.values()), "two changes of one place: one of them is not seen"
    report = judged(changed(together), tmp_path)
    assert report.verdict is Verdict.KEPT, f"move to CASES what is judged after all:\n{said(report)}"
