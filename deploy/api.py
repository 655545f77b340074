"""The Kubernetes API, over `kubectl proxy`: kubectl finds the cluster and proves who the user is; requests cost milliseconds, not processes.

The proxy listens on a socket in a folder that only this user can enter, and ends with this process.
"""

import http.client
import json
import socket
import tempfile
import threading
import time
from collections.abc import Generator, Mapping, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlencode

from deploy.errors import DeployError
from deploy.processes import Tools, guarded

MANAGER: Final = "perimeter"
"""The field manager of everything that is applied here (server-side apply)."""

_START: Final = 20.0
"""Seconds until kubectl must answer."""

_PATIENCE: Final = 120.0
"""Seconds for one request: admission webhooks may take 30 each."""

Object = dict[str, Any]


class ApiError(Exception):
    """An answer of the API server that is no success.

    Attributes:
        status: of HTTP.
        reason: `metav1.StatusReason`: `NotFound`, `Invalid`, `Conflict`.
        causes: messages about single fields.
    """

    def __init__(self, status: int, document: Mapping[str, Any]) -> None:
        self.status = status
        self.reason = str(document.get("reason") or "")
        details: Mapping[str, Any] = document.get("details") or {}
        causes: Sequence[Mapping[str, Any]] = details.get("causes") or ()
        self.causes = tuple(str(cause.get("message")) for cause in causes)
        super().__init__(str(document.get("message") or f"HTTP status {status}"))

    @property
    def not_found(self) -> bool:
        """Whether the object, its namespace or its kind does not exist."""
        return self.status == 404

    @property
    def passing(self) -> bool:
        """Whether the same request may succeed in a moment: a server or an admission webhook that is only just starting or overloaded."""
        text = str(self)
        return (
            self.status in {429, 502, 503, 504}
            or (self.status == 500 and ("failed calling webhook" in text or "etcdserver" in text or "timeout" in text.lower()))
            or (self.status == 403 and "is being terminated" not in text and "not yet ready to handle request" in text)
        )


class _Connection(http.client.HTTPConnection):
    def __init__(self, path: str) -> None:
        super().__init__("localhost", timeout=_PATIENCE)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self._path)


class Api:
    """Requests to one cluster. Threads may share it: each has its own connection."""

    def __init__(self, path: Path) -> None:
        self._path = str(path)
        self._local = threading.local()
        self._opened: list[_Connection] = []

    def close(self) -> None:
        """Close every thread's connection."""
        for connection in self._opened:
            connection.close()

    def request(self, method: str, path: str, body: object = None, content: str = "application/json", **query: object) -> Object:
        """Send a request and return the document of the answer.

        Raises:
            ApiError: the server refused.
        """
        url = f"{path}?{urlencode({key: value for key, value in query.items() if value is not None})}" if query else path
        data = None if body is None else json.dumps(body).encode()
        headers = {"Accept": "application/json", **({"Content-Type": content} if data else {})}
        status, answer = self._exchange(method, url, data, headers)
        try:
            document: Object = json.loads(answer) if answer else {}
        except ValueError:
            document = {"message": answer.decode(errors="replace")[:2000]}
        if status >= 400:
            raise ApiError(status, document)
        return document

    def _exchange(self, method: str, url: str, data: bytes | None, headers: Mapping[str, str]) -> tuple[int, bytes]:
        for last in (False, True):
            connection = self._connection()
            try:
                connection.request(method, url, data, dict(headers))
                response = connection.getresponse()
                return response.status, response.read()
            except (http.client.HTTPException, OSError) as error:
                # A connection that was kept may have been closed meanwhile; every request made here may be sent twice.
                connection.close()
                self._local.connection = None
                if last:
                    raise DeployError([f"the cluster does not answer any more ({method} {url}): {error}"]) from error
        raise AssertionError

    def _connection(self) -> _Connection:
        found: _Connection | None = getattr(self._local, "connection", None)
        if found is None:
            found = self._local.connection = _Connection(self._path)
            self._opened.append(found)
        return found


def _listens(path: Path) -> bool:
    """Whether anything accepts connections; the file is there a moment before."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as attempt:
        return attempt.connect_ex(str(path)) == 0


@contextmanager
def connect(tools: Tools) -> Generator[Api]:
    """Talk to the cluster for as long as the context lasts.

    Raises:
        DeployError: where it cannot be reached, with kubectl's words.
    """
    with tempfile.TemporaryDirectory(prefix="perimeter-") as folder:
        path = Path(folder) / "api.sock"
        with guarded(tools.kubectl("proxy", f"--unix-socket={path}")) as process:
            deadline = time.monotonic() + _START
            while not _listens(path):
                if process.poll() is not None or time.monotonic() > deadline:
                    said = process.stderr.read().decode(errors="replace") if process.stderr and process.poll() is not None else "no answer"
                    raise DeployError([f"kubectl proxy did not start: {said.strip()}"])
                time.sleep(0.02)
            with closing(Api(path)) as api:
                try:
                    api.request("GET", "/version")
                except (ApiError, DeployError) as error:
                    look = " ".join(tools.kubectl("version"))
                    raise DeployError([f"the cluster cannot be reached: {error}. Look at it with: {look}"]) from error
                yield api
