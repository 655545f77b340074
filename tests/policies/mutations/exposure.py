"""Something other than the edge becomes reachable, or the edge leads somewhere else."""

import copy
import re
from typing import Any

from tests.policies.mutations.mutation import Family, Table
from tests.policies.mutations.plan import MARKER, Plan, is_internal, manifest, name, namespace

TABLE = Table(Family.EXPOSURE)


def _service_type(plan: Plan, kind: str) -> bool:
    if (service := plan.some_service()) is None:
        return False
    plan.edit(service)["spec"]["type"] = kind
    return True


@TABLE.mutation("K01", "an internal Service becomes a LoadBalancer")
def service_load_balancer(plan: Plan) -> bool:
    return _service_type(plan, "LoadBalancer")


@TABLE.mutation("K01", "an internal Service becomes a NodePort")
def service_node_port(plan: Plan) -> bool:
    return _service_type(plan, "NodePort")


@TABLE.mutation("K03", "an internal Service gets an external address")
def service_external_ips(plan: Plan) -> bool:
    if (service := plan.some_service()) is None:
        return False
    plan.edit(service)["spec"]["externalIPs"] = ["198.51.100.7"]
    return True


@TABLE.mutation("K04", "an Ingress leads to an internal Service")
def ingress_to_internal_service(plan: Plan) -> bool:
    if (service := plan.some_service()) is None:
        return False
    place, called = namespace(service["inputs"]), name(service["inputs"])
    port = service["inputs"]["spec"]["ports"][0]["port"]
    backend = {"service": {"name": called, "port": {"number": port}}}
    plan.add(
        manifest(
            "networking.k8s.io/v1",
            "Ingress",
            MARKER,
            place,
            spec={"rules": [{"http": {"paths": [{"path": "/", "pathType": "Prefix", "backend": backend}]}}]},
        )
    )
    return True


@TABLE.mutation("K05", "an HTTPRoute leads to an internal Service, with a ReferenceGrant")
def http_route_to_internal_service(plan: Plan) -> bool:
    route, service = plan.first("HTTPRoute"), plan.internal_service()
    if route is None or service is None:
        return False
    place, called = namespace(service["inputs"]), name(service["inputs"])
    spec = copy.deepcopy(route["inputs"]["spec"])
    spec["rules"] = spec["rules"][:1]
    spec["rules"][0]["backendRefs"] = [{"name": called, "namespace": place, "port": service["inputs"]["spec"]["ports"][0]["port"]}]
    spec["rules"][0]["matches"] = [{"path": {"type": "PathPrefix", "value": f"/{MARKER}"}}]
    plan.add(manifest("gateway.networking.k8s.io/v1", "HTTPRoute", MARKER, namespace(route["inputs"]), spec=spec))
    plan.add(
        manifest(
            "gateway.networking.k8s.io/v1beta1",
            "ReferenceGrant",
            MARKER,
            place,
            spec={
                "from": [{"group": "gateway.networking.k8s.io", "kind": "HTTPRoute", "namespace": namespace(route["inputs"])}],
                "to": [{"group": "", "kind": "Service"}],
            },
        )
    )
    return True


@TABLE.mutation("A08", "a route sends its requests to a Service that is not the mesh ingress")
def http_route_backend_changed(plan: Plan) -> bool:
    route, service = plan.first("HTTPRoute"), plan.some_service()
    if route is None or service is None:
        return False
    port = service["inputs"]["spec"]["ports"][0]["port"]
    plan.edit(route)["spec"]["rules"][0]["backendRefs"] = [
        {"name": name(service["inputs"]), "namespace": namespace(service["inputs"]), "port": port}
    ]
    return True


@TABLE.mutation("A08", "a route copies its requests to an internal Service")
def http_route_mirrors_to_internal_service(plan: Plan) -> bool:
    route, service = plan.first("HTTPRoute"), plan.some_service()
    if route is None or service is None:
        return False
    backend = {
        "name": name(service["inputs"]),
        "namespace": namespace(service["inputs"]),
        "port": service["inputs"]["spec"]["ports"][0]["port"],
    }
    rule = plan.edit(route)["spec"]["rules"][0]
    rule.setdefault("filters", []).append({"type": "RequestMirror", "requestMirror": {"backendRef": backend}})
    return True


@TABLE.mutation("M14", "the ingress's VirtualService leads to an internal service")
def virtual_service_to_internal_service(plan: Plan) -> bool:
    virtual_service, service = plan.ingress_virtual_service(), plan.internal_service()
    if virtual_service is None or service is None:
        return False
    host = f"{name(service['inputs'])}.{namespace(service['inputs'])}.svc.cluster.local"
    route = {"match": [{"uri": {"prefix": f"/{MARKER}"}}], "route": [{"destination": {"host": host}}]}
    plan.edit(virtual_service)["spec"]["http"].insert(0, route)
    return True


@TABLE.mutation("K03", "an ExternalName Service is an alias of the public host")
def external_name_of_public_host(plan: Plan) -> bool:
    route, service = plan.first("HTTPRoute"), plan.some_service()
    if route is None or service is None:
        return False
    host = (route["inputs"]["spec"].get("hostnames") or ["api.example"])[0]
    plan.add(manifest("v1", "Service", MARKER, namespace(service["inputs"]), spec={"type": "ExternalName", "externalName": host}))
    return True


