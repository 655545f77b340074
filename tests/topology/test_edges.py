"""The meaning of each system, against tables written by hand from the documents that the systems come from.

A row of a table: who calls whom, by which method, on which path. A row from outside goes on with the path that the client asks
for, where it is another one, and the credential it must show.
"""

import re
from collections import Counter
from pathlib import Path

import pytest

from topology.edges import ANY_PATH, INTERNET, TCP, Direction, Edge, edges, identity
from topology.load import load, parse
from topology.model.system import Topology

STACKS = Path(__file__).parents[2] / "stacks"

ABC = """
internet -> a    GET    /a/*    jwt https://login.abc.example
a -> b           GET    /b/*
b -> c           GET    /c/*
"""

IMAGING = """
internet -> dicom      GET     /dicom-web/studies                 jwt https://login.imaging.example
internet -> dicom      GET     /dicom-web/studies/*               jwt https://login.imaging.example
internet -> dicom      POST    /dicom-web/studies                 jwt https://login.imaging.example
internet -> ai-model   GET     /v1/analyses/{*}                   jwt https://login.imaging.example
internet -> report     GET     /v1/reports/{*}                    jwt https://login.imaging.example
internet -> report     PUT     /v1/reports/{*}                    jwt https://login.imaging.example
dicom -> ai-model      POST    /v1/analyses
ai-model -> dicom      GET     /dicom-web/studies/{*}/series/*
ai-model -> report     POST    /v1/reports
report -> ai-model     GET     /v1/analyses/{*}
"""

PAYMENTS = """
internet -> users        GET      /v1/users            jwt https://auth.example.com
internet -> users        GET      /v1/users/*          jwt https://auth.example.com
internet -> users        PATCH    /v1/users            jwt https://auth.example.com
internet -> users        PATCH    /v1/users/*          jwt https://auth.example.com
internet -> orders       GET      /v1/orders           jwt https://auth.example.com
internet -> orders       GET      /v1/orders/*         jwt https://auth.example.com
internet -> orders       POST     /v1/orders           jwt https://auth.example.com
internet -> orders       POST     /v1/orders/*         jwt https://auth.example.com
internet -> dashboard    GET      /v1/dashboard        jwt https://auth.example.com
internet -> orders       GET      /v1/orders           /partners/v1/orders      api-key
internet -> orders       GET      /v1/orders/*         /partners/v1/orders/*    api-key
internet -> orders       POST     /v1/orders           /partners/v1/orders      api-key
internet -> orders       POST     /v1/orders/*         /partners/v1/orders/*    api-key
internet -> catalogue    GET      /v1/catalogue/*      public
internet -> catalogue    HEAD     /v1/catalogue/*      public
orders -> users          GET      /v1/users/{*}
orders -> catalogue      GET      /v1/catalogue/items/{*}
orders -> payments       POST     /v1/payments/*
dashboard -> users       GET      /v1/users/me
dashboard -> orders      GET      /v1/orders/recent
payments -> api.cardnetwork.example:443    *    *
orders -> ledger.payments-data.example:5432    TCP    *
"""

BOOKINFO = """
internet -> productpage    GET     /productpage          public
internet -> productpage    GET     /static/*             public
internet -> productpage    GET     /api/v1/products      public
internet -> productpage    GET     /api/v1/products/*    public
internet -> productpage    POST    /login                public
internet -> productpage    GET     /logout               public
productpage -> details     GET     /details/{*}
productpage -> reviews     GET     /reviews/{*}
reviews -> ratings         GET     /ratings/{*}
"""

TABLES = {
    "abc": ("api.abc.example", "abc.example/ns/abc/sa/", ABC),
    "imaging": ("portal.imaging.example", "imaging.example/ns/imaging/sa/", IMAGING),
    "payments": ("api.example.com", "payments.example/ns/production/sa/", PAYMENTS),
    "bookinfo": ("bookinfo.example", "bookinfo.example/ns/bookinfo/sa/", BOOKINFO),
}


def system(name: str) -> Topology:
    return load(STACKS / f"{name}.topology.yaml")


