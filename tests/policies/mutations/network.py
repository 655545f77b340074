"""The network lets more through than the topology says."""

from tests.policies.mutations.mutation import Family, Table
from tests.policies.mutations.plan import Plan, Record

TABLE = Table(Family.NETWORK_POLICY)


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
