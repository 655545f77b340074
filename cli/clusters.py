"""Which cluster a command speaks to: the one that was chosen, else the embedded one. Never one that merely happens to be current."""

import os
import shutil
import subprocess
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final

import lab
from cli import kind
from cli.errors import UsageError
from components.binding import ClusterKind
from deploy.processes import Tools
from topology.findings import did_you_mean

KIND: Final = "perimeter:cluster"
"""Key of the stack's configuration that says where its cluster comes from."""


@dataclass(frozen=True, kw_only=True)
class Choice:
    """What the command line says about the cluster."""

    context: str | None = None
    kubeconfig: Path | None = None
    use_lab: bool = False
    use_kind: bool = False

    @property
    def options(self) -> tuple[str, ...]:
        """The options that name a cluster."""
        given = {"--lab": self.use_lab, "--kind": self.use_kind, "--context": self.context, "--kubeconfig": self.kubeconfig}
        return tuple(option for option, value in given.items() if value)

    def admit(self) -> None:
        """Admit a choice of one cluster at most.

        Raises:
            UsageError: with the options that name several.
        """
        if len(self.options) > 1 and set(self.options) != {"--context", "--kubeconfig"}:
            raise UsageError(
                f"{', '.join(self.options)}: each names another cluster. "
                "Keep one: --lab, --kind, or --context and --kubeconfig, which go together."
            )


@dataclass(frozen=True, kw_only=True)
class Cluster:
    """A cluster to work with.

    Attributes:
        name: what people call it.
        tools: kubectl and helm, bound to it.
        config: stack configuration that it needs.
        mirror: local copies of published charts.
        is_lab: whether it is the embedded one.
        is_made: whether the stack makes it, in a cloud, which the Pulumi CLI alone can do.
        forwarded: host of this machine whose ports lead to its node ports, for where no address of a node does.
    """

    name: str
    tools: Tools
    config: Mapping[str, str] = field(default_factory=dict[str, str])
    mirror: Callable[[str, str], Path | None] = field(default=lambda chart, version: None)
    is_lab: bool = False
    is_made: bool = False
    forwarded: str | None = None


def admit_context(cluster: Cluster | None) -> None:
    """Admit a cluster whose context kubectl knows, as far as there is a kubectl to be asked; what else is wrong shows when it is used.

    Raises:
        UsageError: with the contexts that it knows.
    """
    if cluster is None or cluster.is_lab or cluster.is_made or not cluster.tools.context or shutil.which("kubectl") is None:
        return
    of = ("--kubeconfig", str(cluster.tools.kubeconfig)) if cluster.tools.kubeconfig else ()
    asked = subprocess.run(["kubectl", *of, "config", "get-contexts", "--output=name"], capture_output=True, text=True, check=False)
    known = asked.stdout.split()
    if asked.returncode == 0 and cluster.tools.context not in known:
        there = (
            did_you_mean(cluster.tools.context, known)
            if known
            else "there is none; a cluster's own tool writes it, as kind and the clouds' do"
        )
        whose = f" in {cluster.tools.kubeconfig}" if cluster.tools.kubeconfig else ""
        raise UsageError(f"kubectl knows no context {cluster.tools.context!r}{whose} ({there}).")


def made(configured: Mapping[str, str]) -> Cluster | None:
    """Return the cluster that a stack makes by itself, or None where it is deployed to one that is there."""
    cloud = configured.get(KIND, ClusterKind.EXISTING)
    return None if cloud == ClusterKind.EXISTING else Cluster(name=f"a cluster of its own ({cloud})", tools=Tools(), is_made=True)


def running(choice: Choice, configured: Mapping[str, str], *, echo: bool = False) -> Cluster | None:
    """Return the chosen cluster if it needs no starting, or None where the embedded one must be started first.

    Args:
        choice: what the command line says.
        configured: the stack's configuration, which may name a cluster too.
        echo: services of the embedded cluster answer with what they received.

    Raises:
        UsageError: the choices contradict each other, or none was made and there is more than one way to understand that.
    """
    choice.admit()
    if choice.use_kind:
        if "perimeter:kubeconfig" in configured:
            raise UsageError(
                "--kind makes a cluster in kubectl's own kubeconfig, and the stack names another one (perimeter:kubeconfig). Keep one."
            )
        return replace(_named(kind.CONTEXT, None), forwarded=kind.HERE)
    context = choice.context or configured.get("perimeter:context")
    kubeconfig = choice.kubeconfig or (Path(configured["perimeter:kubeconfig"]) if "perimeter:kubeconfig" in configured else None)
    if (context or kubeconfig) and not choice.use_lab:
        return _named(context, kubeconfig)
    if (own := made(configured)) and not choice.use_lab:
        raise UsageError(
            f"which cluster? The stack makes {own.name}, and no other is taken in its place. Name its context: --context NAME."
        )
    if (found := lab.current()) is not None:
        return _embedded(found, echo=echo)
    if not choice.use_lab:
        _refuse_to_guess()
    return None


def started(*, echo: bool = False) -> Cluster:
    """Start the embedded cluster."""
    return _embedded(lab.start(lab.ConsoleProgress()), echo=echo)


def _named(context: str | None, kubeconfig: Path | None) -> Cluster:
    tools = Tools(context=context, kubeconfig=kubeconfig)
    given = {"perimeter:context": context, "perimeter:kubeconfig": str(kubeconfig) if kubeconfig else None}
    name = f"context {context}" if context else f"the current context of {kubeconfig}"
    return Cluster(name=name, tools=tools, config={key: value for key, value in given.items() if value})


def _embedded(found: lab.Lab, *, echo: bool) -> Cluster:
    return Cluster(
        name="the embedded cluster",
        tools=Tools(folder=found.bin, kubeconfig=found.kubeconfig, context=found.context),
        config=found.stack_config(echo=echo),
        mirror=lambda chart, _version: found.mirror(chart),
        is_lab=True,
    )


def _refuse_to_guess() -> None:
    current = _current_context()
    ways = "\n".join(
        [
            *([f"  --context {current}   the cluster that kubectl speaks to now"] if current else []),
            "  --context NAME, --kubeconfig FILE   another one",
            "  --kind   a kind cluster of its own, with Docker",
            "  --lab   the embedded cluster, which needs root",
        ]
    )
    if current:
        raise UsageError(f"which cluster? kubectl speaks to {current!r}, which is not taken without being named. Choose:\n{ways}")
    if os.geteuid():
        raise UsageError(f"no cluster: the embedded one needs root, and none was named. Choose:\n{ways}\nWithout any, run perimeter check.")


def _current_context() -> str:
    if shutil.which("kubectl") is None:
        return ""
    asked = subprocess.run(["kubectl", "config", "current-context"], capture_output=True, text=True, check=False)
    return asked.stdout.strip() if asked.returncode == 0 else ""
