"""Limits that protect a service."""

import json
from typing import Any

from tests.topology.derive.documents import relations, spec
from topology.derive import limits, ratelimit

TEXT = """
services:
  a: {calls: {b: [{methods: [GET], paths: [/b]}], c: [{methods: [GET], paths: [/c]}]}}
  b: {limit: {requests: 10, per: minute, burst: 5}}
  c: {limit: {requests: 50, per: second, scope: global}}
"""


def value(document: dict[str, Any]) -> dict[str, Any]:
    return document["spec"]["configPatches"][0]["patch"]["value"]["typed_config"]


def test_a_local_limit_is_a_bucket_in_each_proxy_behind_authorization() -> None:
    document = limits.local(relations(TEXT), "b")
    assert document is not None
    assert value(document)["value"]["token_bucket"] == {"max_tokens": 15, "tokens_per_fill": 10, "fill_interval": "60s"}
    (patch,) = spec(document)["configPatches"]
    assert patch["match"]["listener"]["filterChain"]["filter"]["subFilter"] == {"name": "envoy.filters.http.router"}
    assert patch["patch"]["operation"] == "INSERT_BEFORE"


def test_a_global_limit_asks_the_mesh_s_counter_and_refuses_when_that_does_not_answer() -> None:
    document = ratelimit.filter_for(relations(TEXT), "c")
    assert document is not None
    asks = value(document)
    assert asks["failure_mode_deny"] is True
    host = "ratelimit.main-ratelimit.svc.cluster.local"
    assert asks["rate_limit_service"]["grpc_service"]["envoy_grpc"] == {"cluster_name": f"outbound|8081||{host}", "authority": host}


def test_the_counter_knows_each_limit_and_answers_the_limited_services_alone() -> None:
    documents = {d["kind"]: d for d in ratelimit.rate_limit_service(relations(TEXT), "main", "ratelimit:1", "redis:1")}
    (descriptor,) = json.loads(documents["ConfigMap"]["data"]["config.yaml"])["descriptors"]
    assert descriptor == {"key": "generic_key", "value": "c", "rate_limit": {"unit": "second", "requests_per_unit": 50}}
    (rule,) = spec(documents["AuthorizationPolicy"])["rules"]
    assert rule["from"] == [{"source": {"principals": ["shop.example/ns/shop/sa/c"]}}]
    assert spec(documents["NetworkPolicy"])["ingress"][0]["from"][0]["podSelector"] == {"matchLabels": {"app": "c"}}


def test_a_service_without_a_limit_has_neither() -> None:
    r = relations(TEXT)
    assert limits.local(r, "a") is None
    assert ratelimit.filter_for(r, "a") is None
    assert limits.local(r, "c") is None
