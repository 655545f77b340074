"""What is asked of a running system: everything that an edge allows, everything beside it, and nothing without a control."""

from collections import Counter
from functools import cache
from itertools import permutations

import pytest
from hypothesis import HealthCheck, given, settings

from tests.systems import SYSTEMS, topology
from tests.topology.strategies import topologies
from topology.derive import names
from topology.derive.probes import (
    Admitted,
    Answered,
    ApiKey,
    Closed,
    Contained,
    Ejected,
    Family,
    Faulted,
    GivenUp,
    Limited,
    Place,
    Probe,
    Received,
    Refused,
    Rejected,
    Retried,
    Scheme,
    Single,
    Spared,
    Stage,
    Token,
    Traced,
    probes,
    spared,
    unasked,
)
from topology.derive.probes.calls import allowed_id, everybody, granted
from topology.derive.probes.examples import Operation, covered, matches, near_misses, operations, path_of, wrong_method
from topology.derive.probes.http2 import MALFORMED
from topology.derive.probes.pair import ANSWERED, TELL
from topology.derive.probes.spellings import BYTES
from topology.edges import Direction, Edge, edges, identity
from topology.model.door import JwtAuth
from topology.model.service import Canary, Fault, Retries, Service, Version
from topology.model.system import Topology
from topology.paths import overlap

some = settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])


@cache
def asked(system: str) -> tuple[Probe, ...]:
    return probes(topology(system))


def by_id(found: tuple[Probe, ...]) -> dict[str, Probe]:
    return {probe.id: probe for probe in found}


def names_of(t: Topology) -> dict[str, str]:
    return {identity(t, name): name for name in everybody(t)}


def id_of(t: Topology, edge: Edge) -> str:
    names = names_of(t)
    operation = Operation(method=edge.method, pattern=edge.path)
    return allowed_id(edge.direction, names[edge.source], names[edge.target], operation)


@given(topologies())
@some
def test_every_allowed_call_has_a_probe_that_is_admitted(t: Topology) -> None:
    found = by_id(probes(t))
    for edge in edges(t):
        if edge.direction in {Direction.EAST_WEST, Direction.BRIDGE}:
            probe = found[id_of(t, edge)]
            assert isinstance(probe.expect, Admitted)
            if probe.request.scheme is not Scheme.TCP:
                assert (probe.request.method, matches(edge.path, probe.request.path)) == (edge.method, True)


@given(topologies())
@some
def test_every_door_has_a_probe_for_each_method_and_path_that_is_admitted(t: Topology) -> None:
    found = by_id(probes(t))
    for name, door in t.doors.items():
        for method in door.methods:
            for path in door.paths:
                probe = found[f"doors/{name}/{method} {path}"]
                assert isinstance(probe.expect, Admitted)
                assert probe.request.host == t.host_of(door)


@given(topologies())
@some
def test_every_pair_without_an_edge_has_a_probe_that_is_refused(t: Topology) -> None:
    found, names = by_id(probes(t)), names_of(t)
    allowed = {(names[e.source], names[e.target]) for e in edges(t) if e.direction in {Direction.EAST_WEST, Direction.BRIDGE}}
    for caller, callee in permutations(everybody(t), 2):
        identifier = f"calls/{caller}->{callee}/none"
        assert (identifier in found) is ((caller, callee) not in allowed)
        if identifier in found:
            assert isinstance(found[identifier].expect, Refused)


@given(topologies())
@some
def test_a_refusal_is_held_against_a_control_that_is_there(t: Topology) -> None:
    found = by_id(probes(t))
    for probe in found.values():
        if isinstance(probe.expect, Refused | Contained | Single | Rejected):
            assert probe.controls, probe.id
        for control in probe.controls:
            assert isinstance(found[control].expect, Admitted | Answered), (probe.id, control)
            assert found[control].stage <= probe.stage or found[control].stage is Stage.PLAIN


@given(topologies())
@some
def test_no_two_probes_bear_one_name(t: Topology) -> None:
    assert [name for name, count in Counter(probe.id for probe in probes(t)).items() if count > 1] == []


