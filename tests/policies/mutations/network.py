"""The network lets more through than the topology says."""

from typing import Any

from tests.policies.mutations.mutation import Family, Table
from tests.policies.mutations.plan import Plan, Record, namespace, pod_labels

TABLE = Table(Family.NETWORK_POLICY)

NAME_LABEL = "kubernetes.io/metadata.name"


def _default_deny(plan: Plan) -> Record | None:
    return plan.app("NetworkPolicy", where=lambda i: not i["spec"].get("podSelector") and not i["spec"].get("ingress"))


def _of_a_workload(plan: Plan) -> Record | None:
    return plan.app("NetworkPolicy", where=lambda i: bool(i["spec"].get("podSelector")) and bool(i["spec"].get("ingress")))


@TABLE.mutation("K09", "a namespace of services has no default deny")
def default_deny_removed(plan: Plan) -> bool:
    if (policy := _default_deny(plan)) is None:
        return False
    plan.remove(policy)
    return True


@TABLE.mutation("P04", "a service has no NetworkPolicy of its own")
def network_policy_removed(plan: Plan) -> bool:
    if (policy := _of_a_workload(plan)) is None:
        return False
    plan.remove(policy)
    return True


@TABLE.mutation("K10", "a service takes connections from everywhere")
def empty_from(plan: Plan) -> bool:
    if (policy := _of_a_workload(plan)) is None:
        return False
    plan.edit(policy)["spec"]["ingress"][0]["from"] = []
    return True


@TABLE.mutation("K10", "a service takes connections from every address")
def from_every_address(plan: Plan) -> bool:
    if (policy := _of_a_workload(plan)) is None:
        return False
    plan.edit(policy)["spec"]["ingress"][0]["from"] = [{"ipBlock": {"cidr": "0.0.0.0/0"}}]
    return True


@TABLE.mutation("K10", "a service takes connections from every namespace")
def from_every_namespace(plan: Plan) -> bool:
    if (policy := _of_a_workload(plan)) is None:
        return False
    plan.edit(policy)["spec"]["ingress"].append({"from": [{"namespaceSelector": {}}]})
    return True


@TABLE.mutation("M21", "a service may connect to everything")
def egress_to_everything(plan: Plan) -> bool:
    if (policy := _of_a_workload(plan)) is None:
        return False
    plan.edit(policy)["spec"]["egress"] = [{}]
    return True


@TABLE.mutation("M21", "a service may connect to every address outside")
def egress_to_the_internet(plan: Plan) -> bool:
    if (policy := _of_a_workload(plan)) is None:
        return False
    plan.edit(policy)["spec"].setdefault("egress", []).append({"to": [{"ipBlock": {"cidr": "0.0.0.0/0"}}], "ports": [{"port": 443}]})
    return True


@TABLE.mutation("K09", "the default deny covers one direction only")
def default_deny_ingress_only(plan: Plan) -> bool:
    if (policy := _default_deny(plan)) is None:
        return False
    plan.edit(policy)["spec"]["policyTypes"] = ["Ingress"]
    return True


@TABLE.mutation("K10", "a service takes connections on a range of ports that holds its own")
def range_of_ports(plan: Plan) -> bool:
    if (policy := _of_a_workload(plan)) is None:
        return False
    plan.edit(policy)["spec"]["ingress"][0]["ports"] = [{"protocol": "TCP", "port": 1, "endPort": 65535}]
    return True


@TABLE.mutation("K10", "a service takes connections on every port of TCP")
def every_port_of_a_transport(plan: Plan) -> bool:
    if (policy := _of_a_workload(plan)) is None:
        return False
    plan.edit(policy)["spec"]["ingress"][0]["ports"] = [{"protocol": "TCP"}]
    return True


def _from_namespaces(plan: Plan, selector: dict[str, Any]) -> bool:
    if (policy := _of_a_workload(plan)) is None:
        return False
    plan.edit(policy)["spec"]["ingress"][0]["from"][0]["namespaceSelector"] = selector
    return True


@TABLE.mutation("K10", "a caller may be in any namespace, as long as its pods have the label")
def callers_of_every_namespace(plan: Plan) -> bool:
    return _from_namespaces(plan, {})


@TABLE.mutation("K10", "a caller may be in any namespace that has a name")
def callers_of_namespaces_with_a_name(plan: Plan) -> bool:
    return _from_namespaces(plan, {"matchExpressions": [{"key": "kubernetes.io/metadata.name", "operator": "Exists"}]})


@TABLE.mutation("K10", "the gateway takes connections from pods of any namespace that has a label")
def gateway_for_namespaces_with_a_label(plan: Plan) -> bool:
    gateway = plan.gateway()
    if gateway is None:  # the gateway of a cloud
        return False
    place = namespace(gateway["inputs"])
    policy = plan.first("NetworkPolicy", where=lambda i: namespace(i) == place and "namespaceSelector" in str(i["spec"].get("ingress")))
    if policy is None:
        return False
    plan.edit(policy)["spec"]["ingress"][0]["from"][0]["namespaceSelector"] = {"matchLabels": {"team": "edge"}}
    return True


