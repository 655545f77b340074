"""The cluster from nothing to ready."""

import json
import sys
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final

from lab import addons, control_plane, kubernetes, node, processes, sandbox
from lab.errors import LabError
from lab.images import key as contents
from lab.ingredients import Ingredients
from lab.issuer import rsa_key
from lab.progress import Progress
from lab.settings import LOGS, NODE_NAME, TRACES_NAMESPACE

PROCESSES: Final = (
    "internet", "etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler", "containerd", "enforcer", "kubelet", "kube-proxy",
)  # fmt: skip
"""In the order of their start; all end with the sandbox."""
READY_SECONDS: Final = 180
WAITED_FOR: Final = ((addons.SYSTEM, "coredns"), (addons.SYSTEM, "metrics-server"), (TRACES_NAMESPACE, addons.COLLECTOR))
"""Deployments without which nobody else's work."""


def start(made: Ingredients, progress: Progress) -> None:
    """Start what does not run, and wait until pods can be scheduled and find each other.

    Raises:
        LabError: a process ends, or something is not ready in time.
    """
    with progress.step("sandbox"):
        sandbox.start(made.debian)
        sandbox.start_inside("internet", (sys.executable, "-m", "lab.internet"), network=sandbox.INTERNET)
        kubernetes.make_keys(rsa_key())
    with ThreadPoolExecutor(1) as beside:
        images = beside.submit(_images, made, progress)
        with progress.step("control plane"):
            control_plane.start(made.programs, made.etcd)
            addons.deploy(made.programs["kubectl"], {name: contents(image) for image in made.images for name in image.names})
            node.start_enforcer()
        images.result()
    with progress.step("node"):
        node.start(made.programs)
        kubectl = made.programs["kubectl"]
        processes.until("the node is ready", lambda: _ready(made), READY_SECONDS, of="kubelet")
        for namespace, name in WAITED_FOR:
            kubernetes.kubectl(kubectl, "rollout", "status", "deployment", name, "--namespace", namespace, f"--timeout={READY_SECONDS}s")
    for name in PROCESSES:
        if processes.known(name) is None:
            raise LabError(name, "ended after it had started", log=LOGS / f"{name}.log")


def _images(made: Ingredients, progress: Progress) -> None:
    with progress.step("images"):
        node.start_containerd()
        node.load(made.images)


def _ready(made: Ingredients) -> bool:
    try:
        found: dict[str, Any] = json.loads(kubernetes.kubectl(made.programs["kubectl"], "get", "node", NODE_NAME, "--output=json"))
    except LabError:
        return False
    return any(condition["type"] == "Ready" and condition["status"] == "True" for condition in found["status"].get("conditions", []))
