"""What came back for one request."""

import json
from dataclasses import dataclass
from typing import Any, cast


@dataclass(frozen=True, kw_only=True)
class Answer:
    """An HTTP answer, or why there is none."""

    status: int = 0
    """0: no HTTP answer."""
    headers: tuple[tuple[str, str], ...] = ()
    """Names in small letters, in order; trailers last."""
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

    def echo(self) -> "Echo | None":
        """Return what the service received, where it says so."""
        try:
            found = json.loads(self.body)
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

    @classmethod
    def of(cls, found: dict[str, Any]) -> "Echo | None":
        """Return the echo that a JSON object is, or None."""
        method, path, headers = found.get("method"), found.get("path"), found.get("headers")
        if not isinstance(method, str) or not isinstance(path, str) or not isinstance(headers, dict):
            return None
        pairs: list[tuple[str, str]] = []
        for key, value in cast("dict[str, Any]", headers).items():
            values = cast("list[Any]", value) if isinstance(value, list) else [value]
            pairs += [(key.lower(), str(one)) for one in values]
        return cls(method=method, path=path, headers=tuple(pairs), instance=str(found.get("service", "")))

    def values(self, name: str) -> list[str]:
        """Return the values of a header."""
        return [value for key, value in self.headers if key == name]
