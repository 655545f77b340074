"""How an instance that is replaced goes without a lost request: it answers until nobody asks it any more, and ends what it has begun.

Kubernetes tells a pod to stop at the same moment as it begins to tell its callers; until every kube-proxy, proxy and load balancer knows,
requests still come (https://kubernetes.io/docs/concepts/workloads/pods/pod-lifecycle/#pod-termination-flow).
"""

import math
from typing import Any, Final

from topology.derive.manifest import Manifest
from topology.derive.traffic import STREAMS
from topology.model.base import Duration, seconds
from topology.model.service import Resilience
from topology.model.system import Topology

NOTICE: Final = 10
"""Seconds after which nobody asks an instance that was told to stop."""
GRACE: Final = 30
"""Seconds that Kubernetes grants unless told otherwise; to end what has begun, nobody gets less."""
LONGEST: Final = 300
"""Seconds for which anything that has begun is waited for at most: whoever drains a node, or removes all, waits as long."""


def longest_request(t: Topology) -> int:
    """Return for how many seconds a request through any layer is waited for; a stream, which has no bound, is not."""
    bounded = [each.resilience.timeout for each in t.services.values() if each.protocol not in STREAMS]
    return max(
        map(
            _whole,
            [Resilience().timeout, *bounded, *(door.timeout for door in t.doors.values() if t.protocol_of(door.service) not in STREAMS)],
        )
    )


def drain(t: Topology) -> int:
    """Return the seconds for which a proxy goes on once it was told to stop."""
    return NOTICE + longest_request(t)


def grace(begun: float = 0) -> int:
    """Return a pod's `terminationGracePeriodSeconds`, where a request may last for `begun` seconds."""
    return NOTICE + max(GRACE, math.ceil(begun))


def served_out(template: Manifest, timeout: Duration) -> Manifest:
    """Return a pod template whose container is told to stop when nobody asks it any more, and may then end what it has begun."""
    spec = template["spec"]
    waiting = [{**container, "lifecycle": lifecycle()} for container in spec["containers"]]
    return {**template, "spec": {**spec, "terminationGracePeriodSeconds": grace(_whole(timeout)), "containers": waiting}}


def lifecycle() -> dict[str, Any]:
    """Return a container's `lifecycle`: the kubelet itself waits, for which the image needs no program (Kubernetes 1.30 or later)."""
    return {"preStop": {"sleep": {"seconds": NOTICE}}}


def _whole(timeout: Duration) -> int:
    return min(math.ceil(seconds(timeout)), LONGEST)
