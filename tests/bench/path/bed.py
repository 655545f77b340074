"""What the benchmark adds to the system that it measures, and removes afterwards.

Services `a` and `b` are copied as they run, with all their policies, into a namespace of the benchmark's own. `one` is `b` that also answers
without mTLS, `plain` is `b` without a sidecar; `a` and `plain` have a second container that sends requests. Nothing of the system itself is changed.
"""

import copy
import json
from collections.abc import Generator
from contextlib import contextmanager
from typing import Any, Final

from tests.bench.path.cluster import Cluster, Json, Pod

NAMESPACE: Final = "perimeter-bench"
HOME: Final = "path"
"""The measured system's namespace: that of path.topology.yaml."""
PORT: Final = 8080
_KINDS: Final = (
    ("serviceaccount", "{0}"),
    ("service", "{0}"),
    ("deployment", "{0}-v1"),
    ("sidecars.networking.istio.io", "{0}"),
    ("networkpolicy", "{0}"),
    ("authorizationpolicies.security.istio.io", "{0}"),
)
_CALLED: Final = (("destinationrules.networking.istio.io", "{0}"), ("virtualservices.networking.istio.io", "{0}"))
_SERVER_SET: Final = ("clusterIP", "clusterIPs", "ipFamilies", "ipFamilyPolicy", "internalTrafficPolicy")


def moved(found: Json, old: str, new: str) -> Json:
    """Return an object for the benchmark's namespace: without what the server set, every name of the service replaced."""
    # Labels by which a deployment knows what is its own would have the copy pruned.
    labels = {key: value for key, value in found["metadata"].get("labels", {}).items() if key in ("app", "version")}
    kept: dict[str, Any] = {key: value for key, value in found.items() if key not in ("status", "metadata")}
    text = json.dumps({**kept, "metadata": {"name": found["metadata"]["name"], "namespace": NAMESPACE, "labels": labels}})
    for there, here in (
        (f".{HOME}.svc.", f".{NAMESPACE}.svc."),
        (f"/ns/{HOME}/", f"/ns/{NAMESPACE}/"),
        (f'"{HOME}/', f'"{NAMESPACE}/'),
        (f'"kubernetes.io/metadata.name": "{HOME}"', f'"kubernetes.io/metadata.name": "{NAMESPACE}"'),
        *(
            ((f'"{old}"', f'"{new}"'), (f'"{old}-v1"', f'"{new}-v1"'), (f"{old}.{NAMESPACE}.svc", f"{new}.{NAMESPACE}.svc"))
            if old != new
            else ()
        ),
    ):
        text = text.replace(there, here)
    made = json.loads(text)
    if made["kind"] == "Service":
        made["spec"] = {key: value for key, value in made["spec"].items() if key not in _SERVER_SET}
    return made


def copied(cluster: Cluster, service: str, new: str) -> list[Json]:
    """Return copies of everything that makes up a service, under another name."""
    called = _CALLED if service != "a" else ()
    return [moved(cluster.get(kind, name.format(service), HOME), service, new) for kind, name in (*_KINDS, *called)]


