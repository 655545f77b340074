"""The cluster as its administrator sees it: credentials, and kubectl."""

import base64
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from lab.certificates import Authority, Pair, secret
from lab.commands import run
from lab.settings import API_PORT, API_SERVICE, CLUSTER_DOMAIN, KEYS, KUBECONFIG, NAME, NODE, NODE_NAME, STATE

CLUSTER_AUTHORITY: Final = Pair.at(KEYS, "ca")
API_SERVER: Final = Pair.at(KEYS, "kube-apiserver")
KUBELET_CLIENT: Final = Pair.at(KEYS, "kube-apiserver-kubelet-client")
KUBELET_SERVER: Final = Pair.at(KEYS, "kubelet")
FRONT_PROXY: Final = Pair.at(KEYS, "front-proxy")
ACCOUNTS: Final = KEYS / "service-accounts.key"
"""Signs the tokens of service accounts."""


@dataclass(frozen=True, kw_only=True)
class Client:
    """Who calls the API server, with which user and group."""

    name: str
    user: str
    group: str = ""

    @property
    def kubeconfig(self) -> Path:
        """Return where its credentials are."""
        return KUBECONFIG if self is ADMINISTRATOR else STATE / f"{self.name}.kubeconfig"


ADMINISTRATOR: Final = Client(name="admin", user="perimeter-lab", group="system:masters")
CONTROLLER_MANAGER: Final = Client(name="kube-controller-manager", user="system:kube-controller-manager")
SCHEDULER: Final = Client(name="kube-scheduler", user="system:kube-scheduler")
KUBELET: Final = Client(name="kubelet", user=f"system:node:{NODE_NAME}", group="system:nodes")
PROXY: Final = Client(name="kube-proxy", user="system:kube-proxy")
ENFORCER: Final = Client(name="enforcer", user="perimeter-lab-enforcer")
CLIENTS: Final = (ADMINISTRATOR, CONTROLLER_MANAGER, SCHEDULER, KUBELET, PROXY, ENFORCER)


def make_keys(accounts_key: bytes) -> None:
    """Make the cluster's authority, its servers' certificates and its clients' credentials, unless they are there.

    Args:
        accounts_key: private RSA key in PEM, for tokens of service accounts.
    """
    if all(client.kubeconfig.exists() for client in CLIENTS):
        return
    authority = Authority.load_or_make(CLUSTER_AUTHORITY, NAME)
    service = ("kubernetes", "kubernetes.default", "kubernetes.default.svc", f"kubernetes.default.svc.{CLUSTER_DOMAIN}")
    authority.issue(API_SERVER, "kube-apiserver", names=(*service, "localhost", API_SERVICE, NODE, "127.0.0.1"))
    authority.issue(KUBELET_SERVER, NODE_NAME, names=(NODE_NAME, NODE))
    authority.issue(KUBELET_CLIENT, "kube-apiserver-kubelet-client", organisation="system:masters")
    authority.issue(FRONT_PROXY, "front-proxy")
    secret(ACCOUNTS, accounts_key)
    for client in CLIENTS:
        pair = Pair.at(KEYS, f"client-{client.name}")
        authority.issue(pair, client.user, organisation=client.group)
        secret(client.kubeconfig, json.dumps(_kubeconfig(pair)).encode())


def kubectl(program: Path, *arguments: str, given: str | None = None) -> str:
    """Ask the cluster as its administrator.

    Raises:
        LabError: it refuses, or does not answer.
    """
    return run("kubectl", (program, "--kubeconfig", KUBECONFIG, *arguments), given=given)


def apply(program: Path, documents: Iterable[Mapping[str, Any]]) -> None:
    """Apply objects, in their order."""
    text = json.dumps({"apiVersion": "v1", "kind": "List", "items": list(documents)})
    kubectl(program, "apply", "--server-side", "--force-conflicts", f"--field-manager={NAME}", "--filename=-", given=text)


def _kubeconfig(pair: Pair) -> dict[str, Any]:
    def inline(path: Path) -> str:
        return base64.b64encode(path.read_bytes()).decode()

    cluster = {"server": f"https://{NODE}:{API_PORT}", "certificate-authority-data": inline(CLUSTER_AUTHORITY.certificate)}
    user = {"client-certificate-data": inline(pair.certificate), "client-key-data": inline(pair.key)}
    return {
        "apiVersion": "v1", "kind": "Config", "current-context": NAME,
        "clusters": [{"name": NAME, "cluster": cluster}], "users": [{"name": NAME, "user": user}],
        "contexts": [{"name": NAME, "context": {"cluster": NAME, "user": NAME}}],
    }  # fmt: skip
