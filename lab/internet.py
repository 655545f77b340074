"""What plays every host outside: it takes each connection that leaves the node, with or without TLS, whatever address it was for.

Run as `python -m lab.internet` in a network namespace of its own, where all TCP connections are led to one port.
"""

import contextlib
import json
import re
import socket
import socketserver
import ssl
import threading
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any, Final

from lab.certificates import Authority, Pair
from lab.issuer import Issuer
from lab.settings import OUTSIDE, STATE, WAN_PORT

TLS_HANDSHAKE: Final = 0x16
"""First byte of a connection that speaks TLS (RFC 8446, section 5.1)."""
PATIENCE: Final = 60.0
"""Seconds after which a silent connection is closed."""
KEY_SET: Final = re.compile(r"/(jwks(\.json)?|keys|certs)$")
HOST: Final = re.compile(r"[a-z0-9]([a-z0-9.-]{0,250}[a-z0-9])?")
"""A name that may be the name of a file."""
DISCOVERY: Final = "/.well-known/openid-configuration"
FOLDER: Final = STATE / "internet"


class Certificates:
    """A certificate for whatever name a client asks for."""

    def __init__(self, authority: Authority, folder: Path) -> None:
        self._authority, self._folder = authority, folder
        self._contexts: dict[str, ssl.SSLContext] = {}
        self._lock = threading.Lock()

    def first(self) -> ssl.SSLContext:
        """Return the context that a handshake begins with; it changes to another when the client has said a name."""
        context = self.of(OUTSIDE)
        context.sni_callback = lambda session, name, _: self._choose(session, name)
        return context

    def of(self, name: str) -> ssl.SSLContext:
        """Return the context of a name."""
        with self._lock:
            if name not in self._contexts:
                pair = Pair.at(self._folder, name)
                self._authority.issue(pair, name, names=(name,))
                context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
                context.load_cert_chain(pair.certificate, pair.key)
                context.set_alpn_protocols(["http/1.1"])
                self._contexts[name] = context
            return self._contexts[name]

    def _choose(self, session: ssl.SSLObject | ssl.SSLSocket, name: str | None) -> None:
        if name and HOST.fullmatch(name.lower()):
            session.context = self.of(name.lower())


class Handler(BaseHTTPRequestHandler):
    """Answers key sets as an issuer, and everything else with what it was asked."""

    protocol_version = "HTTP/1.1"
    issuer = Issuer()

    def answer(self) -> None:
        """Answer any request."""
        path = self.path.split("?", 1)[0]
        host = self.headers.get("Host", OUTSIDE)
        about_keys = path == DISCOVERY or KEY_SET.search(path)
        if about_keys and self.issuer.outage.exists():
            self.close_connection = True
            return
        length = int(self.headers.get("Content-Length") or 0)
        self.rfile.read(length)
        if path == DISCOVERY:
            body: dict[str, Any] = {
                "issuer": f"https://{host}",
                "jwks_uri": f"https://{host}/.well-known/jwks.json",
                "id_token_signing_alg_values_supported": ["RS256", "ES256"],
            }
        elif about_keys:
            body = self.issuer.key_set()
        else:
            body = {
                "outside": True,
                "method": self.command,
                "path": self.path,
                "host": host,
                "tls": isinstance(self.connection, ssl.SSLSocket),
                "headers": dict(self.headers.items()),
            }
        data = json.dumps(body).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(data)

    do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = do_OPTIONS = answer


class Server(socketserver.ThreadingTCPServer):
    """One thread for each connection, which finds out by its first byte whether it speaks TLS."""

    allow_reuse_address = True
    daemon_threads = True
    request_queue_size = 256

    def __init__(self, address: tuple[str, int], certificates: Certificates) -> None:
        self._certificates = certificates
        super().__init__(address, Handler)

    def finish_request(self, request: socket.socket | tuple[bytes, socket.socket], client_address: Any) -> None:
        """Answer one connection."""
        assert isinstance(request, socket.socket)  # noqa: S101 # this is TCP
        request.settimeout(PATIENCE)
        with contextlib.suppress(OSError):  # a client that went away, or did not trust us
            first = request.recv(1, socket.MSG_PEEK)
            if first and first[0] == TLS_HANDSHAKE:
                with self._certificates.first().wrap_socket(request, server_side=True) as secure:
                    Handler(secure, client_address, self)
            elif first:
                Handler(request, client_address, self)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing of clients that went away."""


def main() -> None:
    """Answer until killed."""
    issuer = Issuer()
    FOLDER.mkdir(parents=True, exist_ok=True)
    with Server(("0.0.0.0", WAN_PORT), Certificates(issuer.prepare(), FOLDER)) as server:  # noqa: S104 # in a namespace of its own
        server.serve_forever()


if __name__ == "__main__":
    main()
