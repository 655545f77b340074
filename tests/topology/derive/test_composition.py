"""One answer made from several services, by a real nginx where the machine has one."""

import contextlib
import functools
import json
import shutil
import socket
import subprocess
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from tests.ports import held_ports
from tests.topology.derive.documents import IMAGES, relations, spec
from topology.derive import composition
from topology.derive.composition import DIRECTORY
from topology.derive.relations import Relations

TEXT = """
services: {users: {}, orders: {port: 9000}}
compositions:
  dashboard: {parts: {users: {service: users, path: /v1/users}, orders: {service: orders, path: /v1/orders}}}
"""


def system() -> Relations:
    return relations(TEXT)


def test_each_part_is_asked_of_its_service_under_its_name() -> None:
    config = composition.configuration(system(), system().t.compositions["dashboard"])
    assert "proxy_pass http://users.shop.svc.cluster.local:8080/v1/users;" in config["nginx.conf"]
    assert "proxy_pass http://orders.shop.svc.cluster.local:9000/v1/orders;" in config["nginx.conf"]
    assert config["answer.json"].startswith('{"users":<!--# include virtual="/part/users" -->,')


def test_another_configuration_restarts_the_pods() -> None:
    def annotation(text: str) -> str:
        documents = list(composition.workload(relations(text), "dashboard", IMAGES))
        return spec(documents[-1])["template"]["metadata"]["annotations"]["perimeter.dev/config"]

    assert annotation(TEXT) != annotation(TEXT.replace("/v1/orders", "/v2/orders"))


class Part(BaseHTTPRequestHandler):
    """A service: answers with what it was asked and by whom, or with a failure."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        body = json.dumps({"path": self.path, "subject": self.headers["x-perimeter-subject"]}).encode()
        self.send_response(200 if "orders" not in self.path else self.server.status)  # type: ignore[attr-defined]
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


@contextlib.contextmanager
def part(status: int) -> Iterator[int]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Part)
    server.status = status  # type: ignore[attr-defined]
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield server.server_port
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@contextlib.contextmanager
def running(folder: Path, upstream: int) -> Iterator[str]:
    with held_ports(1) as (port,), composing(folder, upstream, port):
        yield f"http://127.0.0.1:{port}"


@contextlib.contextmanager
def composing(folder: Path, upstream: int, port: int) -> Iterator[None]:
    files = composition.configuration(system(), system().t.compositions["dashboard"])
    here = {
        "/tmp/": f"{folder}/",  # noqa: S108 # what is replaced, not used
        DIRECTORY: str(folder),
        "users.shop.svc.cluster.local:8080": f"127.0.0.1:{upstream}",
        "orders.shop.svc.cluster.local:9000": f"127.0.0.1:{upstream}",
        "listen 8080": f"listen 127.0.0.1:{port}",
    }
    for name, text in files.items():
        (folder / name).write_text(functools.reduce(lambda done, pair: done.replace(*pair), here.items(), text))
    folder.chmod(0o755)
    nginx = subprocess.Popen(["nginx", "-c", str(folder / "nginx.conf"), "-g", "daemon off; user root;"], stderr=subprocess.DEVNULL)
    try:
        for _ in range(100):
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port)):
                break
            time.sleep(0.05)
        yield
    finally:
        nginx.terminate()
        nginx.wait()


def get(url: str, method: str = "GET", **headers: str) -> tuple[int, str]:
    request = urllib.request.Request(url, method=method, headers=headers)  # noqa: S310 # our own nginx
    try:
        with urllib.request.urlopen(request) as answer:  # noqa: S310 # our own nginx
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read().decode()


with_nginx = pytest.mark.skipif(shutil.which("nginx") is None, reason="no nginx on this machine")


@with_nginx
def test_the_answers_of_all_parts_become_one(tmp_path: Path) -> None:
    with part(200) as upstream, running(tmp_path, upstream) as url:
        conditional = {"Range": "bytes=0-3", "If-None-Match": '"x"', "Accept-Encoding": "gzip", "x-perimeter-subject": "joe"}
        status, body = get(f"{url}/dashboard?admin=1", **conditional)
    assert status == 200
    assert json.loads(body) == {
        "users": {"path": "/v1/users", "subject": "joe"},
        "orders": {"path": "/v1/orders", "subject": "joe"},
    }


@with_nginx
@pytest.mark.parametrize("failure", [302, 304, 403, 404, 429, 500, 503])
def test_a_part_that_fails_is_null(tmp_path: Path, failure: int) -> None:
    with part(failure) as upstream, running(tmp_path, upstream) as url:
        status, body = get(f"{url}/dashboard")
    assert status == 200
    assert json.loads(body)["orders"] is None
    assert json.loads(body)["users"]["path"] == "/v1/users"


@with_nginx
def test_nothing_but_reading_is_answered_and_parts_cannot_be_asked_for(tmp_path: Path) -> None:
    with part(200) as upstream, running(tmp_path, upstream) as url:
        assert get(f"{url}/dashboard", "POST")[0] == 405
        assert get(f"{url}/part/users")[1] == "null"
