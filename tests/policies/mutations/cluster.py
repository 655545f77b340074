"""Somebody else gets power over the boundary, or the cluster is told to guard less."""

import copy
from collections.abc import Callable
from typing import Any

from tests.policies.mutations.mutation import Family, Table
from tests.policies.mutations.plan import MARKER, Plan, manifest, name, namespace

TABLE = Table(Family.PLATFORM)

RBAC = "rbac.authorization.k8s.io"


def _grants(group: str, resource: str, *verbs: str) -> Callable[[Plan], bool]:
    """Return a change that gives a service a role."""

    def change(plan: Plan) -> bool:
        account = plan.app("ServiceAccount")
        assert account is not None
        place, called = namespace(account["inputs"]), name(account["inputs"])
        rules = [{"apiGroups": [group], "resources": [resource], "verbs": list(verbs)}]
        plan.add(manifest(f"{RBAC}/v1", "Role", MARKER, place, rules=rules))
        reference = {"apiGroup": RBAC, "kind": "Role", "name": MARKER}
        subjects = [{"kind": "ServiceAccount", "name": called, "namespace": place}]
        plan.add(manifest(f"{RBAC}/v1", "RoleBinding", MARKER, place, roleRef=reference, subjects=subjects))
        return True

    return change


def _mighty(subject: dict[str, str]) -> Callable[[Plan], bool]:
    """Return a change that makes somebody cluster-admin."""

    def change(plan: Plan) -> bool:
        reference = {"apiGroup": RBAC, "kind": "ClusterRole", "name": "cluster-admin"}
        binding = {"apiVersion": f"{RBAC}/v1", "kind": "ClusterRoleBinding", "metadata": {"name": MARKER}, "roleRef": reference}
        plan.add({**binding, "subjects": [subject]})
        return True

    return change


def _releases(chart: str, key: str, value: Any) -> Callable[[Plan], bool]:
    def change(plan: Plan) -> bool:
        release = plan.release(chart)
        if release is None:
            return False
        plan.edit(release)[key] = value
        return True

    return change


def _tag(chart: str) -> Callable[[Plan], bool]:
    def change(plan: Plan) -> bool:
        release = plan.release(chart)
        if release is None:
            return False
        plan.edit(release)["values"]["global"]["tag"] += "\n---\napiVersion: v1\nkind: Pod"
        return True

    return change


def _labels(key: str, value: str | None, *, where: str = "") -> Callable[[Plan], bool]:
    """Return a change of a label of a namespace: of services, or the one of a name."""

    def change(plan: Plan) -> bool:
        wanted = where or plan.app_namespaces()[0]
        found = plan.first("Namespace", where=lambda i: name(i) == wanted)
        if found is None:
            return False
        labels = plan.edit(found)["metadata"]["labels"]
        if value is None:
            labels.pop(key, None)
        else:
            labels[key] = value
        return True

    return change


def _certifies(key: str, value: Any, *, where: str) -> Callable[[Plan], bool]:
    def change(plan: Plan) -> bool:
        found = plan.first("Certificate", where=lambda i: name(i) == where)
        if found is None:
            return False
        plan.edit(found)["spec"][key] = value
        return True

    return change


def _configures(change_of: Callable[[dict[str, Any]], Any]) -> Callable[[Plan], bool]:
    def change(plan: Plan) -> bool:
        release = plan.release("istiod")
        assert release is not None
        change_of(plan.edit(release)["values"]["meshConfig"])
        return True

    return change


def _provides(**provider: Any) -> Callable[[Plan], bool]:
    return _configures(lambda config: config.setdefault("extensionProviders", []).append({"name": MARKER, **provider}))


STANDARD = "pod-security.kubernetes.io"

