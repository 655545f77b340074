"""Many requests by one curl, in one shell, wherever that shell is: this machine or a container of a pod."""

import json
import secrets
import shlex
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import cast

from conformance.answer import Answer
from topology.derive.probes import Request, Scheme
from topology.derive.probes.examples import EMPTY_MESSAGE

Headers = tuple[tuple[str, str], ...]
Shell = Callable[[str], str]
"""Runs a script and returns what it prints."""

AT_ONCE = 24
TIMED_OUT = 28
CONNECTED = frozenset({16, 35, 52, 55, 56, 60, 92})
"""Exit codes that take a connection: HTTP/2, TLS, an empty answer, sending, receiving, a certificate, a stream."""
TLS_SILENT = "SSL connection timeout"
LONGEST_BODY = 65536
UNNAMED = "perimeter-"
"""Begins names of hosts that curl alone sees."""


@dataclass(frozen=True, kw_only=True)
class Sent:
    """One request as it goes out: to which address, and with which headers, credential included."""

    request: Request
    address: str
    port: int
    path: str
    headers: tuple[tuple[str, str], ...]
    files: tuple[tuple[str, str], ...] = ()
    """Certificate and key, as PEM: `cert` and `key`."""


@dataclass
class _Batch:
    """A script under construction."""

    mark: str = field(default_factory=lambda: secrets.token_hex(8))
    config: list[str] = field(default_factory=list[str])
    files: list[str] = field(default_factory=list[str])


def run(shell: Shell, sent: Sequence[Sent], *, one_by_one: bool = False) -> list[list[Answer]]:
    """Send requests and return the answers of each, as many as its `count`."""
    if not sent:
        return []
    batch = _Batch()
    alone = len(sent) == 1
    for number, one in enumerate(sent):
        _add(batch, number, one)
    return _parse(shell(_script(batch, one_by_one=one_by_one, alone=alone)), batch.mark, [one.request.count for one in sent])


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n").replace("\r", "\\r").replace("\t", "\\t")
    return f'"{escaped}"'


def _literal(host: str) -> str:
    """Return a host as it stands in a URL."""
    return f"[{host}]" if ":" in host else host


def _add(batch: _Batch, number: int, one: Sent) -> None:
    request = one.request
    secure = request.scheme is Scheme.HTTPS or (request.scheme is Scheme.GRPC and bool(request.host))
    counted = f"[1-{request.count}]" if request.count > 1 else "1"
    known = request.scheme is Scheme.GRPC and not secure  # that HTTP/2 is spoken
    # curl 7.88, which is Debian 12's, takes no HTTP/2 for known on a connection that it had before (https://github.com/curl/curl/pull/10643),
    # and keeps connections by the names of hosts.
    host, path = (f"{UNNAMED}{number}-{counted}", "") if known else (request.sni or request.host or one.address, counted)
    url = f"{'https' if secure else 'http'}://{_literal(host)}:{one.port}/{path}"
    body = f"b{number}_#1" if request.count > 1 else f"b{number}_1"
    told = f"{batch.mark} {number} %{{http_code}} %{{exitcode}} %{{time_connect}} %{{time_total}} %{{num_headers}} %{{filename_effective}} %{{errormsg}}\n"
    if request.count > 1:  # the file of headers is one for all of them
        told += "%header{grpc-status}\n%{header_json}\n"
    named = one.address if one.port in {80, 443} else f"{one.address}:{one.port}"
    lines = [
        f"url = {_quoted(url)}",
        f"request-target = {_quoted(one.path)}",
        f"output = {_quoted(body)}",
        f"dump-header = {_quoted(f'h{number}')}",
        f"max-time = {request.seconds}",
        f"connect-timeout = {request.seconds}",
        f"max-filesize = {LONGEST_BODY}",
        f"write-out = {_quoted(told)}",
        "silent",
        "insecure",
        "path-as-is",
        f"noproxy = {_quoted('*')}",
        "head" if request.method == "HEAD" else f"request = {_quoted(request.method)}",
        f"header = {_quoted(f'Host: {request.host or named}')}",
        *(f"header = {_quoted(f'{name}: {value}')}" for name, value in one.headers),
        *([f"header = {_quoted('Expect:')}"] if request.body else []),
    ]
    if host != one.address:
        lines.append(f"connect-to = {_quoted(f'::{_literal(one.address)}:{one.port}')}")
    if request.scheme is Scheme.GRPC:
        lines.append("http2-prior-knowledge" if known else "http2")
    else:
        lines.append("http1.1")
    if request.body:
        lines.append(f"data-binary = {_quoted('@empty' if request.body == EMPTY_MESSAGE else request.body)}")
    for name, text in one.files:
        file = f"{name}{number}"
        batch.files.append(f"cat > {file} <<'{batch.mark}'\n{text.strip()}\n{batch.mark}\n")
        lines.append(f"{name} = {_quoted(file)}")
    batch.config.append("\n".join(lines))


