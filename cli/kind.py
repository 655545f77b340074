"""The kind cluster of --kind, made as https://kind.sigs.k8s.io/docs/user/configuration/ says."""

import json
import os
import re
import shutil
import subprocess
import time
from typing import Any, Final

from cli.errors import UsageError
from deploy.errors import DeployError
from deploy.processes import Tools, run

NAME: Final = "perimeter"
CONTEXT: Final = f"kind-{NAME}"
"""What kind calls the context of a cluster."""
OLDEST: Final = (0, 29)
"""Its nodes run Kubernetes 1.33 (release notes), the oldest that Envoy Gateway 1.9.1 is tested with (its `build_and_test.yaml`); Istio 1.31 needs 1.32
(its `k8sversion.MinK8SVersion`). Before 0.24 kind enforced no NetworkPolicy at all."""
HERE: Final = "127.0.0.1"
"""Where the node port is published on this machine: where Docker runs in a virtual machine, nodes have no address that leads to them (Known Issues)."""
ENGINES: Final = ("docker", "nerdctl", "podman")
MAX_PODS: Final = 250
"""Pods of the one node. The kubelet's own 110 are too few for a system of forty services that is being changed."""
WAIT: Final = "5m"
"""For the node to be ready."""
PATIENCE: Final = 30.0
"""Seconds in which the API server of a node that was just started may refuse to be asked."""


def admit() -> None:
    """Admit a machine on which the cluster is, or can be made.

    Raises:
        UsageError: with what is missing, too old, or does not answer.
    """
    for program in ("kind", _engine(), "kubectl"):
        if shutil.which(program) is None:
            raise UsageError(f"--kind: {program} is not on PATH. Install it, or use the embedded cluster (--lab).")
    if _exists():
        return
    _, said, _ = run(["kind", "version"])
    found = re.match(r"kind v(\d+)\.(\d+)", said)
    if found is None or (int(found[1]), int(found[2])) < OLDEST:
        raise UsageError(
            f"--kind: kind {'.'.join(map(str, OLDEST))} or later is needed for a cluster, here is {said.strip() or 'one that does not say'}. "
            "Install a later one, or use the embedded cluster (--lab)."
        )


def make(public_port: int) -> None:
    """Create the cluster unless it is there; return when its node is ready and kubectl knows it.

    Args:
        public_port: node port of the edge.

    Raises:
        DeployError: it cannot be created, or does not become ready.
    """
    if not _exists():
        _create(public_port)
    _know()
    _await()  # of a new one, too: kind says that it is ready when it has waited for long enough


def _create(public_port: int) -> None:
    command = ["kind", "create", "cluster", "--name", NAME, "--wait", WAIT, "--config", "-"]
    if subprocess.run(command, input=json.dumps(_config(public_port)), text=True, check=False).returncode:
        raise DeployError(["--kind: kind could not create the cluster; its words stand above."])


def _config(public_port: int) -> dict[str, Any]:
    kubelet = {"apiVersion": "kubelet.config.k8s.io/v1beta1", "kind": "KubeletConfiguration", "maxPods": MAX_PODS}
    published = {"containerPort": public_port, "hostPort": public_port, "listenAddress": HERE}
    return {
        "apiVersion": "kind.x-k8s.io/v1alpha4",
        "kind": "Cluster",
        "kubeadmConfigPatches": [json.dumps(kubelet)],
        "nodes": [{"role": "control-plane", "extraPortMappings": [published]}],
    }


def _know() -> None:
    """See to it that kubectl knows the cluster, which may have been made with another kubeconfig."""
    if run(["kubectl", "config", "get-contexts", CONTEXT])[0]:
        run(["kind", "export", "kubeconfig", "--name", NAME])


def _await() -> None:
    """Wait until the node is ready: it may just have been started, or be left over from a creation that was interrupted."""
    command = Tools(context=CONTEXT).kubectl("wait", "node", "--all", "--for=condition=Ready", f"--timeout={WAIT}")
    began = time.monotonic()
    while (asked := run(command))[0]:
        if time.monotonic() - began > PATIENCE:
            said = "".join(asked[2].strip().splitlines()[-1:])
            raise DeployError(
                [
                    f"--kind: the cluster {NAME} is there, but not ready: {said}\n"
                    f"    → Let kubectl know it as it is (kind export kubeconfig --name {NAME}), start its node ({_engine()} start {NAME}-control-plane), "
                    f"or have it made anew (kind delete cluster --name {NAME})."
                ]
            )
        time.sleep(1)


def _exists() -> bool:
    failed, said, complained = run(["kind", "get", "clusters"])
    if failed:
        raise UsageError(f"--kind: kind cannot say which clusters there are; does {_engine()} run? {' '.join(complained.split())}")
    return NAME in said.split()


def _engine() -> str:
    """Return the program with which kind makes its nodes: the one that it is told, else the first that is there (kind, `DetectNodeProvider`)."""
    found = os.environ.get("KIND_EXPERIMENTAL_PROVIDER") or next(filter(shutil.which, ENGINES), None)
    return found or ENGINES[0]
