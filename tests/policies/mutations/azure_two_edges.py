"""Two edges in one environment: what belongs to the one way serves the other, of a plan in which a mesh is reached by one way alone."""

from typing import Any

from tests.policies.mutations import azure_plan as azure
from tests.policies.mutations.mutation import CloudFamily, Table
from tests.policies.mutations.plan import AZURE_INTERNAL, Plan, Record, name, namespace

TABLE = Table(CloudFamily.NETWORK)

PODS = {
    "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "gateway"}},
    "podSelector": {"matchLabels": {"perimeter.dev/layer": "gateway"}},
}
"""The gateway that is pods, as a NetworkPolicy names it."""


def ingress(plan: Plan, *, pods: bool) -> str:
    """Return the namespace of an ingress that the gateway of pods calls as well, or that the one outside calls alone."""
    found = (
        namespace(r["inputs"]) for r in plan.records("Service", where=lambda i: AZURE_INTERNAL in i["metadata"].get("annotations", {}))
    )
    return next(each for each in found if (PODS in callers(fence(plan, each)["inputs"])) is pods)


def fence(plan: Plan, place: str) -> Record:
    """Return the NetworkPolicy of an ingress."""
    found = plan.first("NetworkPolicy", where=lambda i: (namespace(i), name(i)) == (place, "ingress"))
    assert found is not None
    return found


def callers(policy: dict[str, Any]) -> list[dict[str, Any]]:
    """Return whom a NetworkPolicy with one rule lets in."""
    (rule,) = policy["spec"]["ingress"]
    return rule["from"]


def _let_pods_in(plan: Plan) -> str:
    place = ingress(plan, pods=False)
    callers(plan.edit(fence(plan, place))).append(PODS)
    return place


@TABLE.mutation("K10", "the gateway of pods connects to an ingress behind which are doors of the other gateway alone")
def ingress_of_the_other_way(plan: Plan) -> bool:
    _let_pods_in(plan)
    return True


@TABLE.mutation("B01", "the same, and the gateway's listener is for any host, so that all doors could be its own")
def ingress_of_the_other_way_by_any_host(plan: Plan) -> bool:
    place = _let_pods_in(plan)
    own = plan.first("NetworkPolicy", where=lambda i: (namespace(i), name(i)) == ("gateway", "gateway"))
    gateway = plan.gateway()
    assert own is not None
    assert gateway is not None
    plan.edit(own)["spec"]["egress"].append(
        {"to": [{"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": place}}}], "ports": [{"port": 8443}]}
    )
    listeners = plan.edit(gateway)["spec"]["listeners"]
    listeners.append({key: value for key, value in listeners[0].items() if key != "hostname"} | {"name": "any"})
    return True


@TABLE.mutation("K10", "the WAF of pods connects to the ingress past its gateway, beside the one of Azure's that may")
def ingress_for_the_waf(plan: Plan) -> bool:
    waf = {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "edge"}}, "podSelector": {"matchLabels": {"app": "edge"}}}
    callers(plan.edit(fence(plan, ingress(plan, pods=True)))).append(waf)
    return True


@TABLE.mutation("K10", "the subnet of Azure's WAF connects to the ingress as that of its gateway does")
def ingress_for_the_subnet_of_the_waf(plan: Plan) -> bool:
    callers(plan.edit(fence(plan, ingress(plan, pods=True)))).append({"ipBlock": {"cidr": "10.60.4.0/24"}})
    return True


@TABLE.mutation("N10", "both edges ask for one address")
def one_address_for_both(plan: Plan) -> bool:
    address = azure.edge(plan)["frontendIPConfigurations"][0]["publicIPAddress"]
    group = _address(plan, beside=True)["inputs"]["resourceGroupName"]
    address["id"] = address["id"].replace(f"/{_address(plan, beside=False)['inputs']['resourceGroupName']}/", f"/{group}/")
    return True


@TABLE.mutation("N12", "the Application Gateway's address lies in the group whose addresses AKS may change")
def address_in_the_group_of_the_other(plan: Plan) -> bool:
    group = _address(plan, beside=True)["inputs"]["resourceGroupName"]
    own = plan.edit(_address(plan, beside=False))
    address = azure.edge(plan)["frontendIPConfigurations"][0]["publicIPAddress"]
    address["id"] = address["id"].replace(f"/{own['resourceGroupName']}/", f"/{group}/").replace(own["publicIpAddressName"], "pip-waf")
    own |= {"resourceGroupName": group, "publicIpAddressName": "pip-waf"}
    return True


@TABLE.mutation("A02", "the cluster's nodes connect to API Management, past the WAF in front of it")
def gateway_for_the_nodes(plan: Plan) -> bool:
    azure.group(plan, "apim")["securityRules"].append(azure.rule("mutated", 105, "10.60.0.0/22", port="443"))
    return True


@TABLE.mutation("A13", "the certificate of API Management is a Secret of the cluster as well")
def certificate_of_the_other_gateway(plan: Plan) -> bool:
    kept = azure.one(plan, "keyvault:Secret", lambda i: i["secretName"] == "gateway-client")
    secret = plan.first("Secret", where=lambda i: name(i) == "perimeter-boundary")
    assert kept is not None
    assert secret is not None
    made = plan.options(secret)
    plan.resources.append(secret)
    made["urn"] += "-mutated"
    made["inputs"]["metadata"] = {"name": "api-management", "namespace": "gateway"}
    made["propertyDependencies"] = {"stringData": list(kept["propertyDependencies"]["properties"])}
    return True


@TABLE.mutation("W11", "the WAF of pods serves the doors of its host for the host of the other edge as well")
def host_of_the_other_edge(plan: Plan) -> bool:
    listener = azure.edge(plan)["httpListeners"][0]["hostName"]
    found = plan.edge_files(r" server_name \w")
    assert found is not None
    plan.replace_text(*found, r" server_name (\w[^;]+);", rf" server_name \1 {listener};", count=1)
    return True


def _address(plan: Plan, *, beside: bool) -> Record:
    found = azure.one(
        plan,
        "network:PublicIPAddress",
        lambda i: "edge" in i["publicIpAddressName"] and str(i["resourceGroupName"]).endswith("-edge") is beside,
    )
    assert found is not None
    return found
