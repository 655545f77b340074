"""One service reaches another by way of a gateway."""

from typing import Any

from tests.policies.mutations.mutation import Family, Table
from tests.policies.mutations.plan import MARKER, Plan, manifest, name, namespace, pod_spec

TABLE = Table(Family.HAIRPIN)

OUTSIDE = {"host": "collector.attacker.example", "port": {"number": 80}}
"""A destination that no topology names."""


def _own_routes(plan: Plan) -> list[dict[str, Any]] | None:
    """Return the routes of a service's own VirtualService, which is added where the system has none."""
    found = plan.app("VirtualService", where=lambda i: bool(i["spec"].get("http")))
    if found is not None:
        return plan.edit(found)["spec"]["http"]
    service = plan.some_service()
    if service is None:
        return None
    place = namespace(service["inputs"])
    host = f"{name(service['inputs'])}.{place}.svc.cluster.local"
    port = service["inputs"]["spec"]["ports"][0]["port"]
    http = [{"route": [{"destination": {"host": host, "port": {"number": port}}}]}]
    spec = {"hosts": [host], "exportTo": ["."], "http": http}
    plan.add(manifest("networking.istio.io/v1", "VirtualService", MARKER, place, spec=spec))
    return http


def _other_service(plan: Plan, http: list[dict[str, Any]]) -> dict[str, Any] | None:
    """Return the destination of another service than a route's."""
    apps = plan.app_namespaces()
    used = http[0]["route"][0]["destination"]["host"]
    for service in plan.records("Service", where=lambda i: namespace(i) in apps):
        host = f"{name(service['inputs'])}.{namespace(service['inputs'])}.svc.cluster.local"
        if host != used:
            return {"host": host, "port": {"number": service["inputs"]["spec"]["ports"][0]["port"]}}
    return None


@TABLE.mutation("M14", "a service's VirtualService copies its requests to a host outside")
def mirror_to_the_outside(plan: Plan) -> bool:
    if (http := _own_routes(plan)) is None:
        return False
    http[0]["mirrors"] = [{"destination": OUTSIDE}]
    return True


@TABLE.mutation("M14", "a service's VirtualService copies its requests to another service")
def mirror_to_another_service(plan: Plan) -> bool:
    if (http := _own_routes(plan)) is None or (other := _other_service(plan, http)) is None:
        return False
    http[0]["mirror"] = other
    return True


@TABLE.mutation("M14", "a service's VirtualService sends one request in a hundred to another service")
def share_of_another_service(plan: Plan) -> bool:
    if (http := _own_routes(plan)) is None or (other := _other_service(plan, http)) is None:
        return False
    http[0]["route"].append({"destination": other, "weight": 1})
    return True


@TABLE.mutation("M14", "the mesh ingress copies requests of a door to another door's service")
def mirror_at_the_ingress(plan: Plan) -> bool:
    virtual_service = plan.ingress_virtual_service()
    if virtual_service is None:
        return False
    http = plan.edit(virtual_service)["spec"]["http"]
    http[0]["mirrors"] = [{"destination": http[-1]["route"][0]["destination"]}]
    return True


@TABLE.mutation("M14", "a route writes another Host into requests that were checked")
def host_written_as_a_header(plan: Plan) -> bool:
    if (http := _own_routes(plan)) is None:
        return False
    http[0].setdefault("headers", {}).setdefault("request", {})["set"] = {":authority": "other.example"}
    return True


@TABLE.mutation("M14", "a service's VirtualService calls requests those of another host")
def authority_of_another_host(plan: Plan) -> bool:
    if (http := _own_routes(plan)) is None:
        return False
    http[0].setdefault("rewrite", {})["authority"] = "other.example"
    return True


@TABLE.mutation("M14", "a service's VirtualService hands its requests to a VirtualService elsewhere")
def delegate_to_elsewhere(plan: Plan) -> bool:
    if (http := _own_routes(plan)) is None:
        return False
    http[0].pop("route")
    http[0]["delegate"] = {"name": "routes", "namespace": "elsewhere"}
    return True


@TABLE.mutation("P07", "a service's VirtualService sends its callers to a host outside")
def redirect_of_a_service(plan: Plan) -> bool:
    if (http := _own_routes(plan)) is None:
        return False
    http.insert(0, {"redirect": {"authority": OUTSIDE["host"]}})
    return True


@TABLE.mutation("P07", "the mesh ingress sends a door's clients to a host outside")
def redirect_at_the_ingress(plan: Plan) -> bool:
    virtual_service = plan.ingress_virtual_service()
    if virtual_service is None:
        return False
    plan.edit(virtual_service)["spec"]["http"].insert(0, {"redirect": {"authority": OUTSIDE["host"]}})
    return True


def _public_host(plan: Plan) -> str | None:
    for route in plan.records("HTTPRoute"):
        if hosts := route["inputs"]["spec"].get("hostnames"):
            return hosts[0]
    return None


