"""Where a probe goes out to: the public address as a client and as a pod sees it."""

from dataclasses import replace

import pytest

from conformance.addressing import Addressing
from conformance.certificates import Certificates
from conformance.cluster import Cluster
from conformance.credentials import ApiKeys, Nobody
from conformance.errors import NotRunError
from conformance.outside import Address
from topology.derive.probes import Family, Pods, Probe, Refused, Request, Scheme
from topology.derive.probes.layer import UNREACHED
from topology.derive.probes.target import EDGE
from topology.derive.probes.vantage import OUTSIDE, STRANGER

CLUSTER = Cluster(kubectl="no-kubectl-here")
PROBE = Probe(
    id="hairpin",
    family=Family.EGRESS,
    vantage=STRANGER,
    target=EDGE,
    request=Request(),
    expect=Refused(by=UNREACHED),
    why="a test",
)


def addressing(host: str) -> Addressing:
    def nowhere(pods: Pods) -> str:
        raise NotRunError(f"no pod of {pods}")

    return Addressing(
        public=Address(host=host, port=443),
        address_of=nowhere,
        issuer=Nobody(),
        keys=ApiKeys(CLUSTER, None),
        certificates=Certificates(CLUSTER),
    )


def test_the_public_address_is_the_same_from_inside() -> None:
    _, sent = addressing("203.0.113.10").fill(PROBE)
    assert (sent.address, sent.port) == ("203.0.113.10", 443)


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_a_public_address_that_this_machine_alone_reaches_is_not_asked_from_inside(host: str) -> None:
    with pytest.raises(NotRunError, match="this machine's own"):
        addressing(host).fill(PROBE)
    _, sent = addressing(host).fill(replace(PROBE, vantage=OUTSIDE))
    assert sent.address == host


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_the_ports_of_this_machine_are_not_taken_for_the_edges(host: str) -> None:
    scanning = replace(PROBE, vantage=OUTSIDE, request=Request(scheme=Scheme.SCAN, ports=(80,)))
    with pytest.raises(NotRunError, match="whose other ports are other programs'"):
        addressing(host).fill(scanning)
    _, sent = addressing("203.0.113.10").fill(scanning)
    assert sent.address == "203.0.113.10"


@pytest.mark.parametrize(
    ("asked", "sni", "found"),
    [("a.example", "", "203.0.113.10"), ("b.example", "", "203.0.113.20"), ("a.example", "b.example", "203.0.113.20")],
)
def test_a_host_at_another_edge_is_asked_there_and_tls_says_which_one_is_meant(asked: str, sni: str, found: str) -> None:
    several = replace(addressing("203.0.113.10"), public_of={"b.example": Address(host="203.0.113.20", port=8443)})
    _, sent = several.fill(replace(PROBE, request=replace(PROBE.request, host=asked, sni=sni)))
    assert sent.address == found
