"""How many calls of the backend the cache at the edge removes."""

import http.client
import json
import random
import secrets
import socket
import ssl
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import accumulate
from typing import Final

from tests.bench.path.cluster import BenchError

HOST: Final = "api.path.example"
LANGUAGES: Final = {"en": 70, "de": 20, "fr": 10}
LISTS: Final = 0.1
"""Share of requests that ask for a page of a list instead of an item."""
PAGES: Final = 20
REQUESTS: Final = 6000
"""One minute, which is the door's ttl, at 100 requests a second. Sent faster: within one ttl the order counts, not the time."""


@dataclass(frozen=True, kw_only=True)
class Share:
    """What a mix of requests left for the backend."""

    items: int
    requests: int
    calls: int

    @property
    def removed(self) -> float:
        """Part of the requests that the backend never saw."""
        return 1 - self.calls / self.requests


def mix(items: int, requests: int, seed: int) -> Iterator[tuple[str, str]]:
    """Yield paths and languages: items by Zipf's law (the n-th is asked 1/n as often as the first), some pages of lists, three languages."""
    chance = random.Random(seed)  # noqa: S311 - the same mix in every run
    weights = list(accumulate(1 / rank for rank in range(1, items + 1)))
    for _ in range(requests):
        language = chance.choices(list(LANGUAGES), weights=list(LANGUAGES.values()))[0]
        if chance.random() < LISTS:
            yield f"lists?page={min(int(chance.expovariate(0.3)), PAGES - 1)}", language
        else:
            yield f"items/{chance.choices(range(items), cum_weights=weights)[0]}", language


class _Door(http.client.HTTPSConnection):
    """A connection to the edge by its address, under the door's name."""

    def __init__(self, address: str, port: int, tls: ssl.SSLContext) -> None:
        super().__init__(HOST, port, context=tls, timeout=20)
        self._address, self._tls = address, tls

    def connect(self) -> None:
        """Connect to the node in place of what the name resolves to."""
        self.sock = self._tls.wrap_socket(socket.create_connection((self._address, self.port), 20), server_hostname=HOST)


@dataclass(frozen=True, kw_only=True)
class Edge:
    """The public door of the system."""

    address: str
    port: int
    ca: bytes
    """PEM of the authority that clients trust."""

    def opened(self) -> http.client.HTTPSConnection:
        """Return a new connection."""
        return _Door(self.address, self.port, ssl.create_default_context(cadata=self.ca.decode()))

    def status(self, path: str) -> int:
        """Ask once, on a connection of its own; 0 is no answer."""
        connection = self.opened()
        try:
            connection.request("GET", path)
            return connection.getresponse().status
        except (OSError, http.client.HTTPException):
            return 0
        finally:
            connection.close()


def measure(edge: Edge, items: int, requests: int = REQUESTS) -> Share:
    """Send one mix to the cached door and count backend calls: each has an id of its own, which a kept answer repeats.

    Raises:
        BenchError: the door does not answer with what the service received.
    """
    run, seen, connection = secrets.token_hex(4), set[str](), edge.opened()
    for path, language in mix(items, requests, seed=items):
        connection.request("GET", f"/catalogue/{run}/{path}", headers={"accept-language": language})
        answer = connection.getresponse()
        body = answer.read()
        try:
            headers = {name.lower(): value for name, value in json.loads(body)["headers"].items()}
            seen.add(str(headers["x-request-id"]))
        except (ValueError, KeyError) as error:
            raise BenchError(f"catalogue door: {answer.status} {body[:200]!r}; it must be served by the lab's echo") from error
    return Share(items=items, requests=requests, calls=len(seen))
