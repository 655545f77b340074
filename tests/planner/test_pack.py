"""A policy pack as a process, over Pulumi's protocol, on plans of the programs here."""

import contextlib
import os
from functools import cache
from pathlib import Path

import pytest

from planner.errors import PlanError
from planner.pack import Diagnostic, analyze
from planner.plan import Mode, Plan
from tests.planner.running import HERE, by_name, plan

PACKS = HERE / "packs"


@cache
def said(mode: Mode = Mode.PESSIMISTIC) -> tuple[Diagnostic, ...]:
    return analyze(PACKS / "rules", plan("everything", mode=mode), project="everything", stack="dev", config={"everything:size": "3"})


def by(policy: str, mode: Mode = Mode.PESSIMISTIC) -> list[tuple[str, str, str]]:
    found = [diagnostic for diagnostic in said(mode) if diagnostic.policy == policy]
    return [(one.enforcement_level, one.urn.rpartition("::")[2], one.message.partition("\n")[2]) for one in found]


def test_a_violation_of_a_mandatory_policy_names_policy_pack_resource_and_severity():
    assert [one for one in said() if one.policy == "no-load-balancers"] == [
        Diagnostic(
            policy="no-load-balancers",
            pack="rules",
            enforcement_level="mandatory",
            urn=by_name("everything")[f"{name}-service"]["urn"],
            message=f"Nothing is public.\n{name}-service is public",
            severity="high",
            description="Nothing is public.",
        )
        for name in ("orders", "stock")
    ]


def test_a_plan_without_violations_gets_no_diagnostics():
    calm = Plan(tuple(resource for resource in plan("default_provider").resources if resource["type"] == "kubernetes:core/v1:ConfigMap"))
    assert analyze(PACKS / "calm", calm, project="a", stack="b", config={}) == ()


def test_a_policy_that_touches_an_unknown_value_is_only_advisory_as_in_a_preview():
    (found,) = (one for one in said() if one.policy == "reads-an-unknown")
    assert found.enforcement_level == "advisory"
    assert found.message.startswith("can't run policy 'reads-an-unknown' from policy pack 'rules@v0.0.1' during preview")


def test_policies_see_options_providers_and_the_packs_own_config():
    assert by("sees-options") == [("advisory", "policy", "True ['metadata.annotations'] True 5400.0 2 cluster shop 7.0")]


def test_policies_see_placeholders_for_secrets_and_no_internal_names():
    assert sorted(by("sees-secrets")) == [
        ("mandatory", "login", "stringData=[secret]"),
        ("mandatory", "orders", "token=[secret]"),
        ("mandatory", "signing", "nothing"),
    ]


def test_a_policy_that_the_pack_switches_off_says_nothing():
    assert by("switched-off") == []


def test_stack_policies_see_outputs_parents_and_dependencies_by_property():
    optimistic = by("sees-the-stack", Mode.OPTIMISTIC)
    assert optimistic == [
        ("mandatory", "everything-dev", "everything dev 3"),
        ("mandatory", "policy", "['orders-service', 'signing']"),
        ("mandatory", "orders", "shop False"),
    ]


def test_an_unknown_value_ends_a_stack_policy_as_in_a_preview():
    pessimistic = by("sees-the-stack")
    assert [name for level, name, _ in pessimistic if level == "mandatory"] == ["everything-dev", "policy"]
    assert [(level, name) for level, name, _ in pessimistic[2:]] == [("advisory", "everything-dev")]


def test_resources_that_are_only_read_are_not_shown():
    assert by("sees-only-what-is-created") == [("mandatory", "everything-dev", "False")]


def test_an_export_is_judged_like_a_plan():
    exported = Plan.from_json((HERE / "exports" / "shop.json").read_text())
    assert analyze(PACKS / "calm", exported, project="shop", stack="local", config={}) == ()


@pytest.mark.parametrize(
    ("pack", "words"),
    [
        ("broken", ["the pack ended with code 1 before it could be asked.", "RuntimeError: no rules today"]),
        ("noisy", ["the pack printed something before its port.", "hello"]),
        ("crashing", ["the pack failed while it was asked: Exception calling application: out of order (UNKNOWN)"]),
        ("absent", ["PulumiPolicy.yaml: there is no such file. Give the folder of a policy pack."]),
    ],
)
def test_a_pack_that_cannot_be_run_is_an_error_with_what_it_printed(pack: str, words: list[str]):
    with pytest.raises(PlanError) as caught:
        analyze(PACKS / pack, plan("everything"), project="a", stack="b", config={})
    assert all(word in str(caught.value) for word in words)


def test_a_pack_in_another_language_is_an_error(tmp_path: Path):
    (tmp_path / "PulumiPolicy.yaml").write_text("runtime: nodejs\n")
    with pytest.raises(PlanError, match="only packs in Python can be run"):
        analyze(tmp_path, plan("everything"), project="a", stack="b", config={})


def children() -> set[str]:
    """The processes that this one started and that still run."""
    found: set[str] = set()
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):  # it may end while it is looked at
            state, parent = (folder / "stat").read_text().rpartition(")")[2].split()[:2]
            found |= {folder.name} if parent == str(os.getpid()) and state != "Z" else set()
    return found


@pytest.mark.parametrize("pack", ["calm", "noisy"])
def test_no_process_is_left_behind(pack: str):
    before = children()
    with contextlib.suppress(PlanError):
        analyze(PACKS / pack, plan("default_provider"), project="a", stack="b", config={})
    assert children() == before
