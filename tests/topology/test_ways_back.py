"""What is asked of the layers themselves: who may connect to each, the ways back to the own doors, the ways across."""

import pytest

from tests.systems import SYSTEMS, topology
from topology.derive import names
from topology.derive.probes import Admitted, Answered, Certificate, Layer, Place, Preflighted, Probe, Refused, Scheme, probes
from topology.derive.probes.calls import everybody
from topology.derive.probes.examples import WITH_BODY
from topology.derive.probes.hops import hops
from topology.derive.probes.lengths import SENT, lengths
from topology.derive.probes.places import STRANGER_CONTROL, callers
from topology.derive.probes.target import EDGE
from topology.model.base import size_in_bytes


def asked(system: str) -> dict[str, Probe]:
    return {probe.id: probe for probe in probes(topology(system))}


@pytest.mark.parametrize("system", SYSTEMS)
def test_a_stranger_is_refused_exactly_where_the_layer_before_connects(system: str) -> None:
    found = asked(system)
    for hop in hops(topology(system)):
        stranger, neighbour = found[f"network/stranger->{hop.label}"], found[hop.control]
        assert (stranger.target, stranger.request) == (neighbour.target, neighbour.request)
        assert hop.control in stranger.controls
        assert isinstance(neighbour.expect, Answered)


def test_each_layer_is_asked_at_its_service_by_the_layer_before() -> None:
    rows = {hop.label: (str(hop.neighbour), str(hop.target)) for hop in hops(topology("brokerage"))}
    assert rows["gateway"] == ("pod edge/edge", "gateway.gateway.svc.cluster.local:443")
    assert rows["ingress of trading"][0] == "pod gateway/gateway"
    assert rows["bridge of trading"][0].endswith("past its sidecar")


@pytest.mark.parametrize("system", SYSTEMS)
def test_every_service_is_refused_at_the_systems_own_doors_by_its_sidecar(system: str) -> None:
    t, found = topology(system), asked(system)
    for name in everybody(t):
        for what in ("public name", "public address", "edge", "gateway"):
            probe = found[f"egress/{name}->{what} by its sidecar"]
            assert probe.request.host == t.hosts[0]
            assert isinstance(probe.expect, Refused)
            assert Layer.NETWORK not in probe.expect.by, "the network would hide what the sidecar let pass"
        assert found[f"egress/{name}->public address by its sidecar"].target == EDGE


@pytest.mark.parametrize("system", SYSTEMS)
def test_a_caller_past_its_sidecar_reaches_no_layer_but_those_it_may(system: str) -> None:
    t, found = topology(system), asked(system)
    for caller in callers(t):
        edge = found[f"network/{caller}->edge/Service"]
        assert edge.vantage.place is Place.UNCAPTURED
        assert STRANGER_CONTROL in edge.controls, "everybody else is answered there"
        for hop in hops(t):
            mine = hop.mesh in {"", t.mesh_of(caller)}
            assert (f"network/{caller}->{hop.label}/Service" in found) is (mine and caller not in hop.services)


def test_whoever_has_no_bridge_asks_for_the_bridged_service_by_the_bridges_name() -> None:
    t, found = topology("brokerage"), asked("brokerage")
    bridged = {(bridge.source, bridge.target) for bridge in t.bridges.values()}
    for source, target in bridged:
        mesh = t.mesh_of(source)
        for name in everybody(t):
            if t.mesh_of(name) == mesh:
                identifier = f"bridges/{name}->{target}/none"
                assert (identifier in found) is ((name, target) not in bridged)
                if identifier in found:
                    assert found[identifier].target.name == names.fqdn(target, t.meshes[mesh].bridge)
                    assert any(isinstance(found[control].expect, Admitted) for control in found[identifier].controls)
        assert found[f"bridges/member of {mesh}->{target}/none"].vantage.place is Place.MEMBER


def test_a_bridge_is_asked_without_its_certificate_by_the_name_that_leads_through_it() -> None:
    found = [probe for probe in asked("brokerage").values() if probe.id.startswith("certificates/") and "->bridge of" in probe.id]
    inward = {probe.request.sni for probe in found if ", in/" in probe.id}
    assert inward == {"account.banking.bridge.internal", "portfolio.trading.bridge.internal"}
    for name in inward:
        shown = {probe.request.certificate for probe in found if probe.request.sni == name}
        assert shown == {Certificate.NONE, Certificate.SELF_MADE, Certificate.GATEWAY}
    assert {probe.vantage.place for probe in found} == {Place.POD, Place.UNCAPTURED, Place.NODE}
    from_services = {probe.request.certificate for probe in found if probe.vantage.place is Place.UNCAPTURED}
    assert from_services == {Certificate.NONE, Certificate.SELF_MADE}, "no key of a layer is brought into a service's pod"


@pytest.mark.parametrize("system", SYSTEMS)
def test_a_preflight_shows_no_credential_and_opens_no_door(system: str) -> None:
    found, t = asked(system), topology(system)
    for name, door in t.doors.items():
        origins = t.cors[door.cors].origins if door.cors else ()
        for what in (*(f"preflight/{origin}" for origin in origins), *([] if origins else ["preflight"])):
            probe = found[f"browsers/{name}/{what}"]
            assert (probe.request.method, probe.request.credential, probe.request.body) == ("OPTIONS", None, "")
            assert isinstance(probe.expect, Preflighted if origins else Refused)


@pytest.mark.parametrize("system", SYSTEMS)
def test_one_door_is_sent_a_byte_more_than_it_takes(system: str) -> None:
    (probe,) = lengths(topology(system))
    doors = topology(system).doors
    smallest = min(size_in_bytes(door.max_body) for door in doors.values())
    length = int(dict(probe.request.headers)["content-length"])
    assert length > smallest
    assert len(probe.request.body) in ({length} if length <= SENT else {0})
    assert isinstance(probe.expect, Refused)
    assert 413 in probe.expect.statuses
    assert probe.request.scheme is Scheme.HTTPS


def test_a_body_goes_to_a_door_that_writes_where_it_takes_no_more_than_others() -> None:
    (probe,) = lengths(topology("brokerage"))
    assert probe.request.method in WITH_BODY
