"""The plan is made to say less than what will run."""

import copy

from tests.policies.mutations.mutation import Family, Table
from tests.policies.mutations.plan import MARKER, UNKNOWN, Plan, manifest, name, namespace

TABLE = Table(Family.EVASION)


@TABLE.mutation("P02", "a patch makes an internal Service public")
def service_patch(plan: Plan) -> bool:
    if (service := plan.some_service()) is None:
        return False
    patch = manifest("v1", "Service", name(service["inputs"]), namespace(service["inputs"]), spec={"type": "LoadBalancer"})
    plan.add(patch, type_="kubernetes:core/v1:ServicePatch")
    return True


@TABLE.mutation("P02", "a patch takes a namespace out of the mesh")
def namespace_patch(plan: Plan) -> bool:
    if not (apps := plan.app_namespaces()):
        return False
    patch = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": apps[0], "labels": {"istio.io/rev": "none"}}}
    plan.add(patch, type_="kubernetes:core/v1:NamespacePatch")
    return True


@TABLE.mutation("P02", "a patch of a custom resource rewrites a policy")
def custom_resource_patch(plan: Plan) -> bool:
    if (policy := plan.callee_policy()) is None:
        return False
    patch = manifest(
        "security.istio.io/v1", "AuthorizationPolicy", name(policy["inputs"]), namespace(policy["inputs"]), spec={"rules": [{}]}
    )
    plan.add(patch, type_="kubernetes:security.istio.io/v1:AuthorizationPolicyPatch")
    return True


@TABLE.mutation("K01", "a public Service hides in a List")
def service_list(plan: Plan) -> bool:
    if (service := plan.some_service()) is None:
        return False
    spec = {**copy.deepcopy(service["inputs"]["spec"]), "type": "LoadBalancer"}
    item = {"metadata": {"name": MARKER, "namespace": namespace(service["inputs"])}, "spec": spec}
    plan.add_resource("kubernetes:core/v1:ServiceList", {"apiVersion": "v1", "kind": "ServiceList", "items": [item]})
    return True


@TABLE.mutation("P03", "an Ingress is written in an API that rules cannot read")
def old_api_version(plan: Plan) -> bool:
    if (service := plan.some_service()) is None:
        return False
    backend = {"serviceName": name(service["inputs"]), "servicePort": 80}
    spec = {"rules": [{"http": {"paths": [{"path": "/", "backend": backend}]}}]}
    plan.add(manifest("extensions/v1beta1", "Ingress", MARKER, namespace(service["inputs"]), spec=spec))
    return True


@TABLE.mutation("M07", "a policy that allows everything is written in an older API")
def old_spelling_of_a_policy(plan: Plan) -> bool:
    if (policy := plan.callee_policy()) is None:
        return False
    spec = {"selector": copy.deepcopy(policy["inputs"]["spec"].get("selector")), "rules": [{}]}
    plan.add(manifest("security.istio.io/v1beta1", "AuthorizationPolicy", MARKER, namespace(policy["inputs"]), spec=spec))
    return True


@TABLE.mutation("K01", "a public Service is written as a custom resource")
def service_as_custom_resource(plan: Plan) -> bool:
    if (service := plan.some_service()) is None:
        return False
    spec = {**copy.deepcopy(service["inputs"]["spec"]), "type": "NodePort"}
    plan.add(manifest("v1", "Service", MARKER, namespace(service["inputs"]), spec=spec), type_="kubernetes:v1:Service")
    return True


@TABLE.mutation("P02", "a chart that nobody has read")
def opaque_release(plan: Plan) -> bool:
    inputs = {"name": MARKER, "namespace": "default", "chart": "ingress-nginx", "version": "4.13.0", "values": {}, "compat": "true"}
    plan.add_resource("kubernetes:helm.sh/v3:Release", {**inputs, "repositoryOpts": {"repo": "https://charts.example.com"}})
    return True


@TABLE.mutation("P02", "a known chart from another place")
def known_chart_from_elsewhere(plan: Plan) -> bool:
    if (release := plan.release("istiod")) is None:
        return False
    inputs = plan.edit(release)
    inputs["chart"] = "istiod"
    inputs["repositoryOpts"] = {"repo": "https://charts.example.com"}
    return True


@TABLE.mutation("P02", "a command changes the cluster")
def local_command(plan: Plan) -> bool:
    plan.add_resource("command:local:Command", {"create": "kubectl expose deployment c --type LoadBalancer"})
    return True


