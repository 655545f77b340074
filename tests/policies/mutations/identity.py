"""Who a caller is no longer matters, or can be chosen by the caller."""

from typing import Any

from tests.policies.mutations.mutation import Family, Table
from tests.policies.mutations.plan import MARKER, Plan, manifest, name, namespace, pod_spec

TABLE = Table(Family.IDENTITY)


@TABLE.mutation("M02", "plaintext is accepted in a namespace of services")
def peer_authentication_permissive(plan: Plan) -> bool:
    if not (apps := plan.app_namespaces()):
        return False
    plan.add(manifest("security.istio.io/v1", "PeerAuthentication", MARKER, apps[0], spec={"mtls": {"mode": "PERMISSIVE"}}))
    return True


@TABLE.mutation("M02", "plaintext is accepted on one port of one workload")
def peer_authentication_permissive_on_a_port(plan: Plan) -> bool:
    if (workload := plan.caller()) is None:
        return False
    labels = workload["inputs"]["spec"]["selector"]["matchLabels"]
    spec = {"selector": {"matchLabels": labels}, "mtls": {"mode": "STRICT"}, "portLevelMtls": {"8080": {"mode": "DISABLE"}}}
    plan.add(manifest("security.istio.io/v1", "PeerAuthentication", MARKER, namespace(workload["inputs"]), spec=spec))
    return True


@TABLE.mutation("M01", "the mesh does not ask for mutual TLS")
def strict_removed(plan: Plan) -> bool:
    policy = plan.first("PeerAuthentication", where=lambda i: "selector" not in i["spec"])
    if policy is None:
        return False
    plan.remove(policy)
    return True


@TABLE.mutation("M13", "callers speak plaintext to a service")
def destination_rule_tls_disabled(plan: Plan) -> bool:
    rule = plan.app("DestinationRule")
    if rule is None:
        return False
    plan.edit(rule)["spec"].setdefault("trafficPolicy", {})["tls"] = {"mode": "DISABLE"}
    return True


@TABLE.mutation("K08", "a workload runs with its namespace's default account")
def default_service_account(plan: Plan) -> bool:
    if (workload := plan.caller()) is None:
        return False
    del pod_spec(plan.edit(workload))["serviceAccountName"]
    return True


@TABLE.mutation("K08", "two services share one account")
def shared_service_account(plan: Plan) -> bool:
    apps = plan.app_namespaces()
    by_account: dict[tuple[str, str], dict[str, object]] = {}
    for record in plan.records("Deployment", where=lambda i: namespace(i) in apps):
        by_account.setdefault((namespace(record["inputs"]), pod_spec(record["inputs"]).get("serviceAccountName", "")), record)
    for (place, account), record in by_account.items():
        for other, theirs in by_account:
            if other == place and theirs != account:
                pod_spec(plan.edit(record))["serviceAccountName"] = theirs
                return True
    return False


@TABLE.mutation("M07", "every identity may call a service")
def principal_any(plan: Plan) -> bool:
    if (policy := plan.callee_policy()) is None:
        return False
    plan.edit(policy)["spec"]["rules"][0]["from"] = [{"source": {"principals": ["*"]}}]
    return True


@TABLE.mutation("M07", "every namespace may call a service")
def namespaces_any(plan: Plan) -> bool:
    if (policy := plan.callee_policy()) is None:
        return False
    plan.edit(policy)["spec"]["rules"][0]["from"] = [{"source": {"namespaces": ["*"]}}]
    return True


@TABLE.mutation("M08", "an account that does not exist may call a service")
def principal_without_account(plan: Plan) -> bool:
    if (policy := plan.callee_policy()) is None:
        return False
    source = plan.edit(policy)["spec"]["rules"][0]["from"][0]["source"]
    source["principals"] = [f"{source['principals'][0].rpartition('/')[0]}/nobody"]
    return True


@TABLE.mutation("M08", "a service of the topology may call one that it has no business with")
def principal_undeclared(plan: Plan) -> bool:
    if (policy := plan.callee_policy()) is None:
        return False
    place, called = namespace(policy["inputs"]), name(policy["inputs"])
    callers = str(policy["inputs"]["spec"])
    for record in plan.records("ServiceAccount", where=lambda i: namespace(i) == place):
        account = name(record["inputs"])
        if account != called and f"/sa/{account}'" not in callers:
            source = plan.edit(policy)["spec"]["rules"][0]["from"][0]["source"]
            domain = source["principals"][0].partition("/ns/")[0]
            source["principals"].append(f"{domain}/ns/{place}/sa/{account}")
            return True
    return False


@TABLE.mutation("M08", "the caller's account in another trust domain may call a service")
def principal_of_another_trust_domain(plan: Plan) -> bool:
    if (policy := plan.callee_policy()) is None:
        return False
    source = plan.edit(policy)["spec"]["rules"][0]["from"][0]["source"]
    source["principals"] = [f"elsewhere.example/ns/{source['principals'][0].partition('/ns/')[2]}"]
    return True


@TABLE.mutation("M07", "a policy allows everything")
def rules_of_one_empty_rule(plan: Plan) -> bool:
    if (policy := plan.callee_policy()) is None:
        return False
    plan.edit(policy)["spec"]["rules"] = [{}]
    return True


@TABLE.mutation("M07", "a service may be called by anybody, on the same paths as before")
def from_removed(plan: Plan) -> bool:
    if (policy := plan.callee_policy()) is None:
        return False
    del plan.edit(policy)["spec"]["rules"][0]["from"]
    return True


@TABLE.mutation("M06", "the mesh allows what no policy names")
def allow_nothing_removed(plan: Plan) -> bool:
    policy = plan.first("AuthorizationPolicy", where=lambda i: not i.get("spec"))
    if policy is None:
        return False
    plan.remove(policy)
    return True


