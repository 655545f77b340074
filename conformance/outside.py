"""A client outside the cluster: bytes on a socket, so that no library tidies up what is sent."""

import http.client
import socket
import ssl
import time
import warnings
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Final

from conformance.answer import Answer
from conformance.curl import Sent
from conformance.errors import NotRunError
from topology.derive.probes import Request, Scheme

LONGEST_BODY: Final = 65536
PATIENCE: Final = 2.0
"""Seconds to wait for somebody who may not be there."""
SCANNERS: Final = 128
SENDERS: Final = 8
"""Connections that send as fast as they can."""
VERSIONS: Final = {"1.0": ssl.TLSVersion.TLSv1, "1.1": ssl.TLSVersion.TLSv1_1}
SAYS_LENGTH: Final = frozenset({"content-length", "transfer-encoding"})


@dataclass(frozen=True, kw_only=True)
class Address:
    """Where the system is reached from outside."""

    host: str
    port: int

    def __str__(self) -> str:
        """Return `host:port`."""
        return f"{self.host}:{self.port}"


def answers(address: Address) -> bool:
    """Say whether anybody takes a connection there."""
    with suppress(OSError), socket.create_connection((address.host, address.port), timeout=PATIENCE):
        return True
    return False


def send(sent: Sent) -> Answer:
    """Send one request on a connection of its own."""
    began = time.monotonic()
    request = sent.request
    try:
        plain = socket.create_connection((sent.address, sent.port), timeout=request.seconds)
    except OSError as error:
        return Answer(error=str(error), seconds=time.monotonic() - began)
    try:
        with plain, secured(plain, request) if request.scheme is not Scheme.HTTP else plain as stream:
            stream.sendall(message(sent))
            answer = _raw(stream) if request.scheme is Scheme.RAW else _read(stream, request.method)
    except TimeoutError as error:
        return Answer(connected=True, silent=True, error=str(error), seconds=time.monotonic() - began)
    except (OSError, http.client.HTTPException) as error:
        return Answer(connected=True, error=f"{type(error).__name__}: {error}", seconds=time.monotonic() - began)
    return replace(answer, seconds=time.monotonic() - began)


def message(sent: Sent, *, keep: bool = False) -> bytes:
    """Return the bytes of a request. A header that the probe gives replaces the one that every request has."""
    request = sent.request
    if request.raw:
        credential = "".join(f"{name}: {value}\r\n" for name, value in sent.headers)
        return filled(request.raw, sent).replace(b"{credential}", credential.encode("latin-1", "replace"))
    given = {name.lower() for name, _ in sent.headers}
    lines = [f"{request.method} {sent.path} HTTP/1.1", f"Host: {request.host}"]
    lines += [f"{name}: {value}" for name, value in sent.headers]
    if "user-agent" not in given:
        lines.append("user-agent: perimeter-verify")
    if "accept" not in given:
        lines.append("accept: */*")
    if "connection" not in given and "upgrade" not in given and not keep:
        lines.append("connection: close")
    if request.body and not given & SAYS_LENGTH:
        lines.append(f"content-length: {len(request.body.encode())}")
    return ("\r\n".join(lines) + "\r\n\r\n" + request.body).encode("utf-8", "replace")


def filled(text: str, sent: Sent) -> bytes:
    """Return a text with the path, host and method of a request in their places."""
    for name, value in (("path", sent.path), ("host", sent.request.host), ("method", sent.request.method)):
        text = text.replace(f"{{{name}}}", value)
    return text.encode("latin-1", "replace")


def burst(sent: Sent) -> list[Answer]:
    """Send a request `count` times on some connections that are kept: at its `pace`, or as fast as can be."""
    request, share = sent.request, -(-sent.request.count // SENDERS)
    every = SENDERS / request.pace if request.pace else 0.0
    with ThreadPoolExecutor(SENDERS) as pool:
        jobs = [pool.submit(_keep_sending, sent, min(share, request.count - start), every) for start in range(0, request.count, share)]
        return [answer for job in jobs for answer in job.result()]


def scan(address: str, ports: tuple[int, ...], patience: float) -> Answer:
    """Return which ports of an address take a connection."""

    def open_(port: int) -> bool:
        with suppress(OSError), socket.create_connection((address, port), timeout=patience):
            return True
        return False

    began = time.monotonic()
    with ThreadPoolExecutor(SCANNERS) as pool:
        found = tuple(port for port, is_open in zip(ports, pool.map(open_, ports), strict=True) if is_open)
    return Answer(connected=bool(found), open_ports=found, seconds=time.monotonic() - began)


def secured(plain: socket.socket, request: Request, *, protocols: tuple[str, ...] = ()) -> ssl.SSLSocket:
    """Speak TLS on a connection, whoever is there, and offer these protocols by ALPN (RFC 7301)."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    if protocols:
        context.set_alpn_protocols(list(protocols))
    if request.tls:
        try:
            # Distributions turn old versions off for clients, too; level 0 turns them on again where they were built in.
            context.set_ciphers("ALL:@SECLEVEL=0")
            with warnings.catch_warnings(action="ignore", category=DeprecationWarning):  # that they are old is the point
                context.minimum_version = context.maximum_version = VERSIONS[request.tls]
        except (ValueError, ssl.SSLError) as error:
            raise NotRunError(f"this machine's OpenSSL cannot offer TLS {request.tls}") from error
    return context.wrap_socket(plain, server_hostname=request.sni or request.host)


def _read(stream: socket.socket, method: str) -> Answer:
    response = http.client.HTTPResponse(stream, method=method)
    response.begin()
    body = b"" if response.status == http.HTTPStatus.SWITCHING_PROTOCOLS else response.read(LONGEST_BODY)
    headers = tuple((name.lower(), value) for name, value in response.getheaders())
    return Answer(status=response.status, headers=headers, body=body.decode("utf-8", "replace"), connected=True)


def _raw(stream: socket.socket) -> Answer:
    """Read all that comes until the connection ends or falls silent."""
    received = b""
    with suppress(TimeoutError, OSError):
        while len(received) < LONGEST_BODY and (more := stream.recv(LONGEST_BODY)):
            received += more
    text = received.decode("latin-1")
    count = text.count("HTTP/1.1 ") + text.count("HTTP/1.0 ")
    first = text.split(" ", 2)[1:2]
    status = int(first[0]) if count and first and first[0].isdigit() else 0
    return Answer(status=status, body=text, connected=True, answers=count)


def _keep_sending(sent: Sent, count: int, every: float) -> list[Answer]:
    answers: list[Answer] = []
    start = time.monotonic()
    stream: socket.socket | None = None
    data = message(sent, keep=True)
    while len(answers) < count:
        time.sleep(max(0.0, start + len(answers) * every - time.monotonic()))
        began = time.monotonic()
        try:
            if stream is None:
                plain = socket.create_connection((sent.address, sent.port), timeout=sent.request.seconds)
                stream = secured(plain, sent.request)
            stream.sendall(data)
            answer = _read(stream, sent.request.method)
            if answer.header("connection") == "close":
                stream.close()
                stream = None
        except (OSError, http.client.HTTPException) as error:
            if stream is not None:
                stream.close()
            stream, answer = None, Answer(connected=True, error=str(error))
        answers.append(replace(answer, seconds=time.monotonic() - began))
    if stream is not None:
        stream.close()
    return answers
