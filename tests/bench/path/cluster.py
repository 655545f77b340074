"""The cluster that is measured: kubectl, and commands inside its pods."""

import base64
import json
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

Json = dict[str, Any]


class BenchError(Exception):
    """What is measured does not answer as it must; the message says what to do."""


@dataclass(frozen=True, kw_only=True)
class Cluster:
    """One cluster, always named by its kubeconfig."""

    kubectl: Path
    kubeconfig: Path
    address: str
    """Where the edge's node port answers."""

    def ask(self, *arguments: str, given: str | bytes | None = None) -> str:
        """Run kubectl to its end.

        Raises:
            BenchError: it failed; with what it said.
        """
        data = given.encode() if isinstance(given, str) else given
        done = subprocess.run([self.kubectl, "--kubeconfig", self.kubeconfig, *arguments], input=data, capture_output=True, check=False)
        if done.returncode:
            raise BenchError(f"kubectl {' '.join(arguments[:6])}: {done.stderr.decode(errors='replace').strip()[-1500:]}")
        return done.stdout.decode(errors="replace")

    def get(self, kind: str, name: str, namespace: str) -> Json:
        """Return one object."""
        return json.loads(self.ask("get", kind, name, "-n", namespace, "-o", "json"))

    def apply(self, objects: Sequence[Json]) -> None:
        """Bring objects to the cluster, in their order."""
        self.ask(
            "apply",
            "--server-side",
            "--force-conflicts",
            "--field-manager=perimeter-bench",
            "-f",
            "-",
            given=json.dumps(many(objects)),
        )

    def secret(self, name: str, namespace: str) -> Mapping[str, bytes]:
        """Return the content of a Secret."""
        return {key: base64.b64decode(value) for key, value in self.get("secret", name, namespace)["data"].items()}


def many(objects: Sequence[Json]) -> Json:
    """Return one document that holds several objects."""
    return {"apiVersion": "v1", "kind": "List", "items": list(objects)}


@dataclass(frozen=True, kw_only=True)
class Pod:
    """A container that sends requests."""

    cluster: Cluster
    namespace: str
    name: str
    container: str

    def run(self, *command: str, given: bytes | None = None) -> str:
        """Run a command in the container."""
        inside = ("-i",) if given is not None else ()
        return self.cluster.ask("exec", *inside, "-n", self.namespace, self.name, "-c", self.container, "--", *command, given=given)

    def start(self, *command: str) -> "subprocess.Popen[str]":
        """Start a command in the container, to read from while it runs."""
        words = [
            self.cluster.kubectl,
            "--kubeconfig",
            self.cluster.kubeconfig,
            "exec",
            "-n",
            self.namespace,
            self.name,
            "-c",
            self.container,
        ]
        return subprocess.Popen([*words, "--", *command], stdout=subprocess.PIPE, text=True)

    def write(self, path: str, content: bytes, *, executable: bool = False) -> None:
        """Write a file in the container, whose image may hold no chmod: a copy of a program can be executed, whatever it says afterwards."""
        before = f"cp /usr/bin/sleep {path} && " if executable else "umask 077 && "
        self.run("bash", "-c", f"{before}cat > {path}", given=content)
