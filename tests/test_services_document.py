"""docs/services.md says what the code does: each of its numbers and names is taken from there."""

import re
from ipaddress import IPv4Address
from typing import Any

import pytest

from tests.systems import ROOT, topology
from topology.derive import draining, egress, identity, names, telemetry, traffic, workloads
from topology.derive.relations import Relations
from topology.derive.workloads import Images
from topology.edges import edges
from topology.laws.traffic import SIDECAR_PORTS
from topology.model.base import seconds
from topology.model.door import Door
from topology.model.service import Connections, Ejection, Resilience, Service
from topology.model.system import COMPOSITION_PORT, Egress, Mesh

TEXT = " ".join((ROOT / "docs" / "services.md").read_text(encoding="utf-8").split())


def field(model: type[Any], name: str) -> Any:
    return model.model_fields[name].default


def deployment() -> dict[str, Any]:
    relations = Relations(topology("abc"))
    deployed, *_ = workloads.workload(relations, "b", Images(demo="demo", composition="composition"))
    return deployed


POD = deployment()["spec"]["template"]["spec"]
(CONTAINER,) = POD["containers"]
STARTUP, READINESS, LIVENESS = (CONTAINER[f"{name}Probe"] for name in ("startup", "readiness", "liveness"))
REQUESTED, MOST = (CONTAINER["resources"][kind] for kind in ("requests", "limits"))


@pytest.mark.parametrize(
    "said",
    [
        f"({field(Service, 'port')} unless it names another)",
        f"Ports {SIDECAR_PORTS.start} to {SIDECAR_PORTS.stop - 1} belong to the sidecar",
        *(f"| `{header}` |" for header in (*names.IDENTITY_HEADERS, names.REQUEST_ID_HEADER)),
        f"the key (`{names.API_KEY_HEADER}`)",
        f"`http://{names.fqdn('<service>', '<namespace>')}:<port of the callee>`",
        f"`http://{names.fqdn('<service>', '<bridge namespace of your own mesh>')}:<port of the callee>`",
        f"The port of a composition is {COMPOSITION_PORT}",
        f"A bridge's namespace is `{field(Mesh, 'bridge')}` unless",
        f"`http://<host>` (port {egress.PLAIN_HTTP_PORT})",
        f"TLS on port {field(Egress, 'port')} |",
        f"`resilience.timeout`, {field(Resilience, 'timeout')} unless",
        f"the door's `timeout`, {field(Door, 'timeout')} too",
        f"More than {field(Connections, 'max_connections')} connections, or {field(Connections, 'max_pending')} waiting requests",
        f"fails {field(Ejection, 'consecutive_errors')} times in a row is left alone for {field(Ejection, 'duration')}",
        f"| user and group | {POD['securityContext']['runAsUser']},",
        f"| CPU | {REQUESTED['cpu']} reserved",
        f"| memory | {REQUESTED['memory']} reserved; the instance is killed at {MOST['memory']} |",
        f"| startup | every {STARTUP['periodSeconds']} s, {STARTUP['failureThreshold']} times |",
        f"| readiness | every {READINESS['periodSeconds']} s |",
        f"| liveness | every {LIVENESS['periodSeconds']} s | started anew after {LIVENESS['failureThreshold']} failures in a row |",
        f"gets requests for {draining.NOTICE} s more",
        f"After `resilience.timeout`, at least {draining.GRACE} s, it is killed",
        f"they trace {telemetry.USUAL_SAMPLING:.0f} % of the requests",
    ],
)
def test_what_authors_of_services_are_told_is_what_the_code_does(said: str) -> None:
    assert said in TEXT


def test_the_startup_probe_gives_two_minutes() -> None:
    assert STARTUP["periodSeconds"] * STARTUP["failureThreshold"] == 120
    assert "started anew after two minutes without an answer" in TEXT


def test_the_container_has_no_rights_and_no_token() -> None:
    assert CONTAINER["securityContext"] == workloads.RESTRICTED_CONTAINER
    assert CONTAINER["securityContext"]["readOnlyRootFilesystem"]
    assert CONTAINER["securityContext"]["capabilities"] == {"drop": ["ALL"]}
    assert [mount["mountPath"] for mount in CONTAINER["volumeMounts"]] == [workloads.SCRATCH_MOUNT["mountPath"]]
    assert f"read-only; `{workloads.SCRATCH_MOUNT['mountPath']}` and" in TEXT
    assert POD["automountServiceAccountToken"] is False
    assert "cpu" not in MOST


def test_a_service_is_told_to_stop_after_the_notice_and_has_its_timeout_then() -> None:
    assert CONTAINER["lifecycle"] == draining.lifecycle()
    assert POD["terminationGracePeriodSeconds"] == draining.NOTICE + max(draining.GRACE, seconds(field(Resilience, "timeout")))


def test_nothing_is_tried_again_unless_the_topology_says_so() -> None:
    (route,) = traffic.call_routes(Relations(topology("abc")), "b")
    assert route["retries"] == {"attempts": 0}


def test_the_token_ends_at_the_ingress() -> None:
    (check,) = identity.token_checks(Relations(topology("abc")), "main")
    assert [rule["forwardOriginalToken"] for rule in check["spec"]["jwtRules"]] == [False]


def test_no_service_may_call_its_own_instances() -> None:
    for system in ("abc", "brokerage"):
        t = topology(system)
        assert [edge for edge in edges(t) if edge.source == edge.target] == []
        assert [name for name, service in t.services.items() if name in service.calls] == []


def test_a_way_out_is_plain_http_that_the_gateway_encrypts() -> None:
    t = topology("payments")
    found = [each for each in egress.documents(Relations(t), "main") if each["metadata"]["name"] == t.egress["card-network"].host]
    (entry,) = (each["spec"] for each in found if each["kind"] == "ServiceEntry")
    assert [(port["number"], port["protocol"], port["targetPort"]) for port in entry["ports"]] == [(80, "HTTP", 443)]
    (outside,) = (each["spec"] for each in found if each["kind"] == "DestinationRule")
    assert outside["trafficPolicy"]["tls"]["mode"] == "SIMPLE"
    (routes,) = (each["spec"]["http"] for each in found if each["kind"] == "VirtualService")
    assert all(route["retries"] == {"attempts": 0} and "timeout" not in route for route in routes)
    *_, leaving = routes
    assert {*names.IDENTITY_HEADERS} <= {*leaving["headers"]["request"]["remove"]}


def test_a_way_out_over_tcp_is_called_by_its_own_name_and_port_under_an_address_of_the_document() -> None:
    t = topology("payments")
    r, ledger = Relations(t), t.egress["ledger"]
    (alias,) = egress.aliases(r, "orders")
    assert (alias["hostnames"], IPv4Address(alias["ip"]) in egress.VIRTUAL) == ([ledger.host], True)
    assert str(egress.VIRTUAL) in TEXT
    (entry,) = (d["spec"] for d in egress.documents(r, "main") if d["kind"] == "ServiceEntry" and d["metadata"]["name"] == ledger.host)
    assert [(port["number"], port["protocol"]) for port in entry["ports"]] == [(ledger.port, "TCP")]


def test_the_mesh_takes_no_identity_header_from_calls_between_services() -> None:
    text = str([*traffic.call_routes(Relations(topology("abc")), "b")])
    assert re.search("x-perimeter", text) is None
    assert "nobody checks `x-perimeter-*` between services" in TEXT
