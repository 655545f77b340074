"""When custom resources have taken effect: their controllers accepted them and say so in their status.

pulumi-kubernetes waits for none of these; a deployment that ends before the gateway has its routes has deployed nothing that can be verified.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

from deploy.api import Object
from deploy.awaits import condition
from deploy.documents import entries, number, text

_GATEWAY_API: Final = "gateway.networking.k8s.io"
_ENVOY_GATEWAY: Final = "gateway.envoyproxy.io"
_NO_RESOURCES: Final = "NoResources"
"""Reason of a Gateway that is not programmed: its infrastructure has no capacity (Gateway API, `GatewayReasonNoResources`)."""


def unsettled(live: Object) -> str:
    """Return why an object has not taken effect yet; empty where it has, or where its kind says nothing about it."""
    group, kind = str(live["apiVersion"]).rpartition("/")[0], str(live["kind"])
    check = _CHECKS.get((group, kind)) or _CHECKS.get((group, "*"))
    return check(live) if check else ""


def settles(group: str, kind: str) -> bool:
    """Whether objects of a kind say when they have taken effect."""
    return (group, kind) in _CHECKS or (group, "*") in _CHECKS


def _true(*types: str) -> Callable[[Object], str]:
    return lambda live: _lacking(entries(live, "status", "conditions"), types, number(live, "metadata", "generation"))


def _listeners(live: Object) -> str:
    generation = number(live, "metadata", "generation")
    # Whether the gateway's pods are ready their Service says, which is waited for. Envoy Gateway 1.9 may go on saying that none is
    # (`NoResources`) after one that missed a probe has come back: it looked at its cache before the news had arrived, and nothing calls it again.
    named = ("Accepted",) if condition(live, "Programmed").get("reason") == _NO_RESOURCES else ("Accepted", "Programmed")
    own = _lacking(entries(live, "status", "conditions"), named, generation)
    return own or next(
        (f"listener {text(each, 'name')}: {lacking}" for each in entries(live, "status", "listeners")
         if (lacking := _lacking(entries(each, "conditions"), ("Accepted", "Programmed", "ResolvedRefs"), generation))),
        "",
    )  # fmt: skip


def _parents(*types: str, key: str) -> Callable[[Object], str]:
    def check(live: Object) -> str:
        listed = entries(live, "status", key)
        if not listed:
            return "no controller has taken it up"
        generation = number(live, "metadata", "generation")
        # A controller leaves what it said about a parent that the object no longer names.
        current = [each for each in listed if _newest(each) >= generation] or listed
        return next((lacking for each in current if (lacking := _lacking(entries(each, "conditions"), types, generation))), "")

    return check


def _newest(of_parent: Mapping[str, Any]) -> int:
    return max((number(each, "observedGeneration") for each in entries(of_parent, "conditions")), default=0)


def _lacking(conditions: Iterable[Mapping[str, Any]], types: Iterable[str], generation: int) -> str:
    by_type = {each.get("type"): each for each in conditions}
    for type_ in types:
        found = by_type.get(type_)
        if found is None:
            return f"no condition {type_} yet"
        if found.get("status") != "True":
            return f"{type_} is {found.get('status')}: {found.get('reason')}: {found.get('message')}"
        if number(found, "observedGeneration", default=generation) < generation:
            return f"{type_} is of an earlier generation"
    return ""


def _certificate(live: Object) -> str:
    ready = condition(live, "Ready")
    return "" if ready.get("status") == "True" else str(ready.get("message") or "it is not ready")


_CHECKS: Final[Mapping[tuple[str, str], Callable[[Object], str]]] = {
    ("cert-manager.io", "*"): _certificate,
    (_GATEWAY_API, "GatewayClass"): _true("Accepted"),
    (_GATEWAY_API, "Gateway"): _listeners,
    (_GATEWAY_API, "HTTPRoute"): _parents("Accepted", "ResolvedRefs", key="parents"),
    (_GATEWAY_API, "GRPCRoute"): _parents("Accepted", "ResolvedRefs", key="parents"),
    (_GATEWAY_API, "BackendTLSPolicy"): _parents("Accepted", key="ancestors"),
    (_ENVOY_GATEWAY, "SecurityPolicy"): _parents("Accepted", key="ancestors"),
    (_ENVOY_GATEWAY, "BackendTrafficPolicy"): _parents("Accepted", key="ancestors"),
    (_ENVOY_GATEWAY, "ClientTrafficPolicy"): _parents("Accepted", key="ancestors"),
    (_ENVOY_GATEWAY, "EnvoyExtensionPolicy"): _parents("Accepted", key="ancestors"),
}
"""By group and kind. Istio writes no status where its analysis is off, which is the default."""
