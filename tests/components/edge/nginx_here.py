"""The edge's own files, run by a real nginx on loopback, in front of a stand-in for the API gateway that says what it received."""

import json
import os
import shutil
import socket
import ssl
import subprocess
import threading
import time
from collections.abc import Callable, Generator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from components.edge.nginx import config, waf
from components.edge.nginx.balancer import Balancer
from tests.ports import held_ports
from topology.model.system import Topology

RULE_FOLDERS = (Path("/opt/owasp-crs/rules"), Path("/usr/share/modsecurity-crs/rules"))
MODULES = (Path("/usr/share/nginx/modules/ngx_http_modsecurity_module.so"), Path("/etc/nginx/modules/ngx_http_modsecurity_module.so"))
NOBODY = "nobody.test.example"
"""A name in the edge's certificate that is no host of the system."""
NGINX = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin:/usr/local/sbin")


def missing() -> str:
    """Return what this machine lacks for running the edge, or an empty string."""
    lacks = [
        *([] if NGINX else ["nginx"]),
        *([] if any(path.exists() for path in MODULES) else ["nginx's ModSecurity module"]),
        *([] if any(path.is_dir() for path in RULE_FOLDERS) else ["the OWASP Core Rule Set"]),
        *([] if shutil.which("openssl") else ["openssl"]),
    ]
    return f"needs {', '.join(lacks)}" if lacks else ""


@dataclass
class Gateway:
    """The stand-in: it takes only clients with a certificate of the boundary's authority, and remembers every request."""

    port: int = 0
    seen: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])


@dataclass
class Answer:
    """What a client got."""

    status: int
    headers: list[tuple[str, str]]
    body: bytes

    def header(self, name: str) -> str | None:
        """Return the value of a header, or None."""
        return next((value for key, value in self.headers if key.lower() == name.lower()), None)

    @property
    def arrived(self) -> dict[str, Any]:
        """Return what the gateway received."""
        assert self.status == 200, (self.status, self.body)
        return json.loads(self.body)

    @property
    def forwarded(self) -> dict[str, str]:
        """Return the headers that the gateway received, names in small letters."""
        return {key.lower(): value for key, value in self.arrived["headers"]}


@dataclass
class Edge:
    """A running edge."""

    port: int
    health_port: int
    gateway: Gateway
    authority: Path
    log: Path
    """What it writes to its standard output."""

    def send(self, request: bytes, *, sni: str | None, alpn: str = "http/1.1", version: ssl.TLSVersion | None = None) -> Answer:
        """Send bytes as they are, over one connection, and read one answer."""
        context = ssl.create_default_context(cafile=str(self.authority))
        context.check_hostname = False
        context.set_alpn_protocols([alpn])
        if version is not None:
            context.maximum_version = version
        with (
            socket.create_connection(("127.0.0.1", self.port), timeout=20) as plain,
            context.wrap_socket(plain, server_hostname=sni) as stream,
        ):
            stream.sendall(request)
            return _read(stream)

    def pipeline(self, request: bytes, times: int, *, sni: str) -> list[int]:
        """Send a request again and again over one connection; return the statuses."""
        context = ssl.create_default_context(cafile=str(self.authority))
        with (
            socket.create_connection(("127.0.0.1", self.port), timeout=20) as plain,
            context.wrap_socket(plain, server_hostname=sni) as stream,
        ):
            reader = stream.makefile("rb")
            statuses: list[int] = []
            for _ in range(times):
                stream.sendall(request)
                statuses.append(int(reader.readline().split()[1]))
                length = 0
                while (line := reader.readline().strip().lower()) != b"":
                    if line.startswith(b"content-length:"):
                        length = int(line.split(b":")[1])
                reader.read(length)
            return statuses

    def health(self, path: str, *, host: str) -> int:
        """Return the status of the port that the kubelet asks."""
        with socket.create_connection(("127.0.0.1", self.health_port), timeout=20) as stream:
            stream.sendall(
                f"GET {path} HTTP/1.1\r\nHost: {host}\r\nUser-Agent: kube-probe/1.35\r\nAccept: */*\r\nConnection: close\r\n\r\n".encode()
            )
            return int(stream.makefile("rb").readline().split()[1])

    def ask(
        self,
        path: str,
        *headers: tuple[str, str],
        method: str = "GET",
        host: str,
        sni: str | None = None,
        body: bytes = b"",
    ) -> Answer:
        """Send one request; `host` is also the SNI unless `sni` says another."""
        lines = [f"{method} {path} HTTP/1.1", f"Host: {host}", "Connection: close", "User-Agent: test", "Accept: */*"]
        lines += [f"{name}: {value}" for name, value in headers]
        if body:
            lines.append(f"Content-Length: {len(body)}")
        return self.send("\r\n".join([*lines, "", ""]).encode("latin-1") + body, sni=sni or host)


