"""A server of this process that stands for a system: TLS on a port of the loopback, answers by path."""

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

from conformance.certificates import Certificates
from conformance.cluster import Cluster
from conformance.outside import Address
from topology.derive.probes import Certificate

with_curl = pytest.mark.skipif(shutil.which("curl") is None, reason="no curl on this machine: probes bring it in an image of their own")


def shell(script: str) -> str:
    """Run a script here, as a probe's container runs it there."""
    return subprocess.run(["sh"], input=script, capture_output=True, text=True, check=False).stdout


NGINX = "<html>\r\n<head><title>{0}</title></head>\r\n<body>\r\n<center><h1>{0}</h1></center>\r\n<hr><center>nginx</center>\r\n</body>\r\n</html>\r\n"


@dataclass
class System:
    """What the server was asked, and how it answers."""

    address: Address
    paths: list[str] = field(default_factory=list[str])
    limit: int = 0
    """Requests that are let in; 0: all."""


@contextmanager
def running(folder: Path, limit: int = 0) -> Generator[System, None, None]:
    """Run a system that echoes below `/open`, below `/moving` once it was asked before, and refuses everything else as the edge and the gateway do."""
    pem = dict(Certificates(Cluster()).get(Certificate.SELF_MADE))
    for name, text in pem.items():
        (folder / name).write_text(text)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        system: System

        def do_GET(self) -> None:
            self.system.paths.append(self.path)
            over = self.system.limit and len(self.system.paths) > self.system.limit
            if over:
                self._answer(429, "local_rate_limited")
            elif self.path.startswith("/moving") and self.system.paths.count(self.path) == 1:
                self._answer(503, "upstream connect error or disconnect/reset before headers. reset reason: connection termination")
            elif self.path.startswith(("/open", "/moving")):
                headers = {key: [value] for key, value in self.headers.items()}
                self._answer(200, json.dumps({"service": "a-v1-5d4-x", "method": "GET", "path": self.path, "headers": headers}))
            elif self.path.startswith("/token"):
                self._answer(401, "Jwt is missing")
            else:
                self._answer(404, NGINX.format("404 Not Found"))

        def _answer(self, status: int, body: str) -> None:
            self.send_response(status)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body.encode())

        def log_message(self, format: str, *args: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "cert", folder / "key")
    server.socket = context.wrap_socket(server.socket, server_side=True)
    Handler.system = System(address=Address(host="127.0.0.1", port=server.server_address[1]), limit=limit)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield Handler.system
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
