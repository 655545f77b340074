"""The only way out of a mesh."""

from ipaddress import IPv4Network

import pytest

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
TCP = """
services:
  a: {calls: {b: [{methods: [GET], paths: [/b]}]}}
  b: {namespace: back}
egress:
  books: {host: books.db.example, port: 5432, protocol: tcp, services: [a, b]}
  copies: {host: copies.db.example, port: 5432, protocol: tcp, services: [b]}
  mail: {host: mail.example.org, services: [a]}
"""


def by_kind(text: str = TEXT) -> dict[tuple[str, str], Manifest]:
    return {(d["kind"], d["metadata"]["name"]): d for d in egress.documents(relations(text), "main")}


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


def test_bytes_go_on_as_they_are_to_the_one_host_that_the_connection_asks_for() -> None:
    documents = by_kind(TCP)
    to_gateway, to_host = documents["VirtualService", "books.db.example"]["spec"]["tcp"]
    assert to_gateway["match"] == [{"gateways": ["mesh"], "port": 5432}]
    assert to_gateway["route"][0]["destination"]["subset"] == "books"
    assert to_host == {
        "match": [{"gateways": ["istio-egress/egress"], "port": 443}],
        "route": [{"destination": {"host": "books.db.example", "port": {"number": 5432}}}],
    }
    servers = {server["hosts"][0]: server["port"]["protocol"] for server in documents["Gateway", "egress"]["spec"]["servers"]}
    assert servers == {"./books.db.example": "TLS", "./copies.db.example": "TLS", "./mail.example.org": "HTTPS"}
    assert ("DestinationRule", "books.db.example") not in documents


def test_connections_are_admitted_by_the_name_that_they_ask_for() -> None:
    rules = identity.egress(relations(TCP), "main")["spec"]["rules"]
    assert [rule.get("when") for rule in rules] == [
        [{"key": "connection.sni", "values": ["books.db.example"]}],
        [{"key": "connection.sni", "values": ["copies.db.example"]}],
        None,
    ]


def test_each_host_of_one_port_has_a_virtual_address_that_its_callers_know_it_by() -> None:
    r, documents = relations(TCP), by_kind(TCP)
    books, copies = (documents["ServiceEntry", host]["spec"]["addresses"] for host in ("books.db.example", "copies.db.example"))
    assert books != copies
    assert egress.aliases(r, "a") == [{"ip": books[0], "hostnames": ["books.db.example"]}]
    assert egress.aliases(r, "b") == [
        {"ip": books[0], "hostnames": ["books.db.example"]},
        {"ip": copies[0], "hostnames": ["copies.db.example"]},
    ]
    assert "addresses" not in documents["ServiceEntry", "mail.example.org"]["spec"]


def test_another_host_changes_nobody_s_virtual_address() -> None:
    more = f"{TCP}  archive: {{host: archive.db.example, port: 5432, protocol: tcp, services: [a]}}\n"
    before, after = (egress.virtual_addresses(relations(text), "main") for text in (TCP, more))
    assert before.items() < after.items()


def test_hosts_that_would_have_one_virtual_address_have_two(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(egress, "VIRTUAL", IPv4Network("240.241.0.0/31"))
    assert set(egress.virtual_addresses(relations(TCP), "main").values()) == {"240.241.0.0", "240.241.0.1"}
