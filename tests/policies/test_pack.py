"""The pack as the engine runs it: a process that is asked over gRPC."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import grpc
import pytest
from google.protobuf import json_format, struct_pb2
from pulumi.runtime.proto import analyzer_pb2, analyzer_pb2_grpc
from pulumi_policy import (
    EnforcementLevel,
    PolicyCustomTimeouts,
    PolicyResource,
    PolicyResourceOptions,
    StackValidationArgs,
    StackValidationPolicy,
)

from policies.pack import policies, record_of
from policies.reading.values import UNKNOWN_SENTINELS
from tests.systems import ROOT, plan, topology_file

Record = dict[str, Any]
UNKNOWN = UNKNOWN_SENTINELS[0]


@pytest.fixture(scope="module")
def pack() -> Iterator[analyzer_pb2_grpc.AnalyzerStub]:
    config = json.dumps({"perimeter:topology": str(topology_file("abc"))})
    environment = {**os.environ, "PULUMI_PROJECT": "perimeter", "PULUMI_STACK": "local", "PULUMI_DRY_RUN": "true", "PULUMI_CONFIG": config}
    command = [sys.executable, "-u", "-m", "pulumi.policy", "127.0.0.1:1", "."]
    with subprocess.Popen(command, cwd=ROOT / "policies", env=environment, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            port = int(process.stdout.readline())
            with grpc.insecure_channel(f"127.0.0.1:{port}", options=[("grpc.max_receive_message_length", -1)]) as channel:
                grpc.channel_ready_future(channel).result(timeout=60)
                yield analyzer_pb2_grpc.AnalyzerStub(channel)
        finally:
            process.terminate()


def resource(record: Record) -> analyzer_pb2.AnalyzerResource:
    properties = struct_pb2.Struct()
    shown = record.get("inputs") if record.get("custom") else record.get("outputs")
    json_format.ParseDict(_plain(shown or {}), properties)
    return analyzer_pb2.AnalyzerResource(
        type=record["type"],
        urn=record["urn"],
        name=record["urn"].rpartition("::")[2],
        properties=properties,
        parent=record.get("parent") or "",
        dependencies=record.get("dependencies") or [],
    )


def _plain(value: Any) -> Any:
    """Return a value as the engine shows it to stack policies: secrets in clear, lists for tuples."""
    if isinstance(value, dict):
        if "4dabf18193072939515e22adb298388d" in value:
            return str(value.get("value") or value.get("plaintext") or "")
        return {key: _plain(item) for key, item in value.items()}
    return [_plain(item) for item in value] if isinstance(value, list | tuple) else value


def analyze(pack: analyzer_pb2_grpc.AnalyzerStub, records: list[Record]) -> list[analyzer_pb2.AnalyzeDiagnostic]:
    request = analyzer_pb2.AnalyzeStackRequest(resources=[resource(record) for record in records])
    return list(pack.AnalyzeStack(request, timeout=120).diagnostics)


def changed(kind: str, name: str, **spec: Any) -> list[Record]:
    """Return the plan of abc with other values in the spec of one object."""
    found = []
    records: list[Record] = []
    for record in plan("abc").resources:
        inputs = record.get("inputs") or {}
        if inputs.get("kind") == kind and record["urn"].endswith(f"::{name}"):
            record = {**record, "inputs": {**inputs, "spec": {**inputs["spec"], **spec}}}  # noqa: PLW2901 # a changed copy
            found.append(record)
        records.append(record)
    assert len(found) == 1
    return records


def test_the_pack_has_one_mandatory_stack_policy_for_each_severity() -> None:
    assert [policy.name for policy in policies()] == ["perimeter-critical", "perimeter-high", "perimeter-medium", "perimeter-low"]
    assert {policy.enforcement_level for policy in policies()} == {EnforcementLevel.MANDATORY}


def test_a_plan_that_keeps_the_boundary_gets_no_diagnostic(pack: analyzer_pb2_grpc.AnalyzerStub) -> None:
    assert [diagnostic.message for diagnostic in analyze(pack, list(plan("abc").resources))] == []


def test_a_broken_plan_is_refused_with_the_rule_and_the_way(pack: analyzer_pb2_grpc.AnalyzerStub) -> None:
    ports = [{"name": "http", "port": 8080, "targetPort": 8080}]
    found = analyze(pack, changed("Service", "abc/b", type="NodePort", ports=ports))
    assert {diagnostic.enforcementLevel for diagnostic in found} == {analyzer_pb2.MANDATORY}
    said = [diagnostic for diagnostic in found if "K01 broken" in diagnostic.message]
    assert said
    assert said[0].urn.endswith("Service::abc/b")


def test_an_unknown_value_is_a_mandatory_violation_and_hides_no_other(pack: analyzer_pb2_grpc.AnalyzerStub) -> None:
    records = changed("AuthorizationPolicy", "abc/b", rules=UNKNOWN)
    records = [
        record if not record["urn"].endswith("PeerAuthentication::istio-system/default") else _permissive(record) for record in records
    ]
    found = analyze(pack, records)
    assert {diagnostic.enforcementLevel for diagnostic in found} == {analyzer_pb2.MANDATORY}
    said = "\n".join(diagnostic.message for diagnostic in found)
    assert "B02 undecided: AuthorizationPolicy abc/b" in said
    assert "M02 broken: PeerAuthentication istio-system/default" in said


def _permissive(record: Record) -> Record:
    return {**record, "inputs": {**record["inputs"], "spec": {"mtls": {"mode": "PERMISSIVE"}}}}


def test_a_deployed_secret_reads_as_it_did_before_its_values_were_made() -> None:
    """The provider writes `stringData` as `data`, and the SDK takes the mark off what is secret: seen in `pulumi up`."""
    options = PolicyResourceOptions(False, [], None, [], PolicyCustomTimeouts(0, 0, 0), [])

    def shown(props: Record, made_by: list[PolicyResource]) -> Record:
        urn = "urn:pulumi:local::perimeter::kubernetes:core/v1:Secret::gateway/key"
        return record_of(PolicyResource("kubernetes:core/v1:Secret", props, urn, "key", options, None, None, [], {"stringData": made_by}))

    key = PolicyResource("pulumi-python:dynamic/perimeter:ApiKey", {}, "urn:key", "key", options, None, None, [], {})
    planned, deployed = shown({"stringData": {"acme": UNKNOWN}}, [key]), shown({"data": {"acme": "c2VjcmV0"}}, [key])
    assert planned["inputs"] == deployed["inputs"] == {"stringData": {"acme": UNKNOWN}}
    assert shown({"data": {"acme": "c2VjcmV0"}}, [])["inputs"] == {"data": {"acme": "c2VjcmV0"}}, "nobody makes it: it is the program's own"


def test_a_plan_without_a_top_component_is_refused(pack: analyzer_pb2_grpc.AnalyzerStub) -> None:
    found = analyze(pack, [record for record in plan("abc").resources if record["type"] != "perimeter:system:System"])
    assert any("P06 broken" in diagnostic.message for diagnostic in found)


def test_a_judge_that_finds_no_topology_refuses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PERIMETER_TOPOLOGY", raising=False)
    said: list[str] = []
    for policy in policies():
        assert isinstance(policy, StackValidationPolicy)
        policy.validate(StackValidationArgs(resources=[]), lambda message, urn=None: said.append(message))
    assert len(said) == len(policies())
    assert all(message.startswith("undecided: the judge could not judge: no topology") for message in said)
