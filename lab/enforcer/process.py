"""The enforcer as a process: follow the cluster, keep the table."""

import logging
import queue
import signal
import subprocess
import threading
import time
from pathlib import Path
from typing import Final, NoReturn

from lab.enforcer import rules, semantics, watch
from lab.enforcer.objects import Known

PAUSE: Final = 0.2
"""Least seconds between two rewrites: a burst of changes costs one."""
_NOBODY: Final = semantics.Compiled(pods=frozenset(), policies=dict.fromkeys(semantics.DIRECTIONS, ()))
_log = logging.getLogger(__name__)


class Table:
    """The table in the kernel, in the network namespace of this process."""

    def __init__(self, pod_range: str) -> None:
        self._pod_range = pod_range
        self._content: rules.Ruleset | None = None

    def exists(self) -> bool:
        """Tell whether the table is there, from this process or an earlier one."""
        return subprocess.run(["nft", "list", "table", *rules.TABLE.split()], capture_output=True, check=False).returncode == 0

    def write(self, compiled: semantics.Compiled) -> bool:
        """Bring the table to this content in one transaction; tell whether anything changed.

        Raises:
            RuntimeError: nft refused; the table is what it was.
        """
        after = rules.ruleset(compiled, self._pod_range)
        if text := rules.transaction(self._content, after):
            try:
                _nft(text)
            except RuntimeError as error:
                if self._content is None:
                    raise
                _log.warning("%s; the table is written anew", error)
                self._content = None
                _nft(rules.transaction(None, after))
        self._content = after
        return bool(text)

    def close(self) -> None:
        """Let no pod open a connection."""
        self.write(_NOBODY)

    def remove(self) -> None:
        """Take the table away, if it is there."""
        self._content = None
        _nft(f"table {rules.TABLE}\ndelete table {rules.TABLE}\n")


def _nft(text: str) -> None:
    done = subprocess.run(["nft", "-f", "-"], input=text, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"nft refused the rules: {done.stderr.strip()[:2000]}")


def _take(known: Known, change: watch.Change) -> bool:
    """Enter one change into what is known; tell whether it says anything new."""
    if change.event == "LIST":
        return known.replace(change.kind, change.objects)
    update = known.remove if change.event == "DELETED" else known.put
    return update(change.kind, change.objects[0])


def _burst(changes: "queue.SimpleQueue[watch.Change]", known: Known) -> bool:
    """Wait for a change and take it and all that came with it; tell whether they say anything new."""
    new = _take(known, changes.get())
    while not changes.empty():
        new = _take(known, changes.get()) or new
    return new


def run(kubeconfig: Path, *, pods: str, ready: Path | None = None) -> NoReturn:
    """Enforce the cluster's NetworkPolicies until SIGTERM or SIGINT; then remove the table.

    Args:
        kubeconfig: whose present context names the API server (token or client certificate).
        pods: the range in CIDR notation that all pod addresses come from.
        ready: a file that is made once the cluster's own policies are in force, and removed at the end.

    Raises:
        RuntimeError: nft refused. The last table stays, as after a crash: what was forbidden stays forbidden.
    """
    for name in (signal.SIGTERM, signal.SIGINT):
        signal.signal(name, _leave)
    table, over = Table(pods), threading.Event()
    _unready(ready)
    try:
        if not table.exists():
            table.close()
        _keep(table, watch.start(watch.Server(kubeconfig), over), ready)
    except SystemExit:
        table.remove()
        raise
    finally:
        over.set()
        _unready(ready)


def _unready(ready: Path | None) -> None:
    if ready:
        ready.unlink(missing_ok=True)


def _leave(*_: object) -> NoReturn:
    """End the process in order; a second signal must not interrupt that."""
    for name in (signal.SIGTERM, signal.SIGINT):
        signal.signal(name, signal.SIG_IGN)
    raise SystemExit(0)


def _keep(table: Table, changes: "queue.SimpleQueue[watch.Change]", ready: Path | None) -> NoReturn:
    """Write the table whenever what is known changes."""
    known, first = Known(), True
    while True:
        new = _burst(changes, known)
        if not (new and known.complete):
            continue
        began = time.monotonic()
        cluster = known.cluster()
        if table.write(semantics.compiled(cluster)) or first:
            first = False
            spent = (time.monotonic() - began) * 1000
            _log.info("in force: %d policies, %d pods (%.0f ms)", len(cluster.policies), len(cluster.pods), spent)
        if ready:
            ready.touch()
        time.sleep(PAUSE)
