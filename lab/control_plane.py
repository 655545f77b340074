"""etcd, the API server, the controllers and the scheduler."""

import ssl
import urllib.error
import urllib.request
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from lab.kubernetes import ACCOUNTS, API_SERVER, CLUSTER_AUTHORITY, CONTROLLER_MANAGER, FRONT_PROXY, KUBELET_CLIENT, SCHEDULER
from lab.processes import until
from lab.sandbox import start_inside
from lab.settings import API_PORT, CLUSTER_DOMAIN, ETCD, ETCD_PEER_PORT, NODE, PODS, SERVICES, STATE

READY_SECONDS: Final = 120
ISSUER: Final = f"https://kubernetes.default.svc.{CLUSTER_DOMAIN}"


def start(programs: Mapping[str, Path], etcd: Path) -> None:
    """Start what does not run, and wait until the API server is ready.

    Raises:
        LabError: a process ends, or the API server is not ready in time.
    """
    peer = f"http://127.0.0.1:{ETCD_PEER_PORT}"
    # The data of a lab may be lost when the machine loses its power, so nothing waits for the disk.
    start_inside("etcd", (etcd, "--data-dir", STATE / "etcd", "--unsafe-no-fsync", "--log-level=error", *_flags({
        "listen-client-urls": ETCD, "advertise-client-urls": ETCD, "listen-peer-urls": peer, "initial-advertise-peer-urls": peer, "initial-cluster": f"default={peer}",
        "auto-compaction-retention": "1h",
    })))  # fmt: skip
    start_inside("kube-apiserver", (programs["kube-apiserver"], *_flags(_api_server())))
    until("it is ready", ready, READY_SECONDS, of="kube-apiserver")
    start_inside("kube-controller-manager", (programs["kube-controller-manager"], *_flags({
        "kubeconfig": CONTROLLER_MANAGER.kubeconfig, "authentication-kubeconfig": CONTROLLER_MANAGER.kubeconfig, "authorization-kubeconfig": CONTROLLER_MANAGER.kubeconfig,
        "cluster-cidr": PODS, "allocate-node-cidrs": "true", "service-cluster-ip-range": SERVICES, "bind-address": "127.0.0.1", "leader-elect": "false",
        "root-ca-file": CLUSTER_AUTHORITY.certificate, "service-account-private-key-file": ACCOUNTS, "use-service-account-credentials": "true",
        "cluster-signing-cert-file": CLUSTER_AUTHORITY.certificate, "cluster-signing-key-file": CLUSTER_AUTHORITY.key,
        # Short, so that an autoscaler is seen to work.
        "horizontal-pod-autoscaler-sync-period": "10s",
    })))  # fmt: skip
    start_inside("kube-scheduler", (programs["kube-scheduler"], *_flags({
        "kubeconfig": SCHEDULER.kubeconfig, "authentication-kubeconfig": SCHEDULER.kubeconfig, "authorization-kubeconfig": SCHEDULER.kubeconfig,
        "bind-address": "127.0.0.1", "leader-elect": "false",
    })))  # fmt: skip


def ready() -> bool:
    """Say whether the API server answers that it is ready."""
    if not CLUSTER_AUTHORITY.certificate.exists():
        return False
    context = ssl.create_default_context(cafile=str(CLUSTER_AUTHORITY.certificate))
    try:
        with urllib.request.urlopen(f"https://{NODE}:{API_PORT}/readyz", timeout=2, context=context) as answer:
            return answer.read() == b"ok"
    except (urllib.error.URLError, OSError):
        return False


def _api_server() -> dict[str, str | Path]:
    return {
        "bind-address": "0.0.0.0", "advertise-address": NODE, "secure-port": str(API_PORT), "etcd-servers": ETCD,  # noqa: S104 # in the sandbox's network
        "tls-cert-file": API_SERVER.certificate, "tls-private-key-file": API_SERVER.key, "client-ca-file": CLUSTER_AUTHORITY.certificate,
        "kubelet-client-certificate": KUBELET_CLIENT.certificate, "kubelet-client-key": KUBELET_CLIENT.key,
        "kubelet-certificate-authority": CLUSTER_AUTHORITY.certificate, "kubelet-preferred-address-types": "InternalIP",
        "service-account-issuer": ISSUER, "service-account-key-file": ACCOUNTS, "service-account-signing-key-file": ACCOUNTS,
        "service-cluster-ip-range": SERVICES, "authorization-mode": "Node,RBAC", "enable-admission-plugins": "NodeRestriction", "allow-privileged": "true",
        "requestheader-client-ca-file": CLUSTER_AUTHORITY.certificate, "requestheader-allowed-names": "front-proxy",
        "requestheader-username-headers": "X-Remote-User", "requestheader-group-headers": "X-Remote-Group", "requestheader-extra-headers-prefix": "X-Remote-Extra-",
        "proxy-client-cert-file": FRONT_PROXY.certificate, "proxy-client-key-file": FRONT_PROXY.key, "profiling": "false",
    }  # fmt: skip


def _flags(values: Mapping[str, str | Path]) -> list[str]:
    return [f"--{name}={value}" for name, value in values.items()]
