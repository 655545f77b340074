from typing import Any

import pytest

from policies.reading.guards import Guard, Mtls
from policies.reading.patterns import parse
from policies.reading.requests import Requests
from tests.policies.building import baseline, changed, stack_of

A, B, C = (f"abc.example/ns/abc/sa/{name}" for name in "abc")
Manifest = dict[str, Any]


def policy(name: str = "extra", namespace: str = "abc", **spec: Any) -> Manifest:
    return {
        "apiVersion": "security.istio.io/v1",
        "kind": "AuthorizationPolicy",
        "metadata": {"name": name, "namespace": namespace, **spec.pop("metadata", {})},
        "spec": spec,
    }


def peer_authentication(mode: str, namespace: str, **spec: Any) -> Manifest:
    return {
        "apiVersion": "security.istio.io/v1",
        "kind": "PeerAuthentication",
        "metadata": {"name": "extra", "namespace": namespace},
        "spec": {"mtls": {"mode": mode}, **spec},
    }


def guard(*more: Manifest, without: tuple[str, ...] = ("AuthorizationPolicy abc/b",), service: str = "b") -> Guard:
    stack = stack_of([*changed(baseline("abc"), without=without), *more])
    found = stack.guard(stack.holders(f"abc.example/ns/abc/sa/{service}")[0])
    assert found is not None
    return found


def admitted(found: Guard, identity: str = A, requests: Requests | None = None, *, http: bool = True) -> set[str]:
    return {str(each.requests) for each in found.admit(requests or Requests(), identity, 8080, http=http)}


def rules(*given: Manifest, **more: Any) -> Manifest:
    return policy(rules=list(given), **more)


def source(**given: Any) -> Manifest:
    return {"from": [{"source": given}]}


def test_a_service_with_the_mesh_wide_policy_alone_refuses_everyone() -> None:
    assert admitted(guard()) == set()


def test_a_service_without_any_allow_policy_accepts_everything() -> None:
    assert admitted(guard(without=("AuthorizationPolicy abc/b", "AuthorizationPolicy istio-system/allow-nothing"))) == {"any method /*"}


def test_a_rule_that_says_nothing_allows_everything() -> None:
    assert admitted(guard(rules({})), "") == {"any method /*"}


def test_operations_are_combined_method_by_path() -> None:
    found = guard(rules({**source(principals=[A]), "to": [{"operation": {"methods": ["GET", "POST"], "paths": ["/x/*", "/y"]}}]}))
    assert admitted(found) == {"GET /x/*", "GET /y", "POST /x/*", "POST /y"}
    assert admitted(found, C) == set()


@pytest.mark.parametrize(
    ("given", "identity", "fits"),
    [
        ({"principals": [A]}, A, True),
        ({"principals": ["cluster.local/ns/abc/sa/a"]}, A, True),
        ({"principals": ["*"]}, A, True),
        ({"principals": ["*"]}, "", False),
        ({"principals": ["abc.example/ns/abc/*"]}, C, True),
        ({"principals": ["*/sa/a"]}, A, True),
        ({"principals": ["other.example/ns/abc/sa/a"]}, A, False),
        ({"notPrincipals": [A]}, A, False),
        ({"notPrincipals": [A]}, "", True),
        ({"namespaces": ["abc"]}, "other.example/ns/abc/sa/a", True),
        ({"namespaces": ["abc"], "trustDomains": ["abc.example"]}, "other.example/ns/abc/sa/a", False),
        ({"serviceAccounts": ["a"]}, A, True),
        ({"serviceAccounts": ["abc/c"]}, A, False),
        ({}, "", True),
    ],
)
def test_a_source_fits_by_all_that_it_says(given: Manifest, identity: str, fits: bool) -> None:
    assert bool(admitted(guard(rules(source(**given))), identity)) is fits


def test_sources_are_alternatives_and_conditions_are_not() -> None:
    either = {"from": [{"source": {"principals": [A]}}, {"source": {"principals": [C]}}]}
    both = {**source(principals=[A]), "when": [{"key": "source.namespace", "values": ["other"]}]}
    assert admitted(guard(rules(either)), C)
    assert not admitted(guard(rules(both)), A)


def test_ports_are_those_of_the_pod() -> None:
    rule = source(principals=[A])
    assert admitted(guard(rules({**rule, "to": [{"operation": {"ports": ["8080"]}}]})))
    assert not admitted(guard(rules({**rule, "to": [{"operation": {"ports": ["80"]}}]})))


def test_a_rule_about_http_does_not_hold_on_plain_tcp() -> None:
    found = guard(rules({**source(principals=[A]), "to": [{"operation": {"methods": ["GET"]}}]}))
    assert admitted(found, http=True)
    assert not admitted(found, http=False)


