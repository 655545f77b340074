"""The lab's own mounts, processes, network and control group: ending one process ends everything, and leaves the machine as it was."""

import os
import shutil
import signal
import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final

from lab import machine, processes
from lab.commands import run
from lab.errors import LabError
from lab.init import READY
from lab.processes import Process
from lab.settings import (
    CACHE,
    CACHE_VARIABLE,
    LINK,
    LINK_PREFIX,
    MACHINE,
    NODE,
    PODS,
    PROJECT,
    RUN,
    SERVICES,
    STATE,
    WAN,
    WAN_NODE,
    WAN_PORT,
    WAN_PREFIX,
)

INIT: Final = "sandbox"
INTERNET: Final = "internet"
"""Network namespace, inside the sandbox, of what plays every host outside."""
ENVIRONMENT: Final = (
    "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
    "HOME=/root",
    "LANG=C.UTF-8",
    f"PYTHONPATH={PROJECT}",
    # Said outright: neither the variable nor the home of who started the lab is known inside.
    f"{CACHE_VARIABLE}={CACHE}",
)
SETTINGS: Final = """set -e
echo 1 > /proc/sys/net/ipv4/ip_forward
for file in /proc/sys/net/ipv6/conf/{all,default}/disable_ipv6; do [ ! -e $file ] || echo 1 > $file; done
"""
"""NetworkPolicies are enforced for IPv4 only, so there is nothing else."""
CONTROL_GROUPS: Final = Path("/sys/fs/cgroup")
CONTAINERD_GROUP: Final = "k8s.io"
"""Where containerd puts the control groups of pods that have no parent group."""


def start(debian: Path) -> None:
    """Make the sandbox and its network.

    Args:
        debian: folder of the unpacked Debian packages.

    Raises:
        LabError: a namespace, a mount or an address cannot be made.
    """
    if processes.known(INIT):
        return
    stop()
    RUN.mkdir(parents=True, exist_ok=True)
    machine.raise_limits()
    flags = ("--mount", "--pid", "--net", "--uts", "--ipc", "--fork", "--kill-child", "--propagation", "private")
    command = (sys.executable, "-I", Path(__file__).with_name("init.py"), debian, STATE, CACHE, PROJECT, sys.prefix, sys.base_prefix)
    process = processes.start(INIT, command, prefix=("unshare", *flags, "--"), forks=True, cwd=Path("/"))
    processes.until("its root is ready", (RUN / READY).exists, 20, of=INIT)
    _network(process)


def stop() -> None:
    """End every process of the sandbox; its mounts and its network go with them."""
    if process := processes.known(INIT):
        _unlink(process)
        os.kill(process.pid, signal.SIGKILL)
    if before := processes.former(INIT):  # also one that somebody else killed a moment ago
        processes.until("the sandbox ends", lambda: not before.holds(), 20)
    machine.restore_limits()
    shutil.rmtree(RUN, ignore_errors=True)
    # Where the sandbox was killed by somebody else, the kernel removes it with the namespace that its other end is in: when the last
    # connection there has timed out.
    processes.until("the sandbox's link goes", lambda: not Path(f"/sys/class/net/{LINK}").exists(), 90)
    _remove_groups()


def inside(*, network: str | None = None) -> tuple[str | Path, ...]:
    """Return the words that run a command inside the sandbox.

    Args:
        network: a network namespace in the sandbox other than the node's.

    Raises:
        LabError: the sandbox does not run.
    """
    process = processes.known(INIT)
    if process is None:
        raise LabError(INIT, "it does not run", todo="perimeter lab start")
    words = ("nsenter", "--target", str(process.pid), "--mount", "--pid", "--net", "--uts", "--ipc", "--wdns=/", "--")
    other = ("nsenter", f"--net=/run/netns/{network}", "--") if network else ()
    return (*words, *other, "env", "-i", *ENVIRONMENT)


def run_inside(part: str, command: Sequence[str | Path], *, network: str | None = None) -> str:
    """Run a command inside the sandbox to its end and return what it wrote.

    Raises:
        LabError: it fails.
    """
    return run(part, (*inside(network=network), *command))


def start_inside(name: str, command: Sequence[str | Path], *, network: str | None = None) -> None:
    """Start a process inside the sandbox."""
    processes.start(name, command, prefix=inside(network=network), forks=True)


def _outside(process: Process) -> tuple[str, ...]:
    """Return the words that run a program of the sandbox in the machine's network: the machine may have no `ip`."""
    return ("nsenter", "--target", str(process.pid), "--mount", "--wdns=/", "--", "env", "-i", *ENVIRONMENT)


def _unlink(process: Process) -> None:
    """Remove the link while there is somebody to do it: a namespace outlives its processes by as long as its connections take to end."""
    with suppress(LabError):  # there is none yet
        run("network", (*_outside(process), "ip", "link", "delete", LINK))


def _network(process: Process) -> None:
    outside = _outside(process)
    for command in (
        f"ip link add {LINK} type veth peer name eth0 netns {process.pid}",
        f"ip address add {MACHINE}/{LINK_PREFIX} dev {LINK}",
        f"ip link set {LINK} up",
    ):
        run("network", (*outside, *command.split()))
    for command in (
        "ip link set lo up",
        f"ip address add {NODE}/{LINK_PREFIX} dev eth0",
        "ip link set eth0 up",
        f"ip netns add {INTERNET}",
        f"ip link add wan0 type veth peer name wan1 netns {INTERNET}",
        f"ip address add {WAN_NODE}/{WAN_PREFIX} dev wan0",
        "ip link set wan0 up",
    ):
        run_inside("network", command.split())
    run_inside("network", ("bash", "-c", SETTINGS))
    for command in (
        "ip link set lo up",
        f"ip address add {WAN}/{WAN_PREFIX} dev wan1",
        "ip link set wan1 up",
        f"ip route add {PODS} via {WAN_NODE}",
        "nft add table ip wan",
        "nft add chain ip wan in { type nat hook prerouting priority -100 ; }",
        f"nft add rule ip wan in iifname wan1 meta l4proto tcp redirect to :{WAN_PORT}",
    ):
        run_inside("network", command.split(), network=INTERNET)
    run_inside("network", ("ip", "route", "add", "default", "via", WAN))
    # Addresses of services are never routed: kube-proxy has to have a route before which it can change them.
    run_inside("network", ("ip", "route", "add", SERVICES, "dev", "eth0"))


def _groups() -> list[Path]:
    """Return the control groups of the lab's containers, which containerd names by their ids, in each hierarchy."""
    cri = STATE / "containerd" / "io.containerd.grpc.v1.cri"
    ids = [path.name for kind in ("sandboxes", "containers") for path in (cri / kind).glob("*")]
    roots = (CONTROL_GROUPS, *CONTROL_GROUPS.glob("*/"))
    return [group for root in roots for name in ids if (group := root / CONTAINERD_GROUP / name).is_dir()]


def _remove_groups() -> None:
    """Remove what the lab leaves in the machine's control groups; a group that still has another user stays."""
    groups = _groups()
    deadline = time.monotonic() + 5
    for folder in (*groups, *{group.parent for group in groups}):
        while folder.exists() and time.monotonic() < deadline:
            try:
                folder.rmdir()
            except OSError:  # who was killed is still being buried, or another containerd uses the parent
                if folder not in groups:
                    break
                time.sleep(0.02)