@given(topologies(max_services=6))
@some
def test_a_wrong_call_of_an_allowed_pair_is_covered_by_no_operation_of_it(t: Topology) -> None:
    names, found = names_of(t), probes(t)
    for edge in edges(t):
        if edge.direction is not Direction.EAST_WEST:
            continue
        pair = [e for e in edges(t) if (e.direction, e.source, e.target) == (edge.direction, edge.source, edge.target)]
        prefix = f"{id_of(t, edge)}/wrong-"
        for probe in found:
            if probe.id.startswith(prefix):
                assert names[edge.source] in probe.id
                assert not covered(operations(pair), probe.request.method, probe.request.path)


@given(topologies(max_services=5))
@some
def test_a_request_that_no_door_takes_is_covered_by_none(t: Topology) -> None:
    for probe in probes(t):
        if probe.family is Family.DOORS and "/closed/" in probe.id:
            for door in t.doors.values():
                if t.host_of(door) == probe.request.host and probe.request.method in door.methods:
                    assert not any(matches(path, probe.request.path) for path in door.paths), probe.id


@given(topologies(max_services=4))
@some
def test_the_same_topology_asks_the_same(t: Topology) -> None:
    assert probes(t) == probes(t)


@pytest.mark.parametrize("system", SYSTEMS)
def test_each_client_of_a_token_door_is_a_subject_of_its_own_so_that_no_limit_is_shared(system: str) -> None:
    doors = topology(system).doors
    for name, door in doors.items():
        if isinstance(door.auth, JwtAuth):
            admitted = [probe for probe in asked(system) if probe.id.startswith(f"doors/{name}/") and isinstance(probe.expect, Admitted)]
            subjects = [probe.request.credential.subject for probe in admitted if isinstance(probe.request.credential, Token)]
            assert len(set(subjects)) == len(admitted)


@pytest.mark.parametrize("system", SYSTEMS)
def test_what_uses_a_budget_up_or_takes_something_out_comes_after_what_needs_it(system: str) -> None:
    for probe in asked(system):
        assert (probe.stage is Stage.LOAD) is isinstance(probe.expect, Limited)


@pytest.mark.parametrize("system", SYSTEMS)
def test_each_family_that_a_system_has_something_for_is_asked(system: str) -> None:
    found = {probe.family for probe in asked(system)}
    always = {
        Family.CALLS, Family.DOORS, Family.FIREWALL, Family.HEADERS, Family.SPELLINGS, Family.SMUGGLING, Family.TLS, Family.EXPOSURE,
        Family.NETWORK, Family.ENCRYPTION, Family.CERTIFICATES, Family.ADMIN, Family.EGRESS, Family.REQUEST_IDS, Family.TRACES,
    }  # fmt: skip
    t = topology(system)
    assert always <= found
    assert (Family.BRIDGES in found) is bool(t.bridges)
    assert (Family.TOKENS in found) is any(isinstance(door.auth, JwtAuth) for door in t.doors.values())
    assert (Family.FAULTS in found) is any(service.faults for service in t.services.values())


def test_forty_three_services_are_asked_about_in_proportion_to_their_pairs() -> None:
    t = topology("brokerage")
    pairs = len(everybody(t)) * (len(everybody(t)) - 1)
    assert len(asked("brokerage")) < 5 * pairs
    assert max(Counter(probe.vantage for probe in asked("brokerage") if probe.vantage.place is Place.POD).values()) < 200


def test_a_tier_is_asked_for_more_than_it_allows_and_one_of_an_hour_is_spared() -> None:
    limits = {probe.id: probe for probe in asked("payments") if probe.family is Family.TIERS}
    customer = limits["tiers/customer/users"]
    assert isinstance(customer.expect, Limited)
    assert (customer.expect.capacity, customer.expect.refill) == (30, 30.0)
    assert customer.request.count > customer.expect.capacity + customer.expect.refill * customer.request.count / customer.request.pace
    assert "premium" in dict(spared(topology("payments")))


def test_a_slow_service_is_waited_for_as_long_as_its_tries_take() -> None:
    found = by_id(asked("brokerage"))
    assert found["resilience/inventory->custody/timeout"].expect == GivenUp(after=4.0), "four tries of a second"
    assert by_id(asked("payments"))["resilience/dashboard->users/timeout"].expect == GivenUp(after=0.5), "a slow try is not made again"


def test_a_call_is_tried_again_where_the_topology_says_so_and_there_alone() -> None:
    found = by_id(asked("bookinfo"))
    assert found["resilience/reviews->ratings/given-up"].expect == Retried(attempts=2, asked=16)
    assert found["resilience/reviews->ratings/tried-again"].expect == Retried(attempts=2, failures=2, asked=16)
    assert not any(isinstance(probe.expect, Retried) for probe in asked("abc"))


