"""Certificates of the layers."""

from tests.topology.derive.documents import relations
from tests.topology.derive.test_bridge import HEAD, TEXT
from topology.derive import certificates, names
from topology.derive.manifest import Manifest

DOOR = """
services: {a: {}}
doors: {a: {methods: [GET], paths: [/a], service: a, auth: {apiKey: [standard]}}}
"""


def leaves(text: str = DOOR, public_issuer: str | None = None) -> dict[tuple[str, str], Manifest]:
    found = certificates.leaves(relations(text).t, public_issuer)
    return {(d["metadata"]["namespace"], d["metadata"]["name"]): d["spec"] for d in found}


def test_a_client_certificate_is_a_layer_s_identity_and_serves_nobody() -> None:
    gateway = leaves()["gateway", names.GATEWAY_CLIENT_SECRET]
    assert gateway["uris"] == ["spiffe://boundary/ns/gateway/sa/gateway"]
    assert gateway["usages"] == ["digital signature", "client auth"]


def test_a_server_certificate_bears_the_public_hosts_and_calls_nobody() -> None:
    ingress = leaves()["istio-ingress", names.INGRESS_SERVER_SECRET]
    assert ingress["dnsNames"] == ["api.shop.example"]
    assert ingress["usages"] == ["digital signature", "server auth"]


def test_what_clients_see_has_another_authority_than_the_hops_inside() -> None:
    found = leaves()
    assert found["edge", names.EDGE_SERVER_SECRET]["issuerRef"]["name"] == "perimeter-public"
    assert found["edge", names.EDGE_CLIENT_SECRET]["issuerRef"]["name"] == "perimeter-boundary"
    assert leaves(public_issuer="corporate")["edge", names.EDGE_SERVER_SECRET]["issuerRef"]["name"] == "corporate"


def test_every_key_is_made_anew_at_renewal() -> None:
    assert {leaf["privateKey"]["rotationPolicy"] for leaf in leaves().values()} == {"Always"}


def test_an_authority_stays_the_same_when_another_system_is_deployed() -> None:
    shop = relations(DOOR).t
    renamed = shop.model_copy(update={"system": "bank"})
    assert list(certificates.authorities(renamed)) == list(certificates.authorities(shop))


def test_a_mesh_without_doors_has_no_ingress_certificate() -> None:
    assert ("istio-ingress", names.INGRESS_SERVER_SECRET) not in leaves("services: {a: {}}")


def test_both_sides_of_a_bridge_have_a_certificate_of_its_own_authority() -> None:
    found = certificates.leaves(relations(TEXT, head=HEAD).t)
    bridges = {d["metadata"]["namespace"]: d["spec"] for d in found if d["metadata"]["name"] == names.BRIDGE_SECRET}
    assert {namespace: leaf["uris"] for namespace, leaf in bridges.items()} == {
        "east-bridge": ["spiffe://east.example/ns/east-bridge/sa/bridge"],
        "west-bridge": ["spiffe://west.example/ns/west-bridge/sa/bridge"],
    }
    assert {leaf["issuerRef"]["name"] for leaf in bridges.values()} == {"perimeter-bridge"}
