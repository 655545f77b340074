"""M05: nobody but the sidecar runs as the sidecar's user."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from policies.checks import PodRule
from policies.reading.pods import Pod
from policies.reading.stack import Stack
from policies.rule import Finding, Severity

PROXY_ID: Final = 1337
"""User and group of Istio's proxy; iptables lets their packets out without redirecting them (tools/istio-iptables)."""

PROXY_CONTAINERS: Final = frozenset({"istio-proxy", "istio-init", "istio-validation"})


class M05(PodRule):
    """No container runs as user or group 1337.

    Forbids:
        1337 as `runAsUser`, `runAsGroup`, `fsGroup` or supplemental group of a pod or container, and containers whose user only
        the image knows.

    Why:
        Istio's redirection lets packets of user or group 1337 pass, because those are the proxy's own. An application that runs
        as 1337 speaks past its sidecar to everything that NetworkPolicy does not stop: no identity, no log, no egress rule.
        `istioctl analyze` checks this (IST0144) only against a cluster.

    Instead:
        Choose another number, and write it down::

            securityContext:
              runAsUser: 1000
              runAsGroup: 1000
    """

    id = "M05"
    name = "proxy-user-is-the-proxy's"
    severity = Severity.HIGH
    frameworks = ("IST0144",)

    def check(self, pod: Pod, stack: Stack) -> Iterator[Finding]:
        """Check the pods of one workload."""
        shared: Mapping[str, Any] = pod.spec.get("securityContext") or {}
        groups = [shared.get("runAsGroup"), shared.get("fsGroup"), *(shared.get("supplementalGroups") or ())]
        if PROXY_ID in groups:
            yield self._as_proxy(pod, "the pod", "group")
        if shared.get("runAsUser") == PROXY_ID:
            yield self._as_proxy(pod, "the pod", "user")
        for container in pod.all_containers:
            name = container.get("name", "")
            own: Mapping[str, Any] = container.get("securityContext") or {}
            if name in PROXY_CONTAINERS:
                continue
            if own.get("runAsUser") == PROXY_ID:
                yield self._as_proxy(pod, f"container {name}", "user")
            if own.get("runAsGroup") == PROXY_ID:
                yield self._as_proxy(pod, f"container {name}", "group")
            if own.get("runAsUser", shared.get("runAsUser")) is None:
                yield self.undecided(
                    pod.resource,
                    f"the image of container {name} decides its user: it may be {PROXY_ID}, whose traffic passes by the sidecar",
                    "set runAsUser",
                )

    def _as_proxy(self, pod: Pod, what: str, kind: str) -> Finding:
        return self.broken(
            pod.resource,
            f"{what} runs as {kind} {PROXY_ID}, the sidecar's own: its traffic is not redirected through the sidecar",
            f"choose another {kind} than {PROXY_ID}",
        )
