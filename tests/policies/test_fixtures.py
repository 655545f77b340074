"""Every rule is shown by fixtures beside it: what it allows, what it denies, what it cannot decide.

A fixture is a YAML file `fixtures/<ID>/{allow,deny,undecided}/<case>.yaml`:

    description: what is shown
    topology: abc              # a file of stacks/, or a topology written inline; abc by default
    base: abc                  # optional: start from all manifests of baseline/<base>.yaml
    config:                    # optional: what the stack file says, by key
      perimeter:aws: {operators: [203.0.113.0/29]}
    without: [Service abc/b]   # optional: take some of them away
    change:                    # optional: JSON merge patches on some of them
      Service abc/b: {spec: {type: NodePort}}
    resources: []              # manifests to add, or {type, name, inputs} for other Pulumi resources
                               # (`<unknown>` is a value the plan does not know, `<digest>` the digest of the topology)
    expect: [text]             # deny and undecided: each text stands in a finding of that verdict
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from policies.harness import findings_of
from policies.registry import rules
from policies.rule import Finding, Rule, Verdict
from tests.policies.building import stack_from

FIXTURES = Path(__file__).parent / "fixtures"
VERDICTS = {"allow": Verdict.KEPT, "deny": Verdict.BROKEN, "undecided": Verdict.UNDECIDED}
KEYS = {"description", "topology", "config", "base", "without", "change", "resources", "expect"}
BY_ID = {rule.id: rule for rule in rules()}


def cases() -> Iterator[Any]:
    for path in sorted(FIXTURES.glob("*/*/*.yaml")):
        yield pytest.param(path, id="/".join(path.parts[-3:]).removesuffix(".yaml"))


def rule_of(path: Path) -> Rule:
    rule_id = path.parts[-3]
    assert rule_id in BY_ID, f"{path}: there is no rule {rule_id}"
    return BY_ID[rule_id]


def written(findings: list[Finding]) -> str:
    return "\n".join(f"{finding.verdict}: {finding.resource}: {finding.message}" for finding in findings) or "(nothing)"


@pytest.mark.parametrize("path", list(cases()))
def test_a_fixture_gets_the_verdict_of_its_folder(path: Path) -> None:
    fixture = yaml.safe_load(path.read_text(encoding="utf-8"))
    assert not (unknown := set(fixture) - KEYS), f"{path}: unknown keys {sorted(unknown)}; known: {sorted(KEYS)}"
    assert fixture["description"]
    wanted = VERDICTS[path.parent.name]
    findings = findings_of(rule_of(path), stack_from(fixture))
    if wanted is Verdict.KEPT:
        assert not findings, written(findings)
        return
    assert fixture["expect"], "a fixture that denies says which message it expects"
    said = [finding for finding in findings if finding.verdict is wanted]
    for text in fixture["expect"]:
        assert any(text in f"{finding.resource}: {finding.message}" for finding in said), f"{text!r} is not among\n{written(findings)}"


@pytest.mark.parametrize("rule", [pytest.param(rule, id=rule.id) for rule in rules()])
def test_a_rule_shows_what_it_allows_denies_and_cannot_decide(rule: Rule) -> None:
    missing = [folder for folder in VERDICTS if not list((FIXTURES / rule.id / folder).glob("*.yaml"))]
    assert not missing, f"{rule.id} has no fixture in {', '.join(missing)}"
