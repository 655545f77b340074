"""Only one run at a time changes a stack: a Lease, which a run that was killed loses by itself."""

import os
import socket
import threading
import time
import uuid
from collections.abc import Callable, Generator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from deploy.api import Api, ApiError, Object
from deploy.documents import text
from deploy.errors import DeployError
from deploy.state import NAMESPACE

_SECONDS: Final = 15
"""How long a lease lasts that is not renewed."""
_RENEW: Final = 4.0
_LOOK: Final = 0.5
_LEASES: Final = f"/apis/coordination.k8s.io/v1/namespaces/{NAMESPACE}/leases"


def holder() -> str:
    """Return who this process is: machine, boot, process id and when it started, so that a dead holder on this machine is recognised at once."""
    return f"{_machine()}/{os.getpid()}/{_started(os.getpid())}/{uuid.uuid4().hex[:8]}"


def is_dead(other: str) -> bool:
    """Whether a holder was a process of this machine that runs no more."""
    machine, _, rest = other.partition("/")
    pid, started, *_ = [*rest.split("/"), "", ""]
    return machine == _machine() and pid.isdigit() and _started(int(pid)) != started


@contextmanager
def held(api: Api, name: str, tell: Callable[[str], None]) -> Generator[Callable[[], bool]]:
    """Hold a stack's lease; yields a function that says whether it is still held.

    Raises:
        DeployError: another run keeps it.
    """
    me = holder()
    lease = _take(api, name, me, tell)
    lost, over = threading.Event(), threading.Event()

    def renew() -> None:
        current = lease
        while not over.wait(_RENEW):
            try:
                current = api.request("PUT", f"{_LEASES}/{name}", _document(name, me, current))
            except ApiError as error:
                if error.status in {404, 409}:
                    lost.set()
                    return
            except DeployError:
                continue  # the cluster may be away for a moment; whoever works with it says so if it stays away

    thread = threading.Thread(target=renew, name="lease", daemon=True)
    thread.start()
    try:
        yield lambda: not lost.is_set()
    finally:
        over.set()
        thread.join()
        with suppress(ApiError, DeployError):
            api.request("DELETE", f"{_LEASES}/{name}")


def _take(api: Api, name: str, me: str, tell: Callable[[str], None]) -> Object:
    seen, since, told = "", time.monotonic(), False
    while True:
        try:
            found = api.request("GET", f"{_LEASES}/{name}")
        except ApiError as error:
            if not error.not_found:
                raise
            if (taken := _write(api, "POST", _LEASES, _document(name, me, None))) is not None:
                return taken
            continue
        other, renewed = text(found, "spec", "holderIdentity"), text(found, "spec", "renewTime")
        if renewed != seen:
            if seen and seen != renewed:
                raise DeployError([f"another run is deploying this stack ({other}). Wait until it has ended."])
            seen, since = renewed, time.monotonic()
        # Clocks of two machines are never compared: a lease is over when it was not renewed for its time, by our own clock.
        if is_dead(other) or time.monotonic() - since > _SECONDS:
            if (taken := _write(api, "PUT", f"{_LEASES}/{name}", _document(name, me, found))) is not None:
                return taken
            continue
        if not told:
            tell(f"waiting for another run to end, or for its lease to end if it was interrupted (at most {_SECONDS} s)")
            told = True
        time.sleep(_LOOK)


def _write(api: Api, method: str, path: str, document: Object) -> Object | None:
    """Write a lease; None where somebody else was faster."""
    try:
        return api.request(method, path, document)
    except ApiError as error:
        if error.status in {404, 409}:
            return None
        raise


def _document(name: str, me: str, found: Object | None) -> Object:
    now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    metadata = {"name": name, "namespace": NAMESPACE, **({"resourceVersion": found["metadata"]["resourceVersion"]} if found else {})}
    spec = {"holderIdentity": me, "leaseDurationSeconds": _SECONDS, "renewTime": now}
    return {"apiVersion": "coordination.k8s.io/v1", "kind": "Lease", "metadata": metadata, "spec": spec}


def _machine() -> str:
    boot = Path("/proc/sys/kernel/random/boot_id")
    return f"{socket.gethostname()}-{boot.read_text().strip()[:8]}" if boot.is_file() else f"{socket.gethostname()}-{uuid.getnode():x}"


def _started(pid: int) -> str:
    """Return when a process started, in the kernel's own count; an empty text for none, or where that cannot be known."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[19]
    except (OSError, IndexError):
        return ""
