"""What the lab is built from: one table."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

KUBERNETES: Final = "v1.36.3"
ISTIO: Final = "1.31.1"
CERT_MANAGER: Final = "v1.21.2"
ENVOY_GATEWAY: Final = "v1.9.1"


@dataclass(frozen=True, kw_only=True)
class Module:
    """A published Go module."""

    name: str
    """Its path."""
    version: str
    sum: str
    """Its checksum, in the form of go.sum."""


@dataclass(frozen=True, kw_only=True)
class Copy:
    """A module that is built from a changed copy, because the module proxy lacks something that it requires."""

    source: Module
    replaced: Mapping[str, str]
    """Folders of the module, and the folders of ours that take their place."""


@dataclass(frozen=True, kw_only=True)
class Build:
    """Programs that come from one of our Go modules (`lab/builds/<name>`)."""

    name: str
    programs: Mapping[str, str]
    """Names of the programs, and their packages; `.` and `./x` are ours."""
    seconds: int
    """How long it took when it was last measured: two cores, nothing cached, sources downloaded."""
    variables: Mapping[str, str] = field(default_factory=dict[str, str])
    """Values that the linker sets: what the program says its version is."""
    experiments: str = ""
    """Value of GOEXPERIMENT: where a program needs a Go that is not as the pinned toolchain is by default."""
    copy: Copy | None = None
    why: str


ISTIO_MODULE: Final = Module(
    name="istio.io/istio",
    version="v0.0.0-20260827124520-eed52ebb66ad",
    sum="h1:ui9TJjRMAV/hb5ehQaZDq7IUGxuQP6dra9lapT/VjHI=",
)
"""The commit of tag 1.31.1: Istio's tags are no Go versions."""


def _kubernetes_version() -> dict[str, str]:
    major, minor, _ = KUBERNETES.removeprefix("v").split(".")
    facts = {"gitVersion": KUBERNETES, "gitMajor": major, "gitMinor": minor, "gitTreeState": "clean", "buildDate": "1970-01-01T00:00:00Z"}
    return {
        f"k8s.io/{place}.{name}": value for place in ("component-base/version", "client-go/pkg/version") for name, value in facts.items()
    }


BUILDS: Final = (
    Build(
        name="workloads",
        programs={"pause": "./pause", "echo": "./echo", "collector": "./collector"},
        seconds=35,
        why="the pods' sandboxes, the services that answer with what they received, and where traces go",
    ),
    Build(
        name="kubernetes",
        programs={
            name: f"k8s.io/kubernetes/cmd/{name}"
            for name in ("kube-apiserver", "kube-controller-manager", "kube-scheduler", "kubelet", "kube-proxy", "kubectl")
        },
        seconds=330,
        variables=_kubernetes_version(),
        # Published for Go 1.26: Go 1.27 has another encoding/json.
        experiments="nojsonv2",
        why="the cluster",
    ),
    Build(name="helm", programs={"helm": "helm.sh/helm/v3/cmd/helm"}, seconds=54, why="installs releases, packs charts"),
    Build(name="coredns", programs={"coredns": "."}, seconds=70, why="names of services"),
    Build(
        name="metrics-server",
        programs={"metrics-server": "sigs.k8s.io/metrics-server/cmd/metrics-server"},
        seconds=40,
        # With Go 1.27's encoding/json its OpenAPI document spells embedded structs as properties, and the API server, which
        # merges it into its own, answers 503 at /openapi/v2: "ObjectMeta_v2 has invalid properties: ArbitraryKeys, SchemaProps".
        experiments="nojsonv2",
        why="autoscalers read it",
    ),
    Build(
        name="cert-manager",
        programs={"cert-manager": "."},
        seconds=70,
        variables={"github.com/cert-manager/cert-manager/pkg/util.AppVersion": CERT_MANAGER},
        why="certificates between the layers",
    ),
    Build(
        name="istio",
        programs={name: f"istio.io/istio/pilot/cmd/{name}" for name in ("pilot-discovery", "pilot-agent")},
        seconds=300,
        variables={
            f"istio.io/istio/pkg/version.{name}": value
            for name, value in {
                "buildVersion": ISTIO,
                "buildTag": ISTIO,
                "buildStatus": "Clean",
                "buildHub": "registry.istio.io/release",
            }.items()
        },
        # Its interface module is not in the module proxy. The controller is off unless a variable says otherwise.
        copy=Copy(source=ISTIO_MODULE, replaced={"pilot/pkg/config/kube/agentgateway": "agentgateway"}),
        why="the mesh's control plane, and the sidecars' agent",
    ),
    Build(
        name="envoy-gateway",
        programs={"envoy-gateway": "github.com/envoyproxy/gateway/cmd/envoy-gateway"},
        seconds=240,
        why="the API gateway's control plane",
    ),
    Build(
        name="ratelimit",
        programs={"ratelimit": "github.com/envoyproxy/ratelimit/src/service_cmd"},
        seconds=15,
        why="limits that are counted in one place",
    ),
    Build(name="podinfo", programs={"podinfo": "github.com/stefanprodan/podinfo/cmd/podinfo"}, seconds=15, why="the services"),
    Build(name="fortio", programs={"fortio": "fortio.org/fortio"}, seconds=10, why="measures"),
)
"""In the order in which they are built: what a cluster needs first comes first."""

DEBIAN: Final = (
    "bash",
    "ca-certificates",
    "conntrack",
    "containerd",
    "containernetworking-plugins",
    "coreutils",
    "curl",
    "findutils",
    "grep",
    "ipset",
    "iproute2",
    "iptables",
    "kmod",
    "libc-bin",
    "libnginx-mod-http-modsecurity",
    "mount",
    "nftables",
    "nginx",
    "openssl",
    "redis-server",
    "runc",
    "socat",
    "util-linux",
)
"""Debian packages of the node and of images. They are unpacked into the cache, with all they depend on, and never installed."""