def sender(image: str) -> Json:
    """Return the container that sends requests."""
    return {
        "name": "sender",
        "image": image,
        "imagePullPolicy": "IfNotPresent",
        "command": ["sleep", "infinity"],
        "volumeMounts": [{"name": "work", "mountPath": "/work"}],
        "securityContext": {"runAsUser": 10001, "runAsNonRoot": True, "allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}},
    }


def sending(objects: list[Json], image: str) -> list[Json]:
    """Return a service's objects with the sending container in its pods."""
    made = copy.deepcopy(objects)
    for one in made:
        if one["kind"] == "Deployment":
            pod = one["spec"]["template"]["spec"]
            pod["containers"].append(sender(image))
            pod.setdefault("volumes", []).append({"name": "work", "emptyDir": {}})
    return made


def _open(objects: list[Json]) -> list[Json]:
    """Return a service's objects with callers without mTLS admitted: one sidecar can only be measured alone where nothing needs the other."""
    for one in objects:
        if one["kind"] == "AuthorizationPolicy":
            for rule in one["spec"]["rules"]:
                rule.pop("from", None)
    app = next(one["metadata"]["name"] for one in objects if one["kind"] == "Service")
    policy = {"selector": {"matchLabels": {"app": app}}, "mtls": {"mode": "PERMISSIVE"}}
    return [
        *objects,
        {
            "apiVersion": "security.istio.io/v1",
            "kind": "PeerAuthentication",
            "metadata": {"name": app, "namespace": NAMESPACE},
            "spec": policy,
        },
    ]


def _plain(objects: list[Json]) -> list[Json]:
    """Return a service's objects without sidecar and mesh."""
    for one in objects:
        if one["kind"] == "Deployment":
            one["spec"]["template"]["metadata"]["labels"]["sidecar.istio.io/inject"] = "false"
    return [one for one in objects if one["kind"] in ("ServiceAccount", "Service", "Deployment")]


def _around(cluster: Cluster, image: str) -> list[Json]:
    """Return the namespace, what lets it reach istiod, and the client outside the mesh, on the node's own network."""
    labels = {
        key: value
        for key, value in cluster.get("namespace", HOME, "")["metadata"]["labels"].items()
        if key.startswith(("istio.io/", "perimeter.dev/"))
    }
    reach = {
        "podSelector": {"matchLabels": {"app": "istiod"}},
        "policyTypes": ["Ingress"],
        "ingress": [
            {"from": [{"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": NAMESPACE}}}], "ports": [{"port": 15012}]}
        ],
    }
    pod: Json = {
        "hostNetwork": True,
        "dnsPolicy": "ClusterFirstWithHostNet",
        "automountServiceAccountToken": False,
        "containers": [sender(image)],
        "volumes": [{"name": "work", "emptyDir": {}}],
    }
    return [
        {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE, "labels": labels}},
        {
            "apiVersion": "networking.k8s.io/v1",
            "kind": "NetworkPolicy",
            "metadata": {"name": NAMESPACE, "namespace": "istio-system"},
            "spec": reach,
        },
        {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {"name": "client", "namespace": NAMESPACE, "labels": {"sidecar.istio.io/inject": "false"}},
            "spec": pod,
        },
    ]


def ready(cluster: Cluster) -> None:
    """Wait until everything in the benchmark's namespace is ready."""
    for deployment in cluster.ask("get", "deployments", "-n", NAMESPACE, "-o", "name").split():
        cluster.ask("rollout", "status", deployment, "-n", NAMESPACE, "--timeout=180s")
    cluster.ask("wait", "--for=condition=Ready", "pod/client", "-n", NAMESPACE, "--timeout=180s")


def pod_of(cluster: Cluster, app: str) -> Pod:
    """Return the sending container of a service's pod."""
    name = cluster.ask("get", "pods", "-n", NAMESPACE, "-l", f"app={app}", "-o", "jsonpath={.items[0].metadata.name}")
    return Pod(cluster=cluster, namespace=NAMESPACE, name=name, container="sender")


@contextmanager
def made(cluster: Cluster, image: str) -> Generator[tuple[Pod, Pod]]:
    """Make the test bed for as long as it is needed. Yields the client outside the mesh, and the caller inside."""
    try:
        cluster.apply(_around(cluster, image))
        for objects in (
            sending(copied(cluster, "a", "a"), image),
            copied(cluster, "b", "b"),
            _open(copied(cluster, "b", "one")),
            sending(_plain(copied(cluster, "b", "plain")), image),
        ):
            cluster.apply(objects)
        ready(cluster)
        yield Pod(cluster=cluster, namespace=NAMESPACE, name="client", container="sender"), pod_of(cluster, "a")
    finally:
        cluster.ask("delete", "networkpolicy", NAMESPACE, "-n", "istio-system", "--ignore-not-found")
        cluster.ask("delete", "namespace", NAMESPACE, "--ignore-not-found", "--wait=true", "--timeout=180s")
