"""The only way out of a mesh."""

from tests.topology.derive.documents import relations
from topology.derive import egress, identity
from topology.derive.manifest import Manifest

TEXT = """
services:
  a: {calls: {b: [{methods: [GET], paths: [/b]}]}}
  b: {namespace: back}
egress:
  mail: {host: mail.example.org, services: [a, b]}
  bank: {host: bank.example.org, port: 8443, services: [a]}
"""


def by_kind() -> dict[tuple[str, str], Manifest]:
    return {(d["kind"], d["metadata"]["name"]): d for d in egress.documents(relations(TEXT), "main")}


def test_the_egress_gateway_admits_for_each_host_the_services_that_are_named() -> None:
    policy = identity.egress(relations(TEXT), "main")
    assert policy["spec"]["rules"] == [
        {
            "from": [{"source": {"principals": ["shop.example/ns/shop/sa/a", "shop.example/ns/back/sa/b"]}}],
            "to": [{"operation": {"hosts": ["mail.example.org", "mail.example.org:*"]}}],
        },
        {
            "from": [{"source": {"principals": ["shop.example/ns/shop/sa/a"]}}],
            "to": [{"operation": {"hosts": ["bank.example.org", "bank.example.org:*"]}}],
        },
    ]


def test_applications_ask_in_plain_http_for_a_host_that_is_asked_with_tls() -> None:
    documents = by_kind()
    mail, bank = (documents["ServiceEntry", host]["spec"] for host in ("mail.example.org", "bank.example.org"))
    assert mail["ports"] == [{"number": 80, "name": "http", "protocol": "HTTP", "targetPort": 443}]
    assert bank["ports"] == [{"number": 8443, "name": "http", "protocol": "HTTP", "targetPort": 8443}]
    assert mail["exportTo"] == [".", "back", "shop"]


def test_only_the_egress_gateway_speaks_to_the_host_and_checks_its_name_and_authority() -> None:
    rule = by_kind()["DestinationRule", "mail.example.org"]["spec"]
    assert rule["exportTo"] == ["."]
    assert rule["trafficPolicy"]["tls"] == {
        "mode": "SIMPLE",
        "sni": "mail.example.org",
        "subjectAltNames": ["mail.example.org"],
        "caCertificates": "/etc/ssl/certs/ca-certificates.crt",
    }


def test_a_call_goes_through_the_gateway_by_mutual_tls_under_the_host_s_name() -> None:
    documents = by_kind()
    to_gateway, to_host = documents["VirtualService", "mail.example.org"]["spec"]["http"]
    assert to_gateway["match"] == [{"gateways": ["mesh"], "port": 80}]
    assert to_gateway["route"][0]["destination"]["host"] == "egress.istio-egress.svc.cluster.local"
    assert to_host["match"] == [{"gateways": ["istio-egress/egress"]}]
    subset = documents["DestinationRule", "egress"]["spec"]["subsets"][0]
    assert subset == {"name": "mail", "trafficPolicy": {"tls": {"mode": "ISTIO_MUTUAL", "sni": "mail.example.org"}}}


def test_the_host_learns_nothing_of_callers_and_clients() -> None:
    removed = by_kind()["VirtualService", "mail.example.org"]["spec"]["http"][1]["headers"]["request"]["remove"]
    assert {"x-forwarded-client-cert", "x-forwarded-for", "x-perimeter-subject"} <= set(removed)


def test_a_mesh_from_which_nothing_goes_out_has_no_egress() -> None:
    assert list(egress.documents(relations("services: {a: {}}"), "main")) == []
