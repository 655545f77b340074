"""One layer takes more than the calls through it need, or keys of nobody's making, while the layers beside it still hold."""

import copy
from collections.abc import Callable
from typing import Any

from tests.policies.mutations.mutation import Family, Table
from tests.policies.mutations.plan import MARKER, Plan, namespace

TABLE = Table(Family.IDENTITY)

NOBODYS = f"{MARKER}-by-nobody"
"""A Secret that the plan does not make."""


def _rename(plan: Plan, kind: str, group: str | None, change: Callable[[dict[str, Any]], object], where: Callable[[Any], bool]) -> bool:
    record = plan.first(kind, group=group, where=where)
    if record is None:
        return False
    change(plan.edit(record)["spec"])
    return True


def _bridges(plan: Plan) -> list[str]:
    """Return the namespaces of internal gateways: those whose Gateways answer for a service of another mesh."""
    found = plan.records("Gateway", group="networking.istio.io", where=lambda i: ".bridge.internal" in str(i["spec"]))
    return sorted({namespace(record["inputs"]) for record in found})


def _operation_more(plan: Plan, caller: Callable[[str], bool]) -> bool:
    places = _bridges(plan)
    for policy in plan.records("AuthorizationPolicy", where=lambda i: namespace(i) in places and bool(i["spec"].get("rules"))):
        for number, rule in enumerate(policy["inputs"]["spec"]["rules"]):
            if any(caller(principal) for principal in rule["from"][0]["source"]["principals"]):
                targets = plan.edit(policy)["spec"]["rules"][number]["to"]
                more = copy.deepcopy(targets[0])
                more["operation"] |= {"methods": ["DELETE"], "paths": [f"/{MARKER}"]}
                targets.append(more)
                return True
    return False


@TABLE.mutation("B03", "the caller's side of a bridge takes an operation that no bridge names")
def bridge_takes_more_from_a_service(plan: Plan) -> bool:
    return _operation_more(plan, lambda principal: not principal.endswith("/sa/bridge"))


@TABLE.mutation("B03", "the target's side of a bridge takes an operation that no bridge names")
def bridge_takes_more_from_the_other_side(plan: Plan) -> bool:
    return _operation_more(plan, lambda principal: principal.endswith("/sa/bridge"))


@TABLE.mutation("B01", "the mesh ingress takes an operation that no door has")
def ingress_takes_more(plan: Plan) -> bool:
    gateway = plan.ingress_gateway()
    place = namespace(gateway["inputs"]) if gateway else ""
    policy = plan.first("AuthorizationPolicy", where=lambda i: namespace(i) == place and bool(i["spec"].get("rules")))
    if policy is None:
        return False
    targets = plan.edit(policy)["spec"]["rules"][0]["to"]
    more = copy.deepcopy(targets[0])
    more["operation"] |= {"methods": ["DELETE"], "paths": [f"/{MARKER}"]}
    targets.append(more)
    return True


@TABLE.mutation("A13", "the mesh ingress takes its key and its authority from a Secret that nobody makes")
def ingress_key_of_nobody(plan: Plan) -> bool:
    gateway = plan.ingress_gateway()
    if gateway is None:
        return False
    for server in plan.edit(gateway)["spec"]["servers"]:
        server["tls"]["credentialName"] = NOBODYS
    return True


@TABLE.mutation("A13", "a bridge shows a key that nobody makes")
def bridge_key_of_nobody(plan: Plan) -> bool:
    return _rename(
        plan,
        "DestinationRule",
        None,
        lambda spec: spec["trafficPolicy"]["tls"].update(credentialName=NOBODYS),
        lambda i: "'credentialName'" in str(i["spec"].get("trafficPolicy")),
    )


@TABLE.mutation("A13", "the API gateway answers with a key that nobody makes")
def gateway_key_of_nobody(plan: Plan) -> bool:
    return _rename(
        plan,
        "Gateway",
        "gateway.networking.k8s.io",
        lambda spec: spec["listeners"][0]["tls"]["certificateRefs"][0].update(name=NOBODYS),
        lambda i: bool(i["spec"]["listeners"][0].get("tls")),
    )


@TABLE.mutation("A13", "the API gateway shows the mesh a key that nobody makes")
def gateway_identity_of_nobody(plan: Plan) -> bool:
    return _rename(
        plan,
        "EnvoyProxy",
        None,
        lambda spec: spec["backendTLS"]["clientCertificateRef"].update(name=NOBODYS),
        lambda i: "clientCertificateRef" in i["spec"].get("backendTLS", {}),
    )


@TABLE.mutation("A13", "the edge answers with a key that nobody makes")
def edge_key_of_nobody(plan: Plan) -> bool:
    public = plan.public_service()
    place = namespace(public["inputs"]) if public else ""
    for record in plan.records("Deployment", where=lambda i: namespace(i) == place):
        for number, volume in enumerate(record["inputs"]["spec"]["template"]["spec"].get("volumes") or ()):
            if "secret" in volume:
                plan.edit(record)["spec"]["template"]["spec"]["volumes"][number]["secret"]["secretName"] = NOBODYS
                return True
    return False


@TABLE.mutation("A13", "the Certificate of a key that a layer shows is gone")
def certificate_gone(plan: Plan) -> bool:
    gateway = plan.ingress_gateway()
    place = namespace(gateway["inputs"]) if gateway else ""
    certificate = plan.first("Certificate", where=lambda i: namespace(i) == place)
    if certificate is None:
        return False
    plan.remove(certificate)
    return True
