"""`perimeter cost` as its users run it."""

import json
import re

import pytest

from costs.estimate import estimate
from tests.cli.test_commands import perimeter
from tests.costs.test_estimate import pool


def test_a_stack_without_a_cloud_costs_nothing_that_a_plan_knows() -> None:
    run = perimeter("cost", "local")
    assert run.returncode == 0, run.stdout + run.stderr
    assert "Nothing in this plan is charged for by a cloud" in run.stdout


def test_an_estimate_says_its_sum_by_layer_and_what_it_does_not_count() -> None:
    run = perimeter("cost", "azure-dev", "--format", "json")
    assert run.returncode == 0, run.stdout + run.stderr
    said = json.loads(run.stdout)
    assert said["complete"] is True
    assert [layer["layer"] for layer in said["layers"]] == ["edge", "gateway", "cluster", "mesh"]
    assert float(said["month"]["least"]) == pytest.approx(
        sum(float(line["least"]) for layer in said["layers"] for line in layer["lines"]), abs=0.1
    )
    assert said["prices"]["azure-native"]["region"] == "westeurope"
    lines = [line for layer in said["layers"] for line in layer["lines"]]
    assert all(set(line["source"] or ("where", "date")) == {"where", "date"} for line in lines)
    assert float(said["remembered"]["month"]["least"]) == pytest.approx(
        sum(float(line["least"]) for line in lines if line["source"] is None), abs=0.1
    )
    assert 0 < said["remembered"]["prices"] < said["remembered"]["of"]
    assert any("Log Analytics" in text for text in said["notCounted"])


def test_people_read_which_prices_have_a_source_and_how_much_is_at_remembered_ones() -> None:
    run = perimeter("cost", "azure-dev")
    said = " ".join(run.stdout.split())
    assert "list prices of azure-native in westeurope, USD without tax (costs/prices.yaml); ~ as remembered on 2026-" in said
    assert re.search(r"\d+ of \d+ prices in the sum have a public source, of 20\d\d-\S+ to 20\d\d-\S+; \d+\.\d\d of the least", said)
    assert "× 0.272/h" in said
    assert "× ~0.0658/h" in said
    assert "not counted, because it is charged by use" in run.stdout


def test_what_has_no_row_or_grows_by_hand_is_said_and_no_sign_is_explained_that_is_not_there() -> None:
    said = " ".join(perimeter("cost", "aws-dev").stdout.split())
    assert "gateway, mesh, workload: pods in the cluster, which its nodes pay for" in said
    assert "nodes of abc-dev-nodes: no autoscaler is installed, so nodes are added by hand" in said
    assert "~" not in said
    assert "list prices of aws in eu-central-1, USD without tax (costs/prices.yaml) 10 of 10 prices" in said


def test_a_sum_with_a_gap_is_said_to_be_the_least(capsys: pytest.CaptureFixture[str]) -> None:
    from cli.report.cost import show, to_json

    found = estimate([pool(vmSize="Standard_M128s_v9")])
    show("azure-dev", found)
    said = capsys.readouterr().out
    assert "at least" in said
    assert "? it  nodes of pool user: no price of vm/Standard_M128s_v9" in said
    assert "1 of 1 prices in the sum have a public source, of 2026-08-22 to 2026-08-22\n" in said
    assert json.loads(to_json("azure-dev", found))["complete"] is False
