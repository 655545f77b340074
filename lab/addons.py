"""What runs in the cluster before anybody deploys: names, metrics, traces, and the rights of the lab's own processes."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from lab.kubernetes import ENFORCER, KUBELET_SERVER, apply
from lab.settings import (
    CLUSTER_DOMAIN,
    COLLECTOR_IMAGE,
    COREDNS_IMAGE,
    DNS_SERVICE,
    METRICS_IMAGE,
    OUTSIDE,
    TRACES_NAMESPACE,
)

Object = dict[str, Any]

COLLECTOR: Final = "collector"
COLLECTOR_PORT: Final = 4317
QUERY_PORT: Final = 8080
COLLECTOR_LABELS: Final = {"app": COLLECTOR}
SYSTEM: Final = "kube-system"
CONTENT: Final = "perimeter.lab/content"
"""Annotation of pods: what is in their image."""

COREFILE: Final = f""".:53 {{
    errors
    health :8080
    ready :8181
    kubernetes {CLUSTER_DOMAIN} in-addr.arpa {{
        pods insecure
        ttl 5
    }}
    template IN A {{
        match ^[^.]+\\.([^.]+\\.)+$
        answer "{{{{ .Name }}}} 60 IN A {OUTSIDE}"
        fallthrough
    }}
    template IN AAAA {{
        match ^[^.]+\\.([^.]+\\.)+$
        rcode NOERROR
        fallthrough
    }}
    template ANY ANY {{
        rcode NXDOMAIN
    }}
}}
"""
"""Every name with a dot that is not the cluster's is what plays the internet: whoever may not call it is stopped by rules, not by a missing name."""
_RESTRICTED: Final[Object] = {
    "allowPrivilegeEscalation": False, "readOnlyRootFilesystem": True, "runAsNonRoot": True,
    "capabilities": {"drop": ["ALL"]}, "seccompProfile": {"type": "RuntimeDefault"},
}  # fmt: skip


def deploy(kubectl: Path, contents: Mapping[str, str]) -> None:
    """Apply all of it.

    Args:
        kubectl: the program.
        contents: what is in each image, by its name: pods are made again when it changes.

    Raises:
        LabError: the API server refuses something.
    """
    apply(kubectl, (_marked(document, contents) for document in (*rights(), *names(), *metrics(), *traces())))


def _marked(document: Object, contents: Mapping[str, str]) -> Object:
    if document["kind"] == "Deployment":
        template = document["spec"]["template"]
        template["metadata"]["annotations"] = {CONTENT: contents[template["spec"]["containers"][0]["image"]]}
    return document


def rights() -> Iterator[Object]:
    """Return what the enforcer may read, and that kube-proxy and the API server may do their work."""
    rules = [
        {"apiGroups": [""], "resources": ["pods", "namespaces", "nodes"], "verbs": ["get", "list", "watch"]},
        {"apiGroups": ["networking.k8s.io"], "resources": ["networkpolicies"], "verbs": ["get", "list", "watch"]},
    ]
    yield _object("rbac.authorization.k8s.io/v1", "ClusterRole", "perimeter-lab-enforcer", rules=rules)
    yield _binding("perimeter-lab-enforcer", [{"kind": "User", "apiGroup": "rbac.authorization.k8s.io", "name": ENFORCER.user}])


def names() -> Iterator[Object]:
    """Return CoreDNS."""
    labels = {"k8s-app": "kube-dns"}
    rules = [
        {"apiGroups": [""], "resources": ["endpoints", "services", "pods", "namespaces"], "verbs": ["list", "watch"]},
        {"apiGroups": ["discovery.k8s.io"], "resources": ["endpointslices"], "verbs": ["list", "watch"]},
    ]
    yield _object("v1", "ServiceAccount", "coredns", SYSTEM)
    yield _object("rbac.authorization.k8s.io/v1", "ClusterRole", "coredns", rules=rules)
    yield _binding("coredns", [_account("coredns")])
    yield _object("v1", "ConfigMap", "coredns", SYSTEM, data={"Corefile": COREFILE})
    container = {
        "name": "coredns", "image": COREDNS_IMAGE, "args": ["-conf", "/etc/coredns/Corefile"],
        "volumeMounts": [{"name": "config", "mountPath": "/etc/coredns"}],
        "readinessProbe": {"httpGet": {"path": "/ready", "port": 8181}, "periodSeconds": 1},
        # Its image's user may not open port 53 otherwise.
        "securityContext": {**_RESTRICTED, "capabilities": {"drop": ["ALL"], "add": ["NET_BIND_SERVICE"]}, "runAsNonRoot": False, "runAsUser": 0},
    }  # fmt: skip
    yield _deployment(
        "coredns", SYSTEM, labels, container, volumes=[{"name": "config", "configMap": {"name": "coredns"}}], dnsPolicy="Default"
    )
    ports = [{"name": "dns", "port": 53, "protocol": "UDP"}, {"name": "dns-tcp", "port": 53, "protocol": "TCP"}]
    yield _object("v1", "Service", "kube-dns", SYSTEM, labels=labels, spec={"clusterIP": DNS_SERVICE, "selector": labels, "ports": ports})