@TABLE.mutation("P04", "a service's policy selects no pod")
def selector_of_nothing(plan: Plan) -> bool:
    policy = plan.app("AuthorizationPolicy", where=lambda i: "selector" in i["spec"])
    if policy is None:
        return False
    plan.edit(policy)["spec"]["selector"] = {"matchLabels": {"app": MARKER}}
    return True


@TABLE.mutation("M19", "the mesh ingress verifies no token")
def request_authentication_removed(plan: Plan) -> bool:
    policies = list(plan.records("RequestAuthentication"))
    for policy in policies:
        plan.remove(policy)
    return bool(policies)


@TABLE.mutation("M19", "the mesh ingress accepts tokens for any audience")
def request_authentication_without_audiences(plan: Plan) -> bool:
    policy = plan.first("RequestAuthentication")
    if policy is None:
        return False
    del plan.edit(policy)["spec"]["jwtRules"][0]["audiences"]
    return True


@TABLE.mutation("M19", "the mesh ingress checks a token only where there is one")
def token_optional_at_ingress(plan: Plan) -> bool:
    if (policy := plan.ingress_policy()) is None:
        return False
    for rule in plan.edit(policy)["spec"]["rules"]:
        for source in rule.get("from") or ():
            source["source"].pop("requestPrincipals", None)
    return True


@TABLE.mutation("M11", "external authorization fails open")
def external_authorization_fails_open(plan: Plan) -> bool:
    release = plan.release("istiod")
    if release is None:
        return False
    provider = {"name": MARKER, "envoyExtAuthzHttp": {"service": "authz.example.com", "port": 80, "failOpen": True}}
    plan.edit(release)["values"].setdefault("meshConfig", {})["extensionProviders"] = [provider]
    return True


@TABLE.mutation("M11", "a policy is only tried out")
def dry_run(plan: Plan) -> bool:
    if (policy := plan.callee_policy()) is None:
        return False
    plan.edit(policy)["metadata"].setdefault("annotations", {})["istio.io/dry-run"] = "true"
    return True


@TABLE.mutation("M09", "a policy allows every path but one")
def allow_by_exclusion(plan: Plan) -> bool:
    if (policy := plan.callee_policy()) is None:
        return False
    plan.edit(policy)["spec"]["rules"][0]["to"] = [{"operation": {"notPaths": ["/admin"]}}]
    return True


def _certificate(plan: Plan, *, signs: bool) -> dict[str, Any] | None:
    """Return the spec of a certificate, of an authority's where it signs others."""
    record = plan.first("Certificate", where=lambda i: bool(i["spec"].get("isCA")) is signs)
    return plan.edit(record)["spec"] if record else None


@TABLE.mutation("A13", "a certificate holds for a hundred years")
def certificate_for_ever(plan: Plan) -> bool:
    if (spec := _certificate(plan, signs=False)) is None:
        return False
    spec["duration"] = "876000h"
    return True


@TABLE.mutation("A13", "an authority holds for a hundred years")
def authority_for_ever(plan: Plan) -> bool:
    if (spec := _certificate(plan, signs=True)) is None:
        return False
    spec["duration"] = "876000h0m0s"
    return True


@TABLE.mutation("A13", "a certificate keeps its key when it is renewed")
def certificate_with_one_key(plan: Plan) -> bool:
    if (spec := _certificate(plan, signs=False)) is None:
        return False
    spec["privateKey"] = {**spec.get("privateKey", {}), "rotationPolicy": "Never"}
    return True


@TABLE.mutation("M13", "somebody else may be the other side of a bridge")
def another_identity_beyond_the_bridge(plan: Plan) -> bool:
    rule = plan.first("DestinationRule", where=lambda i: "'MUTUAL'" in str(i["spec"]) and "subjectAltNames" in str(i["spec"]))
    if rule is None:
        return False
    plan.edit(rule)["spec"]["trafficPolicy"]["tls"]["subjectAltNames"].append("spiffe://elsewhere.example/ns/x/sa/y")
    return True


@TABLE.mutation("M17", "the mesh ingress takes any certificate of its authority")
def any_certificate_at_the_ingress(plan: Plan) -> bool:
    gateway = plan.ingress_gateway()
    if gateway is None:
        return False
    plan.edit(gateway)["spec"]["servers"][0]["tls"]["subjectAltNames"] = []
    return True


@TABLE.mutation("M19", "the mesh ingress takes tokens from another header than the gateway")
def token_in_another_header(plan: Plan) -> bool:
    found = plan.first("RequestAuthentication")
    if found is None:
        return False
    plan.edit(found)["spec"]["jwtRules"][0]["fromHeaders"] = [{"name": "x-token"}]
    return True


def _overlooked_root(name_: str, rule: str, description: str) -> None:
    def change(plan: Plan) -> bool:
        release = plan.release("istiod", lambda i: bool(i["values"].get("meshConfig", {}).get("discoverySelectors")))
        if release is None:
            return False
        root = release["inputs"]["values"]["global"]["istioNamespace"]
        selected = release["inputs"]["values"]["meshConfig"]["discoverySelectors"][0]["matchLabels"]
        record = plan.first("Namespace", where=lambda i: name(i) == root)
        assert record is not None
        plan.edit(record)["metadata"]["labels"].update(dict.fromkeys(selected, MARKER))
        return True

    change.__name__ = name_
    TABLE.mutation(rule, description)(change)


_overlooked_root(
    "root_namespace_overlooked", "M01", "the control plane does not see its own root namespace, and so not that it asks for mutual TLS"
)
_overlooked_root("denial_overlooked", "M06", "the control plane does not see its own root namespace, and so nothing that denies by default")
