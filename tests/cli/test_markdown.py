"""The report for those who review a boundary."""

from dataclasses import replace
from datetime import date

from cli.judging import Judged
from cli.report.markdown import render
from policies.exemptions import Exemption
from policies.harness import Exempted
from policies.rule import Finding, Hop, Verdict
from tests.cli.building import finding, judged_of


def section(text: str, heading: str) -> str:
    return text.partition(f"\n## {heading}\n")[2].partition("\n## ")[0]


def test_doors_say_what_they_ask_for_of_whom_and_why_one_is_public() -> None:
    doors = section(render(judged_of()), "Doors")
    assert "| `catalogue` | `GET,HEAD` | `api.example.com` | `/v1/catalogue/*` | `catalogue` | public | anybody 100/min |" in doors
    assert "| The catalogue is advertising; it holds no customer data. |" in doors
    assert "api-key of acme, globex, initech | partner 1000/min, counted once; premium 10000/h, counted once (by key) |" in doors
    assert "jwt accounts `https://auth.example.com` | customer 10/s burst 20 |" in doors


def test_calls_and_ways_out_have_tables_and_what_is_not_there_has_none() -> None:
    text = render(judged_of())
    assert "| `orders` | `payments` | `POST` | `/v1/payments/*` |" in section(text, "Calls")
    assert "| `payments` | `api.cardnetwork.example:443` |" in section(text, "Ways out")
    for heading in ("Bridges", "Exemptions", "Findings"):
        assert f"## {heading}\n" not in text


def test_rules_are_listed_by_name_with_verdict_and_framework() -> None:
    rules = section(render(judged_of(finding("W08", Verdict.BROKEN, "it is open"), without=("N01",))), "Rules")
    assert "| W08 | only the edge is public | critical | ✗ broken |" in rules
    assert "| – not applicable |" in next(line for line in rules.splitlines() if line.startswith("| N01 "))
    assert "OWASP API2:2023" in next(line for line in rules.splitlines() if line.startswith("| A06 "))


def test_a_finding_is_told_in_full_with_its_path_hop_by_hop() -> None:
    path = (Hop(place="internet", allowed_by="Service a/a is of type NodePort"), Hop(place="pods of a", allowed_by=""))
    found = replace(finding("W08", Verdict.BROKEN, "it is <b>open</b> | to all"), path=path, fix="make it ClusterIP")
    findings = section(render(judged_of(found)), "Findings")
    assert "### ✗ W08 (critical) `Service a`\n\nit is \\<b\\>open\\</b\\> \\| to all\n" in findings
    assert "\n1. `internet`: Service a/a is of type NodePort\n2. `pods of a`\n" in findings
    assert "**Instead:** make it ClusterIP" in findings


def test_exemptions_name_owner_and_last_day_and_those_that_excuse_nothing_are_told() -> None:
    exemption = Exemption(
        rule="K01", resource="urn:*", reason="The old client | goes in spring.", owner="team-a", expires=date(2027, 1, 31)
    )
    told = section(render(exempting(exemption, finding("K01", Verdict.BROKEN, "it is public"))), "Exemptions")
    assert r"| K01 | `urn:*` | team-a | 2027-01-31 | The old client \| goes in spring. | it is public |" in told
    assert "| K02 | `urn:*` | team-a | 2027-01-31 | " in told
    assert "excuses nothing" in told


def exempting(exemption: Exemption, excused: Finding) -> Judged:
    judged = judged_of()
    unused = exemption.model_copy(update={"rule": "K02"})
    return replace(judged, report=replace(judged.report, exempted=(Exempted(finding=excused, exemption=exemption),), unused=(unused,)))
