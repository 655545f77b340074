"""K07: every pod meets the Pod Security Standard `restricted` by itself."""

from collections.abc import Iterator, Mapping
from collections.abc import Set as AbstractSet
from typing import Any, Final

from policies.checks import PodRule, at
from policies.reading.pods import Pod
from policies.reading.resource import Resource
from policies.reading.stack import Stack
from policies.rule import Finding, Severity

ADDABLE: Final = frozenset({"NET_BIND_SERVICE"})
"""Capabilities that `restricted` lets a container add (https://kubernetes.io/docs/concepts/security/pod-security-standards/)."""

CAPTURE: Final = frozenset({"NET_ADMIN", "NET_RAW", "SYS_ADMIN", "BPF", "ALL"})
"""Capabilities with which a container can take its traffic out of the sidecar."""

VOLUMES: Final = frozenset(
    {"name", "configMap", "csi", "downwardAPI", "emptyDir", "ephemeral", "image", "persistentVolumeClaim", "projected", "secret"}
)
"""Volume types that `restricted` knows; `image` is read-only content of an image."""

SYSCTLS: Final = frozenset(
    {
        "kernel.shm_rmid_forced",
        "net.ipv4.ip_local_port_range",
        "net.ipv4.ip_unprivileged_port_start",
        "net.ipv4.tcp_syncookies",
        "net.ipv4.ping_group_range",
        "net.ipv4.ip_local_reserved_ports",
        "net.ipv4.tcp_keepalive_time",
        "net.ipv4.tcp_fin_timeout",
        "net.ipv4.tcp_keepalive_intvl",
        "net.ipv4.tcp_keepalive_probes",
        "net.ipv4.tcp_rmem",
        "net.ipv4.tcp_wmem",
    }
)
"""Kernel parameters of the pod alone."""

STANDARD: Final = "pod-security.kubernetes.io"
"""How the labels of a Namespace begin that say which Pod Security Standard the API server asks of its pods."""

SECCOMP: Final = frozenset({"RuntimeDefault", "Localhost"})

Complaints = Iterator[tuple[str, str]]
"""What is wrong, and what to write instead."""


class K07(PodRule):
    """No pod has rights over its own network or its node.

    Forbids:
        `privileged`; capabilities other than NET_BIND_SERVICE, above all NET_ADMIN and NET_RAW; root; privilege escalation;
        volumes of the node; an unconfined seccomp or AppArmor profile: everything that the Pod Security Standard
        `restricted` forbids, in containers, init containers and ephemeral containers. A Namespace that does not enforce
        `restricted`, or where sidecars are injected does not audit and warn by it.

    Why:
        With NET_ADMIN a container rewrites the iptables rules that lead its traffic through the sidecar; with a privileged
        container or a hostPath it takes over the node and every identity on it. The namespaces audit `restricted` but do not
        enforce it, because the container that sets up Istio's redirection needs NET_ADMIN itself: so the program must keep it.

    Instead:
        Write the security context out::

            securityContext:
              runAsNonRoot: true
              runAsUser: 1000
              seccompProfile: {type: RuntimeDefault}
            containers:
              - name: app
                securityContext:
                  allowPrivilegeEscalation: false
                  capabilities: {drop: [ALL]}
    """

    id = "K07"
    name = "pods-are-restricted"
    severity = Severity.HIGH
    frameworks = ("CKV_K8S_16", "C-0057", "NSA Kubernetes Hardening", "PSS restricted")

    def judge(self, stack: Stack) -> Iterator[Finding]:
        """Check every workload, and what the API server is told to refuse beside them."""
        yield from super().judge(stack)
        injected = {pod.namespace for pod in stack.pods if not pod.maker and stack.member(pod)} | stack.app_namespaces
        yield from self.over(stack.of("Namespace"), lambda namespace: self._namespace(namespace, injected))

    def _namespace(self, namespace: Resource, injected: AbstractSet[str]) -> Iterator[Finding]:
        for mode in ("enforce", "audit", "warn"):
            level = namespace.labels.get(f"{STANDARD}/{mode}", "privileged")
            if level != "restricted" and not (mode == "enforce" and namespace.name in injected):
                yield self.broken(
                    namespace, f"the Pod Security Standard that it is to {mode} is {level}", f"label it {STANDARD}/{mode}: restricted"
                )
            if (version := namespace.labels.get(f"{STANDARD}/{mode}-version", "latest")) != "latest":
                yield self.broken(namespace, f"it is to {mode} the standard of {version}, not today's", f"remove {STANDARD}/{mode}-version")

    def check(self, pod: Pod, stack: Stack) -> Iterator[Finding]:
        """Check the pods of one workload."""
        for complaint, fix in (*_pod(pod), *(item for container in pod.all_containers for item in _container(pod, container))):
            yield self.broken(pod.resource, complaint, fix)


