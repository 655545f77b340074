"""The first process of the sandbox: makes a root of its own, then buries processes until it is killed, and everything with it.

Run by file, not as a module: `python init.py DEBIAN STATE CACHE SEEN...`. The mount, process, network, host name and IPC
namespaces are new; the root becomes Debian's packages over the machine's own root over nothing that lasts, so that whatever
the lab's programs write anywhere but in STATE and CACHE is gone with the sandbox.
"""

import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

SYSCTLS = (
    "vm/overcommit_memory", "vm/panic_on_oom", "kernel/panic", "kernel/panic_on_oops", "kernel/keys/root_maxkeys", "kernel/keys/root_maxbytes",
)  # fmt: skip
"""Settings of the whole machine that the kubelet would write: it gets copies."""
READY = "ready"
SYSTEM = Path("/sys/devices/system")
CORES = 16
"""Cores that the kubelet is shown. What pods ask for is held against them, and a system of forty services that all wait asks for seven."""


def main(debian: Path, state: Path, cache: Path, *seen: Path) -> None:
    """Set the root up, say so, and stay."""
    root = _root(debian, state, cache, seen)
    os.chdir(root)
    _call("pivot_root", ".", "old")
    os.chdir("/")
    _call("umount", "-l", "/old")
    _mask_sysctls()
    _show_cores()
    socket.sethostname("lab")
    (state / "run" / READY).touch()
    while True:
        try:
            os.waitpid(-1, 0)
        except ChildProcessError:
            signal.sigtimedwait([signal.SIGCHLD], 1)


def _root(debian: Path, state: Path, cache: Path, seen: tuple[Path, ...]) -> Path:
    layers = state / "root"
    layers.mkdir(parents=True, exist_ok=True)
    _call("mount", "-t", "tmpfs", "tmpfs", layers)
    for name in ("debian", "upper", "work", "merged"):
        (layers / name).mkdir()
    # A layer may not lie inside another: the packages are copied out of the file system that is the layer below them.
    _call("cp", "--archive", f"{debian}/.", layers / "debian")
    root = layers / "merged"
    _call("mount", "-t", "overlay", "overlay", "-o", f"lowerdir={layers}/debian:/,upperdir={layers}/upper,workdir={layers}/work", root)
    # What is in the root's own file system is seen through the overlay, where nothing written lasts.
    elsewhere = [place for place in seen if place.stat().st_dev != Path("/").stat().st_dev]
    for how, places in (("--rbind", (Path("/sys"), Path("/dev"))), ("--bind", (*elsewhere, state, cache))):
        for place in places:
            target = root / place.relative_to("/")
            target.mkdir(parents=True, exist_ok=True)
            _call("mount", how, place, target)
    _call("mount", "-t", "proc", "proc", root / "proc")
    (root / "run").mkdir(exist_ok=True)
    _call("mount", "-t", "tmpfs", "tmpfs", root / "run")
    (root / "old").mkdir()
    return root


def _mask_sysctls() -> None:
    for number, name in enumerate(SYSCTLS):
        real, copy = Path("/proc/sys") / name, Path(f"/run/sysctl-{number}")
        if real.exists():
            copy.write_bytes(real.read_bytes())
            _call("mount", "--bind", copy, real)


def _show_cores() -> None:
    """Show more cores than there are, in the places that the kubelet counts them. Pods have a `/sys` of their own, which says the truth."""
    real, shown = SYSTEM / "node" / "node0", Path("/run/node")
    if not real.is_dir():
        return
    for file in (real / "meminfo", real / "distance", *real.glob("hugepages/*/nr_hugepages")):
        copy = shown / file.relative_to(SYSTEM / "node")
        copy.parent.mkdir(parents=True, exist_ok=True)
        copy.write_bytes(file.read_bytes())
    for number in range(CORES):
        topology = shown / "node0" / f"cpu{number}" / "topology"
        topology.mkdir(parents=True)
        (topology / "core_id").write_text(f"{number}\n")
        (topology / "physical_package_id").write_text("0\n")
    online = shown / "online"
    online.write_text(f"0-{CORES - 1}\n")
    _call("mount", "--bind", shown, SYSTEM / "node")
    _call("mount", "--bind", online, SYSTEM / "cpu" / "online")


def _call(*command: object) -> None:
    subprocess.run([str(word) for word in command], check=True)


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:]))