def metrics() -> Iterator[Object]:
    """Return metrics-server, which autoscalers read."""
    labels = {"k8s-app": "metrics-server"}
    rules = [
        {"apiGroups": [""], "resources": ["nodes/metrics"], "verbs": ["get"]},
        {"apiGroups": [""], "resources": ["pods", "nodes"], "verbs": ["get", "list", "watch"]},
    ]
    yield _object("v1", "ServiceAccount", "metrics-server", SYSTEM)
    yield _object("rbac.authorization.k8s.io/v1", "ClusterRole", "system:metrics-server", rules=rules)
    yield _binding("system:metrics-server", [_account("metrics-server")])
    yield _binding("metrics-server:system:auth-delegator", [_account("metrics-server")], role="system:auth-delegator")
    reader = {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "extension-apiserver-authentication-reader"}
    yield _object(
        "rbac.authorization.k8s.io/v1",
        "RoleBinding",
        "metrics-server-auth-reader",
        SYSTEM,
        roleRef=reader,
        subjects=[_account("metrics-server")],
    )
    yield _object("v1", "ConfigMap", "kubelet-authority", SYSTEM, data={"ca.crt": _authority_of_kubelet()})
    flags = (
        "cert-dir=/tmp",
        "secure-port=10250",
        "kubelet-preferred-address-types=InternalIP",
        "metric-resolution=10s",
        "kubelet-request-timeout=5s",
        "kubelet-certificate-authority=/kubelet/ca.crt",
    )
    container = {
        "name": "metrics-server", "image": METRICS_IMAGE, "args": [f"--{flag}" for flag in flags],
        "readinessProbe": {"httpGet": {"path": "/readyz", "port": 10250, "scheme": "HTTPS"}, "periodSeconds": 5},
        "securityContext": {**_RESTRICTED, "runAsUser": 1000},
        "volumeMounts": [{"name": "tmp", "mountPath": "/tmp"}, {"name": "kubelet", "mountPath": "/kubelet"}],  # noqa: S108 # in the container
    }  # fmt: skip
    volumes: list[Object] = [{"name": "tmp", "emptyDir": {}}, {"name": "kubelet", "configMap": {"name": "kubelet-authority"}}]
    yield _deployment("metrics-server", SYSTEM, labels, container, volumes=volumes)
    yield _object(
        "v1",
        "Service",
        "metrics-server",
        SYSTEM,
        labels=labels,
        spec={"selector": labels, "ports": [{"name": "https", "port": 443, "targetPort": 10250}]},
    )
    service = {"name": "metrics-server", "namespace": SYSTEM}
    spec = {
        "group": "metrics.k8s.io",
        "version": "v1beta1",
        "groupPriorityMinimum": 100,
        "versionPriority": 100,
        "insecureSkipTLSVerify": True,
        "service": service,
    }
    yield _object("apiregistration.k8s.io/v1", "APIService", "v1beta1.metrics.k8s.io", spec=spec)


def traces() -> Iterator[Object]:
    """Return the collector of traces."""
    yield _object("v1", "Namespace", TRACES_NAMESPACE)
    container = {
        "name": COLLECTOR, "image": COLLECTOR_IMAGE, "securityContext": {**_RESTRICTED, "runAsUser": 65532},
        "readinessProbe": {"httpGet": {"path": "/healthz", "port": QUERY_PORT}, "periodSeconds": 1},
    }  # fmt: skip
    yield _deployment(COLLECTOR, TRACES_NAMESPACE, COLLECTOR_LABELS, container)
    ports = [{"name": "grpc-otlp", "port": COLLECTOR_PORT}, {"name": "http-query", "port": QUERY_PORT}]
    yield _object(
        "v1", "Service", COLLECTOR, TRACES_NAMESPACE, labels=COLLECTOR_LABELS, spec={"selector": COLLECTOR_LABELS, "ports": ports}
    )


def _authority_of_kubelet() -> str:
    return (KUBELET_SERVER.certificate.parent / "ca.crt").read_text()


def _object(
    version: str, kind: str, name: str, namespace: str | None = None, labels: Mapping[str, str] | None = None, **fields: Any
) -> Object:
    metadata: Object = {"name": name} | ({"namespace": namespace} if namespace else {}) | ({"labels": dict(labels)} if labels else {})
    return {"apiVersion": version, "kind": kind, "metadata": metadata, **fields}


def _binding(name: str, subjects: list[Object], *, role: str | None = None) -> Object:
    reference = {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": role or name}
    return _object("rbac.authorization.k8s.io/v1", "ClusterRoleBinding", name, roleRef=reference, subjects=subjects)


def _account(name: str) -> Object:
    return {"kind": "ServiceAccount", "name": name, "namespace": SYSTEM}


def _deployment(name: str, namespace: str, labels: Mapping[str, str], container: Object, **pod: Any) -> Object:
    account = {"serviceAccountName": name} if namespace == SYSTEM else {"automountServiceAccountToken": False}
    template = {"metadata": {"labels": dict(labels)}, "spec": {**account, "containers": [container], **pod}}
    return _object(
        "apps/v1",
        "Deployment",
        name,
        namespace,
        labels=labels,
        spec={"replicas": 1, "selector": {"matchLabels": dict(labels)}, "template": template},
    )
