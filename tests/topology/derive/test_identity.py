"""Who may call whom."""

from tests.topology.derive.documents import HEAD, relations, spec
from topology.derive import identity

CHAIN = """
services:
  a: {calls: {b: [{methods: [GET], paths: ["/b/*", "/b/{*}/*"]}]}}
  b: {calls: {c: [{methods: [GET, POST], paths: [/c]}]}}
  c: {}
doors:
  a: {methods: [GET], paths: ["/a/*"], service: a, auth: {jwt: clients}, tiers: [standard]}
"""


def test_a_callee_names_each_caller_with_its_operations() -> None:
    assert spec(identity.callee(relations(CHAIN), "b")) == {
        "selector": {"matchLabels": {"app": "b"}},
        "action": "ALLOW",
        "rules": [
            {
                "from": [{"source": {"principals": ["shop.example/ns/shop/sa/a"]}}],
                "to": [{"operation": {"methods": ["GET"], "paths": ["/b/*", "/b/{*}/{**}"], "ports": ["8080"]}}],
            }
        ],
    }


def test_a_service_behind_a_door_is_called_by_the_ingress_and_by_nobody_else() -> None:
    (rule,) = spec(identity.callee(relations(CHAIN), "a"))["rules"]
    assert rule["from"] == [{"source": {"principals": ["shop.example/ns/istio-ingress/sa/ingress"]}}]


def test_a_rewritten_door_grants_the_path_that_the_service_sees() -> None:
    r = relations("""
services: {a: {}}
doors:
  a: {methods: [GET], paths: ["/v1/a/*"], rewrite: {prefix: /v1/, replacement: /}, service: a, auth: {apiKey: [standard]}}
""")
    (rule,) = spec(identity.callee(r, "a"))["rules"]
    assert rule["to"][0]["operation"]["paths"] == ["/a/*"]
    (entry,) = spec(identity.ingress(r, "main"))["rules"]
    assert entry["to"][0]["operation"]["paths"] == ["/v1/a/*"]


def test_a_service_without_callers_refuses_everyone() -> None:
    r = relations("""
services:
  a: {calls: {b: [{methods: [GET], paths: [/b]}]}}
  b: {}
""")
    assert spec(identity.callee(r, "a")) == {"selector": {"matchLabels": {"app": "a"}}, "action": "ALLOW"}


def test_a_grpc_callee_is_called_by_method_name() -> None:
    r = relations("""
services:
  a: {calls: {b: [{rpcs: [shop.Api/Get, shop.Admin/*]}]}}
  b: {protocol: grpc, port: 9090}
""")
    (rule,) = spec(identity.callee(r, "b"))["rules"]
    assert rule["to"] == [{"operation": {"methods": ["POST"], "paths": ["/shop.Api/Get", "/shop.Admin/*"], "ports": ["9090"]}}]


def test_a_tcp_callee_is_opened_by_port_alone() -> None:
    r = relations("""
services:
  a: {calls: {db: []}}
  db: {protocol: tcp, port: 5432}
""")
    (rule,) = spec(identity.callee(r, "db"))["rules"]
    assert rule["to"] == [{"operation": {"ports": ["5432"]}}]


def test_the_ingress_wants_the_gateway_s_certificate_and_on_a_jwt_door_the_issuer_s_token() -> None:
    (rule,) = spec(identity.ingress(relations(CHAIN), "main"))["rules"]
    assert rule == {
        "from": [{"source": {"principals": ["boundary/ns/gateway/sa/gateway"], "requestPrincipals": ["https://login.shop.example/*"]}}],
        "to": [{"operation": {"hosts": ["api.shop.example", "api.shop.example:*"], "methods": ["GET"], "paths": ["/a/*"]}}],
        "when": [{"key": "request.auth.claims[tier]", "values": ["standard"]}],
    }


def test_claims_that_an_issuer_requires_are_checked_at_the_ingress() -> None:
    head = HEAD.replace("tierClaim: tier", "requiredClaims: {scope: [buy, sell]}")
    (rule,) = spec(identity.ingress(relations(CHAIN, head=head), "main"))["rules"]
    assert rule["when"] == [
        {"key": "request.auth.claims[scope]", "values": ["buy", "sell"]},
    ]


def test_a_version_in_a_header_is_part_of_the_door() -> None:
    r = relations("""
services: {a: {}}
apis: {orders: {versionHeader: x-api-version, versions: {v2: {}}}}
doors:
  a: {methods: [GET], paths: [/a], service: a, auth: {public: for everybody to see}, api: {name: orders, version: v2}}
""")
    (rule,) = spec(identity.ingress(r, "main"))["rules"]
    assert rule["when"] == [{"key": "request.headers[x-api-version]", "values": ["v2"]}]
    assert "requestPrincipals" not in rule["from"][0]["source"]


def test_the_outside_token_is_verified_again_and_ends_at_the_ingress() -> None:
    (check,) = identity.token_checks(relations(CHAIN), "main")
    (rule,) = spec(check)["jwtRules"]
    assert rule["audiences"] == ["shop"]
    assert rule["forwardOriginalToken"] is False
    assert rule["outputClaimToHeaders"] == [
        {"header": "x-perimeter-subject", "claim": "sub"},
        {"header": "x-perimeter-tier", "claim": "tier"},
    ]


def test_a_mesh_without_jwt_doors_checks_no_token() -> None:
    r = relations("""
services: {a: {}}
doors: {a: {methods: [GET], paths: [/a], service: a, auth: {apiKey: [standard]}}}
""")
    assert list(identity.token_checks(r, "main")) == []


def test_a_mesh_allows_nothing_and_wants_mutual_tls() -> None:
    r = relations(CHAIN)
    assert spec(identity.allow_nothing(r.t, "main")) == {}
    assert spec(identity.strict(r.t, "main")) == {"mtls": {"mode": "STRICT"}}


def test_no_token_is_mounted_into_a_service() -> None:
    assert identity.service_account(relations(CHAIN).t, "a")["automountServiceAccountToken"] is False
