"""The node: containerd with the images, the kubelet, kube-proxy, and what enforces NetworkPolicies."""

import json
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Final

from lab import images, processes
from lab.certificates import secret
from lab.errors import LabError
from lab.kubernetes import CLUSTER_AUTHORITY, ENFORCER, KUBELET, KUBELET_SERVER, PROXY
from lab.oci import Image
from lab.processes import until
from lab.sandbox import run_inside, start_inside
from lab.settings import (
    CLUSTER_DOMAIN,
    CONTAINERD_SOCKET,
    DNS_SERVICE,
    KUBERNETES_NAMESPACE_OF_CONTAINERD,
    NAME,
    NODE,
    NODE_NAME,
    PODS,
    RUN,
    SANDBOX_IMAGE,
    STATE,
)

CNI: Final = STATE / "cni"
IMPORTED: Final = STATE / "images.json"
"""Which content containerd has under each name."""
MAX_PODS: Final = 250


def start_containerd() -> None:
    """Start containerd and wait until it answers."""
    _write(CNI / "10-lab.conflist", _cni())
    configuration = STATE / "containerd.toml"
    configuration.write_text(_containerd())
    start_inside("containerd", ("containerd", "--config", configuration))
    until("it answers", _answers, 30, of="containerd")


def load(wanted: Iterable[Image]) -> None:
    """Import the images that containerd does not have in their present content."""
    known: dict[str, str] = json.loads(IMPORTED.read_text()) if IMPORTED.exists() else {}
    for image in wanted:
        content = images.key(image)
        if any(known.get(name) != content for name in image.names):
            archive = images.archive(image)
            run_inside("images", (*_ctr(), "images", "import", "--no-unpack", archive))
            known.update(dict.fromkeys(image.names, content))
            _write(IMPORTED, known)


def start(programs: Mapping[str, Path]) -> None:
    """Start the kubelet and kube-proxy."""
    resolver = STATE / "resolv.conf"
    resolver.write_text(f"nameserver {DNS_SERVICE}\n")
    kubelet, proxy = STATE / "kubelet.json", STATE / "kube-proxy.json"
    _write(kubelet, _kubelet(resolver))
    _write(proxy, _proxy())
    flags = (
        "--config",
        kubelet,
        "--kubeconfig",
        KUBELET.kubeconfig,
        "--root-dir",
        STATE / "kubelet",
        "--hostname-override",
        NODE_NAME,
        "--node-ip",
        NODE,
    )
    start_inside("kubelet", (programs["kubelet"], *flags))
    start_inside("kube-proxy", (programs["kube-proxy"], "--config", proxy))


def start_enforcer() -> None:
    """Start what enforces NetworkPolicies, and wait until those that exist are in force: no pod runs before."""
    ready = RUN / "enforcer-ready"
    if processes.known("enforcer") is None:
        ready.unlink(missing_ok=True)
    start_inside("enforcer", (sys.executable, "-m", "lab.enforcer", "--kubeconfig", ENFORCER.kubeconfig, "--pods", PODS, "--ready", ready))
    until("policies are in force", ready.exists, 30, of="enforcer")


def _answers() -> bool:
    try:
        return "Version" in run_inside("containerd", (*_ctr(), "version"))
    except LabError:
        return False


def _ctr() -> tuple[str, ...]:
    return ("ctr", "--address", CONTAINERD_SOCKET, "--namespace", KUBERNETES_NAMESPACE_OF_CONTAINERD)


def _cni() -> dict[str, Any]:
    # One link for each pod, everything routed: there is no bridge that carries traffic past the rules.
    addresses = {"type": "host-local", "dataDir": "/run/cni", "subnet": PODS, "routes": [{"dst": "0.0.0.0/0"}]}
    return {"cniVersion": "0.4.0", "name": NAME, "plugins": [{"type": "ptp", "ipMasq": False, "ipam": addresses}]}


def _containerd() -> str:
    return f"""version = 2
root = "{STATE}/containerd"
state = "/run/containerd"
[grpc]
  address = "{CONTAINERD_SOCKET}"
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "{SANDBOX_IMAGE}"
  restrict_oom_score_adj = true
  [plugins."io.containerd.grpc.v1.cri".containerd]
    snapshotter = "{_snapshotter()}"
    [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
      runtime_type = "io.containerd.runc.v2"
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "/usr/lib/cni"
    conf_dir = "{CNI}"
"""


def _snapshotter() -> str:
    """Return how containerd keeps layers: overlays do not lie on overlays."""
    mounts = [line.split() for line in Path("/proc/self/mounts").read_text().splitlines()]
    where = max((mount for mount in mounts if f"{STATE}/".startswith(f"{mount[1].rstrip('/')}/")), key=lambda mount: len(mount[1]))
    return "native" if where[2] == "overlay" else "overlayfs"


def _kubelet(resolver: Path) -> dict[str, Any]:
    return {
        "apiVersion": "kubelet.config.k8s.io/v1beta1", "kind": "KubeletConfiguration", "address": NODE, "containerRuntimeEndpoint": f"unix://{CONTAINERD_SOCKET}",
        "authentication": {"anonymous": {"enabled": False}, "webhook": {"enabled": True}, "x509": {"clientCAFile": str(CLUSTER_AUTHORITY.certificate)}},
        "authorization": {"mode": "Webhook"}, "tlsCertFile": str(KUBELET_SERVER.certificate), "tlsPrivateKeyFile": str(KUBELET_SERVER.key),
        "clusterDNS": [DNS_SERVICE], "clusterDomain": CLUSTER_DOMAIN, "resolvConf": str(resolver), "podLogsDir": str(STATE / "pods"),
        # The lab shares the machine's control groups, so it makes no hierarchy of classes in them.
        "cgroupDriver": "cgroupfs", "cgroupRoot": "/", "cgroupsPerQOS": False, "enforceNodeAllocatable": [], "failCgroupV1": False,
        "localStorageCapacityIsolation": False, "failSwapOn": False, "maxPods": MAX_PODS, "serializeImagePulls": False, "registerWithTaints": [],
        "evictionHard": {"memory.available": "100Mi"}, "imageGCHighThresholdPercent": 100, "healthzBindAddress": "127.0.0.1",
    }  # fmt: skip


def _proxy() -> dict[str, Any]:
    unlimited = {"maxPerCore": 0, "min": 0, "tcpEstablishedTimeout": "0s", "tcpCloseWaitTimeout": "0s"}
    return {
        "apiVersion": "kubeproxy.config.k8s.io/v1alpha1", "kind": "KubeProxyConfiguration", "mode": "nftables", "clusterCIDR": PODS,
        "hostnameOverride": NODE_NAME, "clientConnection": {"kubeconfig": str(PROXY.kubeconfig)}, "conntrack": unlimited,
    }  # fmt: skip


def _write(path: Path, document: Mapping[str, Any]) -> None:
    content = json.dumps(document, indent=1).encode()
    if not path.exists() or path.read_bytes() != content:  # kube-proxy ends when its configuration is written, even when it stays the same
        secret(path, content)