def row(line: str, host: str, accounts: str) -> Edge:
    pair, method, path, *outside = re.split(r"\s{2,}", line.strip())
    source, target = pair.split(" -> ")
    if source == INTERNET:
        *entry, credential = outside
        return Edge(
            direction=Direction.NORTH_SOUTH,
            source=INTERNET,
            target=accounts + target,
            method=method,
            path=path,
            host=host,
            entry=entry[0] if entry else path,
            credential=credential,
        )
    if ":" in target:
        return Edge(direction=Direction.EGRESS, source=accounts + source, target=target, method=method, path=path)
    return Edge(direction=Direction.EAST_WEST, source=accounts + source, target=accounts + target, method=method, path=path)


@pytest.mark.parametrize("name", TABLES)
def test_a_system_means_exactly_the_calls_of_its_table(name: str) -> None:
    host, accounts, table = TABLES[name]
    expected = {row(line, host, accounts) for line in table.strip().splitlines()}
    assert edges(system(name)) == expected


BANKING = "banking.brokerage.example/ns/banking/sa/"
TRADING = "trading.brokerage.example/ns/trading/sa/"


def test_the_brokerage_has_25_services_in_the_banking_mesh_and_18_in_the_trading_mesh() -> None:
    t = system("brokerage")
    assert Counter(service.mesh for service in t.services.values()) == {"banking": 25, "trading": 18}
    assert {t.meshes[mesh].trust_domain for mesh in t.meshes} == {"banking.brokerage.example", "trading.brokerage.example"}


def test_the_brokerage_means_as_many_calls_in_each_direction_as_its_file_lists() -> None:
    assert Counter(edge.direction for edge in edges(system("brokerage"))) == {
        Direction.NORTH_SOUTH: 28,
        Direction.EAST_WEST: 72,
        Direction.BRIDGE: 4,
        Direction.EGRESS: 9,
    }


def test_the_brokerage_crosses_between_its_authorities_four_times() -> None:
    crossings = {(e.source, e.target, e.method, e.path) for e in edges(system("brokerage")) if e.direction is Direction.BRIDGE}
    assert crossings == {
        (f"{TRADING}portfolio", f"{BANKING}account", "GET", "/v1/accounts/{*}/balance"),
        (f"{TRADING}margin", f"{BANKING}account", "GET", "/v1/accounts/{*}/balance"),
        (f"{TRADING}settlement", f"{BANKING}transfer", "POST", "/v1/transfers"),
        (f"{BANKING}statement-generator", f"{TRADING}portfolio", "GET", "/v2.0/portfolios/{*}/holdings"),
    }


def test_no_east_west_call_of_the_brokerage_joins_two_trust_domains() -> None:
    for edge in edges(system("brokerage")):
        if edge.direction is Direction.EAST_WEST:
            assert edge.source.split("/")[0] == edge.target.split("/")[0]


