from components.gateway.kong import carries
from tests.components.gateway.kong.given import MARKET
from topology.model.door import HeaderEdit
from topology.model.system import Topology


def with_headers(**edits: HeaderEdit) -> Topology:
    basket = MARKET.doors["basket"].model_copy(update=edits)
    return MARKET.model_copy(update={"doors": {"basket": basket}})


def test_every_header_of_the_market_can_be_said() -> None:
    assert list(carries.unsayable_headers(MARKET)) == []


def test_a_value_that_begins_with_a_colon_would_lose_it() -> None:
    t = with_headers(request_headers=HeaderEdit(set={"x-a": ":b"}), response_headers=HeaderEdit(set={"x-c": "::d"}))
    assert list(carries.unsayable_headers(t)) == [("basket", "requestHeaders", "x-a"), ("basket", "responseHeaders", "x-c")]


def test_a_value_that_looks_like_a_program_would_be_refused_in_requests_alone() -> None:
    edit = HeaderEdit(set={"x-a": "costs $(5)", "x-b": "costs $5"})
    t = with_headers(request_headers=edit, response_headers=edit)
    assert list(carries.unsayable_headers(t)) == [("basket", "requestHeaders", "x-a")]