def test_the_failures_of_all_instances_together_leave_a_try_that_succeeds() -> None:
    payments = by_id(asked("payments"))["resilience/dashboard->users/tried-again"]
    assert payments.expect == Retried(attempts=2, failures=1, asked=32), "two tries more, and two instances of the canary"
    assert ("x-canary", "true") in payments.request.headers, "no try and no question goes to another version"
    assert payments.request.headers[-1] == ("x-echo-fail", "times=1;grpc-status=1")
    custody = by_id(asked("brokerage"))["resilience/inventory->custody/given-up"]
    assert custody.request.headers[-1] == ("x-echo-fail", "status=503")


def test_a_service_that_speaks_grpc_is_asked_in_grpc_and_fails_by_a_status_that_ejects_nothing() -> None:
    found = by_id(asked("brokerage"))["resilience/card-authorization->fraud-detection/given-up"]
    assert found.expect == Retried(attempts=1, asked=32)
    assert (found.request.scheme, found.request.path) == (Scheme.GRPC, "/banking.fraud.v1.Fraud/Score")
    assert found.request.headers[-2:] == (TELL, ("x-echo-fail", "grpc-status=8"))


def with_service(system: str, name: str, **changes: object) -> Topology:
    t = topology(system)
    return t.model_copy(update={"services": {**t.services, name: t.services[name].model_copy(update=changes)}})


def retried(system: str, name: str, attempts: int, *retry_on: str, **changes: object) -> tuple[set[str], str]:
    """Return the failures by which retries of a service are asked about, and why they are not."""
    retries = Retries.model_validate({"attempts": attempts, "perTry": "1s", "retryOn": retry_on})
    resilience = topology(system).services[name].resilience.model_copy(update={"retries": retries})
    t = with_service(system, name, resilience=resilience, **changes)
    rules = {
        probe.request.headers[-1][1].rpartition(";")[2]
        for probe in probes(t)
        if isinstance(probe.expect, Retried) and f"->{name}/" in probe.id
    }
    return rules, next((why for _, what, why in unasked(t) if what == f"retries of {name}"), "")


@pytest.mark.parametrize(
    ("system", "name", "attempts", "retry_on", "failures"),
    [
        ("bookinfo", "ratings", 4, ["5xx"], set[str]()),
        ("bookinfo", "ratings", 4, ["5xx", "unavailable"], {"grpc-status=14"}),
        ("bookinfo", "ratings", 3, ["5xx"], {"status=503"}),
        ("brokerage", "fraud-detection", 4, ["unavailable", "deadline-exceeded"], set[str]()),
        ("brokerage", "fraud-detection", 4, ["unavailable", "cancelled"], {"grpc-status=1"}),
        ("brokerage", "fraud-detection", 3, ["unavailable"], {"grpc-status=14"}),
        ("brokerage", "fraud-detection", 1, ["5xx", "gateway-error", "retriable-4xx"], set[str]()),
    ],
)
def test_no_instance_is_ejected_by_the_failures_of_a_probe_and_each_is_one_that_it_can_answer(
    system: str, name: str, attempts: int, retry_on: list[str], failures: set[str]
) -> None:
    found, why = retried(system, name, attempts, *retry_on)
    assert found == failures
    assert ("no answer of its own is a failure" in why) is not failures


@pytest.mark.parametrize(
    ("weights", "canary", "reached"),
    [
        ({"v1": 100, "v2": 0}, None, False),
        ({"v1": 90, "v2": 10}, None, True),
        ({"v1": 90, "v2": 10}, "v1", False),
        ({"v1": 100, "v2": 0}, "v2", True),
    ],
)
def test_copies_do_no_harm_where_they_go_to_a_version_that_no_try_reaches(
    weights: dict[str, int], canary: str | None, reached: bool
) -> None:
    versions = {name: Version(weight=weight) for name, weight in weights.items()}
    pinned = Canary(header="x-canary", value="true", version=canary) if canary else None
    found, why = retried("brokerage", "fraud-detection", 1, "unavailable", versions=versions, canary=pinned)
    assert bool(found) is not reached
    assert ("a copy is counted like a try" in why) is reached


