"""Ways out below HTTP: who connects to which host, and how proxies tell hosts apart that no request names."""

import copy
from collections.abc import Callable
from typing import Any

from tests.policies.mutations.mutation import Family, Table
from tests.policies.mutations.plan import MARKER, Plan, Record, name, namespace, pod_spec

TABLE = Table(Family.BYPASS)

Spec = dict[str, Any]


def _entry(plan: Plan) -> Record | None:
    return plan.first(
        "ServiceEntry", where=lambda i: i["spec"]["location"] == "MESH_EXTERNAL" and i["spec"]["ports"][0]["protocol"] == "TCP"
    )


def _of_entry(plan: Plan, change: Callable[[Spec], object]) -> bool:
    record = _entry(plan)
    if record is not None:
        change(plan.edit(record)["spec"])
    return record is not None


def _grant(plan: Plan, change: Callable[[Spec, Spec], object]) -> bool:
    """Change the rule of the egress gateway's policy for the host, given the policy's spec and the rule."""
    policy = plan.first("AuthorizationPolicy", where=lambda i: "connection.sni" in str(i["spec"]))
    if policy is None:
        return False
    spec = plan.edit(policy)["spec"]
    change(spec, next(rule for rule in spec["rules"] if "connection.sni" in str(rule)))
    return True


def _http_host(spec: Spec) -> str | None:
    """Return a host that the egress gateway's policy tells apart by requests."""
    return next((target["operation"]["hosts"][0] for rule in spec["rules"] for target in rule.get("to", ())), None)


def _routes(plan: Plan, change: Callable[[Spec], object]) -> bool:
    record = plan.first("VirtualService", where=lambda i: "tcp" in i["spec"] and len(set(i["spec"]["gateways"])) > 1)
    if record is not None:
        change(plan.edit(record)["spec"])
    return record is not None


def _caller(plan: Plan) -> Record | None:
    return plan.first("Deployment", where=lambda i: bool(pod_spec(i).get("hostAliases")))


def _aliases(plan: Plan, change: Callable[[Spec], object]) -> bool:
    record = _caller(plan)
    if record is not None:
        change(pod_spec(plan.edit(record)))
    return record is not None


@TABLE.mutation("B04", "whoever may connect to one outside host may connect to every one")
def tcp_exit_without_name(plan: Plan) -> bool:
    return _grant(plan, lambda _, rule: rule.pop("when"))


@TABLE.mutation("B04", "the caller of a host below HTTP may connect to another host")
def tcp_exit_of_another_name(plan: Plan) -> bool:
    return _grant(plan, lambda spec, rule: rule["when"][0].update(values=[*rule["when"][0]["values"], _http_host(spec) or "*"]))


@TABLE.mutation("B04", "a host below HTTP is told apart by all names that it has not")
def tcp_exit_by_other_names(plan: Plan) -> bool:
    return _grant(plan, lambda _, rule: rule.update(when=[{"key": "connection.sni", "notValues": ["other.example"]}]))


@TABLE.mutation("B04", "another service may connect to a host below HTTP")
def tcp_exit_for_another_caller(plan: Plan) -> bool:
    def change(spec: Spec, rule: Spec) -> None:
        known = {who for each in spec["rules"] for source in each["from"] for who in source["source"]["principals"]}
        own = rule["from"][0]["source"]["principals"]
        own += sorted(known - {*own})[:1] or [f"{own[0].rpartition('/')[0]}/{MARKER}"]

    return _grant(plan, change)


@TABLE.mutation("B04", "the declared caller of a host below HTTP is refused")
def tcp_exit_refused(plan: Plan) -> bool:
    return _grant(plan, lambda _, rule: rule["when"][0].update(values=["other.example"]))


@TABLE.mutation("B04", "a policy denies every connection to a host below HTTP")
def tcp_exit_denied(plan: Plan) -> bool:
    policy = plan.first("AuthorizationPolicy", where=lambda i: "connection.sni" in str(i["spec"]))
    if policy is None:
        return False
    denial = copy.deepcopy(policy["inputs"])
    wanted = next(rule["when"] for rule in denial["spec"]["rules"] if "when" in rule)
    denial["metadata"]["name"] = MARKER
    denial["spec"] = {"selector": denial["spec"]["selector"], "action": "DENY", "rules": [{"when": wanted}]}
    plan.add(denial)
    return True