CHANGES: dict[str, tuple[str, str, Callable[[Plan], bool]]] = {
    "role-exec": ("K12", "a service may run commands in other pods", _grants("", "pods/exec", "create")),
    "role-port-forward": ("K12", "a service may open ports of other pods", _grants("", "pods/portforward", "get")),
    "role-ephemeral": ("K12", "a service may put containers into other pods", _grants("", "pods/ephemeralcontainers", "patch")),
    "role-node-proxy": ("K12", "a service may speak to kubelets", _grants("", "nodes/proxy", "get")),
    "role-any-subresource": ("K12", "a service may do it by a wildcard", _grants("", "*/exec", "create")),
    "role-named-secret": ("K12", "a service may read Secrets by the API server", _grants("", "secrets", "get")),
    "role-scale": ("K12", "a service may scale others away", _grants("apps", "deployments/scale", "patch")),
    "role-definitions": (
        "K12",
        "a service may change definitions of kinds",
        _grants("apiextensions.k8s.io", "customresourcedefinitions", "update"),
    ),
    "role-api-services": ("K12", "a service may answer for the API server", _grants("apiregistration.k8s.io", "apiservices", "create")),
    "role-approval": (
        "K12",
        "a service may have certificates signed",
        _grants("certificates.k8s.io", "certificatesigningrequests/approval", "update"),
    ),
    "role-other-policies": (
        "K12",
        "a service may write policies of the network plugin",
        _grants("cilium.io", "ciliumnetworkpolicies", "create"),
    ),
    "role-nodes": ("K12", "a service may label nodes", _grants("", "nodes", "patch")),
    "role-volumes": ("K12", "a service may make volumes of nodes", _grants("", "persistentvolumes", "create")),
    "admin-of-the-edge": (
        "K12",
        "the edge becomes cluster-admin",
        _mighty({"kind": "ServiceAccount", "name": "edge", "namespace": "edge"}),
    ),
    "admin-of-nobody": (
        "K12",
        "an account of nobody becomes cluster-admin",
        _mighty({"kind": "ServiceAccount", "name": "x", "namespace": "ci"}),
    ),
    "admin-of-nodes": ("K12", "every node becomes cluster-admin", _mighty({"kind": "Group", "name": "system:nodes"})),
    "release-without-webhooks": ("P02", "a chart's hooks do not run", _releases("istiod", "disableWebhooks", True)),
    "release-without-definitions": ("P02", "a chart's kinds are not defined", _releases("base", "skipCrds", True)),
    "release-replaced": ("P02", "a release takes over a name", _releases("istiod", "replace", True)),
    "release-forced": ("P02", "a release deletes what it cannot change", _releases("istiod", "forceUpdate", True)),
    "release-nulls": ("P02", "a release takes defaults out of a chart", _releases("istiod", "allowNullValues", True)),
    "release-unvalidated": ("P02", "a release is not validated", _releases("istiod", "disableOpenapiValidation", True)),
    "release-keyring": ("P02", "a release trusts keys of a file", _releases("istiod", "keyring", "/tmp/ring")),  # noqa: S108 # none
    "release-with-an-object-of-its-own": ("P02", "a chart's text becomes an object", _tag("istiod")),
    "release-unknown-input": ("P02", "a release has an input of tomorrow", _releases("istiod", "set", [{"name": "x"}])),
    "repository-of-an-account": (
        "P02",
        "a chart is fetched with a login",
        _releases("istiod", "repositoryOpts", {"repo": "https://istio-release.storage.googleapis.com/charts", "caFile": "x"}),
    ),
    "standard-of-the-edge": ("K07", "the edge's namespace takes any pod", _labels(f"{STANDARD}/enforce", "privileged", where="edge")),
    "standard-removed": ("K07", "nobody says which pods the edge's namespace takes", _labels(f"{STANDARD}/enforce", None, where="edge")),
    "standard-not-audited": ("K07", "pods of services are not audited", _labels(f"{STANDARD}/audit", "privileged")),
    "standard-of-yesterday": ("K07", "an old standard is enforced", _labels(f"{STANDARD}/enforce-version", "v1.22", where="edge")),
    "waypoint": ("P07", "calls of a namespace go through a waypoint", _labels("istio.io/use-waypoint", "x")),
    "another-network": ("P07", "a namespace is in another network", _labels("topology.istio.io/network", "x")),
    "not-admitted": ("P07", "a webhook leaves a namespace out", _labels("admission.istio.io/ignore", "true")),
    "authority-at-the-edge": ("A13", "the edge may sign certificates", _certifies("isCA", True, where="edge-client")),
    "usage-any": ("P07", "a certificate is for everything", _certifies("usages", ["any"], where="gateway-server")),
    "usage-signing": ("P07", "a certificate may sign", _certifies("usages", ["cert sign", "server auth"], where="edge-server")),
    "names-of-other-kinds": (
        "P07",
        "a certificate proves a name that is not read",
        _certifies("otherNames", [{"oid": "1.3", "utf8Value": "x"}], where="edge-client"),
    ),
    "literal-subject": (
        "P07",
        "a certificate has a subject that is not read",
        _certifies("literalSubject", "CN=gateway", where="edge-client"),
    ),
    "key-copied": (
        "P07",
        "a key is copied to other namespaces",
        _certifies("secretTemplate", {"annotations": {"reflector.example/to": "*"}}, where="gateway-client"),
    ),
    "key-store": (
        "P07",
        "a key is kept under a password in clear",
        _certifies("keystores", {"jks": {"create": True, "password": "changeit"}}, where="gateway-client"),
    ),
    "weak-key": ("P07", "a key is too short", _certifies("privateKey", {"algorithm": "RSA", "size": 1024}, where="gateway-client")),
    "wildcard-certificate": (
        "A13",
        "a certificate is for every Service",
        _certifies("dnsNames", ["*.svc.cluster.local"], where="gateway-server"),
    ),
    "authorizer-elsewhere": (
        "M11",
        "an authorizer outside decides",
        _provides(envoyExtAuthzHttp={"service": "authz.example.com", "port": 80}),
    ),
    "collector-elsewhere": ("M11", "traces go outside", _provides(opentelemetry={"service": "collector.example.com", "port": 4317})),
    "collector-in-defaults": (
        "M12",
        "traces go outside, unnamed",
        _configures(lambda c: c["defaultConfig"].update(tracing={"zipkin": {"address": "collector.example.com:9411"}})),
    ),
    "log-to-nowhere": (
        "P02",
        "the log is thrown away",
        _configures(lambda c: c["extensionProviders"][0]["envoyFileAccessLog"].update(path="/dev/null")),
    ),
    "log-of-tokens": (
        "P02",
        "the log holds tokens",
        _configures(lambda c: c["extensionProviders"][0]["envoyFileAccessLog"]["logFormat"]["labels"].update(sent="%REQ(AUTHORIZATION)%")),
    ),
}

