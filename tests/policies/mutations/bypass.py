"""Traffic goes around the sidecar that should judge it."""

from tests.policies.mutations.mutation import Family, Table
from tests.policies.mutations.plan import MARKER, Plan, manifest, namespace, pod_spec

TABLE = Table(Family.BYPASS)


def _pod_metadata(plan: Plan, field: str, key: str, value: str) -> bool:
    if (workload := plan.caller()) is None:
        return False
    metadata = plan.edit(workload)["spec"]["template"].setdefault("metadata", {})
    metadata.setdefault(field, {})[key] = value
    return True


@TABLE.mutation("M03", "a pod gets no sidecar")
def injection_off_on_pod(plan: Plan) -> bool:
    return _pod_metadata(plan, "labels", "sidecar.istio.io/inject", "false")


@TABLE.mutation("M03", "a namespace gets no sidecars")
def injection_off_on_namespace(plan: Plan) -> bool:
    apps = plan.app_namespaces()
    record = plan.first("Namespace", where=lambda i: i["metadata"]["name"] in apps)
    if record is None:
        return False
    labels = plan.edit(record)["metadata"]["labels"]
    labels.pop("istio.io/rev", None)
    labels["istio-injection"] = "disabled"
    return True


@TABLE.mutation("M04", "the application's port is not captured")
def inbound_port_excluded(plan: Plan) -> bool:
    return _pod_metadata(plan, "annotations", "traffic.sidecar.istio.io/excludeInboundPorts", "8080")


@TABLE.mutation("M04", "an outbound range is not captured")
def outbound_range_excluded(plan: Plan) -> bool:
    return _pod_metadata(plan, "annotations", "traffic.sidecar.istio.io/excludeOutboundIPRanges", "0.0.0.0/0")


@TABLE.mutation("M05", "a container runs as the sidecar's user, whose traffic is not captured")
def runs_as_the_proxy(plan: Plan) -> bool:
    if (workload := plan.caller()) is None:
        return False
    pod_spec(plan.edit(workload))["containers"][0].setdefault("securityContext", {})["runAsUser"] = 1337
    return True


@TABLE.mutation("K07", "a container may rewrite the pod's network rules")
def net_admin(plan: Plan) -> bool:
    if (workload := plan.caller()) is None:
        return False
    context = pod_spec(plan.edit(workload))["containers"][0].setdefault("securityContext", {})
    context["capabilities"] = {"drop": ["ALL"], "add": ["NET_ADMIN"]}
    return True


@TABLE.mutation("K06", "a pod uses the node's network")
def host_network(plan: Plan) -> bool:
    if (workload := plan.caller()) is None:
        return False
    pod_spec(plan.edit(workload))["hostNetwork"] = True
    return True


@TABLE.mutation("K06", "a pod listens on its node")
def host_port(plan: Plan) -> bool:
    if (workload := plan.caller()) is None:
        return False
    ports = pod_spec(plan.edit(workload))["containers"][0].setdefault("ports", [{"containerPort": 8080}])
    ports[0]["hostPort"] = 8080
    return True


@TABLE.mutation("M18", "an EnvoyFilter removes the filter that judges callers")
def rbac_filter_removed(plan: Plan) -> bool:
    if not (apps := plan.app_namespaces()):
        return False
    match = {"context": "SIDECAR_INBOUND", "listener": {"filterChain": {"filter": {"subFilter": {"name": "envoy.filters.http.rbac"}}}}}
    patch = {"applyTo": "HTTP_FILTER", "match": match, "patch": {"operation": "REMOVE"}}
    plan.add(manifest("networking.istio.io/v1alpha3", "EnvoyFilter", MARKER, apps[0], spec={"configPatches": [patch]}))
    return True


@TABLE.mutation("K11", "a service is told another pod's address")
def pod_address_in_env(plan: Plan) -> bool:
    if (workload := plan.caller()) is None:
        return False
    pod_spec(plan.edit(workload))["containers"][0].setdefault("env", []).append({"name": "BACKEND", "value": "http://10.244.0.17:8080"})
    return True


@TABLE.mutation("K11", "endpoints are made by hand")
def endpoints_by_hand(plan: Plan) -> bool:
    if not (apps := plan.app_namespaces()):
        return False
    plan.add(
        manifest("v1", "Endpoints", MARKER, apps[0], subsets=[{"addresses": [{"ip": "10.244.0.17"}], "ports": [{"port": 8080}]}]),
    )
    return True


@TABLE.mutation("M17", "the mesh ingress passes TLS through to whatever host it names")
def auto_passthrough(plan: Plan) -> bool:
    if (gateway := plan.ingress_gateway()) is None:
        return False
    plan.edit(gateway)["spec"]["servers"][0]["tls"] = {"mode": "AUTO_PASSTHROUGH"}
    return True