def _read(stream: ssl.SSLSocket) -> Answer:
    reader = stream.makefile("rb")
    status = int(reader.readline().split()[1])
    headers: list[tuple[str, str]] = []
    while (line := reader.readline().rstrip(b"\r\n")) != b"":
        name, _, value = line.decode("latin-1").partition(": ")
        headers.append((name, value))
    body = b"" if status == 101 else reader.read()
    if any(name.lower() == "transfer-encoding" for name, _ in headers):
        body = _unchunk(body)
    return Answer(status, headers, body)


def _unchunk(body: bytes) -> bytes:
    whole = b""
    while body:
        size, _, rest = body.partition(b"\r\n")
        length = int(size, 16)
        whole, body = whole + rest[:length], rest[length + 2 :]
        if length == 0:
            break
    return whole


def render(  # noqa: PLR0913 # what stands around it
    t: Topology, folder: Path, *, gateway: int, port: int, health: int, balancer: Balancer | None = None
) -> Path:
    """Write the edge's files with this machine's paths and ports in place of the pod's."""
    rules = next(path for path in RULE_FOLDERS if path.is_dir())
    (folder / "tmp").mkdir(exist_ok=True)
    swaps = {
        "/tmp": str(folder / "tmp"),  # noqa: S108 # the text that is replaced
        config.DIRECTORY: str(folder),
        config.SERVER_CERTIFICATE: str(folder / "server"),
        config.CLIENT_CERTIFICATE: str(folder / "client"),
        waf.RULES: f"{rules}/*.conf",
        "listen 8443": f"listen 127.0.0.1:{port}",
        f"listen {config.HEALTH_PORT}": f"listen 127.0.0.1:{health}",
        "worker_processes 2;": "worker_processes 1;" + ("user root;" if os.getuid() == 0 else ""),
    }
    files = {
        "nginx.conf": config.nginx_conf(t, f"127.0.0.1:{gateway}", balancer),
        waf.FILE: waf.modsecurity_conf(t, config.DIRECTORY),
        waf.SETUP_FILE: waf.crs_setup_conf(t),
    }
    for name, text in files.items():
        here = text
        for old, new in swaps.items():
            here = here.replace(old, new)
        (folder / name).write_text(here)
    return folder / "nginx.conf"


def certificates(folder: Path, hosts: tuple[str, ...]) -> None:
    """Make one authority and what it signs for the edge's two sides and for the gateway."""

    def openssl(*arguments: str) -> None:
        subprocess.run(["openssl", *arguments], check=True, capture_output=True, cwd=folder)

    key = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes")
    openssl("req", "-x509", *key, "-subj", "/CN=authority", "-days", "2", "-keyout", "ca.key", "-out", "ca.crt")
    names = ",".join(f"DNS:{host}" for host in (*hosts, NOBODY))
    for name, alternative, usage in (
        ("server", names, "serverAuth"),
        ("client", "URI:spiffe://boundary/ns/edge/sa/edge", "clientAuth"),
        ("gateway", names, "serverAuth"),
    ):
        (folder / name).mkdir()
        (folder / f"{name}.ext").write_text(f"subjectAltName={alternative}\nextendedKeyUsage={usage}\n")
        openssl("req", *key, "-subj", f"/CN={name}", "-keyout", f"{name}/tls.key", "-out", f"{name}.csr")
        openssl("x509", "-req", "-in", f"{name}.csr", "-CA", "ca.crt", "-CAkey", "ca.key", "-CAcreateserial", "-days", "2",
                "-extfile", f"{name}.ext", "-out", f"{name}/tls.crt")  # fmt: skip
        shutil.copy(folder / "ca.crt", folder / name / "ca.crt")