def _counters(plan: Plan) -> Record | None:
    """Return the NetworkPolicy of what counts for shared limits."""
    redis = plan.first(
        "Deployment", where=lambda i: "redis" in str(i["spec"]["template"]) and "ratelimit:" not in str(i["spec"]["template"])
    )
    if redis is None:
        return None
    labels, place = pod_labels(redis["inputs"]), namespace(redis["inputs"])

    def selects(inputs: Any) -> bool:
        selector: dict[str, Any] = inputs["spec"].get("podSelector") or {}
        wanted: dict[str, str] = selector.get("matchLabels") or {}
        return namespace(inputs) == place and bool(wanted) and wanted.items() <= labels.items()

    return plan.first("NetworkPolicy", where=selects)


@TABLE.mutation("K10", "everybody may connect to the counters of limits")
def counters_for_everybody(plan: Plan) -> bool:
    if (policy := _counters(plan)) is None:
        return False
    plan.edit(policy)["spec"]["ingress"][0].pop("from")
    return True


@TABLE.mutation("M21", "the counters of limits may connect to everything")
def counters_to_everything(plan: Plan) -> bool:
    if (policy := _counters(plan)) is None:
        return False
    plan.edit(policy)["spec"].update(policyTypes=["Ingress", "Egress"], egress=[{}])
    return True


@TABLE.mutation("M21", "the egress gateway may leave on a port that no declared host has")
def another_port_outside(plan: Plan) -> bool:
    gateways = {namespace(r["inputs"]) for r in plan.records("ServiceEntry", where=lambda i: not i["spec"].get("endpoints"))}
    policy = plan.first("NetworkPolicy", where=lambda i: namespace(i) in gateways and "ipBlock" in str(i["spec"].get("egress")))
    if policy is None:
        return False
    for rule in plan.edit(policy)["spec"]["egress"]:
        if "ipBlock" in str(rule):
            rule["ports"].append({"protocol": "TCP", "port": 22})
    return True


def _controller(plan: Plan, chart: str) -> Record | None:
    """Return the NetworkPolicy of what a chart makes beside the layers."""
    release = plan.release(chart)
    place = release["inputs"]["namespace"] if release else ""
    return plan.first("NetworkPolicy", where=lambda i: namespace(i) == place and bool(i["spec"].get("ingress")))


def _opened(plan: Plan, policy: Record | None, direction: str, rule: dict[str, Any]) -> bool:
    if policy is not None:
        plan.edit(policy)["spec"][direction].append(rule)
    return policy is not None


@TABLE.mutation("K10", "everybody may ask the gateway's controller for its configuration")
def controller_open(plan: Plan) -> bool:
    return _opened(plan, _controller(plan, "gateway-helm"), "ingress", {"ports": [{"port": 18000, "protocol": "TCP"}]})


@TABLE.mutation("K10", "services may connect to the certificates' controller")
def certificates_open_to_services(plan: Plan) -> bool:
    peer = {"namespaceSelector": {"matchLabels": {NAME_LABEL: plan.app_namespaces()[0]}}}
    return _opened(plan, _controller(plan, "cert-manager"), "ingress", {"from": [peer], "ports": [{"port": 9402, "protocol": "TCP"}]})


@TABLE.mutation("K10", "everybody may ask istiod for configuration")
def istiod_open(plan: Plan) -> bool:
    return _opened(plan, _controller(plan, "istiod"), "ingress", {"ports": [{"port": 15012, "protocol": "TCP"}]})


@TABLE.mutation("K10", "services may connect to the API gateway's administration")
def gateway_administration_open(plan: Plan) -> bool:
    gateway = plan.gateway()
    place = namespace(gateway["inputs"]) if gateway else ""
    policy = plan.first("NetworkPolicy", where=lambda i: namespace(i) == place and bool(i["spec"].get("ingress")))
    peer = {"namespaceSelector": {"matchLabels": {NAME_LABEL: plan.app_namespaces()[0]}}}
    return _opened(plan, policy, "ingress", {"from": [peer], "ports": [{"port": 19000, "protocol": "TCP"}]})


@TABLE.mutation("M21", "the API gateway may connect to services, past the mesh ingress")
def gateway_reaches_services(plan: Plan) -> bool:
    gateway = plan.gateway()
    place = namespace(gateway["inputs"]) if gateway else ""
    policy = plan.first("NetworkPolicy", where=lambda i: namespace(i) == place and bool(i["spec"].get("egress")))
    peer = {"namespaceSelector": {"matchLabels": {NAME_LABEL: plan.app_namespaces()[0]}}}
    return _opened(plan, policy, "egress", {"to": [peer], "ports": [{"port": 8080, "protocol": "TCP"}]})


@TABLE.mutation("M21", "istiod may connect to everything")
def istiod_reaches_everything(plan: Plan) -> bool:
    return _opened(plan, _controller(plan, "istiod"), "egress", {"to": [{"ipBlock": {"cidr": "0.0.0.0/0"}}]})
