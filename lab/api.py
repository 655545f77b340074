"""What other rooms use: start the lab, find the running one, and know what is where in it."""

import fcntl
import json
import os
import shutil
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from lab import addons, cluster, ingredients, processes, sandbox
from lab.charts import CHARTS
from lab.errors import LabError
from lab.ingredients import Ingredients
from lab.issuer import Issuer
from lab.progress import Progress, Silent
from lab.settings import ECHO_IMAGE, KUBECONFIG, NAME, NODE, PROBE_IMAGE, STATE, TRACES_NAMESPACE

LOCK: Final = STATE.with_suffix(".lock")
DESCRIPTION: Final = STATE / "lab.json"
"""What runs, for whoever asks later. It is there while the lab is whole."""

VALUES: Final[Mapping[str, Mapping[str, Any]]] = {
    "istiod": {
        # Upstream Envoy, which the lab takes for sidecars and gateways, has none of Istio's own extensions.
        "env": {"PILOT_ENABLE_ALPN_FILTER": "false", "PILOT_ENABLE_METADATA_EXCHANGE": "false"},
        "telemetry": {"enabled": False},
    }
}


@dataclass(frozen=True, kw_only=True)
class Lab:
    """A running cluster, and everything that a user of it needs to know."""

    kubeconfig: Path = KUBECONFIG
    context: str = NAME
    node_address: str = NODE
    """Where node ports answer, as seen from this machine."""
    bin: Path
    """Folder with `kubectl`, `helm` and `fortio`."""
    charts: Mapping[str, Path]
    """Packages of the pinned charts, by the keys of `perimeter:charts`: a mirror of what their makers publish."""
    issuer: Issuer = field(default_factory=Issuer)
    """Signs tokens of any issuer name: its key set is served at every address outside the cluster."""
    probe_image: str = PROBE_IMAGE
    """curl, openssl and a shell, for ephemeral containers that are held to the restricted pod security standard."""
    images: Mapping[str, str] = field(default_factory=lambda: {"demo": ECHO_IMAGE})
    """`perimeter:images` for services that answer with what they received, in place of podinfo."""
    values: Mapping[str, Mapping[str, Any]] = field(default_factory=lambda: VALUES)
    """`perimeter:values` without which nothing works here."""

    @property
    def tools(self) -> Mapping[str, Path]:
        """Return the lab's own command line tools by name."""
        return {name: self.bin / name for name in ingredients.TOOLS}

    @property
    def collector(self) -> dict[str, Any]:
        """Return `perimeter:collector` for the lab's collector of traces."""
        return {
            "namespace": TRACES_NAMESPACE,
            "service": addons.COLLECTOR,
            "port": addons.COLLECTOR_PORT,
            "podLabels": dict(addons.COLLECTOR_LABELS),
        }

    def mirror(self, chart: str) -> Path | None:
        """Return the package that stands for a chart as a Helm release names it, or None where the lab has none."""
        return next((self.charts[known.key] for known in CHARTS if known.reference == chart), None)

    def stack_config(self, *, echo: bool = False, traces: bool = True) -> dict[str, str]:
        """Return the stack configuration of this cluster; structured values are JSON.

        Args:
            echo: services answer with what they received.
            traces: proxies send traces to the lab's collector.
        """
        chosen: dict[str, Any] = {
            "values": self.values,
            **({"images": self.images} if echo else {}),
            **({"collector": self.collector} if traces else {}),
        }
        plain = {"kubeconfig": str(self.kubeconfig), "context": self.context}
        return {f"perimeter:{name}": value for name, value in plain.items()} | {
            f"perimeter:{name}": json.dumps(value) for name, value in chosen.items()
        }


def start(progress: Progress | None = None) -> Lab:
    """Build what is missing, start what does not run, and return the running lab.

    Raises:
        LabError: not root, not Linux, a part that cannot be had or built, or a process that does not come up; nothing of it runs then.
    """
    progress = progress or Silent()
    with _alone():
        made = ingredients.make(progress)
        DESCRIPTION.unlink(missing_ok=True)  # until it is whole again
        issuer = Issuer()
        issuer.start()  # after a `perimeter verify` that was killed
        issuer.restore()
        try:
            cluster.start(made, progress)
        except BaseException as error:
            _end_after(error)
            raise
        return _describe(made)


def _end_after(error: BaseException) -> None:
    """End what was started; what stays although it should not is said beside the error that led here, not in its place."""
    try:
        sandbox.stop()
    except LabError as left:
        if isinstance(error, LabError):
            raise LabError(error.part, f"{error.reason}; and it could not be cleaned up: {left}", todo=error.todo, log=error.log) from error


def stop() -> None:
    """End the lab, and leave the machine as it was. What is deployed comes back at the next start.

    Raises:
        LabError: not root.
    """
    with _alone():
        DESCRIPTION.unlink(missing_ok=True)
        sandbox.stop()


def reset(*, builds: bool = False) -> None:
    """End the lab and forget what is deployed in it.

    Args:
        builds: forget what was built as well.

    Raises:
        LabError: not root.
    """
    stop()
    shutil.rmtree(STATE, ignore_errors=True)
    if builds:
        ingredients.forget()


def current() -> Lab | None:
    """Return the running lab, or None where none runs, or one of which a part has ended: `start` makes that one whole."""
    if not DESCRIPTION.exists() or not all(processes.known(name) for name in (sandbox.INIT, *cluster.PROCESSES)):
        return None
    about = json.loads(DESCRIPTION.read_text())
    return Lab(bin=Path(about["bin"]), charts={key: Path(path) for key, path in about["charts"].items()})


def status() -> Mapping[str, str]:
    """Return what can be said of each process of the lab, in words."""
    return {
        name: f"runs, process {found.pid}" if (found := processes.known(name)) else "does not run"
        for name in (sandbox.INIT, *cluster.PROCESSES)
    }


def _describe(made: Ingredients) -> Lab:
    about = {"bin": str(made.tools), "charts": {key: str(path) for key, path in made.charts.items()}}
    DESCRIPTION.write_text(json.dumps(about))
    lab = current()
    if lab is None:
        raise LabError(sandbox.INIT, "it ended", log=STATE / "logs" / f"{sandbox.INIT}.log")
    return lab


@contextmanager
def _alone() -> Generator[None]:
    """Let one caller at a time change the lab."""
    if os.geteuid():
        raise LabError(
            "privileges",
            "namespaces, mounts and addresses need root",
            todo="Run this command as root; `perimeter check` needs none of them",
        )
    LOCK.parent.mkdir(parents=True, exist_ok=True)
    with LOCK.open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise LabError(
                "lock", "another `perimeter` is starting or stopping it", todo="Wait for it, and run this command again"
            ) from error
        yield
