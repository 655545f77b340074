"""One service reaches another by way of a gateway."""

from tests.policies.mutations.mutation import Family, Table
from tests.policies.mutations.plan import MARKER, Plan, manifest, namespace, pod_spec

TABLE = Table(Family.HAIRPIN)


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
