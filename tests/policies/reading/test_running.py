from typing import Any

from policies.harness import Report, judge, merged
from policies.reading.normalise import normalise
from policies.reading.running import exported, running, said
from policies.reading.stack import Stack
from policies.reading.values import SIGNATURE
from policies.registry import rules
from policies.rule import Verdict
from tests.systems import plan, topology

SERVICE = "core/v1:Service::abc/b"
COMPLETED = {
    "clusterIP": "10.96.0.7",
    "clusterIPs": ["10.96.0.7"],
    "ipFamilies": ["IPv4"],
    "ipFamilyPolicy": "SingleStack",
    "sessionAffinity": "None",
}


def export(**changes: Any) -> list[dict[str, Any]]:
    """Return the state of abc as an engine keeps it: the API server completed one Service, and somebody changed it since."""
    records: list[dict[str, Any]] = []
    for record in plan("abc").resources:
        if record["urn"].endswith(SERVICE):
            inputs = record["inputs"]
            metadata = {**inputs["metadata"], "uid": "1", "resourceVersion": "7", "managedFields": [{"manager": "pulumi"}]}
            outputs = {**inputs, "metadata": metadata, "spec": {**inputs["spec"], **COMPLETED, **changes}, "status": {"loadBalancer": {}}}
            records.append({**record, "outputs": outputs})
        else:
            records.append({**record, "outputs": record.get("inputs")} if record.get("custom") else dict(record))
    return records


def judged(records: list[dict[str, Any]]) -> Report:
    return judge(Stack(normalise(records), topology("abc")), rules())


def test_what_the_api_server_completes_is_no_drift() -> None:
    assert judged(list(map(dict, running(export())))).verdict is Verdict.KEPT


def test_a_change_that_stands_only_in_outputs_is_seen() -> None:
    records = export(type="NodePort")
    assert judged(records).verdict is Verdict.KEPT
    report = judged(list(map(dict, running(records))))
    assert "K01" in {finding.rule for finding in report.findings}


def test_a_merged_report_blocks_where_either_blocks() -> None:
    records = export(type="NodePort")
    kept, broken = judged(records), judged(list(map(dict, running(records))))
    for both in (merged(kept, broken), merged(broken, kept)):
        assert both.verdict is Verdict.BROKEN
        assert set(both.findings) == set(broken.findings)
        assert {result.rule.id for result in both.rules if result.findings} == {finding.rule for finding in broken.findings}


def test_a_component_and_a_state_without_outputs_stay_as_they_are() -> None:
    records = [
        {"type": "perimeter:system:System", "inputs": {}, "outputs": {"metadata": 1}},
        {"type": "kubernetes:core/v1:Service", "inputs": {}},
    ]
    assert list(running(records)) == records


def test_what_only_the_server_writes_is_left_out() -> None:
    assert said({"metadata": {"name": "b", "uid": "1"}, "status": {}, "__fieldManager": "x"}) == {"metadata": {"name": "b"}}


def test_an_export_hides_the_keys_of_callers_and_still_shows_whose_they_are() -> None:
    """As a real engine exported it: `stringData` has become `data`, all of it encrypted as one."""
    hidden = {SIGNATURE: "1b47061264138c4ac30d75fd1eb44270", "ciphertext": "v1:..."}
    records = [dict(record) for record in plan("payments").resources]
    for record in records:
        if record["type"] == "kubernetes:core/v1:Secret" and (given := record["inputs"].get("stringData")):
            kept = {key: value for key, value in record["inputs"].items() if key != "stringData"}
            fields = [{"fieldsV1": {"f:data": {f"f:{name}": {} for name in given}}}]
            record["inputs"] = {**kept, "data": hidden}
            record["outputs"] = {**kept, "data": hidden, "metadata": {**kept["metadata"], "managedFields": fields}}
    intent = topology("payments")
    assert judge(Stack(normalise(records), intent), rules()).verdict is Verdict.UNDECIDED
    assert judge(Stack(normalise(exported(records)), intent), rules()).verdict is Verdict.KEPT
    assert judge(Stack(normalise(running(exported(records))), intent), rules()).verdict is Verdict.KEPT
