from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path

import pytest

from policies.exemptions import Exemption, ExemptionError, load
from policies.harness import findings_of, judge, merged
from policies.reading.resource import Resource
from policies.reading.stack import Stack
from policies.registry import rules
from policies.rule import Finding, ResourceRule, Rule, Severity, Verdict
from tests.policies.building import stack_of

TODAY = date(2026, 11, 21)
SERVICES = [{"apiVersion": "v1", "kind": "Service", "metadata": {"name": name, "namespace": "x"}} for name in ("a", "b")]


def rule_of(judge_: Callable[[Rule, Stack], Iterator[Finding]], *, rule_id: str = "T01", level: Severity = Severity.HIGH) -> Rule:
    class Made(Rule):
        id = rule_id
        name = "made"
        severity = level

        def judge(self, stack: Stack) -> Iterator[Finding]:
            yield from judge_(self, stack)

    return Made()


def each_service(rule: Rule, stack: Stack) -> Iterator[Finding]:
    for service in stack.of("Service"):
        yield rule.broken(service, "is there", "remove it")


def exemption(**given: object) -> Exemption:
    fields = {"rule": "T01", "resource": "*::x/a", "reason": "The old client needs it until spring.", "owner": "team", "expires": TODAY}
    return Exemption.model_validate({**fields, **given})


def test_a_stack_without_findings_is_kept() -> None:
    report = judge(stack_of(SERVICES), [rule_of(lambda rule, stack: iter(()))], today=TODAY)
    assert (report.verdict, report.findings, report.resources, report.edges) == (Verdict.KEPT, (), 2, 3)


def test_a_broken_rule_outweighs_an_undecided_one() -> None:
    undecided = rule_of(lambda rule, stack: iter([rule.undecided(None, "who knows")]), rule_id="T02")
    assert judge(stack_of([]), [undecided], today=TODAY).verdict is Verdict.UNDECIDED
    assert judge(stack_of(SERVICES), [undecided, rule_of(each_service)], today=TODAY).verdict is Verdict.BROKEN


def test_a_rule_that_needs_an_unknown_value_is_undecided_and_keeps_what_it_found_before() -> None:
    def judging(rule: Rule, stack: Stack) -> Iterator[Finding]:
        yield rule.broken(None, "first", "")
        for service in stack.of("Service"):
            assert service.at("spec", "type") != "NodePort"

    items = [{"apiVersion": "v1", "kind": "Service", "metadata": {"name": "a", "namespace": "x"}, "spec": {"type": "<unknown>"}}]
    found = findings_of(rule_of(judging), stack_of(items))
    assert [finding.verdict for finding in found] == [Verdict.BROKEN, Verdict.UNDECIDED]
    assert "spec.type is unknown until it is deployed" in found[1].message


def test_a_rule_that_crashes_is_undecided() -> None:
    def judging(rule: Rule, stack: Stack) -> Iterator[Finding]:
        raise ZeroDivisionError("oh")
        yield

    (found,) = findings_of(rule_of(judging), stack_of([]))
    assert found.verdict is Verdict.UNDECIDED
    assert found.message == "the rule stopped with ZeroDivisionError: oh"


def test_one_resource_that_is_unknown_leaves_only_itself_undecided() -> None:
    def check(resource: Resource) -> Iterator[Finding]:
        if resource.at("spec", "type") == "NodePort":
            yield from ()

    made = rule_of(lambda rule, stack: rule.over(stack.of("Service"), check))
    items = [{**SERVICES[0], "spec": {"type": "<unknown>"}}, SERVICES[1]]
    (found,) = findings_of(made, stack_of(items))
    assert (found.verdict, found.resource) == (Verdict.UNDECIDED, "Service x/a")


def test_a_rule_without_resources_of_its_kinds_has_nothing_to_judge() -> None:
    results = {result.rule.id: result for result in judge(stack_of(SERVICES), rules(), today=TODAY).rules}
    assert {rule: results[rule].applies for rule in ("N01", "N02", "M16", "K02", "B03", "K04")} == {
        "N01": False,
        "N02": False,
        "M16": False,
        "K02": True,
        "B03": True,
        "K04": True,
    }
    assert all(result.applies for result in results.values() if result.verdict is not Verdict.KEPT)


