"""What browsers are told, where a gateway has to be told more than the topology says."""

from topology.model.base import HeaderName
from topology.preflights import Preflight

HARMLESS: HeaderName = "accept"
"""A header that every script may set, named or not (Fetch, 2.2.2, CORS-safelisted request-header)."""


def named_headers(answer: Preflight) -> tuple[HeaderName, ...]:
    """Return the request headers that scripts may set, one at least.

    Kong grants whatever is asked for where none is named (kong/plugins/cors/handler.lua), and API Management wants one (Learn, `cors-policy`).
    """
    return answer.headers or (HARMLESS,)
