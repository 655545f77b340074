"""A plan as text: what is written, what is read back, and what is refused."""

import json

import pytest

from planner.errors import PlanError
from planner.plan import Mode, Plan
from tests.planner.running import HERE, KNOWN_SECRET, plan

EXPORT = (HERE / "exports" / "shop.json").read_text()


def test_the_text_has_the_shape_of_a_stack_export_and_says_its_mode():
    document = json.loads(plan("everything").to_json())
    assert document["version"] == 3
    assert document["perimeter"] == {"mode": "pessimistic"}
    assert document["deployment"]["manifest"] == {"time": "0001-01-01T00:00:00Z", "magic": "", "version": ""}
    assert document["deployment"]["resources"] == list(plan("everything").resources)


def test_each_resource_has_a_line_so_that_plans_can_be_compared():
    lines = plan("everything").to_json().splitlines()
    assert len(lines) == len(plan("everything").resources) + 2
    assert [json.loads(line.removesuffix(","))["urn"] for line in lines[1:-1]] == [
        resource["urn"] for resource in plan("everything").resources
    ]


@pytest.mark.parametrize("mode", [Mode.PESSIMISTIC, Mode.OPTIMISTIC])
def test_what_is_written_is_read_back(mode: Mode):
    made = plan("everything", mode=mode)
    assert Plan.from_json(made.to_json()) == made


def test_the_text_does_not_depend_on_the_order_of_keys():
    made = plan("everything")
    turned = tuple(dict(reversed(resource.items())) for resource in made.resources)
    assert Plan(turned, made.mode).to_json() == made.to_json()


def test_a_plan_without_resources_is_one():
    empty = Plan((), Mode.PESSIMISTIC)
    assert Plan.from_json(empty.to_json()) == empty
    assert (empty.stack, empty.project) == ("", "")


def test_a_stack_export_is_read_without_what_is_marked_for_deletion():
    exported = Plan.from_json(EXPORT)
    assert exported.mode is Mode.EXPORTED
    assert (exported.stack, exported.project) == ("local", "shop")
    assert [resource["urn"].rpartition("::")[2] for resource in exported.resources] == ["shop-local", "cluster", "orders", "login"]
    assert exported.resources[2]["outputs"]["status"] == {"phase": "Active"}


def test_secrets_of_an_export_are_left_behind_encrypted_or_not():
    exported = Plan.from_json(EXPORT)
    assert exported.resources[0]["outputs"] == {"token": KNOWN_SECRET}
    assert exported.resources[3]["inputs"] == exported.resources[3]["outputs"] == {"stringData": KNOWN_SECRET}
    assert "hunter2" not in exported.to_json()
    assert "ciphertext" not in exported.to_json()


def test_equal_inputs_and_outputs_are_one_object():
    for made in (plan("everything"), Plan.from_json(plan("everything").to_json())):
        assert any(resource["inputs"] is resource.get("outputs") for resource in made.resources)


def changed(**keys: object) -> str:
    return json.dumps({**json.loads(EXPORT), **keys})


@pytest.mark.parametrize(
    ("text", "finding"),
    [
        ("{", "line 1, column 2: no JSON"),
        ("[]", "the document is a list, not an object."),
        ('{"steps": [], "changeSummary": {}}', "this is what `pulumi preview --json` prints"),
        ('{"kind": "List"}', "key `deployment`: is missing or null, not an object."),
        (changed(version=2), "key `version`: 2 is no deployment version this tool reads (3, 4)."),
        (changed(deployment={"resources": {}}), "key `deployment.resources`: is an object, not a list."),
        (changed(deployment={"resources": [3]}), "deployment.resources[0]: is a number, not an object."),
        (
            changed(deployment={"resources": [{"urn": "urn:pulumi:a::b::c::d"}]}),
            "deployment.resources[0]: `type` is missing or null, not a string.",
        ),
        (changed(deployment={"resources": [{"urn": "shop", "type": "a:b:C"}]}), "deployment.resources[0]: 'shop' is no urn"),
        (
            changed(deployment={"resources": [{"urn": "urn:pulumi:a::b::c::d", "type": "a:b:C", "inputs": []}]}),
            "deployment.resources[0]: `inputs` is a list, not an object.",
        ),
        (changed(deployment={"pending_operations": [{}]}), "key `deployment.pending_operations`: an update was interrupted"),
        (changed(perimeter={"mode": "hopeful"}), "key `perimeter.mode`: 'hopeful' is none of pessimistic, optimistic, resolved, exported."),
    ],
)
def test_anything_else_is_refused_with_where_and_why(text: str, finding: str):
    with pytest.raises(PlanError) as caught:
        Plan.from_json(text)
    assert len(caught.value.findings) == 1
    assert caught.value.findings[0].startswith(finding)


def test_everything_misspelled_is_said_at_once():
    with pytest.raises(PlanError) as caught:
        Plan.from_json(changed(deployment={"resources": [{"type": "a:b:C"}, {"urn": "urn:pulumi:a::b::c::d"}]}))
    assert len(caught.value.findings) == 2
