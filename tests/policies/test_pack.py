"""The pack as the engine runs it: a process that is asked over gRPC."""

from collections.abc import Iterable, Iterator
from typing import Any

import pytest
from pulumi_policy import (
    EnforcementLevel,
    PolicyCustomTimeouts,
    PolicyResource,
    PolicyResourceOptions,
    ResourceValidationPolicy,
    StackValidationArgs,
    StackValidationPolicy,
)

from policies.pack import policies, record_of
from policies.reading.running import KUBERNETES
from policies.reading.values import UNKNOWN_SENTINELS
from tests.policies import engine
from tests.systems import plan, topology_file

Record = dict[str, Any]
UNKNOWN = UNKNOWN_SENTINELS[0]


@pytest.fixture(scope="module")
def pack() -> Iterator[str]:
    with engine.pack({"perimeter:topology": str(topology_file("abc")), **engine.said_of_cloud("aws-dev", "azure-dev")}) as address:
        yield address


def changed(kind: str, name: str, **spec: Any) -> list[Record]:
    """Return the plan of abc with other values in the spec of one object."""
    records = list(plan("abc").resources)
    meant = [(record.get("inputs") or {}).get("kind") == kind and record["urn"].endswith(f"::{name}") for record in records]
    assert sum(meant) == 1
    at = meant.index(True)
    records[at] = planned(records[at], {**records[at]["inputs"]["spec"], **spec})
    return records


def planned(record: Record, spec: Record) -> Record:
    """Return a planned object with another spec: before it is made, its outputs are its inputs."""
    inputs = {**record["inputs"], "spec": spec}
    return {**record, "inputs": inputs, "outputs": inputs}


def test_the_pack_notes_inputs_and_has_one_mandatory_stack_policy_for_each_severity() -> None:
    notes, *judges = policies()
    assert isinstance(notes, ResourceValidationPolicy)
    assert notes.name == "perimeter-inputs"
    assert [policy.name for policy in judges] == ["perimeter-critical", "perimeter-high", "perimeter-medium", "perimeter-low"]
    assert all(isinstance(policy, StackValidationPolicy) for policy in judges)
    assert {policy.enforcement_level for policy in judges} == {EnforcementLevel.MANDATORY}


def test_a_plan_that_keeps_the_boundary_gets_no_diagnostic(pack: str) -> None:
    assert [diagnostic.message for diagnostic in engine.said(pack, plan("abc").resources)] == []


def test_a_broken_plan_is_refused_with_the_rule_and_the_way(pack: str) -> None:
    ports = [{"name": "http", "port": 8080, "targetPort": 8080}]
    found = engine.said(pack, changed("Service", "abc/b", type="NodePort", ports=ports))
    assert {diagnostic.enforcement_level for diagnostic in found} == {"mandatory"}
    said = [diagnostic for diagnostic in found if "K01 broken" in diagnostic.message]
    assert said
    assert said[0].urn.endswith("Service::abc/b")


def test_an_unknown_value_is_a_mandatory_violation_and_hides_no_other(pack: str) -> None:
    records = changed("AuthorizationPolicy", "abc/b", rules=UNKNOWN)
    records = [
        record if not record["urn"].endswith("PeerAuthentication::istio-system/default") else _permissive(record) for record in records
    ]
    found = engine.said(pack, records)
    assert {diagnostic.enforcement_level for diagnostic in found} == {"mandatory"}
    said = "\n".join(diagnostic.message for diagnostic in found)
    assert "B02 undecided: AuthorizationPolicy abc/b" in said
    assert "M02 broken: PeerAuthentication istio-system/default" in said


def _permissive(record: Record) -> Record:
    return planned(record, {"mtls": {"mode": "PERMISSIVE"}})


def unanswered(records: Iterable[Record]) -> list[Record]:
    """Return records as the engine shows them while the cluster is only planned: it asks no provider, and every object's outputs are empty."""
    return [{**record, "outputs": {}} if record["type"].startswith(KUBERNETES) else record for record in records]


@pytest.mark.parametrize("stack", ["aws-dev", "azure-dev"])
def test_a_first_preview_of_a_cloud_is_judged_though_its_cluster_is_only_planned(pack: str, stack: str) -> None:
    """Seen in `pulumi preview` on an empty state: judged by outputs alone, every object is missing."""
    assert [diagnostic.message for diagnostic in engine.said(pack, unanswered(plan("abc", stack).resources))] == []


def test_a_service_broken_in_a_cluster_that_is_only_planned_is_refused(pack: str) -> None:
    found = engine.said(pack, unanswered(changed("Service", "abc/b", type="NodePort")))
    assert any("K01 broken" in diagnostic.message for diagnostic in found)


def test_a_deployed_secret_reads_as_it_did_before_its_values_were_made() -> None:
    """The provider writes `stringData` as `data`, and the SDK takes the mark off what is secret: seen in `pulumi up`."""
    options = PolicyResourceOptions(False, [], None, [], PolicyCustomTimeouts(0, 0, 0), [])

    def shown(props: Record, made_by: list[PolicyResource]) -> Record:
        urn = "urn:pulumi:local::perimeter::kubernetes:core/v1:Secret::gateway/key"
        secret = PolicyResource("kubernetes:core/v1:Secret", props, urn, "key", options, None, None, [], {"stringData": made_by})
        return record_of(secret, {"urn:key": {"consumer": "acme"}})["inputs"]

    made = {"consumer": "acme", "key": "secret"}
    key = PolicyResource("pulumi-python:dynamic/perimeter:ApiKey", made, "urn:key", "key", options, None, None, [], {})
    for given in ({"stringData": {"acme": UNKNOWN}}, {"stringData": {"acme": "secret"}}, {"data": {"acme": "c2VjcmV0"}}):
        assert shown(given, [key]) == {"stringData": {"acme": UNKNOWN}}
    assert shown({"data": {"acme": "c2VjcmV0"}}, []) == {"data": {"acme": "c2VjcmV0"}}, "nobody makes it: it is the program's own"
    for typed in ("hush", "acme"):
        assert shown({"stringData": {"acme": typed}}, [key]) == {"stringData": {"acme": typed}}, "the program keeps what it depended on"


def test_a_plan_without_a_top_component_is_refused(pack: str) -> None:
    found = engine.said(pack, [record for record in plan("abc").resources if record["type"] != "perimeter:system:System"])
    assert any("P06 broken" in diagnostic.message for diagnostic in found)


def test_a_judge_that_finds_no_topology_refuses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PERIMETER_TOPOLOGY", raising=False)
    said: list[str] = []
    judges = [policy for policy in policies() if isinstance(policy, StackValidationPolicy)]
    for policy in judges:
        policy.validate(StackValidationArgs(resources=[]), lambda message, urn=None: said.append(message))
    assert len(said) == len(judges)
    assert all(message.startswith("undecided: the judge could not judge: no topology") for message in said)
