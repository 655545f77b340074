import pytest

from components.gateway import uncarried
from tests.components.gateway.kong.given import BINDING, MARKET, documents, within_reach
from tests.schemas import validate
from tests.systems import SYSTEMS, topology
from topology.derive.manifest import key_of


@pytest.mark.parametrize("system", SYSTEMS)
def test_an_api_server_takes_every_document_of_every_system(system: str) -> None:
    assert [finding for document in documents(within_reach(topology(system))) for finding in validate(document)] == []


def test_an_api_server_takes_every_document_of_the_market() -> None:
    assert [finding for document in documents(MARKET) for finding in validate(document)] == []


def test_no_two_documents_of_the_market_have_one_name() -> None:
    names = [(document["kind"], key_of(document)) for document in documents(MARKET)]
    assert len(names) == len(set(names))


def test_kong_carries_all_that_the_market_asks_for() -> None:
    assert uncarried(BINDING, MARKET) == []
