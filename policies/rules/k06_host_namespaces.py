"""K06: pods stay in their own network and process namespaces."""

from collections.abc import Iterator, Mapping
from typing import Final

from policies.checks import PodRule
from policies.reading.pods import Pod
from policies.reading.stack import Stack
from policies.rule import Finding, Severity

HOST_NAMESPACES: Final[Mapping[str, str]] = {
    "hostNetwork": "no NetworkPolicy applies to it, no sidecar is injected, and it reaches whatever the node reaches",
    "hostPID": "it sees every process of the node, with their environment and files",
    "hostIPC": "it shares memory with every process of the node",
}
"""Field of the pod spec and what it opens."""


class K06(PodRule):
    """No pod uses the node's network, processes or ports.

    Forbids:
        `hostNetwork`, `hostPID` and `hostIPC`, and `hostPort` on any container, init container or ephemeral container.

    Why:
        Istio does not inject pods of the host network, and NetworkPolicy does not hold them: such a pod calls every service
        with the node's address and answers on the node's. A hostPort opens a port of the node straight to the container.

    Instead:
        Let callers use the Service, and leave these fields out::

            spec:
              containers:
                - name: app
                  ports: [{name: http, containerPort: 8080}]
    """

    id = "K06"
    name = "no-host-namespaces"
    severity = Severity.HIGH
    frameworks = ("C-0041", "C-0044", "C-0038", "CKV_K8S_19", "CKV_K8S_26")

    def check(self, pod: Pod, stack: Stack) -> Iterator[Finding]:
        """Check the pods of one workload."""
        for field, consequence in HOST_NAMESPACES.items():
            if pod.spec.get(field, False):
                yield self.broken(pod.resource, f"{field} is true: {consequence}", f"remove {field}")
        for container in pod.all_containers:
            for port in container.get("ports") or ():
                if number := port.get("hostPort"):
                    yield self.broken(
                        pod.resource,
                        f"hostPort {number} of container {container.get('name', '')} opens the port on every node that runs the pod",
                        "remove hostPort; callers use the Service",
                    )
