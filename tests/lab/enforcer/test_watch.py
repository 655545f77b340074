"""Following an API server: what is asked, in which order, and what happens when it forgets, breaks off or refuses."""

import json
import queue
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from lab.enforcer.objects import Json
from lab.enforcer.watch import PATHS, Change, Server, follow, start


def pod(name: str, version: int) -> Json:
    return {"metadata": {"name": name, "namespace": "shop", "resourceVersion": str(version)}}


def listed(version: int, *names: str) -> tuple[int, list[Json]]:
    return 200, [{"metadata": {"resourceVersion": str(version)}, "items": [pod(name, version) for name in names]}]


def event(kind: str, name: str, version: int) -> Json:
    return {"type": kind, "object": pod(name, version)}


GONE = {"type": "ERROR", "object": {"code": 410, "message": "too old resource version"}}
Answer = tuple[int, list[Json]]


class Script:
    """Answers in the given order, then leaves every further question without an answer. Records what was asked."""

    def __init__(self, *answers: Answer, watched: bool = True) -> None:
        """`watched` False leaves every watch without an answer."""
        self.asked: list[tuple[str, dict[str, str]]] = []
        self._answers = iter(answers)
        self._watched = watched
        self.over = threading.Event()

    def handler(self) -> type[BaseHTTPRequestHandler]:
        script = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                parts = urlsplit(self.path)
                script.asked.append((parts.path, {key: value[0] for key, value in parse_qs(parts.query).items()}))
                silent = not script._watched and "watch=1" in parts.query
                status, lines = (0, []) if silent else next(script._answers, (0, []))
                if not status:
                    script.over.wait()
                    return
                self.send_response(status)
                self.end_headers()
                for line in lines:
                    self.wfile.write(json.dumps(line).encode() + b"\n")

            def log_message(self, format: str, *args: Any) -> None:
                """Say nothing."""

        return Handler


@contextmanager
def serving(script: Script, folder: Path) -> Iterator[Server]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), script.handler())
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield Server(kubeconfig(folder, f"http://127.0.0.1:{server.server_address[1]}"))
    script.over.set()
    server.shutdown()
    server.server_close()


def kubeconfig(folder: Path, address: str, **user: str) -> Path:
    file = folder / "kubeconfig"
    config = {
        "current-context": "here",
        "contexts": [{"name": "other", "context": {}}, {"name": "here", "context": {"cluster": "c", "user": "u"}}],
        "clusters": [{"name": "c", "cluster": {"server": address}}],
        "users": [{"name": "u", "user": user}],
    }
    file.write_text(json.dumps(config))
    return file


def heard(script: Script, folder: Path, count: int) -> list[tuple[str, list[str]]]:
    """Follow the pods of a scripted server; return the first changes: event and names."""
    changes: queue.SimpleQueue[Change] = queue.SimpleQueue()
    with serving(script, folder) as server:
        threading.Thread(target=follow, args=(server, "pods", changes, script.over, 0.01), daemon=True).start()
        found = [changes.get(timeout=10) for _ in range(count)]
        while len(script.asked) < ASKED_AFTER:
            threading.Event().wait(0.01)
    return [(change.event, [one["metadata"]["name"] for one in change.objects]) for change in found]


ASKED_AFTER = 3
"""Every script below is asked at least so often, so that waiting for it ends."""


def versions(script: Script) -> list[str]:
    """Per question: the place in history from which a watch was asked, or `list`."""
    return [query.get("resourceVersion", "list") for _, query in script.asked]


def test_a_list_is_followed_by_a_watch_from_there_and_the_next_from_the_last_event_or_bookmark(tmp_path: Path) -> None:
    script = Script(
        listed(5, "a", "b"),
        (200, [event("ADDED", "c", 6), event("DELETED", "a", 7), {"type": "BOOKMARK", "object": {"metadata": {"resourceVersion": "9"}}}]),
        (200, [event("MODIFIED", "b", 11)]),
    )
    assert heard(script, tmp_path, 4) == [("LIST", ["a", "b"]), ("ADDED", ["c"]), ("DELETED", ["a"]), ("MODIFIED", ["b"])]
    assert versions(script)[:3] == ["list", "5", "9"]
    assert script.asked[1][1] == {"watch": "1", "resourceVersion": "5", "allowWatchBookmarks": "true", "timeoutSeconds": "300"}


@pytest.mark.parametrize(
    "answer",
    [
        (410, []),
        (200, [GONE]),
        (200, [{"type": "ERROR", "object": {"code": 500, "message": "etcd"}}]),
        (500, []),
        (403, []),
        (200, [{"no": "event"}]),
    ],
    ids=["status 410", "event 410", "event 500", "status 500", "status 403", "nonsense"],
)
def test_whatever_fails_the_server_is_asked_from_the_start(tmp_path: Path, answer: Answer) -> None:
    script = Script(listed(5, "a"), answer, listed(8, "b"))
    assert heard(script, tmp_path, 2) == [("LIST", ["a"]), ("LIST", ["b"])]
    assert versions(script)[:3] == ["list", "5", "list"]


def test_a_server_that_is_not_there_yet_is_asked_again(tmp_path: Path) -> None:
    script = Script((503, []), (503, []), listed(1, "a"))
    assert heard(script, tmp_path, 1) == [("LIST", ["a"])]


def test_every_kind_is_followed(tmp_path: Path) -> None:
    script = Script(*(listed(1) for _ in PATHS), watched=False)
    with serving(script, tmp_path) as server:
        changes = start(server, script.over)
        assert {changes.get(timeout=10).kind for _ in PATHS} == set(PATHS)
        assert {path for path, _ in script.asked} >= set(PATHS.values())


def test_a_kubeconfig_whose_context_leads_nowhere_is_refused_with_what_is_missing(tmp_path: Path) -> None:
    file = kubeconfig(tmp_path, "https://127.0.0.1:1")
    config = json.loads(file.read_text())
    file.write_text(json.dumps(config | {"clusters": []}))
    with pytest.raises(ValueError, match="clusters has no entry 'c'"):
        Server(file)
