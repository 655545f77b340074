"""nginx variables: what a text with variables becomes at a location, for a request with certain headers."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

from policies.reading.nginx import Directive, Location, Server
from policies.reading.values import UnknownValueError

_VARIABLE = re.compile(r"\$(?:\{(\w+)\}|(\w+))")
_NAMED_GROUP = re.compile(r"\(\?<(?![=!])")
_NAMED = re.compile(r"\(\?<(\w+)>")
_FIRST_CAUGHT = re.compile(r"~\*?\^\((?:\?<(\w+)>)?(\[\^?(?:\\.|[^\]\\])+\])[*+]\)")
"""The beginning of an expression that first catches characters of one class, from the text's beginning on."""
_DEEPEST = 6
"""Maps that ask other maps, at most."""

OF_NGINX: Final = frozenset(
    [
        *(
            "bytes_sent",
            "connection",
            "connection_requests",
            "hostname",
            "msec",
            "nginx_version",
            "pid",
            "pipe",
            "proxy_host",
            "proxy_port",
        ),
        *(
            "binary_remote_addr",
            "realip_remote_addr",
            "remote_addr",
            "remote_port",
            "request_id",
            "request_length",
            "request_time",
            "scheme",
        ),
        *(
            "server_addr",
            "server_name",
            "server_port",
            "server_protocol",
            "ssl_cipher",
            "ssl_protocol",
            "status",
            "time_iso8601",
            "time_local",
        ),
        *("upstream_cache_status", "upstream_response_time", "upstream_status"),
    ]
)
"""Variables that nginx makes, or reads from the connection: no client writes a text into them."""


@dataclass(frozen=True, kw_only=True)
class Variables:
    """The values of variables at one location, for a request that shows some headers and no others."""

    server: Server
    location: Location
    headers: Mapping[str, str] = field(default_factory=dict[str, str])
    """Headers of the request, in small letters."""
    shown: Mapping[str, str] = field(default_factory=dict[str, str])
    """Other variables that the request decides: `request_uri`, `ssl_server_name`."""

    def text(self, text: str, captured: Mapping[str, str] | None = None, depth: int = 0) -> str | None:
        """Return a text with its variables replaced; None where one of them does not follow from configuration and headers."""
        parts: list[str] = []
        end = 0
        for match in _VARIABLE.finditer(text):
            name = match[1] or match[2]
            value = (captured or {}).get(name)
            if value is None:
                value = self._value(name, depth)
            if value is None:
                return None
            parts += [text[end : match.start()], value]
            end = match.end()
        return "".join([*parts, text[end:]])

    def _value(self, name: str, depth: int) -> str | None:
        if depth > _DEEPEST:
            return None
        if name in self.shown:
            return self.shown[name]
        if name.startswith("http_"):
            return self.headers.get(name.removeprefix("http_").replace("_", "-"), "")
        if name in {"server_name", "host", "ssl_server_name"}:
            return self.server.names[0] if self.server.names else ""
        for given in self._set(name):
            return self.text(given, depth=depth + 1)
        for table in self.server.http.all("map"):
            if len(table.args) > 1 and table.args[1] == f"${name}":
                return self._mapped(table, depth)
        return None

    def _set(self, name: str) -> Iterator[str]:
        """Yield the values that `set` gives a variable here, the nearest block's last one first."""
        for block in (self.location.directive, *reversed(self.location.inherited)):
            yield from (each.args[1] for each in reversed(block.all("set")) if each.args[0] == f"${name}")

    def origins(self, text: str, depth: int = 0) -> frozenset[str]:
        """Return the variables of nginx itself of which something may stand in a text, through `set` and `map`."""
        found: set[str] = set()
        for match in _VARIABLE.finditer(text):
            name = match[1] or match[2]
            given = list(self._set(name))
            tables = [each for each in self.server.http.all("map") if len(each.args) > 1 and each.args[1] == f"${name}"]
            if depth > _DEEPEST or not (given or tables):
                found.add(name)
            for value in given:
                found |= self.origins(value, depth + 1)
            for table in tables:
                found |= self._through(table, depth + 1)
        return frozenset(found)

    def _through(self, table: Directive, depth: int) -> frozenset[str]:
        """Return what a map lets through: variables in its values, and its source where a value quotes what an expression caught."""
        found: set[str] = set()
        for entry in table.block:
            for value in entry.args[:1]:
                caught = {*_NAMED.findall(entry.name), *map(str, range(10))} if entry.name.startswith("~") else set[str]()
                quoted = {match[1] or match[2] for match in _VARIABLE.finditer(value)}
                if quoted & caught:
                    found |= {"uri"} if _is_path(table.args[0], entry.name, quoted & caught) else self.origins(table.args[0], depth)
                found |= self.origins(" ".join(f"${{{name}}}" for name in quoted - caught), depth)
        return frozenset(found)

    def _mapped(self, table: Directive, depth: int) -> str | None:
        source = self.text(table.args[0], depth=depth + 1)
        if source is None:
            return None
        entries = {each.name: each.args[0] for each in table.block if each.args}
        plain = {key.lower(): value for key, value in entries.items() if not key.startswith("~")}
        if source.lower() in plain and source.lower() != "default":
            return self.text(plain[source.lower()], depth=depth + 1)
        for key, value in entries.items():
            if key.startswith("~") and (match := search(key[1:], source)) is not None:
                return self.text(value, match.groupdict(), depth + 1)
        return self.text(entries.get("default", ""), depth=depth + 1)


def _is_path(source: str, expression: str, quoted: set[str]) -> bool:
    """Say whether what is quoted of a match is the path of a request, or its beginning: what stands before any question mark."""
    found = _FIRST_CAUGHT.match(expression)
    return bool(found) and source in {"$request_uri", "${request_uri}"} and quoted <= {"1", found[1]} and not search(found[2], "?")


def search(expression: str, text: str) -> re.Match[str] | None:
    """Return the match of an expression as nginx writes it after `~`.

    Raises:
        UnknownValueError: for an expression that Python does not know.
    """
    flags = re.IGNORECASE if expression.startswith("*") else 0
    try:
        return re.search(_NAMED_GROUP.sub("(?P<", expression.removeprefix("*")), text, flags)
    except re.error as error:
        raise UnknownValueError(expression, f"a regular expression that cannot be read ({error})") from error
