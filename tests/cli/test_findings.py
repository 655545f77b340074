"""What every format says of each rule, and what it says once."""

import json
from typing import Any
from xml.etree import ElementTree

from cli.judging import Judged
from cli.report import json_report, junit, sarif
from cli.report.findings import Outcome, outcomes, said
from policies.rule import Verdict
from tests.cli.building import finding, judged_of

OPEN = tuple(finding(rule, Verdict.UNDECIDED, "it cannot be followed") for rule in ("B01", "B02", "B03", "B04"))


def as_json(judged: Judged) -> dict[str, Any]:
    return json.loads(json_report.render(judged))


def test_a_rule_with_nothing_to_judge_is_neither_kept_nor_a_finding() -> None:
    judged = judged_of(without=("N01",))
    assert outcomes(judged)["N01"] is Outcome.NOT_APPLICABLE
    document = as_json(judged)
    assert {rule["id"]: rule["verdict"] for rule in document["rules"]}["N01"] == "not applicable"
    assert (document["verdict"], document["findings"]) == ("kept", [])
    run = json.loads(sarif.render(judged))["runs"][0]
    assert (run["results"], run["properties"]["rules"]["N01"]) == ([], "not applicable")


def test_a_finding_outweighs_that_there_is_nothing_to_judge() -> None:
    for verdict in (Verdict.BROKEN, Verdict.UNDECIDED):
        assert outcomes(judged_of(finding("N01", verdict, "it is open"), without=("N01",)))["N01"] == verdict


def test_a_rule_that_only_one_of_two_plans_breaks_is_not_kept() -> None:
    judged = judged_of(only_optimistic=[finding("K01", Verdict.BROKEN, "it is public")])
    assert {rule["id"]: rule["verdict"] for rule in as_json(judged)["rules"]}["K01"] == "broken"


def test_one_doubt_of_several_rules_is_one_finding_that_names_them_all() -> None:
    document = as_json(judged_of(*OPEN))
    (found,) = document["findings"]
    assert (found["rule"], found["rules"]) == ("B01", ["B01", "B02", "B03", "B04"])
    assert [rule["id"] for rule in document["rules"] if rule["verdict"] == "undecided"] == ["B01", "B02", "B03", "B04"]


def test_code_scanning_gets_one_doubt_once_with_all_its_rules() -> None:
    run = json.loads(sarif.render(judged_of(*OPEN)))["runs"][0]
    (result,) = run["results"]
    assert (result["ruleId"], result["properties"]["rules"]) == ("B01", ["B01", "B02", "B03", "B04"])
    assert result["message"]["text"] == "Undecided (also B02, B03, B04): it cannot be followed"
    assert run["properties"]["rules"]["B04"] == "undecided"


def test_findings_in_other_words_or_with_another_verdict_stay_apart() -> None:
    judged = judged_of(*OPEN, finding("B02", Verdict.BROKEN, "it cannot be followed"), finding("K01", Verdict.UNDECIDED, "it is unknown"))
    assert [(each.finding.verdict, each.rules) for each in said(judged)] == [
        (Verdict.UNDECIDED, ("B01", "B02", "B03", "B04")),
        (Verdict.BROKEN, ("B02",)),
        (Verdict.UNDECIDED, ("K01",)),
    ]


def test_a_case_of_junit_has_one_ending() -> None:
    judged = judged_of(*OPEN, finding("B02", Verdict.BROKEN, "it is open"), without=("N01",))
    suite = ElementTree.fromstring(junit.render(judged))  # noqa: S314 # our own output
    endings = {case.get("name", "").split()[0]: [inside.tag for inside in case] for case in suite}
    assert (endings["B01"], endings["B02"], endings["N01"], endings["K01"]) == (["error"], ["failure"], ["skipped"], [])
    assert [suite.get(name) for name in ("failures", "errors", "skipped")] == ["1", "3", "1"]