@pytest.mark.parametrize(
    "edge",
    [
        # What a mobile user's question about buying power crosses.
        Edge(
            direction=Direction.NORTH_SOUTH,
            source=INTERNET,
            target=f"{TRADING}portfolio",
            method="GET",
            path="/v2.0/portfolios/{*}/buying-power",
            host="api.brokerage.example",
            entry="/v2.0/portfolios/{*}/buying-power",
            credential="jwt https://login.brokerage.example",
        ),
        # The old app asks an older path, and the service sees its own.
        Edge(
            direction=Direction.NORTH_SOUTH,
            source=INTERNET,
            target=f"{TRADING}portfolio",
            method="GET",
            path="/v1/portfolios/*",
            host="api.brokerage.example",
            entry="/v1.2/portfolio/*",
            credential="jwt https://login.brokerage.example",
        ),
        # Two versions of the partner API, told apart by a header, are one call.
        Edge(
            direction=Direction.NORTH_SOUTH,
            source=INTERNET,
            target=f"{TRADING}pricing",
            method="GET",
            path="/prices/{*}",
            host="partners.brokerage.example",
            entry="/prices/{*}",
            credential="api-key",
        ),
        # gRPC is POST on the method's name, at a door as in the mesh.
        Edge(
            direction=Direction.NORTH_SOUTH,
            source=INTERNET,
            target=f"{TRADING}market-data",
            method="POST",
            path="/trading.marketdata.v1.MarketData/Subscribe",
            host="stream.brokerage.example",
            entry="/trading.marketdata.v1.MarketData/Subscribe",
            credential="jwt https://login.brokerage.example",
        ),
        Edge(
            direction=Direction.EAST_WEST,
            source=f"{TRADING}orders",
            target=f"{TRADING}order-execution",
            method="POST",
            path="/trading.execution.v1.Execution/*",
        ),
        Edge(
            direction=Direction.EAST_WEST,
            source=f"{BANKING}ledger",
            target=f"{BANKING}ledger-store",
            method=TCP,
            path=ANY_PATH,
        ),
        Edge(direction=Direction.EAST_WEST, source=f"{TRADING}orders", target=f"{TRADING}inventory", method="POST", path="/v1/locates"),
        Edge(
            direction=Direction.EGRESS,
            source=f"{BANKING}card-authorization",
            target="gateway.cardscheme.example:8443",
            method="*",
            path=ANY_PATH,
        ),
    ],
    ids=lambda edge: f"{edge.source.split('/')[-1]}-{edge.target.split('/')[-1]}",
)
def test_the_brokerage_means_this_call(edge: Edge) -> None:
    assert edge in edges(system("brokerage"))


@pytest.mark.parametrize(
    ("name", "source", "target"),
    [
        ("abc", "a", "c"),
        ("abc", "b", "a"),
        ("abc", "c", "b"),
        ("abc", INTERNET, "b"),
        ("imaging", "dicom", "report"),
        ("imaging", "report", "dicom"),
        ("payments", INTERNET, "payments"),
        ("payments", "users", "payments"),
        ("payments", "dashboard", "payments"),
        ("bookinfo", "productpage", "ratings"),
        ("bookinfo", INTERNET, "reviews"),
        ("brokerage", "account", "ledger-store"),
        ("brokerage", "orders", "account"),
        ("brokerage", "account", "portfolio"),
        ("brokerage", INTERNET, "ledger"),
    ],
)
def test_what_is_not_drawn_is_refused(name: str, source: str, target: str) -> None:
    t = system(name)
    caller = source if source == INTERNET else identity(t, source)
    assert not [edge for edge in edges(t) if (edge.source, edge.target) == (caller, identity(t, target))]


def test_only_orders_may_ask_for_payments_and_only_to_pay() -> None:
    t = system("payments")
    assert {(e.source, e.method, e.path) for e in edges(t) if e.target == identity(t, "payments")} == {
        ("payments.example/ns/production/sa/orders", "POST", "/v1/payments/*")
    }


NAMESPACES = """
system: shop
hosts: [api.shop.example]
meshes:
  east: {{trustDomain: east.example, controlPlane: istio-east, ingress: east-in, egress: east-out, bridge: east-bridge, namespace: floor}}
  west: {{trustDomain: west.example, controlPlane: istio-west, ingress: west-in, egress: west-out, bridge: west-bridge}}
services:
  web: {{mesh: {mesh}{namespace}, calls: {{db: []}}}}
  db: {{mesh: {mesh}{namespace}, protocol: tcp}}
  other: {{mesh: {rest}, calls: {{sink: []}}, namespace: cellar}}
  sink: {{mesh: {rest}, protocol: tcp, namespace: cellar}}
"""


@pytest.mark.parametrize(
    ("mesh", "rest", "namespace", "expected"),
    [
        ("east", "west", ", namespace: own", "east.example/ns/own/sa/web"),
        ("east", "west", "", "east.example/ns/floor/sa/web"),
        ("west", "east", "", "west.example/ns/shop/sa/web"),
    ],
)
def test_an_identity_has_the_namespace_of_the_service_else_of_its_mesh_else_of_the_system(
    mesh: str, rest: str, namespace: str, expected: str
) -> None:
    t = parse(NAMESPACES.format(mesh=mesh, rest=rest, namespace=namespace))
    assert identity(t, "web") == expected
