"""When an object is ready: what pulumi-kubernetes waits for, kind by kind, and the annotations by which a program says otherwise.

Source: `provider/pkg/await` and `provider/pkg/metadata` of pulumi/pulumi-kubernetes. Kinds that are not listed are ready once they exist.
"""

import json
import re
from collections.abc import Callable, Mapping
from typing import Any, Final

from deploy.api import Api, Object
from deploy.documents import entries, number, part, text

TIMEOUT: Final = 600.0
"""Seconds, where neither resource nor annotation says otherwise."""

_SKIP: Final = "pulumi.com/skipAwait"
_WAIT_FOR: Final = "pulumi.com/waitFor"
_TIMEOUT_SECONDS: Final = "pulumi.com/timeoutSeconds"


class Failed(Exception):
    """An object that will not become ready by waiting."""


Check = Callable[[Api, Object], str]
"""Returns what is still missing; empty when the object is ready."""


def timeout_of(inputs: Mapping[str, Any], given: float | None) -> float:
    """Return the seconds within which an object must be ready: what the resource's options, else its annotation, say."""
    written = text(part(inputs, "metadata", "annotations"), _TIMEOUT_SECONDS)
    return given or (float(written) if written.isdigit() else TIMEOUT)


def check_of(inputs: Mapping[str, Any]) -> Check | None:
    """Return how to tell that an object is ready, or None where it is ready once it exists."""
    annotations = part(inputs, "metadata", "annotations")
    if text(annotations, _SKIP) == "true":
        return None
    if written := text(annotations, _WAIT_FOR):
        wanted = _wanted(written)
        return lambda api, live: next((missing for each in wanted if (missing := _missing(each, live))), "")
    group, kind = str(inputs["apiVersion"]).rpartition("/")[0], str(inputs["kind"])
    return _CHECKS.get((group, kind))


def condition(live: Mapping[str, Any], type_: str) -> dict[str, Any]:
    """Return a condition of an object's status; empty where it has none of that type."""
    return next((each for each in entries(live, "status", "conditions") if each.get("type") == type_), dict[str, Any]())


def _observed(live: Object) -> bool:
    return number(live, "status", "observedGeneration") >= number(live, "metadata", "generation", default=1)


def _deployment(api: Api, live: Object) -> str:
    progressing = condition(live, "Progressing")
    if _observed(live) and progressing.get("reason") == "ProgressDeadlineExceeded":
        raise Failed(str(progressing.get("message") or "the rollout made no progress in its time"))
    wanted = number(live, "spec", "replicas", default=1)
    status = part(live, "status")
    updated, ready, total = (number(status, name) for name in ("updatedReplicas", "availableReplicas", "replicas"))
    if _observed(live) and updated >= wanted and ready >= updated and total <= updated:
        return ""
    return f"{updated} of {wanted} pods are of the new revision; {ready} of all {total} are ready"


def _stateful_set(api: Api, live: Object) -> str:
    wanted, status = number(live, "spec", "replicas", default=1), part(live, "status")
    ready = number(status, "readyReplicas")
    current = text(status, "currentRevision") == text(status, "updateRevision") or number(status, "updatedReplicas") >= wanted
    return "" if _observed(live) and ready >= wanted and current else f"{ready} of {wanted} pods are ready"


def _daemon_set(api: Api, live: Object) -> str:
    status = part(live, "status")
    wanted, updated, ready = (number(status, name) for name in ("desiredNumberScheduled", "updatedNumberScheduled", "numberAvailable"))
    return "" if _observed(live) and updated >= wanted and ready >= wanted else f"{ready} of {wanted} pods are ready"


def _job(api: Api, live: Object) -> str:
    failed = condition(live, "Failed")
    if failed.get("status") == "True":
        raise Failed(str(failed.get("message") or "the job failed"))
    return "" if condition(live, "Complete").get("status") == "True" else "the job has not ended"


def _pod(api: Api, live: Object) -> str:
    if text(live, "status", "phase") == "Succeeded" or condition(live, "Ready").get("status") == "True":
        return ""
    return "the pod is not ready"


