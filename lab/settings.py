"""Where the lab keeps its things, and which addresses and names it uses. Each fact once."""

import os
from pathlib import Path
from typing import Final

CACHE_VARIABLE: Final = "PERIMETER_LAB_CACHE"
"""Environment variable that moves the cache."""
CACHE: Final = Path(os.environ.get(CACHE_VARIABLE) or Path.home() / ".cache" / "perimeter" / "lab")
"""What is built once: programs, images, charts, the lab's own authority. Survives `stop` and `reset`."""
STATE: Final = Path("/var/lib/perimeter/lab")
"""What one cluster consists of: keys, etcd, images in containerd, volumes of pods, logs. Survives `stop`; removed by `reset`."""
LOGS: Final = STATE / "logs"
RUN: Final = STATE / "run"
"""Who runs: process ids. Valid for one start."""
KEYS: Final = STATE / "keys"
KUBECONFIG: Final = STATE / "kubeconfig"
BUILD_LOGS: Final = CACHE / "logs"

SOURCES: Final = Path(__file__).parent / "builds"
"""Our Go modules: one folder for each thing that is built, with its go.mod and go.sum."""
PROJECT: Final = Path(__file__).parent.parent

NAME: Final = "perimeter-lab"
"""Name of the cluster and of its kube context."""
NODE_NAME: Final = "lab"

LINK: Final = "perimeter0"
"""The only link between the machine and the lab: a pair of virtual interfaces."""
MACHINE: Final = "10.87.0.1"
NODE: Final = "10.87.0.2"
LINK_PREFIX: Final = 30
WAN_NODE: Final = "192.0.2.1"
WAN: Final = "192.0.2.2"
"""The link to what plays the internet (RFC 5737: addresses for documentation)."""
WAN_PREFIX: Final = 30
OUTSIDE: Final = "203.0.113.10"
"""What every name outside the cluster resolves to (RFC 5737)."""
WAN_PORT: Final = 8443
"""Where the stand-in for all outside hosts listens: every TCP connection that leaves the node is led there."""

PODS: Final = "10.88.0.0/16"
SERVICES: Final = "10.99.0.0/16"
API_SERVICE: Final = "10.99.0.1"
DNS_SERVICE: Final = "10.99.0.10"
CLUSTER_DOMAIN: Final = "cluster.local"
API_PORT: Final = 6443
ETCD_PORT: Final = 2379
ETCD_PEER_PORT: Final = 2380
ETCD: Final = f"http://127.0.0.1:{ETCD_PORT}"

CONTAINERD_SOCKET: Final = "/run/containerd/containerd.sock"
"""As seen inside the sandbox, whose `/run` is its own."""
KUBERNETES_NAMESPACE_OF_CONTAINERD: Final = "k8s.io"

SANDBOX_IMAGE: Final = "registry.k8s.io/pause:3.10"
COREDNS_IMAGE: Final = "lab.local/coredns:1"
METRICS_IMAGE: Final = "lab.local/metrics-server:1"
COLLECTOR_IMAGE: Final = "lab.local/collector:1"
ECHO_IMAGE: Final = "lab.local/echo:1"
PROBE_IMAGE: Final = "lab.local/probe:1"
TRACES_NAMESPACE: Final = "lab-traces"
