"""Who can mint tokens and knows API keys: the cluster's own issuer, a command of the user's, or nobody.

A command is started once and asked line by line: one JSON object in, one line out. `{"claims": {...}}` wants a token with exactly these
claims (seconds since 1970 for times); `{"jwks": "<issuer URL>"}` the issuer's key set; `{"outage": true}` and `{"outage": false}` stop
the issuer and start it again, and want `ok`. An empty line says: not possible. Probes that need it are then not run, and say so.
"""

import base64
import json
import subprocess
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from pathlib import Path
from threading import Lock
from typing import Any, Protocol

from conformance.cluster import Cluster
from conformance.errors import CannotProbeError, NotRunError
from topology.derive import names


class Issuer(Protocol):
    """Mints tokens."""

    def mint(self, claims: Mapping[str, Any]) -> str:
        """Return a token with these claims.

        Raises:
            NotRunError: where it cannot be made.
        """
        ...

    def key_set(self, issuer: str) -> Mapping[str, Any]:
        """Return an issuer's public keys as a JSON Web Key Set.

        Raises:
            NotRunError: where they are not known.
        """
        ...

    def outage(self, down: bool) -> None:  # on or off
        """Stop the issuer, or start it again.

        Raises:
            NotRunError: where it is not ours to stop.
        """
        ...


class Nobody:
    """No issuer."""

    def mint(self, claims: Mapping[str, Any]) -> str:
        """Refuse."""
        raise NotRunError("nobody here mints tokens: give --token-command")

    def key_set(self, issuer: str) -> Mapping[str, Any]:
        """Refuse."""
        raise NotRunError(f"the keys of {issuer} are not known: give --token-command")

    def outage(self, down: bool) -> None:
        """Refuse."""
        raise NotRunError("the issuer is not ours to stop")


class Command:
    """A command that is asked line by line."""

    def __init__(self, arguments: list[str]) -> None:
        try:
            self._process = subprocess.Popen(arguments, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        except OSError as error:
            raise CannotProbeError(f"--token-command {arguments[0]}: {error.strerror}") from error
        self._lock = Lock()

    def _ask(self, question: Mapping[str, Any], instead: str) -> str:
        with self._lock:
            if self._process.poll() is not None:
                raise CannotProbeError("--token-command ended before it was done with")
            assert self._process.stdin  # noqa: S101 # both were asked for
            assert self._process.stdout  # noqa: S101
            self._process.stdin.write(json.dumps(question) + "\n")
            self._process.stdin.flush()
            answer = self._process.stdout.readline().strip()
        if not answer:
            raise NotRunError(instead)
        return answer

    def mint(self, claims: Mapping[str, Any]) -> str:
        """Return a token."""
        return self._ask({"claims": dict(claims)}, "the token command does not mint such a token")

    def key_set(self, issuer: str) -> Mapping[str, Any]:
        """Return a key set."""
        return json.loads(self._ask({"jwks": issuer}, f"the token command does not know the keys of {issuer}"))

    def outage(self, down: bool) -> None:
        """Stop or start the issuer."""
        self._ask({"outage": down}, "the issuer is not ours to stop")

    def close(self) -> None:
        """End the command."""
        if self._process.stdin:
            self._process.stdin.close()
        self._process.wait(timeout=5)


@contextmanager
def stopped(issuer: Issuer) -> Generator[None, None, None]:
    """Keep an issuer down for a while."""
    issuer.outage(True)
    try:
        yield
    finally:
        issuer.outage(False)


class ApiKeys:
    """API keys: those of a file, else those that the gateway itself reads."""

    def __init__(self, cluster: Cluster, file: Path | None) -> None:
        self._cluster = cluster
        self._known: dict[str, str] = json.loads(file.read_text(encoding="utf-8")) if file else {}

    def key_of(self, consumer: str) -> str:
        """Return a consumer's key.

        Raises:
            NotRunError: where it is not known.
        """
        if consumer not in self._known:
            try:
                data = self._cluster.get("secret", f"api-key-{consumer}", "-n", names.GATEWAY_NAMESPACE)["data"]
            except CannotProbeError as error:
                raise NotRunError(f"the API key of {consumer} is not known: give --api-keys FILE") from error
            self._known[consumer] = base64.b64decode(next(iter(data.values()))).decode()
        return self._known[consumer]
