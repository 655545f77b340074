import pytest

from components.gateway.kong import limits, plugins
from tests.components.gateway.kong.given import COUNTERS, MARKET

FOUND = {
    document["metadata"]["name"]: document["config"]
    for document in plugins.shared(MARKET, COUNTERS)
    if document["plugin"] == "rate-limiting"
}
CLOSED = {"fault_tolerant": False, "hide_client_headers": True}


def test_each_way_to_count_a_tier_is_one_limit() -> None:
    assert FOUND == {
        "tier.shopper.address": {"second": 40, "minute": 1220, "limit_by": "ip", "policy": "local", **CLOSED},
        "tier.seller": {
            "minute": 1000,
            "limit_by": "consumer",
            "policy": "redis",
            "redis": {"host": "redis.counters.svc.cluster.local", "port": 6379, "timeout": 1000},
            **CLOSED,
        },
        "tier.broker": {"second": 5, "minute": 200, "limit_by": "consumer", "policy": "local", **CLOSED},
        "tier.passer-by.address": {"minute": 60, "limit_by": "ip", "policy": "local", **CLOSED},
    }


def test_a_shared_limit_without_shared_counters_is_no_limit_and_no_document() -> None:
    with pytest.raises(ValueError, match="needs shared counters"):
        limits.rate_limiting(MARKET.tiers["seller"], "consumer", None)