@contextmanager
def running(t: Topology, folder: Path, stand_in: "StandIn | None" = None, balancer: Balancer | None = None) -> Generator[Edge]:
    """Run the edge of a system until the block ends, in front of a stand-in for the gateway; the tests are its clients, or the balancer."""
    assert NGINX is not None
    certificates(folder, t.public_hosts())
    with (stand_in or http_gateway)(folder) as gateway, held_ports(2) as (port, health):
        edge = Edge(port=port, health_port=health, gateway=gateway, authority=folder / "ca.crt", log=folder / "stdout")
        conf = render(t, folder, gateway=gateway.port, port=edge.port, health=edge.health_port, balancer=balancer)
        with edge.log.open("wb") as out, (folder / "stderr").open("wb") as err:
            process = subprocess.Popen([NGINX, "-e", "stderr", "-c", str(conf)], stdout=out, stderr=err)
        try:
            _wait(edge.health_port, process, folder / "stderr")
            yield edge
        finally:
            process.terminate()
            process.wait(timeout=20)


def check(t: Topology, folder: Path) -> str:
    """Have nginx read the files of a system; return what it says against them."""
    assert NGINX is not None
    certificates(folder, t.public_hosts())
    with held_ports(2) as (port, health):
        conf = render(t, folder, gateway=1, port=port, health=health)
        result = subprocess.run([NGINX, "-e", "stderr", "-t", "-q", "-c", str(conf)], check=False, capture_output=True, text=True)
    return result.stderr if result.returncode else ""


def _wait(port: int, process: subprocess.Popen[bytes], errors: Path) -> None:
    for _ in range(200):
        if process.poll() is not None:
            raise AssertionError(errors.read_text())
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    raise AssertionError(f"nginx did not listen: {errors.read_text()}")


StandIn = Callable[[Path], AbstractContextManager[Gateway]]


@contextmanager
def http_gateway(folder: Path) -> Generator[Gateway]:
    """Run a stand-in that speaks HTTP/1.1 and says what it received."""
    gateway = Gateway()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def answer(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            subject = self.connection.getpeercert() if isinstance(self.connection, ssl.SSLSocket) else None
            seen = {
                "method": self.command,
                "path": self.path,
                "headers": self.headers.items(),
                "length": len(body),
                "client": subject and [name for kind, name in subject.get("subjectAltName", ()) if kind == "URI"],
            }
            gateway.seen.append(seen)
            if self.headers.get("Upgrade"):
                self.send_response(101)
                self.send_header("Upgrade", self.headers["Upgrade"])
                self.send_header("Connection", "upgrade")
                self.end_headers()
                self.close_connection = True
                return
            text = json.dumps(seen).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(text)))
            self.send_header("x-envoy-upstream-service-time", "3")
            self.send_header("x-request-id", "from-inside")
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(text)

        do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = do_OPTIONS = answer

        def log_message(self, format: str, *args: Any) -> None:
            """Be silent."""

    class Server(ThreadingHTTPServer):
        daemon_threads = True

        def handle_error(self, request: Any, client_address: Any) -> None:
            """A client that goes away is no error."""

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "gateway" / "tls.crt", folder / "gateway" / "tls.key")
    context.load_verify_locations(folder / "ca.crt")
    context.verify_mode = ssl.CERT_REQUIRED
    server = Server(("127.0.0.1", 0), Handler)
    server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    gateway.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield gateway
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
