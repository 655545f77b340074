"""Requests to audited services are not written down."""

from collections.abc import Callable
from typing import Any

from tests.policies.mutations.mutation import Family, Table
from tests.policies.mutations.plan import MARKER, Plan, Record, manifest, namespace

TABLE = Table(Family.WORKLOADS)


def _logs(plan: Plan) -> list[Record]:
    """Return the logs of audited services and of what leads to them; the others are the meshes' own."""
    return list(plan.records("Telemetry", where=lambda i: bool(i["spec"].get("selector"))))


def _change(plan: Plan, change: Callable[[dict[str, Any]], object]) -> bool:
    found = _logs(plan)
    if found:
        change(plan.edit(found[-1])["spec"])
    return bool(found)


@TABLE.mutation("M25", "an audited service has no log of its own")
def audit_log_removed(plan: Plan) -> bool:
    found = _logs(plan)
    if found:
        plan.remove(found[-1])
    return bool(found)


@TABLE.mutation("M25", "the way in to an audited service has no log of its own")
def audit_log_of_the_way_in_removed(plan: Plan) -> bool:
    gateway = next((each for each in _logs(plan) if "istio" in each["inputs"]["spec"]["selector"]["matchLabels"]), None)
    if gateway is not None:
        plan.remove(gateway)
    return gateway is not None


@TABLE.mutation("M25", "the log of an audited service holds only failures, like everybody's")
def audit_log_of_failures(plan: Plan) -> bool:
    expression = "response.code >= 400 || response.code == 0"
    return _change(plan, lambda spec: spec["accessLogging"][0].update(filter={"expression": expression}))


@TABLE.mutation("M25", "the log of an audited service is off")
def audit_log_off(plan: Plan) -> bool:
    return _change(plan, lambda spec: spec["accessLogging"].append({"disabled": True}))


@TABLE.mutation("M25", "the log of an audited service is for calls that it makes")
def audit_log_of_its_own_calls(plan: Plan) -> bool:
    return _change(plan, lambda spec: spec["accessLogging"][0].update(match={"mode": "CLIENT"}))


@TABLE.mutation("M25", "the log of an audited service is Envoy's own, which names no caller")
def audit_log_without_caller(plan: Plan) -> bool:
    return _change(plan, lambda spec: spec["accessLogging"][0].update(providers=[{"name": "envoy"}]))


@TABLE.mutation("M25", "a second Telemetry takes the place of the log of an audited service")
def audit_log_beside_another(plan: Plan) -> bool:
    found = _logs(plan)
    if found:
        inputs = found[-1]["inputs"]
        logging = [{"providers": [{"name": "access-log"}], "filter": {"expression": "response.code >= 400 || response.code == 0"}}]
        spec = {"selector": inputs["spec"]["selector"], "accessLogging": logging}
        plan.add(manifest("telemetry.istio.io/v1", "Telemetry", MARKER, namespace(inputs), spec=spec))
    return bool(found)


@TABLE.mutation("M25", "the meshes' logs name no caller")
def log_format_without_caller(plan: Plan) -> bool:
    release = plan.release("istiod") if _logs(plan) else None
    if release is not None:
        for provider in plan.edit(release)["values"]["meshConfig"]["extensionProviders"]:
            if "envoyFileAccessLog" in provider:
                del provider["envoyFileAccessLog"]["logFormat"]["labels"]["caller"]
    return release is not None


@TABLE.mutation("P04", "the log of a mesh is that of one gateway")
def mesh_log_of_one_gateway(plan: Plan) -> bool:
    found = plan.first("Telemetry", where=lambda i: not i["spec"].get("selector"))
    if found is not None:
        plan.edit(found)["spec"]["targetRefs"] = [{"group": "gateway.networking.k8s.io", "kind": "Gateway", "name": "waypoint"}]
    return found is not None
