"""Follow the API server: list, then watch from there, and again from the start when it has forgotten where we were."""

import base64
import http.client
import json
import logging
import queue
import ssl
import tempfile
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlencode, urlsplit

import yaml

from lab.enforcer.objects import Json

PATHS: Final = {
    "pods": "/api/v1/pods",
    "namespaces": "/api/v1/namespaces",
    "networkpolicies": "/apis/networking.k8s.io/v1/networkpolicies",
}
_SILENCE: Final = 330
"""Seconds without a byte after which a watch counts as dead; the API server ends each at 300 because we ask so."""
_GONE: Final = 410
_OK: Final = 200
_log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True, slots=True)
class Change:
    """What the API server said of one kind: a full list, or one event."""

    kind: str
    event: str
    """`LIST`, or the type of the watch event: `ADDED`, `MODIFIED`, `DELETED`."""
    objects: tuple[Json, ...]


class StaleError(Exception):
    """The API server does not know this place in its history any more: list again."""


class Server:
    """One API server, as a kubeconfig's present context names it."""

    def __init__(self, kubeconfig: Path) -> None:
        config = yaml.safe_load(kubeconfig.read_text(encoding="utf-8"))
        context = _entry(config, "contexts", config["current-context"])["context"]
        cluster: dict[str, str] = _entry(config, "clusters", context["cluster"])["cluster"]
        user: dict[str, str] = _entry(config, "users", context["user"])["user"]
        server = urlsplit(cluster["server"])
        self._plain = server.scheme == "http"
        self._host, self._port = server.hostname or "", server.port or (80 if self._plain else 443)
        self._tls = ssl.create_default_context(
            cafile=cluster.get("certificate-authority"),
            cadata=base64.b64decode(data).decode() if (data := cluster.get("certificate-authority-data")) else None,
        )
        with tempfile.TemporaryDirectory() as folder:
            if certificate := _file(user, "client-certificate", folder):
                self._tls.load_cert_chain(certificate, _file(user, "client-key", folder))
        self._headers = {"Accept": "application/json"} | ({"Authorization": f"Bearer {user['token']}"} if "token" in user else {})

    def lines(self, path: str, **query: str) -> Iterator[bytes]:
        """Yield the answer to a GET line by line, as the lines come.

        Raises:
            StaleError: status 410.
            OSError: no connection, or another status than 200.
            http.client.HTTPException: the connection broke within the answer.
        """
        connection = (
            http.client.HTTPConnection(self._host, self._port, timeout=_SILENCE)
            if self._plain
            else http.client.HTTPSConnection(self._host, self._port, timeout=_SILENCE, context=self._tls)
        )
        try:
            connection.request("GET", f"{path}?{urlencode(query)}", headers=self._headers)
            answer = connection.getresponse()
            if answer.status == _GONE:
                raise StaleError
            if answer.status != _OK:
                raise OSError(f"GET {path}: {answer.status} {answer.read(500).decode(errors='replace')}")
            yield from answer
        finally:
            connection.close()


def _entry(config: dict[str, Any], kind: str, name: str) -> dict[str, Any]:
    """Return an entry of a kubeconfig's list.

    Raises:
        ValueError: there is none of that name.
    """
    for entry in config.get(kind) or ():
        if entry["name"] == name:
            return entry
    raise ValueError(f"kubeconfig: {kind} has no entry {name!r}, which the present context asks for; check `kubectl config view`")


def _file(user: dict[str, str], field: str, folder: str) -> str | None:
    """Return the path of a credential that is given as a path or as data."""
    if data := user.get(f"{field}-data"):
        path = Path(folder) / field
        path.write_bytes(base64.b64decode(data))
        path.chmod(0o600)
        return str(path)
    return user.get(field)


def _listed(server: Server, kind: str) -> tuple[Change, str]:
    """Return a full list of a kind, and the place in history that it shows."""
    answer = json.loads(b"".join(server.lines(PATHS[kind])))
    return Change(kind=kind, event="LIST", objects=tuple(answer["items"])), answer["metadata"]["resourceVersion"]


def _events(server: Server, kind: str, version: str) -> Iterator[tuple[Change | None, str]]:
    """Yield each event of a kind after a place in history, with the place that it leads to, until the server ends the watch."""
    query = {"watch": "1", "resourceVersion": version, "allowWatchBookmarks": "true", "timeoutSeconds": "300"}
    for line in server.lines(PATHS[kind], **query):
        event = json.loads(line)
        if event["type"] == "ERROR":
            if event["object"].get("code") == _GONE:
                raise StaleError
            raise OSError(f"watch of {kind}: {event['object'].get('message', event['object'])}")
        change = None if event["type"] == "BOOKMARK" else Change(kind=kind, event=event["type"], objects=(event["object"],))
        yield change, event["object"]["metadata"]["resourceVersion"]


def follow(server: Server, kind: str, changes: "queue.SimpleQueue[Change]", over: threading.Event, pause: float = 1) -> None:
    """Put everything the server says of a kind into a queue until it is over. After any failure it is asked from the start."""
    while not over.is_set():
        try:
            listed, version = _listed(server, kind)
            changes.put(listed)
            while not over.is_set():
                for event, place in _events(server, kind, version):
                    version = place
                    if event:
                        changes.put(event)
        except StaleError:
            continue
        except (OSError, http.client.HTTPException, ValueError, KeyError) as error:
            _log.warning("%s: %s; again in %s s", kind, error, pause)
            over.wait(pause)


def start(server: Server, over: threading.Event) -> "queue.SimpleQueue[Change]":
    """Follow every kind in a thread of its own, until it is over or the process ends. Return where the changes arrive."""
    changes: queue.SimpleQueue[Change] = queue.SimpleQueue()
    for kind in PATHS:
        threading.Thread(target=follow, args=(server, kind, changes, over), name=kind, daemon=True).start()
    return changes