@TABLE.mutation("W08", "a second public Service selects the API gateway")
def gateway_node_port(plan: Plan) -> bool:
    gateway = plan.gateway()
    if gateway is None:
        return False
    place = namespace(gateway["inputs"])
    service = plan.first("Service", where=lambda i: namespace(i) == place and bool(i["spec"].get("selector")))
    if service is None:
        return False
    spec = copy.deepcopy(service["inputs"]["spec"])
    spec["type"] = "NodePort"
    plan.add(manifest("v1", "Service", MARKER, place, spec=spec))
    return True


def _ingress_service(plan: Plan) -> dict[str, Any] | None:
    mutual = plan.ingress_gateway()
    place = namespace(mutual["inputs"]) if mutual else None
    return plan.first("Service", where=lambda i: namespace(i) == place)


@TABLE.mutation("K02", "the mesh ingress is a LoadBalancer without the annotation that keeps it internal")
def mesh_ingress_load_balancer(plan: Plan) -> bool:
    if (service := _ingress_service(plan)) is None or is_internal(service["inputs"]):
        return False
    plan.edit(service)["spec"]["type"] = "LoadBalancer"
    return True


@TABLE.mutation("W08", "the chart of the mesh ingress makes its own LoadBalancer, which is its default")
def mesh_ingress_chart_default(plan: Plan) -> bool:
    if (release := plan.release("gateway")) is None:
        return False
    del plan.edit(release)["values"]["service"]
    return True


@TABLE.mutation("W08", "the API gateway's own Service becomes public, which is its default")
def gateway_service_default(plan: Plan) -> bool:
    if release := plan.release("kong"):
        proxy = plan.edit(release)["values"]["proxy"]
        proxy.pop("enabled", None)
        proxy.pop("type", None)
        return True
    proxy = plan.first("EnvoyProxy", where=lambda i: "envoyService" in str(i["spec"]))
    if proxy is None:
        return False
    plan.edit(proxy)["spec"]["provider"]["kubernetes"]["envoyService"]["type"] = "LoadBalancer"
    return True


@TABLE.mutation("W09", "the WAF passes requests straight to the mesh ingress")
def waf_backend_is_mesh_ingress(plan: Plan) -> bool:
    service, found = _ingress_service(plan), plan.edge_files(r"https?://[a-z0-9.-]+\.svc|proxy_pass|server\s+[a-z0-9.-]+\.svc")
    if service is None or found is None:
        return False
    record, key = found
    host = f"{name(service['inputs'])}.{namespace(service['inputs'])}.svc.cluster.local"
    text = record["inputs"]["data"][key]
    old = re.search(r"[a-z0-9-]+\.[a-z0-9-]+\.svc(\.cluster\.local)?", text)
    if old is None:
        return False
    plan.replace_text(record, key, re.escape(old[0]), host)
    return True


@TABLE.mutation("W02", "the public Service selects the API gateway instead of the WAF")
def public_service_selects_gateway(plan: Plan) -> bool:
    public, gateway = plan.public_service(), plan.gateway()
    if public is None or gateway is None:
        return False
    place = namespace(gateway["inputs"])
    service = plan.first("Service", where=lambda i: namespace(i) == place and bool(i["spec"].get("selector")))
    if service is None:
        return False
    inputs = plan.edit(public)
    inputs["metadata"]["namespace"] = place
    inputs["spec"]["selector"] = dict(service["inputs"]["spec"]["selector"])
    return True


@TABLE.mutation("K05", "every namespace may attach routes to the API gateway")
def gateway_open_to_routes(plan: Plan) -> bool:
    if (gateway := plan.gateway()) is None:
        return False
    plan.edit(gateway)["spec"]["listeners"][0]["allowedRoutes"] = {"namespaces": {"from": "All"}}
    return True


@TABLE.mutation("K05", "routes of a namespace of services may lead to the mesh ingress")
def grant_to_services(plan: Plan) -> bool:
    grant, apps = plan.first("ReferenceGrant"), plan.app_namespaces()
    if grant is None or not apps:
        return False
    plan.edit(grant)["spec"]["from"].append({"group": "gateway.networking.k8s.io", "kind": "HTTPRoute", "namespace": apps[0]})
    return True


@TABLE.mutation("M14", "a service takes over another's calls")
def virtual_service_takes_over_a_host(plan: Plan) -> bool:
    service, apps = plan.some_service(), plan.app_namespaces()
    if service is None or not apps:
        return False
    host = f"{name(service['inputs'])}.{namespace(service['inputs'])}.svc.cluster.local"
    elsewhere = next((record for record in plan.records("Namespace") if name(record["inputs"]) not in apps), None)
    if elsewhere is None:
        return False
    route = [{"route": [{"destination": {"host": "elsewhere.example"}}]}]
    plan.add(
        manifest(
            "networking.istio.io/v1",
            "VirtualService",
            MARKER,
            name(elsewhere["inputs"]),
            spec={"hosts": [host], "exportTo": ["*"], "http": route},
        )
    )
    return True


@TABLE.mutation("B01", "the mesh ingress rewrites a door's path to another")
def virtual_service_rewrites(plan: Plan) -> bool:
    virtual_service = plan.ingress_virtual_service()
    if virtual_service is None or not virtual_service["inputs"]["spec"].get("http"):
        return False
    plan.edit(virtual_service)["spec"]["http"][0]["rewrite"] = {"uri": f"/{MARKER}/"}
    return True
