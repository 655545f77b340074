"""A client outside that speaks HTTP/2 in frames of its own making, so that no library keeps the rules that a probe is to break."""

import socket
import ssl
import time
from collections.abc import Generator, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from typing import Final

from hpack import Decoder, Encoder, HPACKError
from hyperframe.exceptions import HyperframeError
from hyperframe.frame import (
    ContinuationFrame,
    DataFrame,
    Frame,
    GoAwayFrame,
    HeadersFrame,
    PingFrame,
    RstStreamFrame,
    SettingsFrame,
    WindowUpdateFrame,
)

from conformance.answer import Answer
from conformance.curl import Sent
from conformance.errors import NotRunError
from conformance.outside import LONGEST_BODY, filled, secured
from topology.derive.probes.request import CREDENTIAL, WELL_FORMED, Field

PREFACE: Final = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
"""RFC 9113, 3.4."""
FRAME_HEAD: Final = 9
LONGEST_FRAME: Final = 16384
"""The most that every receiver takes (RFC 9113, 4.2)."""
OFFERED: Final = ("h2", "http/1.1")
FINAL: Final = 200
"""Statuses below it are followed by another one."""
ERRORS: Final = (
    "NO_ERROR", "PROTOCOL_ERROR", "INTERNAL_ERROR", "FLOW_CONTROL_ERROR", "SETTINGS_TIMEOUT", "STREAM_CLOSED", "FRAME_SIZE_ERROR",
    "REFUSED_STREAM", "CANCEL", "COMPRESSION_ERROR", "CONNECT_ERROR", "ENHANCE_YOUR_CALM", "INADEQUATE_SECURITY", "HTTP_1_1_REQUIRED",
)  # fmt: skip
"""RFC 9113, 7."""


def send(sent: Sent) -> list[Answer]:
    """Send a request as it is, and after it the well-formed one, on the same connection where it is still open; return both answers.

    Raises:
        NotRunError: where the other side does not speak HTTP/2.
    """
    request, answers = sent.request, list[Answer]()
    data = filled(request.raw, sent) if request.raw else request.body.encode()
    with ExitStack() as stack:
        connection: Connection | None = None
        well_formed = replace(sent, request=replace(request, raw=""))
        for fields, body in ((_fields(sent, request.fields), data), (_fields(well_formed, WELL_FORMED), request.body.encode())):
            began = time.monotonic()
            try:
                if connection is None or connection.ended:
                    stack.close()
                    connection = stack.enter_context(_opened(sent))
                answer = connection.ask(fields, body)
            except OSError as error:  # before anything was asked
                answer = Answer(error=f"{type(error).__name__}: {error}")
            except (HPACKError, HyperframeError, ValueError) as error:
                raise NotRunError(f"what came back is no HTTP/2: {error}") from error
            answers.append(replace(answer, seconds=time.monotonic() - began))
    return answers


def _fields(sent: Sent, fields: tuple[Field, ...]) -> list[tuple[bytes, bytes]]:
    given = [(name.lower(), value) for name, value in sent.headers]
    known = {name for name, _ in given}
    given += [(name, value) for name, value in (("user-agent", "perimeter-verify"), ("accept", "*/*")) if name not in known]
    if sent.request.body and not sent.request.raw and "content-length" not in known:
        given.append(("content-length", str(len(sent.request.body.encode()))))
    own = [(name.encode("latin-1"), value.encode("utf-8")) for name, value in given]
    return [pair for field in fields for pair in (own if field == CREDENTIAL else [(field[0].encode("latin-1"), filled(field[1], sent))])]


@contextmanager
def _opened(sent: Sent) -> "Generator[Connection]":
    with (
        socket.create_connection((sent.address, sent.port), timeout=sent.request.seconds) as plain,
        secured(plain, sent.request, protocols=OFFERED) as stream,
    ):
        if (chosen := stream.selected_alpn_protocol()) != OFFERED[0]:
            raise NotRunError(f"the edge does not speak HTTP/2: of {', '.join(OFFERED)} it chose {chosen or 'none'} by ALPN")
        connection = Connection(stream, sent.request.seconds)
        connection.greet()
        yield connection