def test_a_rule_that_finds_something_has_something_to_judge_whatever_it_says() -> None:
    class Blind(ResourceRule):
        id = "T01"
        name = "made"
        severity = Severity.HIGH
        kinds = ("Ingress",)

        def judge(self, stack: Stack) -> Iterator[Finding]:
            yield from each_service(self, stack)

        def check(self, resource: Resource, stack: Stack) -> Iterator[Finding]:
            yield from ()

    stack = stack_of(SERVICES)
    assert not judge(stack_of([]), [Blind()], today=TODAY).rules[0].applies
    (found,) = judge(stack, [Blind()], today=TODAY).rules
    assert (found.verdict, found.applies) == (Verdict.BROKEN, True)
    (excused,) = judge(stack, [Blind()], [exemption(resource="*")], today=TODAY).rules
    assert (excused.verdict, excused.applies) == (Verdict.KEPT, True)


def test_two_judgements_in_one_have_something_to_judge_where_one_of_them_has() -> None:
    made = [rule for rule in rules() if rule.id == "K02"]
    without, with_it = judge(stack_of([]), made, today=TODAY), judge(stack_of(SERVICES), made, today=TODAY)
    assert merged(without, with_it).rules[0].applies
    assert not merged(without, without).rules[0].applies
    assert merged(without, without).rules[0].verdict is Verdict.KEPT


def test_findings_are_sorted_by_severity_rule_and_resource() -> None:
    made = [rule_of(each_service, rule_id="T02", level=Severity.LOW), rule_of(each_service, rule_id="T03", level=Severity.CRITICAL)]
    report = judge(stack_of(reversed(SERVICES)), made, today=TODAY)
    assert [(f.rule, f.resource) for f in report.findings] == [
        ("T03", "Service x/a"),
        ("T03", "Service x/b"),
        ("T02", "Service x/a"),
        ("T02", "Service x/b"),
    ]
    assert [result.rule.id for result in report.rules] == ["T02", "T03"]


def test_an_exemption_excuses_what_it_names_until_its_last_day() -> None:
    report = judge(stack_of(SERVICES), [rule_of(each_service)], [exemption()], today=TODAY)
    assert [finding.resource for finding in report.findings] == ["Service x/b"]
    assert [item.finding.resource for item in report.exempted] == ["Service x/a"]
    late = judge(stack_of(SERVICES), [rule_of(each_service)], [exemption(expires=date(2026, 11, 20))], today=TODAY)
    assert len(late.findings) == 2
    assert late.findings[0].message == "is there (the exemption of team expired on 2026-11-20)"


def test_an_exemption_for_the_stack_says_so() -> None:
    whole = rule_of(lambda rule, stack: iter([rule.broken(None, "all of it", "")]))
    assert judge(stack_of([]), [whole], [exemption(resource="stack")], today=TODAY).verdict is Verdict.KEPT
    assert judge(stack_of([]), [whole], [exemption(resource="urn:*")], today=TODAY).verdict is Verdict.BROKEN


def test_an_exemption_that_excuses_nothing_is_reported() -> None:
    report = judge(stack_of([]), [rule_of(each_service)], [exemption()], today=TODAY)
    assert [item.rule for item in report.unused] == ["T01"]


def test_the_exemptions_of_the_project_can_be_read() -> None:
    assert load(Path(__file__).parents[2] / "policies" / "exemptions.yaml") == ()


def test_everything_that_is_wrong_with_an_exemptions_file_is_said_at_once(tmp_path: Path) -> None:
    file = tmp_path / "exemptions.yaml"
    file.write_text("- {rule: X, resource: a, reason: short, owner: me}\n- {rule: K01, resource: a, extra: 1}\n", encoding="utf-8")
    with pytest.raises(ExemptionError) as error:
        load(file)
    said = str(error.value)
    for part in ('[0].rule: "X"', '[0].reason: "short"', "[0].expires", "[1].reason", "[1].extra"):
        assert part in said


def test_a_file_that_is_no_list_is_refused_and_an_absent_file_is_empty(tmp_path: Path) -> None:
    file = tmp_path / "exemptions.yaml"
    assert load(file) == ()
    file.write_text("a: [", encoding="utf-8")
    with pytest.raises(ExemptionError, match="cannot be read"):
        load(file)
    file.write_text("a: 1", encoding="utf-8")
    with pytest.raises(ExemptionError):
        load(file)


def test_every_rule_has_an_id_a_name_and_a_severity_of_its_own() -> None:
    found = rules()
    assert [rule.id for rule in found] == sorted({rule.id for rule in found})
    assert len({rule.name for rule in found}) == len(found)
    assert {"B01", "B02", "B03", "B04", "P06"} <= {rule.id for rule in found}