@TABLE.mutation("P02", "objects come from an address")
def remote_yaml(plan: Plan) -> bool:
    plan.add_resource("kubernetes:yaml/v2:ConfigFile", {"file": "https://example.com/all.yaml"}, custom=False)
    return True


@TABLE.mutation("P02", "a dynamic resource runs its own code")
def dynamic_resource(plan: Plan) -> bool:
    plan.add_resource("pulumi-python:dynamic:Resource", {"__provider": "gASV"})
    return True


@TABLE.mutation("P02", "a type of resource that no rule knows")
def unknown_type(plan: Plan) -> bool:
    plan.add_resource("cloudflare:index/record:Record", {"name": "c", "content": "198.51.100.7"})
    return True


@TABLE.mutation("P02", "another stack owns the exposure")
def second_stack(plan: Plan) -> bool:
    plan.add_resource("pulumi:pulumi:StackReference", {"name": "acme/exposure/prod"}, "acme/exposure/prod")
    return True


@TABLE.mutation("P01", "a Service's type is known only after it is deployed")
def unknown_service_type(plan: Plan) -> bool:
    if (service := plan.some_service()) is None:
        return False
    plan.edit(service)["spec"]["type"] = UNKNOWN
    return True


@TABLE.mutation("P01", "a policy's principals are known only after it is deployed")
def unknown_principals(plan: Plan) -> bool:
    if (policy := plan.callee_policy()) is None:
        return False
    plan.edit(policy)["spec"]["rules"][0]["from"] = [{"source": {"principals": UNKNOWN}}]
    return True


@TABLE.mutation("K01", "a violation stands beside a value that is not known")
def violation_beside_an_unknown(plan: Plan) -> bool:
    if (service := plan.some_service()) is None:
        return False
    plan.edit(service)["spec"]["type"] = "LoadBalancer"
    others = plan.app("Service", where=lambda i: name(i) != name(service["inputs"]))
    if others is None:
        return False
    plan.edit(others)["spec"]["selector"] = UNKNOWN
    return True


@TABLE.mutation("P03", "the same policy is registered twice")
def registered_twice(plan: Plan) -> bool:
    if (policy := plan.callee_policy()) is None:
        return False
    inputs = policy["inputs"]
    spec = {**copy.deepcopy(inputs["spec"]), "rules": [{}]}
    plan.add(manifest(inputs["apiVersion"], inputs["kind"], name(inputs), namespace(inputs), spec=spec))
    return True


@TABLE.mutation("P05", "changes of a policy are ignored")
def changes_ignored(plan: Plan) -> bool:
    if (policy := plan.callee_policy()) is None:
        return False
    plan.options(policy)["ignoreChanges"] = ["spec"]
    return True


@TABLE.mutation("P05", "a policy stays when the program no longer has it")
def kept_on_delete(plan: Plan) -> bool:
    if (policy := plan.callee_policy()) is None:
        return False
    plan.options(policy)["retainOnDelete"] = True
    return True


@TABLE.mutation("P02", "the gateway's configuration is patched beneath the rules")
def envoy_patch_policy(plan: Plan) -> bool:
    gateway = plan.gateway()
    if gateway is None or plan.is_kong():
        return False
    target = {"group": "gateway.networking.k8s.io", "kind": "Gateway", "name": name(gateway["inputs"])}
    spec = {"targetRef": target, "type": "JSONPatch", "jsonPatches": []}
    plan.add(manifest("gateway.envoyproxy.io/v1alpha1", "EnvoyPatchPolicy", MARKER, namespace(gateway["inputs"]), spec=spec))
    return True


@TABLE.mutation("W08", "the public Service is left to another stack")
def public_service_elsewhere(plan: Plan) -> bool:
    public = plan.public_service()
    if public is None:
        return False
    plan.remove(public)
    return True


@TABLE.mutation("P02", "a second provider sends some objects to another cluster")
def second_provider(plan: Plan) -> bool:
    plan.add_resource("pulumi:providers:kubernetes", {"context": "elsewhere"})
    return True


@TABLE.mutation("P03", "a guard lands in whatever namespace the client points at")
def guard_without_namespace(plan: Plan) -> bool:
    if (policy := plan.callee_policy()) is None:
        return False
    del plan.edit(policy)["metadata"]["namespace"]
    return True


@TABLE.mutation("P02", "a chart's objects are changed by a program after rendering")
def release_postrendered(plan: Plan) -> bool:
    if (release := plan.release("istiod")) is None:
        return False
    plan.edit(release)["postrender"] = "./patch.sh"
    return True
