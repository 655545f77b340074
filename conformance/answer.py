"""What came back for one request."""

import base64
import json
from dataclasses import dataclass
from typing import Any, Final, cast

TOLD: Final = "x-echo-bin"
"""Metadata in which a service that speaks gRPC says what it received: base64, without padding or with (gRPC over HTTP/2, Binary-Header)."""


@dataclass(frozen=True, kw_only=True)
class Answer:
    """An HTTP answer, or why there is none."""

    status: int = 0
    """0: no HTTP answer."""
    headers: tuple[tuple[str, str], ...] = ()
    """Names in small letters, in order; trailers last."""
    unread: bool = False
    """What its headers are is not known."""
    body: str = ""
    connected: bool = False
    """A TCP connection came about."""
    silent: bool = False
    """Connected, and nobody said a word until the time was over."""
    error: str = ""
    seconds: float = 0.0
    answers: int = 1
    """With raw bytes: how many answers came."""
    open_ports: tuple[int, ...] = ()
    """With a scan."""

    def header(self, name: str) -> str:
        """Return the last value of a header, empty where there is none."""
        return next((value for key, value in reversed(self.headers) if key == name), "")

    @property
    def empty(self) -> bool:
        """Say whether the answer has no body, nor would have had one."""
        return not self.body and self.header("content-length") in {"", "0"}

    def way(self) -> "list[Answer]":
        """Return this answer and those that services on the way tell of, in order."""
        echo = self.echo()
        return [self, *(echo.onward.way() if echo and echo.onward else ())]

    def echo(self) -> "Echo | None":
        """Return what the service received, where it says so."""
        try:
            told = self.header(TOLD)
            found = json.loads(base64.b64decode(told + "=" * (-len(told) % 4), validate=True) if told else self.body)
        except ValueError:
            return None
        return Echo.of(cast("dict[str, Any]", found)) if isinstance(found, dict) else None


@dataclass(frozen=True, kw_only=True)
class Echo:
    """What a service says that it received: a JSON object with `method`, `path` and `headers`, and who it is in `service`."""

    method: str
    path: str
    headers: tuple[tuple[str, str], ...]
    instance: str = ""
    """Host name of the pod."""
    tries: int = 0
    """How many tries of a request it saw, where it was asked that or told to fail."""
    failed: bool = False
    """It failed because it was told to."""
    said: tuple[tuple[str, str], ...] = ()
    """Headers by which it spoke to browsers because it was told to."""
    onward: Answer | None = None
    """What another service answered that it was told to call."""

    @classmethod
    def of(cls, found: dict[str, Any]) -> "Echo | None":
        """Return the echo that a JSON object is, or None."""
        method, path, headers = found.get("method"), found.get("path"), found.get("headers")
        if not isinstance(method, str) or not isinstance(path, str) or not isinstance(headers, dict):
            return None
        pairs = _pairs(cast("dict[str, Any]", headers))
        tries, said, onward = found.get("tries"), found.get("said"), found.get("next")
        return cls(
            method=method,
            path=path,
            headers=pairs,
            instance=str(found.get("service", "")),
            tries=tries if isinstance(tries, int) else 0,
            failed=found.get("failed") is True,
            said=_pairs(cast("dict[str, Any]", said)) if isinstance(said, dict) else (),
            onward=_answer(cast("dict[str, Any]", onward)) if isinstance(onward, dict) else None,
        )

    def values(self, name: str) -> list[str]:
        """Return the values of a header."""
        return [value for key, value in self.headers if key == name]


def _pairs(headers: dict[str, Any]) -> tuple[tuple[str, str], ...]:
    """Return headers of a JSON object, whose values are texts or lists of them."""
    values = {name.lower(): cast("list[Any]", value) if isinstance(value, list) else [value] for name, value in headers.items()}
    return tuple((name, str(one)) for name, all_ in values.items() for one in all_)


def _answer(found: dict[str, Any]) -> Answer:
    """Return the answer that a service tells of."""
    status, headers = found.get("status"), found.get("headers")
    known = status if isinstance(status, int) else 0
    return Answer(
        status=known,
        headers=_pairs(cast("dict[str, Any]", headers)) if isinstance(headers, dict) else (),
        body=str(found.get("body", "")),
        connected=bool(known),
        error=str(found.get("error", "")),
    )