@TABLE.mutation("M17", "the mesh ingress answers to every host")
def gateway_any_host(plan: Plan) -> bool:
    if (gateway := plan.ingress_gateway()) is None:
        return False
    plan.edit(gateway)["spec"]["servers"][0]["hosts"] = ["*"]
    return True


@TABLE.mutation("M17", "other namespaces may bind routes to the mesh ingress")
def routes_of_every_namespace(plan: Plan) -> bool:
    if (gateway := plan.ingress_gateway()) is None:
        return False
    for server in plan.edit(gateway)["spec"]["servers"]:
        server["hosts"] = [host.removeprefix("./") for host in server["hosts"]]
    return True


@TABLE.mutation("M17", "the mesh ingress does not ask the API gateway who it is")
def ingress_without_client_certificate(plan: Plan) -> bool:
    if (gateway := plan.ingress_gateway()) is None:
        return False
    plan.edit(gateway)["spec"]["servers"][0]["tls"]["mode"] = "SIMPLE"
    return True


@TABLE.mutation("M12", "services may call any address outside the mesh")
def outbound_allow_any(plan: Plan) -> bool:
    if (release := plan.release("istiod")) is None:
        return False
    plan.edit(release)["values"]["meshConfig"]["outboundTrafficPolicy"] = {"mode": "ALLOW_ANY"}
    return True


@TABLE.mutation("M20", "one service's sidecar knows every service")
def sidecar_of_everything(plan: Plan) -> bool:
    sidecar = plan.app("Sidecar", where=lambda i: bool(i["spec"].get("workloadSelector")))
    if sidecar is None:
        return False
    plan.edit(sidecar)["spec"]["egress"] = [{"hosts": ["*/*"]}]
    return True


@TABLE.mutation("M12", "paths are not normalised before they are judged")
def path_normalization_off(plan: Plan) -> bool:
    if (release := plan.release("istiod")) is None:
        return False
    plan.edit(release)["values"]["meshConfig"]["pathNormalization"] = {"normalization": "NONE"}
    return True


@TABLE.mutation("M03", "a pod without a sidecar is added beside the services")
def pod_outside_the_mesh(plan: Plan) -> bool:
    if not (apps := plan.app_namespaces()):
        return False
    plan.add(
        {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {"name": MARKER, "namespace": apps[0], "labels": {"app": MARKER, "sidecar.istio.io/inject": "false"}},
            "spec": {"containers": [{"name": "shell", "image": "busybox:1"}]},
        }
    )
    return True


@TABLE.mutation("M22", "the mesh runs a version with known holes")
def old_istio(plan: Plan) -> bool:
    if (release := plan.release("istiod")) is None:
        return False
    plan.edit(release)["version"] = "1.20.0"
    return True


@TABLE.mutation("M04", "traffic is not intercepted at all")
def interception_off(plan: Plan) -> bool:
    return _pod_metadata(plan, "annotations", "sidecar.istio.io/interceptionMode", "NONE")


@TABLE.mutation("M03", "a pod gets a sidecar of its own making")
def own_injection_template(plan: Plan) -> bool:
    return _pod_metadata(plan, "annotations", "inject.istio.io/templates", "mine")


@TABLE.mutation("M18", "a service brings its own code into the proxies")
def wasm_plugin(plan: Plan) -> bool:
    if not (apps := plan.app_namespaces()):
        return False
    plan.add(manifest("extensions.istio.io/v1alpha1", "WasmPlugin", MARKER, apps[0], spec={"url": "oci://images.example/filter:1"}))
    return True


@TABLE.mutation("K12", "a service may change the policies that guard it")
def service_writes_policies(plan: Plan) -> bool:
    account = plan.app("ServiceAccount")
    if account is None:
        return False
    place, called = namespace(account["inputs"]), account["inputs"]["metadata"]["name"]
    rules = [{"apiGroups": ["security.istio.io"], "resources": ["*"], "verbs": ["*"]}]
    plan.add(manifest("rbac.authorization.k8s.io/v1", "Role", MARKER, place, rules=rules))
    reference = {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": MARKER}
    subjects = [{"kind": "ServiceAccount", "name": called, "namespace": place}]
    plan.add(manifest("rbac.authorization.k8s.io/v1", "RoleBinding", MARKER, place, roleRef=reference, subjects=subjects))
    return True


@TABLE.mutation("M23", "istiod's plaintext and debugging ports are open to every pod")
def istiod_network_open(plan: Plan) -> bool:
    release = plan.release("istiod")
    if release is None:
        return False
    spec = {"podSelector": {}, "policyTypes": ["Ingress"], "ingress": [{}]}
    plan.add(manifest("networking.k8s.io/v1", "NetworkPolicy", MARKER, release["inputs"]["namespace"], spec=spec))
    return True
