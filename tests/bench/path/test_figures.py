"""What is computed from samples, and the mix of requests; nothing here needs a cluster."""

import json
from collections import Counter

import pytest
import yaml

from components.edge.nginx.config import nginx_conf
from tests.bench.path.bed import NAMESPACE, moved
from tests.bench.path.caching import Share, mix
from tests.bench.path.changes import until
from tests.bench.path.cluster import BenchError, Json
from tests.bench.path.figures import Spread, stages
from tests.bench.path.load import Sample, read
from tests.bench.path.report import Findings, command_line, markdown
from tests.bench.path.rollout import TOPOLOGY, with_a_door_more
from tests.bench.path.settings import SETTINGS, Setting, inverse
from topology.load import load as load_topology


def sample(p50: float, rate: float) -> Sample:
    return Sample(milliseconds={50: p50, 90: p50 * 2, 99: p50 * 4}, rate=rate)


ORDER = {"direct": None, "+ sidecar": "direct"}
SLOW = {
    "direct": [sample(1.0, 100), sample(2.0, 100), sample(1.5, 100)],
    "+ sidecar": [sample(2.0, 100), sample(4.0, 100), sample(2.0, 100)],
}
FAST = {"direct": [sample(1, 1000), sample(1, 800), sample(1, 1000)], "+ sidecar": [sample(1, 500), sample(1, 400), sample(1, 600)]}


def test_a_layer_adds_what_it_adds_within_the_same_round() -> None:
    direct, sidecar = stages(ORDER, SLOW, FAST)
    assert direct.added == {}
    assert sidecar.latency[50] == Spread(middle=2.0, least=2.0, greatest=4.0)
    assert sidecar.added[50] == Spread(middle=1.0, least=0.5, greatest=2.0)
    assert sidecar.share == Spread(middle=0.5, least=0.5, greatest=0.6)


def report(codes: dict[str, int]) -> str:
    percentiles = [{"Percentile": percentile, "Value": percentile / 10000} for percentile in (50, 90, 99)]
    return json.dumps({"RetCodes": codes, "ActualQPS": 99.5, "DurationHistogram": {"Percentiles": percentiles}})


def test_fortios_report_is_read_in_milliseconds() -> None:
    assert read(report({"200": 10}), "x") == Sample(milliseconds={50: 5.0, 90: 9.0, 99: 9.9}, rate=99.5)


def test_a_run_with_refusals_is_no_measurement() -> None:
    with pytest.raises(BenchError, match=r"answers were \{'200': 9, '429': 1\}"):
        read(report({"200": 9, "429": 1}), "x")


def test_a_mix_asks_for_few_things_often_and_is_the_same_each_time() -> None:
    asked = list(mix(1000, 6000, seed=1))
    assert asked == list(mix(1000, 6000, seed=1))
    often = Counter(path for path, _ in asked if path.startswith("items"))
    assert often["items/0"] > 10 * often["items/99"] > 0
    assert 0.08 < sum(path.startswith("lists") for path, _ in asked) / len(asked) < 0.12
    assert Share(items=1, requests=100, calls=25).removed == 0.75


def test_a_change_counts_from_the_first_of_a_lasting_row_of_new_answers() -> None:
    answers = [(10 + n / 10, "200") for n in range(5)] + [(10.5, "403"), (10.6, "200")] + [(10.7 + n / 100, "403") for n in range(30)]
    assert until(iter(answers), False, since=10.0) == pytest.approx(0.7)
    with pytest.raises(BenchError, match="not in force after"):
        until(iter([(100.0, "200")]), False, since=10.0)


def test_a_service_is_copied_under_another_name_with_all_that_names_it() -> None:
    found: Json = {
        "apiVersion": "security.istio.io/v1",
        "kind": "AuthorizationPolicy",
        "metadata": {"name": "b", "namespace": "path", "uid": "1", "labels": {"app": "b", "applyset.kubernetes.io/part-of": "x"}},
        "spec": {
            "selector": {"matchLabels": {"app": "b"}},
            "rules": [{"from": [{"source": {"principals": ["path.example/ns/path/sa/a"]}}], "to": [{"operation": {"paths": ["/b/*"]}}]}],
        },
        "status": {},
    }
    made = moved(found, "b", "one")
    assert made["metadata"] == {"name": "one", "namespace": NAMESPACE, "labels": {"app": "one"}}
    assert made["spec"]["selector"] == {"matchLabels": {"app": "one"}}
    assert made["spec"]["rules"][0]["from"][0]["source"]["principals"] == [f"path.example/ns/{NAMESPACE}/sa/a"]
    assert made["spec"]["rules"][0]["to"][0]["operation"]["paths"] == ["/b/*"]


def test_the_changed_topology_is_the_one_that_is_measured_and_one_public_door() -> None:
    before, after = (yaml.safe_load(text) for text in (TOPOLOGY.read_text(), with_a_door_more(TOPOLOGY.read_text())))
    assert after["doors"].pop("late")["paths"] == ["/late/*"]
    assert after == before


def test_the_document_says_how_it_was_made_and_what_was_not_measured() -> None:
    command = command_line(["--only", "path", "--rounds", "3"])
    text = markdown(Findings(command=command, rate=100, rounds=3, stages=stages(ORDER, SLOW, FAST), missing=["memory: left out"]))
    assert "Made by `python -m tests.bench.path --only path --rounds 3`" in text
    assert "| + sidecar | 2.00 (2.00–4.00) | 4.00 (4.00–8.00) | 8.00 (8.00–16.00) |" in text
    assert "| + sidecar | direct | 1.00 (0.50–2.00) | 2.00 (1.00–4.00) | 4.00 (2.00–8.00) | ≤ 2 ms | yes |" in text
    assert "## Not measured\n\n* memory: left out" in text


def test_the_document_says_on_how_quick_a_machine_a_slow_layer_would_be_as_quick_as_expected() -> None:
    slow = {"direct": [sample(1.0, 100)], "+ sidecar": [sample(5.0, 100)]}
    fast = {name: samples[:1] for name, samples in FAST.items()}
    text = markdown(Findings(command="", rate=100, rounds=1, stages=stages(ORDER, slow, fast)))
    assert "one took 1.00 ms" in text
    assert "* + sidecar: 4.0 direct calls, so 2 ms where a direct call takes 0.50 ms." in text
    assert "Why not" not in markdown(Findings(command="", rate=100, rounds=3, stages=stages(ORDER, SLOW, FAST)))


def test_the_document_keeps_a_token_to_itself() -> None:
    assert command_line(["--token", "secret", "--rounds", "3"]) == "python -m tests.bench.path --token … --rounds 3"
    assert command_line(["--token=secret"]) == "python -m tests.bench.path --token=…"


def test_a_patch_is_taken_back_to_what_was_there() -> None:
    found = {"spec": {"a": 1, "b": {"c": [1], "d": "x"}}}
    assert inverse({"spec": {"b": {"c": [], "e": True}}}, found) == {"spec": {"b": {"c": [1], "e": None}}}
    assert inverse({"metadata": {"annotations": {"x": "1"}}}, found) == {"metadata": None}


@pytest.mark.parametrize("setting", [one for one in SETTINGS if one.kind == "configmap"], ids=lambda one: one.shipped)
def test_a_setting_that_is_measured_is_one_that_is_shipped(setting: Setting) -> None:
    shipped = nginx_conf(load_topology(TOPOLOGY), "gateway.gateway.svc.cluster.local:8443")
    assert setting.patch({"data": {"nginx.conf": shipped}})["data"]["nginx.conf"] != shipped
