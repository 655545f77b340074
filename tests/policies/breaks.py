"""For each rule one way to break one resource of a real plan, and the exact set of rules that must notice.

Most are mutations of `tests/policies/mutations`; the others stand here because they touch less, so that fewer rules notice.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from tests.policies.mutations import aws, aws_rights, azure_cluster, azure_gateway, azure_network, azure_plan
from tests.policies.mutations.catalogue import MUTATIONS
from tests.policies.mutations.plan import MARKER, UNKNOWN, Plan, manifest, name, namespace, pod_spec

Change = Callable[[Plan], bool]
MUTATION: Mapping[str, Change] = {mutation.id: mutation.change for mutation in MUTATIONS}


@dataclass(frozen=True, kw_only=True)
class Break:
    """One resource of a plan, removed, added or changed."""

    change: Change
    notices: frozenset[str]
    """Every rule that must say something, the broken one among them."""
    system: str = "abc"
    """A system of stacks/, or `duo`, the one of the baselines."""
    stack: str = "local"
    """The environment whose plan is broken."""


def of(change: str | Change, *notices: str, system: str = "abc", stack: str = "local") -> Break:
    """Return a break; a text is the id of a mutation."""
    found = MUTATION[change] if isinstance(change, str) else change
    return Break(change=found, notices=frozenset(notices), system=system, stack=stack)


def azure(change: Change, *notices: str) -> Break:
    """Return a break of a plan of Azure."""
    return of(change, *notices, stack="azure-dev")


def one_rate_limit_removed(plan: Plan) -> bool:
    policy = plan.first("BackendTrafficPolicy", where=lambda i: "rateLimit" in i["spec"])
    assert policy is not None
    del plan.edit(policy)["spec"]["rateLimit"]
    return True


def callee_takes_a_method_more(plan: Plan) -> bool:
    policy = plan.callee_policy()
    assert policy is not None
    plan.edit(policy)["spec"]["rules"][0]["to"][0]["operation"]["methods"].append("DELETE")
    return True


def bridge_takes_another_method(plan: Plan) -> bool:
    policy = plan.first("AuthorizationPolicy", where=lambda i: ".bridge.internal" in str(i["spec"]))
    assert policy is not None
    for rule in plan.edit(policy)["spec"]["rules"]:
        for target in rule["to"]:
            target["operation"]["methods"] = ["DELETE"]
    return True


def load_balancer_for_everybody_inside(plan: Plan) -> bool:
    gateway = plan.gateway()
    service = gateway and plan.first("Service", where=lambda i: namespace(i) == namespace(gateway["inputs"]))
    assert service is not None
    inputs = plan.edit(service)
    inputs["metadata"].setdefault("annotations", {})["service.beta.kubernetes.io/azure-load-balancer-internal"] = "true"
    inputs["spec"]["type"] = "LoadBalancer"
    return True


def _workload(plan: Plan) -> dict[str, Any]:
    workload = plan.caller()
    assert workload is not None
    return plan.edit(workload)


def pod_sees_the_nodes_processes(plan: Plan) -> bool:
    pod_spec(_workload(plan))["hostPID"] = True
    return True


def pod_mounts_its_token(plan: Plan) -> bool:
    pod_spec(_workload(plan))["automountServiceAccountToken"] = True
    return True


def pod_brings_its_own_proxy(plan: Plan) -> bool:
    metadata = _workload(plan)["spec"]["template"]["metadata"]
    metadata.setdefault("annotations", {})["sidecar.istio.io/proxyImage"] = "images.example/proxy:1"
    return True


def service_is_cluster_admin(plan: Plan) -> bool:
    account = plan.app("ServiceAccount")
    assert account is not None
    place, called = namespace(account["inputs"]), name(account["inputs"])
    reference = {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "cluster-admin"}
    subjects = [{"kind": "ServiceAccount", "name": called, "namespace": place}]
    plan.add(manifest("rbac.authorization.k8s.io/v1", "RoleBinding", MARKER, place, roleRef=reference, subjects=subjects))
    return True


def hosts_without_ports(plan: Plan) -> bool:
    policy = plan.ingress_policy()
    assert policy is not None
    for rule in plan.edit(policy)["spec"]["rules"]:
        for target in rule["to"]:
            target["operation"]["hosts"] = [host for host in target["operation"]["hosts"] if ":" not in host]
    return True


def routes_for_everybody_to_see(plan: Plan) -> bool:
    virtual_service = plan.app("VirtualService")
    assert virtual_service is not None
    plan.edit(virtual_service)["spec"]["exportTo"] = ["*"]
    return True


def service_may_connect_to_its_caller(plan: Plan) -> bool:
    policy = plan.app("NetworkPolicy", where=lambda i: name(i) == "b")
    assert policy is not None
    caller = {"podSelector": {"matchLabels": {"app": "a"}}}
    plan.edit(policy)["spec"]["egress"].append({"to": [caller], "ports": [{"protocol": "TCP", "port": 8080}]})
    return True


def lifetime_is_not_known(plan: Plan) -> bool:
    certificate = plan.first("Certificate", where=lambda i: "dnsNames" in i["spec"])
    assert certificate is not None
    plan.edit(certificate)["spec"]["duration"] = UNKNOWN
    return True


def sidecar_removed(plan: Plan) -> bool:
    sidecar = plan.app("Sidecar")
    assert sidecar is not None
    plan.remove(sidecar)
    return True


def made_from_another_topology(plan: Plan) -> bool:
    system = next(record for record in plan.resources if record["type"] == "perimeter:system:System")
    inputs = plan.edit(system)
    inputs["digest"] = "0" * len(inputs["digest"])
    return True


def cluster_has_a_public_address(plan: Plan) -> bool:
    address = azure_plan.one(plan, "network:NatGateway")
    assert address is not None
    addresses = {"publicIPs": address["inputs"]["publicIpAddresses"]}
    azure_plan.cluster(plan)["networkProfile"]["loadBalancerProfile"] = {"outboundIPs": addresses}
    return True


def nodes_take_logins_from_everybody(plan: Plan) -> bool:
    aws.permit(plan, "nodes", cidrIpv4="0.0.0.0/0", fromPort=22, toPort=22)
    return True


BREAKS: Mapping[str, Break] = {
    "W01": of("waf-detection-mode", "W01"),
    "W02": of("waf-not-linked", "W02"),
    "W03": of("waf-rule-disabled", "W03"),
    "W04": of("waf-audit-log-off", "W04"),
    "W05": of("edge-http-only", "W05"),
    "W06": of("edge-tls-1-0", "W06"),
    "W07": of("ambiguous-paths", "W07"),
    "W08": of("gateway-node-port", "K01", "W02", "W08"),
    "W09": of("edge-backend-not-verified", "W09"),
    "W10": of("edge-without-rate-limit", "W10"),
    "W11": of("every-method", "W11"),
    "W12": of("image-with-old-rules", "W12"),
    "W13": of("slow-headers", "W13"),
    "A01": azure(azure_network.gateway_external, "A01", "W08"),
    "A02": of("gateway-network-open", "A02", "K10"),
    "A03": azure(azure_gateway.gateway_tls_old, "A03"),
    "A04": of("gateway-backend-not-verified", "A04"),
    "A05": azure(azure_gateway.api_plain, "A05"),
    "A06": of("jwt-optional", "A06"),
    "A07": of("edge-keeps-internal-headers", "A07"),
    "A08": of("http-route-mirrors-to-internal-service", "A08", "K05"),
    "A09": of("catch-all-route", "A09"),
    "A10": of("admin-port-on-a-service", "A10"),
    "A11": of(one_rate_limit_removed, "A11"),
    "A12": azure(azure_gateway.base_comes_later, "A12"),
    "A13": of("gateway-identity-stolen", "A13", "B02"),
    "A14": of("proxy-protocol", "A14"),
    "A15": of("cors-for-another-origin", "A15", system="payments"),
    "B01": of("virtual-service-rewrites", "B01", "B02"),
    "B02": of(callee_takes_a_method_more, "B02"),
    "B03": of(bridge_takes_another_method, "B02", "B03", system="duo"),
    "B04": of("egress-to-the-internet", "B04", "M21"),
    "K01": of("service-node-port", "K01", "W02", "W08"),
    "K02": of(load_balancer_for_everybody_inside, "K02"),
    "K03": of("service-external-ips", "K03", "W02", "W08"),
    "K04": of("ingress-to-internal-service", "B01", "K04", "W02", "W08"),
    "K05": of("gateway-open-to-routes", "K05"),
    "K06": of(pod_sees_the_nodes_processes, "K06"),
    "K07": of("net-admin", "K07"),
    "K08": of(pod_mounts_its_token, "K08"),
    "K09": of("default-deny-removed", "K09"),
    "K10": of("from-every-namespace", "K10"),
    "K11": of("pod-address-in-env", "K11", "K13"),
    "K12": of(service_is_cluster_admin, "K12"),
    "K13": of("newest-image", "K13"),
    "M01": of("strict-removed", "M01"),
    "M02": of("peer-authentication-permissive", "M02"),
    "M03": of(pod_brings_its_own_proxy, "M03"),
    "M04": of("inbound-port-excluded", "M04"),
    "M05": of("runs-as-the-proxy", "M05"),
    "M06": of("allow-nothing-removed", "M06"),
    "M07": of("from-removed", "B02", "M07", "M08"),
    "M08": of("principal-undeclared", "B02", "M08", system="payments"),
    "M09": of("allow-by-exclusion", "B02", "M09"),
    "M10": of(hosts_without_ports, "M10"),
    "M11": of("external-authorization-fails-open", "M11", "P04"),
    "M12": of("outbound-allow-any", "M12"),
    "M13": of("destination-rule-tls-disabled", "B01", "B02", "M13"),
    "M14": of(routes_for_everybody_to_see, "M14"),
    "M15": of("env-url-of-the-public-host", "K13", "M15"),
    "M16": of("service-entry-of-everything", "M16"),
    "M17": of("gateway-any-host", "M17"),
    "M18": of("wasm-plugin", "M18"),
    "M19": of("request-authentication-without-audiences", "M19"),
    "M20": of("sidecar-of-everything", "M20"),
    "M21": of(service_may_connect_to_its_caller, "M21"),
    "M22": of("old-istio", "M22"),
    "M23": of("istiod-network-open", "K10", "M23"),
    "M24": of("service-limit-filled-faster", "M24", system="payments"),
    "M25": of("audit-log-of-failures", "M25", system="payments"),
    "M26": of("calls-last-a-day", "M26"),
    "M27": of("weights-turned", "M27", system="payments"),
    "N01": azure(azure_cluster.api_public, "N01"),
    "N02": of(aws.aws_api_public, "N02", stack="aws-dev"),
    "N03": azure(azure_cluster.system_nodes_public, "N03"),
    "N04": azure(azure_network.internet_to_nodes_inline, "N04"),
    "N05": of(nodes_take_logins_from_everybody, "N05", stack="aws-dev"),
    "N06": azure(azure_cluster.no_network_policy, "N06"),
    "N07": of(aws.aws_secrets_plain, "N07", stack="aws-dev"),
    "N08": azure(azure_cluster.local_accounts, "N08"),
    "N09": azure(azure_cluster.api_not_logged, "N09"),
    "N10": azure(cluster_has_a_public_address, "B01", "N10", "P07", "W08"),
    "N11": azure(azure_cluster.router_addon, "N11"),
    "N12": of(aws_rights.role_may_open_groups, "N12", stack="aws-dev"),
    "P01": of(lifetime_is_not_known, "A13", "P01", "P07"),
    "P02": of("opaque-release", "P02"),
    "P03": of("registered-twice", "B02", "M07", "P03"),
    "P04": of(sidecar_removed, "M20", "P04"),
    "P05": of("changes-ignored", "P05"),
    "P06": of(made_from_another_topology, "P06"),
    "P07": of("rollout-paused", "P07"),
    "P08": of("key-in-a-config-map", "P08"),
}