@TABLE.mutation("B04", "a host that is asked in HTTP is passed bytes, whatever they are")
def http_exit_below_http(plan: Plan) -> bool:
    gateway = plan.first("Gateway", group="networking.istio.io", where=lambda i: "'TLS'" in str(i["spec"]) and "'HTTPS'" in str(i["spec"]))
    if gateway is None:
        return False
    server = next(each for each in plan.edit(gateway)["spec"]["servers"] if each["port"]["protocol"] == "HTTPS")
    server["port"]["protocol"] = "TLS"
    host = server["hosts"][0].removeprefix("./")
    routes = plan.first("VirtualService", where=lambda i: i["spec"]["hosts"] == [host])
    assert routes is not None
    edited = plan.edit(routes)["spec"]
    to_host = edited["http"].pop()
    edited["tcp"] = [{"match": [{**to_host["match"][0], "port": server["port"]["number"]}], "route": to_host["route"]}]
    policy = plan.first("AuthorizationPolicy", where=lambda i: host in str(i["spec"]) and namespace(i) == namespace(gateway["inputs"]))
    assert policy is not None
    rule = next(each for each in plan.edit(policy)["spec"]["rules"] if host in str(each.get("to")))
    rule["when"] = [{"key": "connection.sni", "values": [host]}]
    del rule["to"]
    return True


@TABLE.mutation("M17", "the egress gateway passes on TLS of callers that it does not ask for a certificate")
def tcp_exit_passed_through(plan: Plan) -> bool:
    gateway = plan.first("Gateway", group="networking.istio.io", where=lambda i: "'TLS'" in str(i["spec"]))
    if gateway is None:
        return False
    server = next(each for each in plan.edit(gateway)["spec"]["servers"] if each["port"]["protocol"] == "TLS")
    server["tls"] = {"mode": "PASSTHROUGH"}
    return True


@TABLE.mutation("M14", "connections for one outside host are led to another")
def tcp_exit_led_elsewhere(plan: Plan) -> bool:
    return _routes(plan, lambda spec: spec["tcp"][1]["route"][0]["destination"].update(host="other.example"))


@TABLE.mutation("B04", "connections for an outside host go there without the egress gateway")
def tcp_exit_past_the_gateway(plan: Plan) -> bool:
    return _routes(plan, lambda spec: spec["tcp"].pop(0))


@TABLE.mutation("M16", "every connection to a port goes to one outside host, whatever its address")
def tcp_exit_without_address(plan: Plan) -> bool:
    return _of_entry(plan, lambda spec: spec.pop("addresses"))


@TABLE.mutation("M16", "an outside host takes the connections for an address of the cluster")
def tcp_exit_at_a_service(plan: Plan) -> bool:
    return _of_entry(plan, lambda spec: spec.update(addresses=["10.96.0.10"]))


@TABLE.mutation("M16", "an outside host takes the connections for a range of addresses")
def tcp_exit_at_a_range(plan: Plan) -> bool:
    return _of_entry(plan, lambda spec: spec.update(addresses=["240.0.0.0/4"]))


@TABLE.mutation("M16", "two outside hosts take the connections for one address")
def tcp_exits_at_one_address(plan: Plan) -> bool:
    record = _entry(plan)
    if record is None:
        return False
    second = copy.deepcopy(record["inputs"])
    second["metadata"]["name"] = MARKER
    second["spec"]["hosts"] = ["other.example"]
    plan.add(second)
    return True


@TABLE.mutation("K11", "a service takes the address of an outside host for another service")
def alias_of_a_service(plan: Plan) -> bool:
    return _aliases(plan, lambda spec: spec["hostAliases"][0]["hostnames"].append("other.svc.cluster.local"))


@TABLE.mutation("K11", "a service takes another address for an outside host")
def alias_at_another_address(plan: Plan) -> bool:
    return _aliases(plan, lambda spec: spec["hostAliases"][0].update(ip="203.0.113.9"))


@TABLE.mutation("B04", "a service does not know the address of its outside host")
def alias_missing(plan: Plan) -> bool:
    return _aliases(plan, lambda spec: spec.pop("hostAliases"))


@TABLE.mutation("K11", "a proxy of the platform takes another address for a name")
def alias_of_the_platform(plan: Plan) -> bool:
    record = plan.first("Deployment", where=lambda i: namespace(i) not in plan.app_namespaces() and bool(name(i)))
    if record is None:
        return False
    pod_spec(plan.edit(record))["hostAliases"] = [{"ip": "203.0.113.9", "hostnames": ["gateway.gateway.svc.cluster.local"]}]
    return True