class Connection:
    """One connection, on which one request follows the other."""

    def __init__(self, stream: ssl.SSLSocket, patience: float) -> None:
        self.ended = ""
        """Why nothing can be asked any more; empty: it can."""
        self._stream, self._patience, self._deadline = stream, patience, 0.0
        self._encoder, self._decoder = Encoder(), Decoder()
        self._received, self._last = b"", -1

    def greet(self) -> None:
        """Exchange settings (RFC 9113, 3.4).

        Raises:
            OSError: where the other side closes instead, or says nothing.
        """
        self._deadline = time.monotonic() + self._patience
        settings = {SettingsFrame.ENABLE_PUSH: 0, SettingsFrame.INITIAL_WINDOW_SIZE: 2 * LONGEST_BODY}
        window = WindowUpdateFrame(0, window_increment=2 * LONGEST_BODY)
        self._stream.sendall(PREFACE + SettingsFrame(settings=settings).serialize() + window.serialize())
        for frame in self._frames():
            if isinstance(frame, SettingsFrame):
                return
        raise ConnectionError(self.ended)

    def ask(self, fields: list[tuple[bytes, bytes]], body: bytes) -> Answer:
        """Send a request on a stream of its own and return the answer, or how it was ended."""
        self._last += 2
        self._deadline = time.monotonic() + self._patience
        try:
            self._stream.sendall(b"".join(frame.serialize() for frame in self._request(fields, body)))
        except OSError as error:  # what was said before is still to be read
            self.ended = f"closed: {error}"
        try:
            return self._answer()
        except TimeoutError:
            self.ended = "silent"
            return Answer(connected=True, silent=True, error="neither an answer nor a reset")

    def _request(self, fields: list[tuple[bytes, bytes]], body: bytes) -> Iterator[Frame]:
        block = self._encoder.encode(fields, huffman=False)
        first, *more = [block[start : start + LONGEST_FRAME] for start in range(0, len(block), LONGEST_FRAME)]
        yield HeadersFrame(self._last, first, flags=[*([] if more else ["END_HEADERS"]), *([] if body else ["END_STREAM"])])
        for number, part in enumerate(more, 1):
            yield ContinuationFrame(self._last, part, flags=["END_HEADERS"] if number == len(more) else [])
        if body:
            yield DataFrame(self._last, body, flags=["END_STREAM"])

    def _answer(self) -> Answer:
        headers, block, body, status = list[tuple[str, str]](), b"", b"", 0
        for frame in self._frames():
            match frame:
                case HeadersFrame() | ContinuationFrame():
                    block += frame.data
                    if "END_HEADERS" in frame.flags:
                        found = [(_text(name), _text(value)) for name, value, *_ in self._decoder.decode(block, raw=True)]
                        block, told = b"", int(dict(found).get(":status", status))
                        if told >= FINAL and frame.stream_id == self._last:
                            status, headers = told, headers + [pair for pair in found if not pair[0].startswith(":")]
                case DataFrame() if frame.stream_id == self._last:
                    body += frame.data
                case RstStreamFrame() if frame.stream_id == self._last:
                    return self._found(status, headers, body, f"RST_STREAM {_error(frame.error_code)}")
                case _:
                    pass
            if frame.stream_id == self._last and "END_STREAM" in frame.flags and not block:
                break
        return self._found(status, headers, body, self.ended)

    def _found(self, status: int, headers: list[tuple[str, str]], body: bytes, error: str) -> Answer:
        return Answer(
            status=status, headers=tuple(headers), body=body.decode("utf-8", "replace"), connected=True, error="" if status else error
        )

    def _frames(self) -> Iterator[Frame]:
        """Yield what comes until the other side wants no more of this connection's last stream; answer what has to be answered."""
        while (frame := self._frame()) is not None:
            match frame:
                case SettingsFrame() if "ACK" not in frame.flags:
                    self._reply(SettingsFrame(flags=["ACK"]))
                case PingFrame() if "ACK" not in frame.flags:
                    self._reply(PingFrame(opaque_data=frame.opaque_data, flags=["ACK"]))
                case GoAwayFrame():
                    self.ended = f"GOAWAY {_error(frame.error_code)}"
                    if frame.error_code or frame.last_stream_id < self._last:
                        return
                case _:
                    pass
            yield frame

    def _frame(self) -> Frame | None:
        head = self._read(FRAME_HEAD)
        if head is None:
            return None
        frame, length = Frame.parse_frame_header(memoryview(head))
        body = self._read(length)
        if body is None:
            return None
        frame.parse_body(memoryview(body))
        return frame

    def _read(self, length: int) -> bytes | None:
        while len(self._received) < length:
            if (left := self._deadline - time.monotonic()) <= 0:
                raise TimeoutError
            self._stream.settimeout(left)
            try:
                more = self._stream.recv(LONGEST_BODY)
            except TimeoutError:
                raise
            except OSError as error:
                self.ended = self.ended or f"closed: {error}"
                return None
            if not more:
                self.ended = self.ended or "closed"
                return None
            self._received += more
        found, self._received = self._received[:length], self._received[length:]
        return found

    def _reply(self, frame: Frame) -> None:
        try:
            self._stream.sendall(frame.serialize())
        except OSError as error:
            self.ended = self.ended or f"closed: {error}"


def _error(code: int) -> str:
    return ERRORS[code] if code < len(ERRORS) else str(code)


def _text(value: object) -> str:
    return value.decode("latin-1") if isinstance(value, bytes) else str(value)