for _id, (_rule, _description, _change) in CHANGES.items():
    _change.__name__ = _id
    TABLE.mutation(_rule, _description)(_change)


@TABLE.mutation("A13", "a service gets a certificate for the gateway's name")
def certificate_for_another(plan: Plan) -> bool:
    like = plan.first("Certificate", where=lambda i: name(i) == "gateway-server")
    if like is None:
        return False
    spec = {**copy.deepcopy(like["inputs"]["spec"]), "secretName": MARKER}
    plan.add(manifest("cert-manager.io/v1", "Certificate", MARKER, plan.app_namespaces()[0], spec=spec))
    return True


@TABLE.mutation("M12", "a second control plane has a mesh of its own")
def control_plane_of_nobody(plan: Plan) -> bool:
    release = plan.release("istiod")
    assert release is not None
    inputs = copy.deepcopy(release["inputs"])
    inputs["name"] = MARKER
    inputs["values"]["revision"] = MARKER
    inputs["values"]["meshConfig"]["trustDomain"] = "other.example"
    plan.add_resource("kubernetes:helm.sh/v3:Release", inputs)
    return True


@TABLE.mutation("P03", "a release is registered twice")
def release_twice(plan: Plan) -> bool:
    release = plan.release("istiod")
    assert release is not None
    plan.add_resource("kubernetes:helm.sh/v3:Release", copy.deepcopy(release["inputs"]))
    return True


@TABLE.mutation("P03", "the definition of a kind drops the fields of policies")
def definition_of_a_policy(plan: Plan) -> bool:
    names = {"kind": "AuthorizationPolicy", "plural": "authorizationpolicies"}
    version = {"name": "v1", "served": True, "storage": True, "schema": {"openAPIV3Schema": {"type": "object"}}}
    spec = {"group": "security.istio.io", "names": names, "scope": "Namespaced", "versions": [version]}
    definition = {"apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition", "metadata": {"name": MARKER}}
    plan.add({**definition, "spec": spec})
    return True


@TABLE.mutation("P07", "a program rewrites objects of a kind")
def conversion_webhook(plan: Plan) -> bool:
    names = {"kind": "Thing", "plural": "things"}
    conversion = {"strategy": "Webhook", "webhook": {"clientConfig": {"url": "https://convert.example"}}}
    spec = {"group": "things.example", "names": names, "scope": "Namespaced", "versions": [], "conversion": conversion}
    definition = {"apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition", "metadata": {"name": MARKER}}
    plan.add({**definition, "spec": spec})
    return True


@TABLE.mutation("P04", "no proxy of the mesh logs")
def log_removed(plan: Plan) -> bool:
    logs = list(plan.records("Telemetry", where=lambda i: not i["spec"].get("selector")))
    for log in logs:
        plan.remove(log)
    return bool(logs)


