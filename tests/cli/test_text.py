"""What people read of a verdict."""

from datetime import date

import pytest

from cli.judging import Judged
from cli.report.rows import door_rows
from cli.report.text import show
from policies.exemptions import Exemption
from policies.registry import rules
from policies.rule import Verdict
from tests.cli.building import finding, judged_of
from tests.policies.building import topology_of
from topology.model.door import PublicAuth


def shown(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, judged: Judged | None = None) -> str:
    """Return the text of a verdict on payments, on a terminal of 80 columns."""
    monkeypatch.setenv("COLUMNS", "80")
    show(judged or judged_of(), verbose=False)
    return capsys.readouterr().out


def test_doors_are_counted_as_the_topology_writes_them(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    assert "5 doors, 5 calls, 2 egress" in shown(capsys, monkeypatch)


def test_nothing_is_cut_where_the_terminal_is_narrow(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    text = shown(capsys, monkeypatch)
    assert "…" not in text.partition("rules")[0]
    assert "/v1/orders/*" in text


def test_doors_stand_below_their_host_which_is_said_once(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    doors = shown(capsys, monkeypatch).partition("doors\n")[2].partition("calls\n")[0]
    assert doors.startswith("  api.example.com\n    GET,POST   /partners/v1/orders    →  orders     api-key")
    assert doors.count("api.example.com") == 1


def test_a_plan_that_does_not_say_who_plays_the_layers_has_no_line_of_it(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "gateway.\n\ndoors" in shown(capsys, monkeypatch)


def test_what_several_rules_say_in_the_same_words_is_said_once(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    alike = [finding(rule, Verdict.UNDECIDED, "it cannot be followed") for rule in ("B02", "B03")]
    text = shown(capsys, monkeypatch, judged_of(*alike))
    assert text.count("it cannot be followed") == 1
    assert "? B02, B03 critical  Service a" in text


def test_rules_with_nothing_to_judge_are_not_ticked(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    text = shown(capsys, monkeypatch, judged_of(without=("N01", "N02")))
    assert "  network     ✓ 10 kept  – 2 with nothing to judge\n" in text
    assert f"rules: {len(rules()) - 2} kept, 2 with nothing to judge" in text


def test_a_rule_that_is_not_kept_is_named_below_the_count_of_its_layer(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    text = shown(capsys, monkeypatch, judged_of(finding("M02", Verdict.BROKEN, "it is plain")))
    assert "  mesh        ✓ 26 kept\n              ✗ M02 no plaintext exception\n" in text


def test_a_door_says_whose_credential_it_asks_for_and_by_which_tier_it_is_limited(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    text = shown(capsys, monkeypatch)
    assert "/v1/users/*            →  users      jwt accounts · customer\n" in text
    assert "api-key of acme, globex" in text


@pytest.mark.parametrize(
    ("tiers", "text"),
    [((), "no limit"), (("a",), "a"), (("a", "b", "c"), "a, b, c"), (("a", "b", "c", "d", "e"), "a, b, c and 2 more")],
)
def test_tiers_of_a_door_are_named_and_beyond_three_counted(tiers: tuple[str, ...], text: str) -> None:
    t = topology_of("payments")
    doors = {name: door.model_copy(update={"tiers": tiers, "auth": PublicAuth(public="for a test")}) for name, door in t.doors.items()}
    assert {row.terms for row in door_rows(t.model_copy(update={"doors": doors}), verbose=False)} == {f"public · {text}"}


def test_an_exemption_that_excuses_nothing_is_told(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    stale = Exemption(rule="N03", resource="urn:*::nodes", reason="the nodes move next month", owner="platform", expires=date(2027, 1, 31))
    text = shown(capsys, monkeypatch, judged_of(unused=(stale,)))
    assert "note  the exemption of N03 for urn:*::nodes excuses nothing\n" in text
    assert "platform, until 2027-01-31: the nodes move next month\n" in text


def test_with_every_rule_by_name_doors_have_their_limits_in_numbers(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "160")
    show(judged_of(), verbose=True)
    text = capsys.readouterr().out
    assert "jwt accounts · customer 10/s burst 20" in text
    assert "✓ M02 no plaintext exception" in text
