import http.client
import json
import ssl
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from lab.internet import Certificates, Handler, Server
from lab.issuer import Issuer


def _say_nothing(*_: object) -> None:
    pass


@pytest.fixture
def issuer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Issuer:
    made = Issuer(folder=tmp_path / "keys", outage=tmp_path / "outage", rotated=tmp_path / "rotated")
    monkeypatch.setattr(Handler, "issuer", made)
    monkeypatch.setattr(Handler, "log_message", _say_nothing)
    return made


@pytest.fixture
def port(issuer: Issuer, tmp_path: Path) -> Iterator[int]:
    with Server(("127.0.0.1", 0), Certificates(issuer.prepare(), tmp_path)) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
        thread.start()
        yield server.server_address[1]
        server.shutdown()
        thread.join()


def get(connection: http.client.HTTPConnection, path: str, host: str) -> dict[str, Any]:
    connection.request("GET", path, headers={"Host": host})
    answer: dict[str, Any] = json.loads(connection.getresponse().read())
    return answer


def secure(port: int, issuer: Issuer, name: str) -> http.client.HTTPSConnection:
    """Return a connection that verifies the certificate for a name, whatever address it goes to."""

    class Named(ssl.SSLContext):
        def wrap_socket(self, *given: Any, **options: Any) -> ssl.SSLSocket:
            return super().wrap_socket(*given, **{**options, "server_hostname": name})

    context = Named(ssl.PROTOCOL_TLS_CLIENT)
    context.load_verify_locations(issuer.ca)
    return http.client.HTTPSConnection("127.0.0.1", port, context=context, timeout=10)


def test_any_name_is_answered_with_a_certificate_of_its_own(port: int, issuer: Issuer) -> None:
    for name in ("api.cardnetwork.example", "login.shop.example"):
        connection = secure(port, issuer, name)
        answer = get(connection, "/v1/charges?x=1", name)
        connection.close()
        assert (answer["host"], answer["path"], answer["tls"]) == (name, "/v1/charges?x=1", True)


def test_the_same_port_answers_without_tls(port: int) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    assert get(connection, "/latest/meta-data", "169.254.169.254")["tls"] is False
    connection.close()


@pytest.mark.parametrize("path", ["/.well-known/jwks.json", "/oauth2/v1/keys", "/certs", "/realms/x/protocol/openid-connect/certs?y=1"])
def test_a_key_set_is_served_wherever_one_is_asked_for(port: int, issuer: Issuer, path: str) -> None:
    connection = secure(port, issuer, "login.shop.example")
    assert get(connection, path, "login.shop.example") == issuer.key_set()
    connection.close()


def test_new_keys_are_served_as_soon_as_the_issuer_has_them(port: int, issuer: Issuer) -> None:
    for change in (issuer.rotate, issuer.withdraw, issuer.restore):
        change()
        connection = secure(port, issuer, "login.shop.example")
        assert get(connection, "/.well-known/jwks.json", "login.shop.example") == issuer.key_set()
        connection.close()


def test_discovery_names_the_host_as_issuer(port: int, issuer: Issuer) -> None:
    connection = secure(port, issuer, "login.shop.example")
    assert get(connection, "/.well-known/openid-configuration", "login.shop.example")["issuer"] == "https://login.shop.example"
    connection.close()


def test_during_an_outage_only_the_key_set_is_gone(port: int, issuer: Issuer) -> None:
    issuer.stop()
    connection = secure(port, issuer, "login.shop.example")
    with pytest.raises(http.client.RemoteDisconnected):
        get(connection, "/jwks", "login.shop.example")
    connection.close()
    connection = secure(port, issuer, "api.cardnetwork.example")
    assert get(connection, "/", "api.cardnetwork.example")["outside"] is True
    connection.close()
    issuer.start()