def _pod(pod: Pod) -> Complaints:
    context: Mapping[str, Any] = pod.spec.get("securityContext") or {}
    for volume in pod.volumes:
        for kind in sorted(set(volume) - VOLUMES):
            yield f"volume {volume.get('name', '')} is of type {kind}, which reaches the node", "use a ConfigMap, Secret, emptyDir or claim"
    for sysctl in context.get("sysctls") or ():
        if sysctl.get("name") not in SYSCTLS:
            yield f"sysctl {sysctl.get('name')} is not one of the pod alone", "remove it"
    if at(context, "windowsOptions", "hostProcess"):
        yield "windowsOptions.hostProcess gives it the node", "remove it"
    yield from _confinement("the pod", context)
    for key, value in pod.annotations.items():
        if key.startswith("container.apparmor.security.beta.kubernetes.io/") and value == "unconfined":
            yield f"annotation {key} turns AppArmor off", "remove it"


def _container(pod: Pod, container: Mapping[str, Any]) -> Complaints:
    name = f"container {container.get('name', '')}"
    own: Mapping[str, Any] = container.get("securityContext") or {}
    shared: Mapping[str, Any] = pod.spec.get("securityContext") or {}
    if own.get("privileged"):
        yield f"{name} is privileged: it owns the node", "remove privileged"
    if own.get("allowPrivilegeEscalation", True):
        yield f"{name} may gain privileges", "set allowPrivilegeEscalation: false"
    yield from _capabilities(name, own.get("capabilities") or {})
    if not own.get("runAsNonRoot", shared.get("runAsNonRoot", False)):
        yield f"{name} may run as root", "set runAsNonRoot: true"
    if own.get("runAsUser", shared.get("runAsUser")) == 0:
        yield f"{name} runs as user 0", "set runAsUser to a number above 0"
    seccomp = at(own, "seccompProfile", "type") or at(shared, "seccompProfile", "type", default="none")
    if seccomp not in SECCOMP:
        yield f"{name} has seccomp profile {seccomp}", "set seccompProfile: {type: RuntimeDefault}"
    if own.get("procMount", "Default") != "Default":
        yield f"{name} mounts /proc unmasked", "remove procMount"
    if at(own, "windowsOptions", "hostProcess"):
        yield f"{name} is a host process", "remove windowsOptions.hostProcess"
    yield from _confinement(name, own)


def _capabilities(name: str, capabilities: Mapping[str, Any]) -> Complaints:
    added = [str(capability).upper().removeprefix("CAP_") for capability in capabilities.get("add") or ()]
    for capability in added:
        if capability in CAPTURE:
            yield f"{name} has {capability}: with it, it can take its traffic out of the sidecar", f"remove {capability}"
        elif capability not in ADDABLE:
            yield f"{name} has capability {capability}", f"remove {capability}"
    if "ALL" not in {str(capability).upper() for capability in capabilities.get("drop") or ()}:
        yield f"{name} keeps the capabilities of its runtime, NET_RAW among them", "set capabilities: {drop: [ALL]}"


def _confinement(name: str, context: Mapping[str, Any]) -> Complaints:
    if at(context, "appArmorProfile", "type") == "Unconfined":
        yield f"{name} turns AppArmor off", "remove appArmorProfile"
    selinux: Mapping[str, Any] = context.get("seLinuxOptions") or {}
    if (
        selinux.get("user")
        or selinux.get("role")
        or selinux.get("type", "") not in {"", "container_t", "container_init_t", "container_kvm_t"}
    ):
        yield f"{name} chooses its own SELinux context", "remove seLinuxOptions"
