"""Servers of this process that speak HTTP/2 and keep no rule of it: they take whatever request comes, and answer as they are told."""

import base64
import json
import socket
import ssl
import threading
from collections.abc import Callable, Generator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from hpack import Decoder, Encoder
from hyperframe.frame import DataFrame, Frame, GoAwayFrame, HeadersFrame, PingFrame, RstStreamFrame, SettingsFrame

from conformance.certificates import Certificates
from conformance.cluster import Cluster
from conformance.outside import Address
from topology.derive.probes import Certificate

PREFACE = len(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")
Fields = list[tuple[str, str]]


@dataclass
class Asked:
    """A request as it arrived."""

    number: int
    stream: int
    fields: Fields
    data: bytes = b""


@dataclass
class Server:
    """What was asked."""

    address: Address
    asked: list[Asked] = field(default_factory=list[Asked])


Behaviour = Callable[[Asked], list[Frame]]
"""Returns the frames that answer a request. No frame at all: the connection is closed; an empty PING: nothing is said."""
SILENCE: list[Frame] = [PingFrame(flags=["ACK"])]


def answer(asked: Asked, status: int, body: str) -> list[Frame]:
    """Return the frames of an answer."""
    head = [(":status", str(status)), ("content-length", str(len(body)))]
    return [_headers(asked, head), DataFrame(asked.stream, body.encode(), flags=["END_STREAM"])]


def rpc_answer(asked: Asked, status: int, told: str) -> list[Frame]:
    """Return the frames of an answer of gRPC: a failure is one frame, a success a message between headers and trailers."""
    head = [(":status", "200"), ("content-type", "application/grpc"), ("x-echo-bin", base64.b64encode(told.encode()).decode().rstrip("="))]
    end = ("grpc-status", str(status))
    if status:
        return [_headers(asked, [*head, end], "END_STREAM")]
    return [_headers(asked, head), DataFrame(asked.stream, asked.data), _headers(asked, [end], "END_STREAM")]


def _headers(asked: Asked, fields: Fields, *flags: str) -> HeadersFrame:
    """Return a frame of fields that no table keeps, so that each is encoded for itself."""
    block = Encoder().encode([(name, value, True) for name, value in fields])
    return HeadersFrame(asked.stream, block, flags=["END_HEADERS", *flags])


def lax(asked: Asked) -> list[Frame]:
    """Take any request, and say as a service would what arrived."""
    headers: dict[str, list[str]] = {}
    for name, value in asked.fields:
        headers.setdefault(name, []).append(value)
    method, path = (headers.get(name, [""])[-1] for name in (":method", ":path"))
    return answer(asked, 200, json.dumps({"service": "a-v1-5d4-x", "method": method, "path": path, "headers": headers}))


def reset(asked: Asked) -> list[Frame]:
    """Refuse a request alone."""
    return [RstStreamFrame(asked.stream, error_code=1)]


def go_away(asked: Asked) -> list[Frame]:
    """Refuse a request and the connection with it."""
    return [GoAwayFrame(0, last_stream_id=0, error_code=11)]


def silent(_asked: Asked) -> list[Frame]:
    """Say nothing."""
    return SILENCE


def close(_asked: Asked) -> list[Frame]:
    """Close the connection without a word."""
    return []


def first_then(first: Behaviour, then: Behaviour) -> Behaviour:
    """Answer the first request otherwise than those after it."""
    return lambda asked: (first if asked.number == 1 else then)(asked)


@contextmanager
def running(folder: Path, behaviour: Behaviour, protocol: str = "h2") -> Generator[Server]:
    """Run a server until the block ends; `protocol` is what it chooses by ALPN."""
    for name, text in Certificates(Cluster()).get(Certificate.SELF_MADE):
        (folder / name).write_text(text)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "cert", folder / "key")
    context.set_alpn_protocols([protocol])
    with socket.create_server(("127.0.0.1", 0)) as listening:
        listening.settimeout(0.05)
        server = Server(address=Address(host="127.0.0.1", port=listening.getsockname()[1]))
        ended = threading.Event()

        def serve() -> None:
            while not ended.is_set():
                with suppress(OSError):
                    plain, _ = listening.accept()
                    plain.settimeout(10)
                    with plain, context.wrap_socket(plain, server_side=True) as stream:
                        if stream.selected_alpn_protocol() == "h2":
                            _converse(server, stream, behaviour)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        try:
            yield server
        finally:
            ended.set()
            thread.join()


def _converse(server: Server, stream: ssl.SSLSocket, behaviour: Behaviour) -> None:
    decoder, waiting = Decoder(max_header_list_size=1 << 24), dict[int, Asked]()
    _read(stream, PREFACE)
    stream.sendall(SettingsFrame().serialize())
    while head := _read(stream, 9):
        frame, length = Frame.parse_frame_header(memoryview(head))
        frame.parse_body(memoryview(_read(stream, length)))
        if isinstance(frame, HeadersFrame):
            found = [
                (bytes(name).decode("latin-1"), bytes(value).decode("latin-1")) for name, value, *_ in decoder.decode(frame.data, raw=True)
            ]
            waiting[frame.stream_id] = Asked(number=len(server.asked) + 1, stream=frame.stream_id, fields=found)
        elif isinstance(frame, DataFrame):
            waiting[frame.stream_id].data += frame.data
        if "END_STREAM" in frame.flags:
            asked = waiting.pop(frame.stream_id)
            server.asked.append(asked)
            if not (frames := behaviour(asked)):
                return
            stream.sendall(b"".join(each.serialize() for each in frames))


def _read(stream: ssl.SSLSocket, length: int) -> bytes:
    found = b""
    while len(found) < length and (more := stream.recv(length - len(found))):
        found += more
    return found
