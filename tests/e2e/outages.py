"""What happens to a system that runs long enough: its parts are killed, and its certificates are renewed."""

import base64
import json
import socket
import ssl
from collections.abc import Generator, Iterable
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any, Final

from cryptography import x509

from conformance.cluster import Cluster
from conformance.outside import Address
from tests.e2e.asking import until
from topology.derive.manifest import Manifest
from topology.derive.probes import Pods

CERTIFICATE: Final = "certificates.cert-manager.io"
ENDING: Final = 30.0
STARTING: Final = 90
ISSUING: Final = 45.0


def kill(cluster: Cluster, pods: Pods) -> None:
    """Kill pods, without letting them finish what they do."""
    cluster.run("delete", "pods", *_chosen(pods), "--grace-period=0", "--force")


def running(cluster: Cluster, pods: Pods) -> list[str]:
    """Return the names of pods that are there, ready or not."""
    return [pod["metadata"]["name"] for pod in cluster.items("pods", *_chosen(pods))]


@contextmanager
def gone(cluster: Cluster, deployment: str, pods: Pods) -> Generator[None, None, None]:
    """Kill a Deployment's pods, let none come in their place for a while, and wait for those that come afterwards."""
    name, there = f"deployment/{deployment}", ("-n", pods.namespace)
    replicas = cluster.get("deployment", deployment, *there)["spec"]["replicas"]
    try:
        cluster.run("scale", name, *there, "--replicas=0")
        kill(cluster, pods)
        until(f"no pod of {pods} is there", ENDING, lambda: running(cluster, pods))
        yield
    finally:
        cluster.run("scale", name, *there, f"--replicas={replicas}")
        ready(cluster, deployment, pods.namespace)


def replace(cluster: Cluster, deployment: str, pods: Pods) -> None:
    """Have each pod of a Deployment replaced as a new image is rolled out, and wait until the new ones answer."""
    cluster.run("rollout", "restart", f"deployment/{deployment}", "-n", pods.namespace)
    ready(cluster, deployment, pods.namespace)


def ready(cluster: Cluster, deployment: str, namespace: str) -> None:
    """Wait until a Deployment has all its pods."""
    cluster.run("rollout", "status", f"deployment/{deployment}", "-n", namespace, f"--timeout={STARTING}s", patience=STARTING + 10)


def renew(cluster: Cluster, certificates: Iterable[Manifest]) -> None:
    """Have certificates issued anew, all at once, and wait until they are.

    By the condition that `cmctl renew` sets (https://cert-manager.io/docs/reference/cmctl/#renew).
    """
    before: dict[tuple[str, str], int] = {}
    for name, namespace in ((each["metadata"]["name"], each["metadata"]["namespace"]) for each in certificates):
        found = cluster.get(CERTIFICATE, name, "-n", namespace)
        before[name, namespace] = found["status"].get("revision", 0)
        asked = {
            "type": "Issuing",
            "status": "True",
            "reason": "ManuallyTriggered",
            "message": "a test renews it",
            "observedGeneration": found["metadata"]["generation"],
            "lastTransitionTime": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        }
        others = [condition for condition in found["status"].get("conditions", []) if condition["type"] != "Issuing"]
        found["status"]["conditions"] = [*others, asked]
        cluster.run("replace", "--subresource=status", "-f", "-", given=json.dumps(found))
    for (name, namespace), revision in before.items():
        until(
            f"{CERTIFICATE} {namespace}/{name} is issued anew", ISSUING, lambda n=name, s=namespace, r=revision: _unissued(cluster, n, s, r)
        )


def read_again(cluster: Cluster, pods: Pods) -> None:
    """Have the files of Secrets in pods brought up to date: the kubelet looks when a pod changes, else about once a minute.

    https://kubernetes.io/docs/concepts/configuration/secret/#using-secrets-as-files-from-a-pod
    """
    moment = datetime.now(UTC).isoformat()
    cluster.run("annotate", "pods", *_chosen(pods), f"perimeter.dev/read-again={moment}", "--overwrite")


def kept(cluster: Cluster, secret: str, namespace: str) -> int:
    """Return the serial number of the certificate in a Secret."""
    data: dict[str, str] = cluster.get("secret", secret, "-n", namespace)["data"]
    return x509.load_pem_x509_certificate(base64.b64decode(data["tls.crt"])).serial_number


def shown(address: Address, host: str) -> int:
    """Return the serial number of the certificate that a client outside is shown for a host."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    with (
        socket.create_connection((address.host, address.port), timeout=5) as plain,
        context.wrap_socket(plain, server_hostname=host) as secure,
    ):
        found = secure.getpeercert(binary_form=True)
    assert found, "no certificate was shown"
    return x509.load_der_x509_certificate(found).serial_number


def _chosen(pods: Pods) -> tuple[str, ...]:
    return "-n", pods.namespace, "-l", f"{pods.label}={pods.value}"


def _unissued(cluster: Cluster, name: str, namespace: str, revision: int) -> Any:
    """Return a certificate's status as long as it is the old one."""
    status = cluster.get(CERTIFICATE, name, "-n", namespace)["status"]
    good = any(condition["type"] == "Ready" and condition["status"] == "True" for condition in status.get("conditions", []))
    return None if good and status.get("revision", 0) > revision else status