def test_a_dry_run_allows_and_refuses_nothing() -> None:
    metadata = {"annotations": {"istio.io/dry-run": "true"}}
    assert admitted(guard(rules(source(principals=[A]), metadata=metadata))) == set()
    denied = rules({}, action="DENY", metadata=metadata)
    assert admitted(guard(rules(source(principals=[A])), {**denied, "metadata": {**denied["metadata"], "name": "deny"}})) == {
        "any method /*"
    }


def test_deny_takes_away_from_allow() -> None:
    allow = rules({**source(principals=[A]), "to": [{"operation": {"methods": ["GET"], "paths": ["/x/*"]}}]})

    def left(**operation: Any) -> list[tuple[str, tuple[str, ...], str]]:
        deny = policy("deny", action="DENY", rules=[{"to": [{"operation": operation}]}])
        return [(str(e.requests.path), tuple(map(str, e.requests.without)), e.doubt) for e in guard(allow, deny).admit(Requests(), A, 8080)]

    assert left(paths=["/x/*"]) == []
    assert left(methods=["POST"]) == [("/x/*", (), "")]
    assert left(paths=["/x/secret/*"]) == [("/x/*", ("/x/secret/*",), "")]
    assert left(notPaths=["/x/*"]) == [("/x/*", (), "")]
    assert left(hosts=["b.example"])[0][2] == "AuthorizationPolicy abc/deny denies some hosts"


def test_a_policy_of_the_root_namespace_holds_for_the_whole_mesh() -> None:
    root = rules(source(principals=[C]), namespace="istio-system")
    selected = rules(source(principals=[C]), namespace="istio-system", selector={"matchLabels": {"app": "b"}})
    elsewhere = rules(source(principals=[C]), namespace="istio-ingress")
    assert admitted(guard(root), C)
    assert admitted(guard(selected), C)
    assert not admitted(guard(elsewhere), C)


def test_a_policy_for_another_revision_or_for_a_gateway_api_gateway_does_not_hold() -> None:
    other = rules(source(principals=[C]), metadata={"labels": {"istio.io/rev": "other"}})
    waypoint = rules(source(principals=[C]), targetRefs=[{"kind": "Service", "name": "b"}])
    assert not admitted(guard(other), C)
    assert not admitted(guard(waypoint), C)


def test_a_token_can_only_be_shown_where_its_issuer_is_verified() -> None:
    asks = rules({**source(principals=[A], requestPrincipals=["https://login.abc.example/*"])})
    verifies = {
        "apiVersion": "security.istio.io/v1",
        "kind": "RequestAuthentication",
        "metadata": {"name": "b", "namespace": "abc"},
        "spec": {"jwtRules": [{"issuer": "https://login.abc.example", "jwksUri": "https://login.abc.example/keys"}]},
    }
    assert not admitted(guard(asks))
    assert [set(each.demands) for each in guard(asks, verifies).admit(Requests(), A, 8080)] == [{"https://login.abc.example"}]


def test_headers_with_two_values_contradict_each_other() -> None:
    found = guard(rules({**source(principals=[A]), "when": [{"key": "request.headers[x-version]", "values": ["v1"]}]}))
    assert admitted(found, requests=Requests(headers=(("x-version", "v1"),)))
    assert not admitted(found, requests=Requests(headers=(("x-version", "v2"),)))


def test_a_condition_that_is_not_followed_leaves_a_doubt() -> None:
    found = guard(rules(source(principals=[A], remoteIpBlocks=["192.0.2.0/24"])))
    assert [each.doubt for each in found.admit(Requests(path=parse("/x")), A, 8080)] == ["remote.ip"]


def test_mutual_tls_is_decided_by_the_nearest_policy() -> None:
    assert guard().mtls is Mtls.STRICT
    assert guard(without=("PeerAuthentication istio-system/default",)).mtls is Mtls.PERMISSIVE
    assert guard(peer_authentication("PERMISSIVE", "abc")).mtls is Mtls.PERMISSIVE
    assert guard(peer_authentication("UNSET", "abc")).mtls is Mtls.STRICT
    assert guard(peer_authentication("DISABLE", "abc", selector={"matchLabels": {"app": "c"}})).mtls is Mtls.STRICT
    found = guard(peer_authentication("STRICT", "abc", selector={"matchLabels": {"app": "b"}}, portLevelMtls={"8080": {"mode": "DISABLE"}}))
    assert (found.mtls, found.mtls_on(8080)) == (Mtls.STRICT, Mtls.DISABLE)


def test_a_pod_outside_every_mesh_has_no_guard() -> None:
    stack = stack_of(baseline("abc"))
    assert stack.guard(next(pod for pod in stack.pods if pod.namespace == "edge")) is None