def _gateway_service(plan: Plan) -> str | None:
    mutual = plan.ingress_gateway()
    if mutual is None:
        return None
    place = namespace(mutual["inputs"])
    service = plan.first("Service", where=lambda i: namespace(i) == place)
    return f"{service['inputs']['metadata']['name']}.{place}.svc.cluster.local" if service else None


@TABLE.mutation("M15", "a service's calls to another are sent through the mesh ingress")
def virtual_service_through_the_gateway(plan: Plan) -> bool:
    host = _gateway_service(plan)
    virtual_service = plan.app("VirtualService", where=lambda i: bool(i["spec"].get("http")))
    if host is None:
        return False
    if virtual_service is None:
        service = plan.some_service()
        if service is None:
            return False
        place, called = namespace(service["inputs"]), service["inputs"]["metadata"]["name"]
        route = [{"route": [{"destination": {"host": host, "port": {"number": 443}}}]}]
        plan.add(
            manifest(
                "networking.istio.io/v1",
                "VirtualService",
                MARKER,
                place,
                spec={"hosts": [f"{called}.{place}.svc.cluster.local"], "http": route},
            )
        )
        return True
    plan.edit(virtual_service)["spec"]["http"][0]["route"] = [{"destination": {"host": host, "port": {"number": 443}}}]
    return True


@TABLE.mutation("M15", "a variable tells a service to call the public host")
def env_url_of_the_public_host(plan: Plan) -> bool:
    host, workload = _public_host(plan), plan.caller()
    if host is None or workload is None:
        return False
    pod_spec(plan.edit(workload))["containers"][0].setdefault("env", []).append({"name": "B_URL", "value": f"https://{host}/b"})
    return True


@TABLE.mutation("M15", "a variable tells a service to call the gateway's Service")
def env_url_of_the_gateway(plan: Plan) -> bool:
    gateway, workload = plan.gateway(), plan.caller()
    if gateway is None or workload is None:
        return False
    place = namespace(gateway["inputs"])
    service = plan.first("Service", where=lambda i: namespace(i) == place)
    if service is None:
        return False
    value = f"https://{service['inputs']['metadata']['name']}.{place}"
    pod_spec(plan.edit(workload))["containers"][0].setdefault("env", []).append({"name": "B_URL", "value": value})
    return True


@TABLE.mutation("M15", "a ConfigMap tells a service to call the public host")
def config_map_with_the_public_host(plan: Plan) -> bool:
    host, workload = _public_host(plan), plan.caller()
    if host is None or workload is None:
        return False
    place = namespace(workload["inputs"])
    plan.add(manifest("v1", "ConfigMap", MARKER, place, data={"services.yaml": f"b: https://{host}/b\n"}))
    spec = pod_spec(plan.edit(workload))
    spec.setdefault("volumes", []).append({"name": MARKER, "configMap": {"name": MARKER}})
    spec["containers"][0].setdefault("volumeMounts", []).append({"name": MARKER, "mountPath": "/etc/services"})
    return True


@TABLE.mutation("M16", "a ServiceEntry makes the public host callable from inside")
def service_entry_of_the_public_host(plan: Plan) -> bool:
    host, apps = _public_host(plan), plan.app_namespaces()
    if host is None or not apps:
        return False
    spec = {"hosts": [host], "location": "MESH_EXTERNAL", "resolution": "DNS", "ports": [{"number": 443, "name": "tls", "protocol": "TLS"}]}
    plan.add(manifest("networking.istio.io/v1", "ServiceEntry", MARKER, apps[0], spec=spec))
    return True


@TABLE.mutation("M16", "a ServiceEntry of every host")
def service_entry_of_everything(plan: Plan) -> bool:
    if not (apps := plan.app_namespaces()):
        return False
    spec = {
        "hosts": ["*.com"],
        "location": "MESH_EXTERNAL",
        "resolution": "NONE",
        "ports": [{"number": 443, "name": "tls", "protocol": "TLS"}],
    }
    plan.add(manifest("networking.istio.io/v1", "ServiceEntry", MARKER, apps[0], spec=spec))
    return True


@TABLE.mutation("M16", "another address outside answers for a declared host")
def endpoint_of_an_exit(plan: Plan) -> bool:
    entry = plan.first("ServiceEntry", where=lambda i: not i["spec"].get("endpoints"))
    if entry is None:
        return False
    plan.edit(entry)["spec"]["endpoints"] = [{"address": OUTSIDE["host"]}]
    return True


@TABLE.mutation("M14", "the mesh ingress sends one request in a hundred of a door to another door's service")
def share_of_another_door(plan: Plan) -> bool:
    virtual_service = plan.ingress_virtual_service()
    if virtual_service is None:
        return False
    http = plan.edit(virtual_service)["spec"]["http"]
    own = http[0]["route"][0]["destination"]["host"]
    other = next((each["route"][0]["destination"] for each in http if each["route"][0]["destination"]["host"] != own), None)
    if other is None:
        return False
    http[0]["route"] = [{**http[0]["route"][0], "weight": 99}, {"destination": other, "weight": 1}]
    return True


