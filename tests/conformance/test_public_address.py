"""Where the edge is looked for, where nobody says it."""

from typing import Any

import pytest

from conformance import verify
from conformance.cluster import Cluster
from conformance.errors import CannotProbeError
from conformance.outside import Address, answers
from conformance.verify import public_address
from tests.conformance.servers import Quiet, serving

SERVICE = {"spec": {"ports": [{"port": 443, "nodePort": 30443}]}}
NODE = {"status": {"addresses": [{"type": "InternalIP", "address": "172.18.0.2"}]}}


class OneNode(Cluster):
    """A cluster of one node with this edge."""

    def get(self, *_: str) -> dict[str, Any]:
        return SERVICE

    def items(self, *_: str) -> list[dict[str, Any]]:
        return [NODE]


@pytest.mark.parametrize(
    ("reached", "found"),
    [
        ({"172.18.0.2", "127.0.0.1"}, "172.18.0.2"),
        ({"127.0.0.1"}, "127.0.0.1"),
    ],
    ids=["the node answers", "only what is forwarded does"],
)
def test_a_port_of_this_machine_stands_for_a_node_that_is_not_reached(
    monkeypatch: pytest.MonkeyPatch, reached: set[str], found: str
) -> None:
    monkeypatch.setattr(verify, "answers", lambda at: at.host in reached)
    assert public_address(OneNode(), "127.0.0.1") == Address(host=found, port=30443)


def test_where_neither_is_reached_nothing_is_probed_and_both_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(verify, "answers", lambda _at: False)
    with pytest.raises(CannotProbeError, match=r"172\.18\.0\.2:30443 nor at 127\.0\.0\.1:30443"):
        public_address(OneNode(), "127.0.0.1")


def test_without_such_a_port_the_node_is_not_asked_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(verify, "answers", lambda _at: pytest.fail("it was asked"))
    assert public_address(OneNode()) == Address(host="172.18.0.2", port=30443)


def test_somebody_answers_where_a_connection_is_taken() -> None:
    with serving(Quiet) as port:
        assert answers(Address(host="127.0.0.1", port=port))
    assert not answers(Address(host="127.0.0.1", port=port))
