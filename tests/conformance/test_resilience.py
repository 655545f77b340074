"""What `tests/e2e/test_resilience.py` asks is there to be asked: a probe that was renamed is noticed without a cluster."""

from pathlib import Path

import pytest

from conformance.credentials import Nobody
from tests.e2e.asking import Keeping
from tests.e2e.system import (
    A_TO_B,
    A_TO_C,
    AT_GATEWAY,
    AT_INGRESS,
    B_TO_C,
    ENTRANCE,
    ISSUER,
    KEY_CACHE,
    NO_TOKEN,
    REVOKED,
    questions,
    ways_around,
    written,
)
from topology.derive.probes import Certificate, Refused
from topology.load import load
from topology.model.system import Topology


@pytest.fixture
def t(tmp_path: Path) -> Topology:
    return load(written(tmp_path / "abc.topology.yaml", lambda _: None))


def test_every_question_has_a_name_of_its_own(t: Topology) -> None:
    names = [probe.id for probe in questions(t)]
    assert len(set(names)) == len(names)
    assert {ENTRANCE, NO_TOKEN, A_TO_B, B_TO_C, A_TO_C, AT_GATEWAY, AT_INGRESS, REVOKED} <= set(names)


def test_keys_are_kept_for_as_long_as_is_waited_for(t: Topology) -> None:
    assert t.issuers[ISSUER].key_cache == KEY_CACHE


@pytest.mark.parametrize("layer", ["gateway", "ingress of main", "a", "b", "c"])
def test_ways_around_lead_to_everybody_behind_the_edge(t: Topology, layer: str) -> None:
    assert any(f"->{layer}" in id_ for id_ in ways_around(questions(t)))


def test_ways_around_are_all_refused(t: Topology) -> None:
    around = set(ways_around(questions(t)))
    assert {type(probe.expect).__name__ for probe in questions(t) if probe.id in around} == {"Refused", "Closed"}


@pytest.mark.parametrize(("id_", "certificate"), [(AT_GATEWAY, Certificate.EDGE), (AT_INGRESS, Certificate.GATEWAY)])
def test_a_layer_is_asked_as_the_one_before_it_asks(t: Topology, id_: str, certificate: Certificate) -> None:
    by_id = {probe.id: probe for probe in questions(t)}
    assert by_id[id_].request.certificate is certificate
    assert by_id[id_].request.credential == by_id[ENTRANCE].request.credential is not None
    assert by_id[id_].request.path == by_id[ENTRANCE].request.path


def test_a_call_that_is_revoked_is_the_one_that_was_allowed(t: Topology) -> None:
    by_id = {probe.id: probe for probe in questions(t)}
    assert by_id[REVOKED].request == by_id[A_TO_B].request
    assert isinstance(by_id[REVOKED].expect, Refused)


def test_a_client_keeps_his_token() -> None:
    class Counting(Nobody):
        minted = 0

        def mint(self, claims: object) -> str:
            self.minted += 1
            return f"token {self.minted}"

    client = Keeping(Counting())
    assert [client.mint({}), client.mint({"exp": 1})] == ["token 1", "token 1"]
