"""Programs that are started here, and end when this process does, however it ends."""

import os
import shutil
import subprocess
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from deploy.errors import DeployError

_GUARD = """
exec 3<&0 </dev/null
"$@" 3<&- &
child=$!
{ read -r _ <&3; kill -KILL $child; } 2>/dev/null &
guard=$!
exec 3<&-
wait $child
code=$?
kill $guard 2>/dev/null
exit $code
"""
"""Runs a command and kills it as soon as standard input ends: when whoever holds the other end dies, even by SIGKILL."""


@dataclass(frozen=True, kw_only=True)
class Tools:
    """Where `kubectl` and `helm` are looked for, and which cluster they talk to.

    Attributes:
        folder: looked through before PATH.
        kubeconfig: None for kubectl's own rules.
        context: None for the one that the kubeconfig calls current.
    """

    folder: Path | None = None
    kubeconfig: Path | None = None
    context: str | None = None

    def find(self, name: str) -> str:
        """Return a tool's path.

        Raises:
            DeployError: where there is none.
        """
        places = os.pathsep.join([*([str(self.folder)] if self.folder else []), os.environ.get("PATH", os.defpath)])
        found = shutil.which(name, path=places)
        if found is None:
            raise DeployError(
                [f"{name}: is not on PATH. Install it, or use the embedded cluster, which brings its own (perimeter lab start)."]
            )
        return found

    def kubectl(self, *arguments: str) -> list[str]:
        """Return a kubectl command."""
        return [self.find("kubectl"), *self._cluster("--context"), *arguments]

    def helm(self, *arguments: str) -> list[str]:
        """Return a helm command."""
        return [self.find("helm"), *arguments, *self._cluster("--kube-context")]

    def _cluster(self, context: str) -> list[str]:
        given = {"--kubeconfig": self.kubeconfig, context: self.context}
        return [word for flag, value in given.items() if value for word in (flag, str(value))]


@contextmanager
def guarded(
    command: Sequence[str], environment: Mapping[str, str] | None = None, inherited: Sequence[int] = (), folder: Path | None = None
) -> Generator[subprocess.Popen[bytes]]:
    """Run a program until the context ends, or this process does. Its output is read through pipes."""
    process = subprocess.Popen(
        ["/bin/sh", "-c", _GUARD, "guard", *command],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={**os.environ, **environment} if environment else None,
        pass_fds=inherited,
        cwd=folder,
    )
    try:
        yield process
    finally:
        if process.stdin:
            process.stdin.close()
        process.wait()
        for stream in (process.stdout, process.stderr):
            if stream:
                stream.close()


def run(
    command: Sequence[str], environment: Mapping[str, str] | None = None, inherited: Sequence[int] = (), folder: Path | None = None
) -> tuple[int, str, str]:
    """Run a program to its end and return its exit code and what it printed."""
    with guarded(command, environment, inherited, folder) as process:
        # `communicate` would close standard input, which is what the guard waits for.
        held, process.stdin = process.stdin, None
        try:
            printed, complained = process.communicate()
        finally:
            process.stdin = held
        return process.returncode, printed.decode(errors="replace"), complained.decode(errors="replace")
