"""What can be seen in the cluster of why something is not ready: conditions, containers, last events."""

from collections.abc import Iterator
from typing import Any, Final

from deploy.api import Api, ApiError, Object
from deploy.documents import entries, number, part, text
from deploy.errors import DeployError
from deploy.items import Key

_EVENTS: Final = 5
_PODS: Final = 3


def symptoms(api: Api, live: Object | None) -> list[str]:
    """Return lines about an object and its pods, most telling first. Never raises: the trouble itself matters more."""
    if live is None:
        return []
    try:
        return list(_look(api, live))
    except (ApiError, DeployError):
        return []


def pods_in(api: Api, namespace: str) -> list[str]:
    """Return lines about everything in a namespace that is not ready."""
    try:
        found = entries(api.request("GET", f"/api/v1/namespaces/{namespace}/pods"), "items")
        troubled = [pod for pod in found if list(_containers(pod))]
        return [line for pod in troubled[:_PODS] for line in _pod(api, namespace, pod)]
    except (ApiError, DeployError):
        return []


def _look(api: Api, live: Object) -> Iterator[str]:
    key = Key.of(live)
    for condition in entries(live, "status", "conditions"):
        if condition.get("status") == "False" and condition.get("message"):
            yield f"{condition.get('type')} is False: {condition['message']}"
    selector = part(live, "spec", "selector", "matchLabels") or (part(live, "spec", "selector") if key.kind == "Service" else {})
    yield from _events(api, key.namespace, key.name)
    if selector:
        wanted = ",".join(f"{name}={value}" for name, value in selector.items())
        pods = entries(api.request("GET", f"/api/v1/namespaces/{key.namespace}/pods", labelSelector=wanted), "items")
        if not pods:
            yield "there are no pods of it"
        for pod in pods[:_PODS]:
            yield from _pod(api, key.namespace, pod)


def _pod(api: Api, namespace: str, pod: dict[str, Any]) -> Iterator[str]:
    name = text(pod, "metadata", "name")
    yield f"pod {name}: {text(pod, 'status', 'phase')}"
    yield from (f"  {line}" for line in _containers(pod))
    yield from (f"  {line}" for line in _events(api, namespace, name))


def _containers(pod: dict[str, Any]) -> Iterator[str]:
    for kind in ("initContainerStatuses", "containerStatuses"):
        for status in entries(pod, "status", kind):
            state = part(status, "state")
            waiting, ended = part(state, "waiting"), part(state, "terminated") or part(status, "lastState", "terminated")
            if status.get("ready") or (ended.get("exitCode") == 0 and kind.startswith("init")):
                continue
            why = text(waiting, "reason") or text(ended, "reason") or "running, not ready"
            said = text(waiting, "message") or text(ended, "message")
            yield f"container {text(status, 'name')}: {why}, {number(status, 'restartCount')} restarts{f': {said[:300]}' if said else ''}"


def _events(api: Api, namespace: str, name: str) -> Iterator[str]:
    selector = f"involvedObject.name={name},type=Warning"
    found = entries(api.request("GET", f"/api/v1/namespaces/{namespace or 'default'}/events", fieldSelector=selector), "items")
    found.sort(key=lambda event: text(event, "lastTimestamp") or text(event, "eventTime") or text(event, "metadata", "creationTimestamp"))
    for event in found[-_EVENTS:]:
        yield f"event {text(event, 'reason')}: {text(event, 'message')[:300]}"