def _script(batch: _Batch, *, one_by_one: bool, alone: bool) -> str:
    folder = f"/tmp/{batch.mark}"  # noqa: S108 # of the container's own, named at random
    # Many of one kind go over connections that are kept; many kinds do not wait for each other's.
    immediate = "" if alone else "--parallel-immediate"
    at_once = "" if one_by_one else f"--parallel {immediate} --parallel-max {AT_ONCE}"
    config = "\nnext\n".join(batch.config)
    return (
        f"mkdir -p {folder} && cd {folder} || exit 1\n"
        "printf '\\000\\000\\000\\000\\000' > empty\n"
        f"{''.join(batch.files)}"
        f"cat > config <<'{batch.mark}'\n{config}\n{batch.mark}\n"
        f"curl {at_once} -K config </dev/null 2>/dev/null\n"
        f'for f in b* h*; do [ -f "$f" ] && printf \'\\n%s = %s\\n\' {shlex.quote(batch.mark)} "$f" && cat "$f"; done\n'
        f"rm -rf {folder} 2>/dev/null || :\n"
    )


def _parse(text: str, mark: str, counts: Sequence[int]) -> list[list[Answer]]:
    head, *parts = text.split(f"\n{mark} = ")
    files = {name.strip(): content for name, _, content in (part.partition("\n") for part in parts)}
    found: list[list[Answer]] = [[] for _ in counts]
    for said_of_one in head.split(f"{mark} ")[1:]:
        line, _, own_headers = said_of_one.partition("\n")
        number, code, exit_code, connect, total, lines, file, *said = line.split(" ", 7)
        error = " ".join(said)
        # curl notes the time of a connection only when TLS is done, too.
        connected = float(connect.replace(",", ".")) > 0 or int(exit_code) in CONNECTED or TLS_SILENT in error
        status = int(code)
        timed_out = int(exit_code) == TIMED_OUT
        headers: Headers | None = ()
        if status:
            headers = _each(own_headers, int(lines)) if counts[int(number)] > 1 else _headers(files.get(f"h{number}", ""))
        found[int(number)].append(
            Answer(
                status=status,
                headers=headers or (),
                unread=headers is None,
                body=files.get(file, "") if status else "",
                connected=connected,
                silent=timed_out and connected and not status,
                error=error if int(exit_code) else "",
                seconds=float(total.replace(",", ".")),
            )
        )
    for number, answers in enumerate(found):
        if not answers:
            found[number] = [Answer(error="curl said nothing about it")]
    return found


def _each(text: str, number: int) -> Headers | None:
    """Return the headers and trailers of one answer of many, which curl writes in JSON after the status of gRPC by itself.

    None where they are not all there: curl before 7.84 says none, and 7.88 leaves out those between two lines of one name
    (https://github.com/curl/curl/issues/10704).

    Args:
        text: what curl wrote.
        number: how many headers there were, or where there were trailers, how many of those.
    """
    rpc_status, _, written = text.partition("\n")
    try:
        found = cast("dict[str, list[str]]", json.loads(written, strict=False))
    except ValueError:
        return None
    pairs = tuple((name.lower(), value.strip()) for name, values in found.items() for value in values)
    return pairs if len(pairs) >= number and (not rpc_status or ("grpc-status", rpc_status.strip()) in pairs) else None


def _headers(text: str) -> Headers:
    """Return the headers of the last answer, and its trailers."""
    pairs: list[tuple[str, str]] = []
    for line in text.replace("\r", "").splitlines():
        if line.startswith("HTTP/"):
            pairs = []
        elif ":" in line:
            name, _, value = line.partition(":")
            pairs.append((name.strip().lower(), value.strip()))
    return tuple(pairs)