def test_faults_and_ejection_of_a_service_that_speaks_grpc_are_asked_about_as_of_any_other() -> None:
    faults = tuple(Fault.model_validate({"percent": 10, **what}) for what in ({"abort": 503}, {"delay": "2s", "callers": ["account"]}))
    t = with_service("brokerage", "ledger", faults=faults).model_copy(update={"datacenters": {}})
    found = by_id(probes(t))
    assert found["faults/account->ledger/fault-0"].expect == Faulted(percent=10, status=503)
    assert found["faults/transfer->ledger/unnamed-1"].expect == Spared(percent=10, delay=2.0)
    ejection = found["resilience/account->ledger/ejection"]
    assert isinstance(ejection.expect, Ejected)
    assert ejection.request.headers[-1] == ("x-echo-fail", "grpc-status=2")


@pytest.mark.parametrize("system", SYSTEMS)
def test_every_call_is_asked_about_its_trace_and_so_is_every_call_that_follows_from_one(system: str) -> None:
    t = topology(system)
    calls = {
        (caller, callee)
        for caller, callee in granted(t, Direction.EAST_WEST)
        if isinstance(about := t.workload(callee), Service) and about.protocol in ANSWERED
    }
    ways = [(probe.id.split("/")[1].split("->")[0], *probe.expect.way) for probe in asked(system) if isinstance(probe.expect, Traced)]
    assert {way[:2] for way in ways} == calls
    called = {callee for _, callee in calls}
    assert {way[1:] for way in ways if len(way) > 2} == {pair for pair in calls if pair[0] in called}
    assert all("traceparent" not in dict(probe.request.headers) for probe in asked(system) if isinstance(probe.expect, Traced))


def test_a_trace_goes_on_in_what_the_next_service_speaks() -> None:
    found = by_id(asked("brokerage"))["traces/standing-order->transfer/on to ledger"]
    assert found.request.scheme is Scheme.HTTP
    assert dict(found.request.headers)["x-echo-next"].startswith(
        "POST grpc://ledger.banking.svc.cluster.local:9090/banking.ledger.v1.Ledger/"
    )


@pytest.mark.parametrize("system", SYSTEMS)
def test_whatever_a_system_that_is_down_would_do_too_is_held_against_a_control(system: str) -> None:
    found = by_id(asked(system))
    for probe in found.values():
        if isinstance(probe.expect, Refused | Contained | Single | Rejected | Closed | Received) or probe.vantage.place is Place.MEMBER:
            assert probe.controls, probe.id
    strangers = [probe for name, probe in found.items() if name.startswith("controls/member/")]
    assert {found[control].target.port for probe in strangers for control in probe.controls} == {names.ISTIOD_XDS_PORT}


def test_only_calls_that_a_fault_is_for_may_fail() -> None:
    calls = {probe.id.split("/")[1] for probe in asked("brokerage") if probe.may_fail and probe.family is Family.CALLS}
    others = {call for call in calls if not call.endswith("->orders")}  # who asks orders may get to see what orders got
    assert others == {"orders->inventory"} < calls
    assert not any(probe.may_fail for probe in asked("payments"))


def failing(system: str, name: str, *faults: dict[str, object]) -> Topology:
    """Return a system in which calls to a service fail on purpose in these ways and no others."""
    return with_service(system, name, faults=tuple(Fault.model_validate(fault) for fault in faults))


def of_faults(t: Topology) -> dict[str, tuple[Spared, int]]:
    return {probe.id: (probe.expect, probe.request.count) for probe in probes(t) if isinstance(probe.expect, Spared)}


def test_a_caller_that_a_fault_does_not_name_is_asked_whether_it_meets_it() -> None:
    assert of_faults(topology("brokerage")) == {"faults/inventory->custody/unnamed-0": (Spared(percent=50.0, delay=1.0), 100)}
    both = failing("brokerage", "custody", {"percent": 10, "abort": 503, "delay": "2s", "callers": ["inventory"]})
    assert of_faults(both) == {"faults/settlement->custody/unnamed-0": (Spared(percent=10.0, status=503, delay=2.0), 900)}
    everybody = failing("brokerage", "custody", {"percent": 10, "delay": "2s"})
    assert of_faults(everybody) == {}