@TABLE.mutation("M14", "the egress gateway leads to another outside host than the one asked for")
def egress_to_another_host(plan: Plan) -> bool:
    hosts = [
        record["inputs"]["spec"]["hosts"][0] for record in plan.records("ServiceEntry", where=lambda i: not i["spec"].get("endpoints"))
    ]
    for record in plan.records("VirtualService", where=lambda i: set(i["spec"].get("gateways") or ["mesh"]) != {"mesh"}):
        for host in hosts:
            other = next((each for each in hosts if each != host), None)
            if other and host in record["inputs"]["spec"]["hosts"]:
                for route in plan.edit(record)["spec"]["http"]:
                    route["route"][0]["destination"]["host"] = other
                return True
    return False


@TABLE.mutation("M16", "whoever proves another name may answer for a declared host")
def name_of_another_for_an_exit(plan: Plan) -> bool:
    entry = plan.first("ServiceEntry", where=lambda i: not i["spec"].get("endpoints"))
    if entry is None:
        return False
    plan.edit(entry)["spec"]["subjectAltNames"] = ["collector.attacker.example"]
    return True


@TABLE.mutation("M16", "whoever proves another identity may be the other side of a bridge")
def name_of_another_for_a_bridge(plan: Plan) -> bool:
    entry = plan.first("ServiceEntry", where=lambda i: bool(i["spec"].get("endpoints")))
    if entry is None:
        return False
    plan.edit(entry)["spec"]["subjectAltNames"] = ["spiffe://elsewhere.example/ns/x/sa/y"]
    return True


@TABLE.mutation("M16", "one host more of the other mesh is callable by the bridge")
def another_host_of_a_bridge(plan: Plan) -> bool:
    entry = plan.first("ServiceEntry", where=lambda i: bool(i["spec"].get("endpoints")))
    if entry is None:
        return False
    hosts = plan.edit(entry)["spec"]["hosts"]
    hosts.append(hosts[0].replace(hosts[0].partition(".")[0], MARKER, 1))
    return True


@TABLE.mutation("M16", "the other side of a bridge is callable on another port")
def another_port_of_a_bridge(plan: Plan) -> bool:
    entry = plan.first("ServiceEntry", where=lambda i: bool(i["spec"].get("endpoints")))
    if entry is None:
        return False
    plan.edit(entry)["spec"]["ports"].append({"number": 15012, "name": "tcp-other", "protocol": "TCP"})
    return True


@TABLE.mutation("M14", "every namespace sees a service's routes")
def routes_seen_by_all(plan: Plan) -> bool:
    found = plan.app("VirtualService")
    if found is None:
        return False
    plan.edit(found)["spec"]["exportTo"] = ["*"]
    return True


@TABLE.mutation("M14", "every namespace sees how a service is called")
def destination_rule_seen_by_all(plan: Plan) -> bool:
    found = plan.app("DestinationRule")
    if found is None:
        return False
    plan.edit(found)["spec"]["exportTo"] = ["*"]
    return True


@TABLE.mutation("P07", "a VirtualService takes Strict-Transport-Security out of answers")
def transport_security_taken_out_by_the_mesh(plan: Plan) -> bool:
    if (http := _own_routes(plan)) is None:
        return False
    http[0].setdefault("headers", {}).setdefault("response", {})["remove"] = ["strict-transport-security"]
    return True


@TABLE.mutation("M14", "calls fail on purpose, and the topology does not say so")
def calls_fail_on_purpose(plan: Plan) -> bool:
    if (virtual_service := plan.ingress_virtual_service()) is None:
        return False
    plan.edit(virtual_service)["spec"]["http"][0]["fault"] = {"abort": {"httpStatus": 503, "percentage": {"value": 100}}}
    return True


@TABLE.mutation("M16", "a declared host may be called on another port")
def another_port_of_an_exit(plan: Plan) -> bool:
    entry = plan.first("ServiceEntry", where=lambda i: not i["spec"].get("endpoints"))
    if entry is None:
        return False
    plan.edit(entry)["spec"]["ports"].append({"number": 22, "name": "tcp-ssh", "protocol": "TCP"})
    return True


@TABLE.mutation("A07", "the egress gateway tells the outside who the customer is")
def internal_headers_leave(plan: Plan) -> bool:
    record = plan.first(
        "VirtualService", where=lambda i: "'remove'" in str(i["spec"].get("http")) and "mesh" in (i["spec"].get("gateways") or ())
    )
    if record is None:
        return False
    for route in plan.edit(record)["spec"]["http"]:
        route.pop("headers", None)
    return True


@TABLE.mutation("A07", "the egress gateway tells the outside one thing about the customer")
def one_internal_header_leaves(plan: Plan) -> bool:
    for record in plan.records("VirtualService", where=lambda i: "mesh" in (i["spec"].get("gateways") or ())):
        for number, route in enumerate(record["inputs"]["spec"].get("http") or ()):
            if "x-perimeter-subject" in route.get("headers", {}).get("request", {}).get("remove", []):
                plan.edit(record)["spec"]["http"][number]["headers"]["request"]["remove"].remove("x-perimeter-subject")
                return True
    return False
