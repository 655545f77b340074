"""Keys, claims and certificates are believed longer, or from more, than the topology says."""

from typing import Any

from tests.policies.mutations.gateway_edits import change_first
from tests.policies.mutations.mutation import Family, Table
from tests.policies.mutations.plan import MARKER, Plan, manifest, namespace

TABLE = Table(Family.IDENTITY)


def _has_token(inputs: Any) -> bool:
    return bool(inputs["spec"].get("jwt"))


@TABLE.mutation("A06", "the gateway uses keys of an issuer for a year")
def gateway_keeps_keys(plan: Plan) -> bool:
    return change_first(
        plan,
        "SecurityPolicy",
        lambda i: i["spec"]["jwt"]["providers"][0]["remoteJWKS"].update(cacheDuration="8760h"),
        lambda i: _has_token(i) and "remoteJWKS" in i["spec"]["jwt"]["providers"][0],
    )


@TABLE.mutation("M19", "istiod uses keys of an issuer for a year")
def istiod_keeps_keys(plan: Plan) -> bool:
    release = plan.release("istiod", where=lambda i: "PILOT_JWT_PUB_KEY_REFRESH_INTERVAL" in i["values"].get("env", {}))
    if release is not None:
        plan.edit(release)["values"]["env"]["PILOT_JWT_PUB_KEY_REFRESH_INTERVAL"] = "8760h"
    return release is not None


@TABLE.mutation("A11", "a token need not say whose it is, by which clients are counted")
def token_of_nobody(plan: Plan) -> bool:
    def change(inputs: dict[str, Any]) -> None:
        for rule in inputs["spec"]["authorization"]["rules"]:
            rule["cel"] = rule["cel"].partition(" && ")[0]

    return change_first(plan, "SecurityPolicy", change, _has_token)


@TABLE.mutation("A06", "what has no policy of its own is open on one listener")
def listener_open(plan: Plan) -> bool:
    gateway = plan.gateway()
    if gateway is None or plan.is_kong():
        return False
    inputs = gateway["inputs"]
    target = {"group": "gateway.networking.k8s.io", "kind": "Gateway", "name": inputs["metadata"]["name"]}
    section = {"sectionName": inputs["spec"]["listeners"][0]["name"]}
    spec = {"targetRefs": [{**target, **section}], "authorization": {"defaultAction": "Allow"}}
    plan.add(manifest("gateway.envoyproxy.io/v1alpha1", "SecurityPolicy", MARKER, namespace(inputs), spec=spec))
    return True


@TABLE.mutation("M17", "the mesh ingress takes the certificate of another layer, too")
def ingress_takes_another_certificate(plan: Plan) -> bool:
    gateway = plan.ingress_gateway()
    if gateway is None:
        return False
    for server in plan.edit(gateway)["spec"]["servers"]:
        server["tls"]["subjectAltNames"].append("spiffe://boundary/ns/edge/sa/edge")
    return True
