"""A finding names the entry of the topology that its resource was made for, in its line."""

import json
from collections.abc import Iterator
from dataclasses import replace

import pytest

from cli.judging import Judged, read_stack
from cli.project import Project
from cli.report import json_report, markdown, sarif
from cli.report.findings import said
from policies.rule import Verdict
from tests.cli.building import finding, judged_of
from tests.systems import ROOT, plan, topology_file

LINES = topology_file("payments").read_text(encoding="utf-8").splitlines()

MADE_FOR = {
    "HTTPRoute gateway/users": "doors.users",
    "SecurityPolicy gateway/dashboard": "doors.dashboard",
    "Service production/orders": "services.orders",
    "AuthorizationPolicy production/orders": "services.orders",
    "ServiceEntry istio-egress/ledger.payments-data.example": "egress.ledger",
    "PeerAuthentication istio-system/default": "meshes.main",
    "NetworkPolicy istio-ingress/ingress": "meshes.main",
}

OF_ALL = ("Gateway gateway/gateway", "Deployment edge/edge", "Service a")
"""Resources of the whole system, and one that is not in the plan."""


@pytest.fixture(scope="module")
def judged() -> Judged:
    stack = read_stack(Project.find(ROOT), plan("payments"), topology_file("payments"))
    urns = {str(resource): resource.urn for resource in stack.by_urn.values()}
    findings = (
        replace(finding("K01", Verdict.BROKEN, f"it is open: {name}"), resource=name, urn=urns.get(name, ""))
        for name in (*MADE_FOR, *OF_ALL)
    )
    return replace(judged_of(*findings), stack=stack)


def lines(judged: Judged) -> Iterator[tuple[str, str]]:
    for each in said(judged):
        if each.origin:
            yield each.origin.where, LINES[each.origin.line - 1].strip().partition(":")[0]


def test_the_entry_is_that_of_the_component_or_of_the_name(judged: Judged) -> None:
    assert {each.finding.resource: each.origin.where for each in said(judged) if each.origin} == MADE_FOR


def test_the_line_is_where_the_entry_begins(judged: Judged) -> None:
    assert all(where.endswith(f".{key}") for where, key in lines(judged))


def test_every_format_says_it(judged: Judged) -> None:
    users = next(each.origin for each in said(judged) if each.finding.resource == "HTTPRoute gateway/users")
    assert users is not None
    results = json.loads(sarif.render(judged))["runs"][0]["results"]
    regions = {result["message"]["text"]: result["locations"][0]["physicalLocation"].get("region") for result in results}
    assert regions["it is open: HTTPRoute gateway/users"] == {"startLine": users.line}
    assert regions["it is open: Deployment edge/edge"] is None
    found = {each["resource"]: each["origin"] for each in json.loads(json_report.render(judged))["findings"]}
    assert found["HTTPRoute gateway/users"] == {"where": "doors.users", "line": users.line}
    assert found["Deployment edge/edge"] is None
    assert f"Made for `doors.users`, stacks/payments.topology.yaml:{users.line}." in markdown.render(judged)