@TABLE.mutation("P07", "the log of a namespace is off")
def log_off(plan: Plan) -> bool:
    spec = {"accessLogging": [{"disabled": True}]}
    plan.add(manifest("telemetry.istio.io/v1", "Telemetry", MARKER, plan.app_namespaces()[0], spec=spec))
    return True


@TABLE.mutation("K11", "a Service leads wherever its endpoints say")
def service_without_selector(plan: Plan) -> bool:
    plan.add(manifest("v1", "Service", MARKER, plan.app_namespaces()[0], spec={"ports": [{"port": 80}]}))
    return True


@TABLE.mutation("P02", "the provider's plugin comes from elsewhere")
def plugin_from_elsewhere(plan: Plan) -> bool:
    provider = next(record for record in plan.resources if record["type"] == "pulumi:providers:kubernetes")
    plan.edit(provider)["pluginDownloadURL"] = "https://plugins.example"
    return True


@TABLE.mutation("P03", "the cluster's name service gets another configuration")
def name_service_configured(plan: Plan) -> bool:
    plan.add(manifest("v1", "ConfigMap", "coredns", "kube-system", data={"Corefile": "."}))
    return True


@TABLE.mutation("A13", "pods are told to trust another authority than istiod's")
def authority_replaced(plan: Plan) -> bool:
    plan.add(manifest("v1", "ConfigMap", "istio-ca-root-cert", plan.app_namespaces()[0], data={"root-cert.pem": "x"}))
    return True


@TABLE.mutation("P02", "every proxy logs every header")
def proxies_log_everything(plan: Plan) -> bool:
    release = plan.release("istiod")
    assert release is not None
    plan.edit(release)["values"]["global"]["proxy"]["logLevel"] = "trace"
    return True


@TABLE.mutation("P07", "a proxy logs every header")
def proxy_logs_everything(plan: Plan) -> bool:
    workload = plan.app("Deployment")
    assert workload is not None
    metadata = plan.edit(workload)["spec"]["template"]["metadata"]
    metadata.setdefault("annotations", {})["sidecar.istio.io/logLevel"] = "trace"
    return True


@TABLE.mutation("P07", "proxies come from another image")
def proxy_image(plan: Plan) -> bool:
    plan.add(
        manifest("networking.istio.io/v1beta1", "ProxyConfig", MARKER, plan.app_namespaces()[0], spec={"image": {"imageType": "debug"}})
    )
    return True


@TABLE.mutation("P07", "an account becomes one of the cloud's")
def account_of_the_cloud(plan: Plan) -> bool:
    account = plan.app("ServiceAccount")
    assert account is not None
    plan.edit(account)["metadata"]["annotations"] = {"eks.amazonaws.com/role-arn": "arn:aws:iam::1:role/x"}
    return True


@TABLE.mutation("P07", "a Service gets a public name")
def public_name(plan: Plan) -> bool:
    service = plan.some_service()
    assert service is not None
    plan.edit(service)["metadata"].setdefault("annotations", {})["external-dns.alpha.kubernetes.io/hostname"] = "x.example"
    return True


@TABLE.mutation("P07", "a fault answers in a service's name")
def fault_that_answers(plan: Plan) -> bool:
    found = plan.app("VirtualService", where=lambda i: bool(i["spec"].get("http")))
    if found is None:
        return False
    plan.edit(found)["spec"]["http"][0]["fault"] = {"abort": {"httpStatus": 200, "percentage": {"value": 100}}}
    return True


@TABLE.mutation("P07", "a route answers cookies in a service's name")
def route_sets_a_cookie(plan: Plan) -> bool:
    found = plan.app("VirtualService", where=lambda i: bool(i["spec"].get("http")))
    if found is None:
        return False
    plan.edit(found)["spec"]["http"][0]["headers"] = {"response": {"set": {"set-cookie": "a=b"}}}
    return True


@TABLE.mutation("P07", "a gateway of the mesh chooses weak ciphers")
def weak_ciphers(plan: Plan) -> bool:
    gateway = plan.ingress_gateway()
    if gateway is None:
        return False
    plan.edit(gateway)["spec"]["servers"][0]["tls"]["cipherSuites"] = ["AES128-SHA"]
    return True


@TABLE.mutation("M19", "a claim of a token becomes another's name")
def claim_into_a_header(plan: Plan) -> bool:
    policy = plan.first("RequestAuthentication")
    if policy is None:
        return False
    rule = plan.edit(policy)["spec"]["jwtRules"][0]
    rule.setdefault("outputClaimToHeaders", []).append({"header": "x-perimeter-consumer", "claim": "partner"})
    return True
