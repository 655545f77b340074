"""Servers of this process that stand for a system, and a place of this machine from which they are asked."""

import json
import shutil
import ssl
import subprocess
import threading
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from conformance.addressing import Addressing
from conformance.certificates import Certificates
from conformance.cluster import Cluster
from conformance.credentials import ApiKeys, Nobody
from conformance.curl import Shell
from conformance.outside import Address
from conformance.runner import Result, Runner
from conformance.vantages import Vantages
from conformance.verify import quiet
from topology.derive.probes import Certificate, Expectation, Family, Place, Pods, Probe, Request, Stage, Vantage
from topology.derive.probes.target import At, Target

with_curl = pytest.mark.skipif(shutil.which("curl") is None, reason="no curl on this machine: probes bring it in an image of their own")
CLUSTER = Cluster(kubectl="no-kubectl-here")
POD = Vantage(place=Place.POD, pods=Pods(namespace="abc", label="app", value="a"))


def shell(script: str) -> str:
    """Run a script here, as a probe's container runs it there."""
    return subprocess.run(["sh"], input=script, capture_output=True, text=True, check=False).stdout


class Here(Vantages):
    """The probes' place is a shell of this machine."""

    def open(self, wanted: object) -> None:
        """Open nothing."""

    def shell(self, vantage: Vantage) -> Shell:
        """Return a shell of this machine."""
        return shell


def asked(vantages: Vantages, public: Address, *probes: Probe) -> list[Result]:
    """Run probes from these places, at this public address, and return the word on each."""
    addressing = Addressing(
        public=public,
        address_of=vantages.address,
        issuer=Nobody(),
        keys=ApiKeys(CLUSTER, None),
        certificates=Certificates(CLUSTER),
    )
    return Runner(vantages=vantages, addressing=addressing, pace=1000, tell=quiet).run(probes)


def asked_here(probe: Probe) -> Result:
    """Run a probe from this machine and return the word on it."""
    (result,) = asked(Here(CLUSTER, ""), Address(host="127.0.0.1", port=1), probe)
    return result


def probe_of(port: int, family: Family, expect: Expectation, request: Request, stage: Stage = Stage.PLAIN) -> Probe:
    """Return a probe of a server of this machine by one of its pods."""
    target = Target(at=At.NAME, name="127.0.0.1", port=port)
    return Probe(id="a-probe", family=family, vantage=POD, target=target, request=request, expect=expect, why="a test", stage=stage)


class Quiet(BaseHTTPRequestHandler):
    """Answers with a status and a text, and writes no log."""

    protocol_version = "HTTP/1.1"

    def answer(self, status: int, body: str) -> None:
        """Send an answer."""
        self.send_response(status)
        self.send_header("content-length", str(len(body.encode())))
        self.end_headers()
        self.wfile.write(body.encode())

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


@contextmanager
def serving(handler: type[Quiet], tls: ssl.SSLContext | None = None) -> Generator[int]:
    """Run a server on a port of the loopback until the block ends; yield the port."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    if tls is not None:
        server.socket = tls.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield server.server_address[1]
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


NGINX = "<html>\r\n<head><title>{0}</title></head>\r\n<body>\r\n<center><h1>{0}</h1></center>\r\n<hr><center>nginx</center>\r\n</body>\r\n</html>\r\n"


@dataclass
class System:
    """What the server was asked, and how it answers."""

    address: Address
    paths: list[str] = field(default_factory=list[str])
    limit: int = 0
    """Requests that are let in; 0: all."""


@contextmanager
def running(folder: Path, limit: int = 0) -> Generator[System]:
    """Run a system that echoes below `/open`, below `/moving` once it was asked before, and refuses everything else as the edge and the gateway do."""
    for name, text in Certificates(Cluster()).get(Certificate.SELF_MADE):
        (folder / name).write_text(text)

    class Handler(Quiet):
        system: System

        def do_GET(self) -> None:
            self.system.paths.append(self.path)
            over = self.system.limit and len(self.system.paths) > self.system.limit
            if over:
                self.answer(429, "local_rate_limited")
            elif self.path.startswith("/moving") and self.system.paths.count(self.path) == 1:
                self.answer(503, "upstream connect error or disconnect/reset before headers. reset reason: connection termination")
            elif self.path.startswith(("/open", "/moving")):
                headers = {key: [value] for key, value in self.headers.items()}
                self.answer(200, json.dumps({"service": "a-v1-5d4-x", "method": "GET", "path": self.path, "headers": headers}))
            elif self.path.startswith("/token"):
                self.answer(401, "Jwt is missing")
            else:
                self.answer(404, NGINX.format("404 Not Found"))

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "cert", folder / "key")
    with serving(Handler, context) as port:
        Handler.system = System(address=Address(host="127.0.0.1", port=port), limit=limit)
        yield Handler.system