@given(topologies())
@some
def test_what_is_asked_of_a_fault_is_asked_of_declared_callers_that_it_does_not_name(t: Topology) -> None:
    pairs = granted(t, Direction.EAST_WEST)
    for identifier in of_faults(t):
        caller, callee = identifier.split("/")[1].split("->")
        fault = t.services[callee].faults[int(identifier.rpartition("-")[2])]
        assert (caller, callee) in pairs
        assert fault.callers
        assert caller not in fault.callers


@pytest.mark.parametrize(
    ("name", "faults", "why"),
    [
        ("custody", [{"percent": 1, "delay": "1s", "callers": ["settlement"]}], "too seldom"),
        ("custody", [{"percent": 50, "delay": "100ms", "callers": ["settlement"]}], "a busy machine's"),
        (
            "custody",
            [{"percent": 50, "delay": "1s", "callers": ["settlement"]}, {"percent": 5, "delay": "3s", "callers": ["inventory"]}],
            "another fault may hold these calls back",
        ),
        (
            "custody",
            [{"percent": 50, "abort": 503, "callers": ["settlement"]}, {"percent": 5, "abort": 500, "callers": ["inventory"]}],
            "another fault may make these calls fail",
        ),
        ("quote-stream", [{"percent": 50, "delay": "1s", "callers": ["pricing"]}], "it speaks websocket"),
    ],
)
def test_a_fault_that_cannot_be_told_from_none_is_not_asked_about_and_that_is_said(
    name: str, faults: list[dict[str, object]], why: str
) -> None:
    t = failing("brokerage", name, *faults)
    assert not any(f"->{name}/" in identifier for identifier in of_faults(t))
    assert any(why in reason for family, _, reason in unasked(t) if family is Family.FAULTS)


def test_retries_that_are_not_asked_about_are_said() -> None:
    said = {what: why for family, what, why in unasked(topology("brokerage")) if family is Family.RESILIENCE}
    assert said.keys() == {"retries of portfolio"}
    assert "no service calls it" in said["retries of portfolio"]
    assert not list(unasked(topology("bookinfo")))


@given(topologies())
@some
def test_retries_of_a_service_are_asked_about_or_it_is_said_why_not(t: Topology) -> None:
    asked_about = {probe.id.split("->")[1].split("/")[0] for probe in probes(t) if isinstance(probe.expect, Retried)}
    said = {what.removeprefix("retries of ") for family, what, _ in unasked(t) if family is Family.RESILIENCE}
    assert asked_about.isdisjoint(said)
    assert asked_about | said == {name for name, service in t.services.items() if service.resilience.retries}


@given(topologies())
@some
def test_every_malformed_request_is_held_against_a_well_formed_one_over_http_2_at_the_same_door(t: Topology) -> None:
    found = by_id(probes(t))
    rejected = [probe for probe in found.values() if isinstance(probe.expect, Rejected)]
    assert len(rejected) % len(MALFORMED) == 0
    for probe in rejected:
        (control,) = (found[name] for name in probe.controls)
        assert (control.request.scheme, control.request.host, control.request.path) == (
            Scheme.HTTP2,
            probe.request.host,
            probe.request.path,
        )
        assert probe.request.fields != control.request.fields


def test_every_byte_is_tried_in_a_path() -> None:
    tried = {probe.request.path for probe in asked("abc") if probe.id.startswith("spellings/a/byte ")}
    assert len(tried) == len(BYTES) == 255


def test_a_key_of_a_tier_that_a_door_has_not_is_refused_there() -> None:
    found = by_id(asked("payments"))
    assert {probe.request.credential for probe in found.values() if probe.id.startswith("api-keys/partner-orders/consumer ")} == {
        ApiKey(consumer="globex"),
        ApiKey(consumer="initech"),
        ApiKey(consumer="acme"),
    }


@pytest.mark.parametrize("pattern", ["/a/b", "/a/*", "/a/{*}", "/a/{*}/b", "/a/{*}/*", "/", "/*"])
def test_an_example_path_matches_its_pattern_and_near_misses_do_not(pattern: str) -> None:
    granted = [Operation(method="GET", pattern=pattern)]
    assert matches(pattern, path_of(pattern))
    assert overlap(pattern, path_of(pattern))
    for path in near_misses(granted, "GET", pattern):
        assert not matches(pattern, path)
    assert (next(near_misses(granted, "GET", pattern), None) is None) is (pattern == "/*")
    assert wrong_method(granted, path_of(pattern)) == "POST"
