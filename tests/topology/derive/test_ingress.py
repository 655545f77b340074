"""The door of a mesh."""

from typing import Any

from tests.topology.derive.documents import relations, spec
from topology.derive import ingress
from topology.derive.relations import Relations

SERVICES = """
services:
  a: {versions: {v1: {weight: 50}, v2: {weight: 50}}, canary: {header: x-canary, value: 'true', version: v2}}
  b: {}
"""


def doors(text: str) -> Relations:
    return relations(SERVICES + "doors:\n" + text)


def http(r: Relations) -> list[dict[str, Any]]:
    (document,) = ingress.routes(r, "main")
    return spec(document)["http"]


def test_the_server_wants_the_gateway_s_certificate_and_answers_to_public_hosts_only() -> None:
    r = doors("  a: {host: a.shop.example, methods: [GET], paths: [/a], service: a, auth: {apiKey: [standard]}}\n")
    (server,) = spec(ingress.gateway(r, "main"))["servers"]
    assert server == {
        "port": {"number": 443, "name": "https", "protocol": "HTTPS"},
        "hosts": ["./a.shop.example", "./api.shop.example"],
        "tls": {
            "mode": "MUTUAL",
            "credentialName": "ingress-server",
            "subjectAltNames": ["spiffe://boundary/ns/gateway/sa/gateway"],
            "minProtocolVersion": "TLSV1_2",
        },
    }


def test_the_service_is_internal_and_leads_to_the_server_s_port() -> None:
    service = spec(ingress.mesh_gateway_service("ingress", "istio-ingress"))
    assert service["type"] == "ClusterIP"
    assert [(port["port"], port["targetPort"]) for port in service["ports"]] == [(443, 8443)]


def test_a_door_leads_to_its_service_by_canary_and_weights() -> None:
    canary, default = http(doors("  a: {methods: [GET], paths: ['/a/*'], service: a, auth: {apiKey: [standard]}}\n"))
    condition = {"uri": {"prefix": "/a/"}, "method": {"exact": "GET"}}
    assert canary["match"] == [{**condition, "headers": {"x-canary": {"exact": "true"}}}]
    assert default["match"] == [condition]
    assert [entry["weight"] for entry in default["route"]] == [50, 50]
    assert default["name"] == "a"


def test_a_door_to_one_version_ignores_canary_and_weights() -> None:
    (route,) = http(doors("  a: {methods: [GET], paths: [/a], service: a, version: v1, auth: {apiKey: [standard]}}\n"))
    assert route["route"] == [{"destination": {"host": "a.shop.svc.cluster.local", "port": {"number": 8080}, "subset": "v1"}}]


def test_narrower_paths_come_first_whatever_the_order_of_doors() -> None:
    routes = http(
        doors("""
  wide: {methods: [GET], paths: ["/x/*"], service: b, auth: {apiKey: [standard]}}
  one: {methods: [GET], paths: ["/x/{*}"], service: b, auth: {apiKey: [standard]}}
  exact: {methods: [GET], paths: [/x/y], service: b, auth: {apiKey: [standard]}}
  deep: {methods: [GET], paths: ["/x/y/*"], service: b, auth: {apiKey: [standard]}}
""")
    )
    assert [route["name"] for route in routes] == ["exact", "one", "deep", "wide"]
    assert routes[1]["match"][0]["uri"] == {"regex": "/x/[^/]+"}


def test_a_rewrite_replaces_the_beginning_of_the_path() -> None:
    (route,) = http(
        doors(
            "  b: {methods: [GET, POST], paths: ['/v1.2/b/*'], rewrite: {prefix: /v1.2/, replacement: /}, service: b, auth: {apiKey: [standard]}}\n"
        )
    )
    assert route["rewrite"] == {"uriRegexRewrite": {"match": r"^/v1\.2/", "rewrite": "/"}}
    assert route["match"] == [{"uri": {"prefix": "/v1.2/b/"}, "method": {"regex": "GET|POST"}}]


def test_identity_headers_that_nobody_vouches_for_are_removed() -> None:
    routes = http(
        doors("""
  token: {methods: [GET], paths: [/t], service: b, auth: {jwt: clients}, tiers: [standard]}
  key: {methods: [GET], paths: [/k], service: b, auth: {apiKey: [standard]}}
  open: {methods: [GET], paths: [/o], service: b, auth: {public: for everybody to see}}
""")
    )
    removed = {route["name"]: route["headers"]["request"]["remove"] for route in routes}
    assert removed == {
        "token": ["x-perimeter-consumer"],
        "key": ["x-perimeter-subject"],
        "open": ["x-perimeter-subject", "x-perimeter-tier", "x-perimeter-consumer"],
    }


def test_the_tier_of_a_key_is_said_by_the_ingress_for_the_proxy_takes_the_gateway_s_word_off() -> None:
    (route, *_) = http(doors("  a: {methods: [GET], paths: [/a], service: a, auth: {apiKey: [standard]}}\n"))
    assert route["headers"]["request"]["set"] == {"x-perimeter-tier": "standard"}


def test_versions_of_an_api_are_told_apart_by_their_header() -> None:
    r = relations(
        SERVICES
        + """
apis: {orders: {versionHeader: x-api-version, versions: {v1: {}, v2: {}}}}
doors:
  one: {methods: [GET], paths: [/o], service: b, auth: {apiKey: [standard]}, api: {name: orders, version: v1}}
  two: {methods: [GET], paths: [/o], service: a, version: v2, auth: {apiKey: [standard]}, api: {name: orders, version: v2}}
"""
    )
    matches = {route["name"]: route["match"][0]["headers"] for route in http(r)}
    assert matches == {"one": {"x-api-version": {"exact": "v1"}}, "two": {"x-api-version": {"exact": "v2"}}}


def test_what_a_service_says_to_browsers_ends_at_every_door() -> None:
    found = http(doors("  a: {methods: [GET], paths: ['/a/*'], service: a, auth: {apiKey: [standard]}}\n"))
    assert found
    for route in found:
        assert {"access-control-allow-origin", "access-control-allow-credentials", "access-control-expose-headers"} <= {
            *route["headers"]["response"]["remove"]
        }