def _service(api: Api, live: Object) -> str:
    spec = part(live, "spec")
    if spec.get("type") == "ExternalName":
        return ""
    if spec.get("type") == "LoadBalancer" and not entries(live, "status", "loadBalancer", "ingress"):
        return "the load balancer has no address"
    if not spec.get("selector") or spec.get("clusterIP") == "None":
        return ""
    namespace, name = text(live, "metadata", "namespace"), text(live, "metadata", "name")
    slices = api.request(
        "GET", f"/apis/discovery.k8s.io/v1/namespaces/{namespace}/endpointslices", labelSelector=f"kubernetes.io/service-name={name}"
    )
    ready = any(
        part(endpoint, "conditions").get("ready") is not False
        for each in entries(slices, "items")
        for endpoint in entries(each, "endpoints")
    )
    return "" if ready else "no pod that it selects is ready"


def _ingress(api: Api, live: Object) -> str:
    return "" if entries(live, "status", "loadBalancer", "ingress") else "no controller has given it an address"


def _claim(api: Api, live: Object) -> str:
    # A volume class may bind only when the first pod comes, so a claim that waits for one is ready too.
    return "" if text(live, "status", "phase") in {"Bound", "Pending"} else "the volume is not bound"


def _volume(api: Api, live: Object) -> str:
    return "" if text(live, "status", "phase") in {"Available", "Bound"} else "the volume is not available"


def _definition(api: Api, live: Object) -> str:
    return "" if condition(live, "Established").get("status") == "True" else "the definition is not established"


def _ready(api: Api, live: Object) -> str:
    ready = condition(live, "Ready")
    current = number(ready, "observedGeneration", default=1 << 62) >= number(live, "metadata", "generation")
    return "" if ready.get("status") == "True" and current else str(ready.get("message") or "it is not ready")


_CHECKS: Final[Mapping[tuple[str, str], Check]] = {
    ("apps", "Deployment"): _deployment,
    ("apps", "StatefulSet"): _stateful_set,
    ("apps", "DaemonSet"): _daemon_set,
    ("batch", "Job"): _job,
    ("", "Pod"): _pod,
    ("", "Service"): _service,
    ("", "PersistentVolumeClaim"): _claim,
    ("", "PersistentVolume"): _volume,
    ("networking.k8s.io", "Ingress"): _ingress,
    ("apiextensions.k8s.io", "CustomResourceDefinition"): _definition,
    # pulumi-kubernetes goes on at once; what mounts a certificate's Secret would then be restarted by the kubelet until it is there.
    ("cert-manager.io", "Certificate"): _ready,
    ("cert-manager.io", "ClusterIssuer"): _ready,
    ("cert-manager.io", "Issuer"): _ready,
}


def _wanted(written: str) -> list[str]:
    """Return the conditions of an annotation: one, or a JSON list of them."""
    if written.startswith("["):
        listed: list[object] = json.loads(written)
        return [str(each) for each in listed]
    return [written]


def _missing(wanted: str, live: Object) -> str:
    """Return what an object lacks of `condition=Type[=Status]` or `jsonpath={.path}[=value]`."""
    if match := re.fullmatch(r"condition=([^=]+)(?:=(.+))?", wanted):
        status = match[2] or "True"
        return "" if str(condition(live, match[1]).get("status", "")).lower() == status.lower() else f"condition {match[1]} is not {status}"
    if match := re.fullmatch(r"jsonpath=\{?\.?([A-Za-z0-9_.\[\]]+)\}?(?:=(.*))?", wanted):
        found = _at(live, match[1])
        return "" if found is not None and match[2] in {None, str(found)} else f"{match[1]} is {found!r}, not {match[2] or 'set'}"
    raise Failed(f"annotation {_WAIT_FOR}: {wanted!r} is not understood here; write condition=<type> or jsonpath={{.path}}=<value>")


def _at(live: object, path: str) -> object:
    found: Any = live
    for step in re.findall(r"[A-Za-z0-9_]+", path):
        if isinstance(found, list) and step.isdigit():
            found = found[int(step)] if int(step) < len(found) else None  # pyright: ignore[reportUnknownVariableType, reportUnknownArgumentType] # JSON
        else:
            found = found.get(step) if isinstance(found, dict) else None  # pyright: ignore[reportUnknownVariableType, reportUnknownMemberType] # JSON
    return found  # pyright: ignore[reportUnknownVariableType] # JSON
