"""Doors behind Application Gateway and API Management that nobody can use as the topology says, and headers of which clients say too much."""

import re
from typing import Any

from tests.policies.mutations import azure_plan as azure
from tests.policies.mutations.mutation import CloudFamily, Mutation, Table
from tests.policies.mutations.plan import Plan

EDGE = Table(CloudFamily.EDGE)
GATEWAY = Table(CloudFamily.GATEWAY)


def _rule(plan: Plan, name: str) -> dict[str, Any]:
    return next(each for each in azure.firewall(plan)["customRules"] if each["name"] == name)


@EDGE.mutation("W11", "the firewall refuses preflights")
def firewall_refuses_preflights(plan: Plan) -> bool:
    methods = _rule(plan, "otherMethods")["matchConditions"][0]["matchValues"]
    if "OPTIONS" not in methods:
        return False
    methods.remove("OPTIONS")
    return True


@EDGE.mutation("W11", "the firewall refuses whoever says which host he asks for")
def firewall_refuses_hosts(plan: Plan) -> bool:
    _rule(plan, "overridingHeaders")["matchConditions"][0]["matchVariables"] = [{"variableName": "RequestHeaders", "selector": "Host"}]
    return True


@EDGE.mutation("W11", "the firewall refuses every path of a door")
def firewall_refuses_paths(plan: Plan) -> bool:
    _rule(plan, "ambiguousPaths")["matchConditions"][0]["matchValues"].append("^/")
    return True


@EDGE.mutation("W10", "the firewall lets no client do what its tier promises")
def firewall_limit_below_every_tier(plan: Plan) -> bool:
    _rule(plan, "addressLimit")["rateLimitThreshold"] = 1
    return True


@EDGE.mutation("W10", "the firewall refuses bodies that a door takes")
def azure_firewall_takes_short_bodies(plan: Plan) -> bool:
    azure.firewall(plan)["policySettings"]["maxRequestBodySizeInKb"] = 1
    return True


def _request(plan: Plan, header: str) -> list[tuple[list[dict[str, Any]], dict[str, Any]]]:
    """Return what the edge writes into a header of requests, with the list in which it stands."""
    sets = [each["actionSet"]["requestHeaderConfigurations"] for one in azure.edge(plan)["rewriteRuleSets"] for each in one["rewriteRules"]]
    return [(each, change) for each in sets for change in each if change["headerName"].lower() == header]


@EDGE.mutation("A07", "a client says for which host it asked")
def edge_passes_the_clients_host_on(plan: Plan) -> bool:
    for changes, change in (found := _request(plan, "x-forwarded-host")):
        changes.remove(change)
    return bool(found)


@EDGE.mutation("A07", "the edge hides all clients' addresses")
def edge_hides_addresses(plan: Plan) -> bool:
    for _, change in (found := _request(plan, "x-forwarded-for")):
        change["headerValue"] = ""
    return bool(found)


@GATEWAY.mutation("A07", "a client says its address in a header of other products")
def gateway_passes_addresses_on(plan: Plan) -> bool:
    record = azure.one(plan, "apimanagement:Policy")
    assert record is not None
    found = plan.edit(record)
    found["value"], changed = re.subn(r'<set-header name="true-client-ip"[^>]*/>', "", found["value"])
    return bool(changed)


@GATEWAY.mutation("A06", "the keys of a tier do not open its door")
def product_without_api(plan: Plan) -> bool:
    record = azure.one(plan, "apimanagement:ProductApi")
    if record is None:
        return False
    plan.remove(record)
    return True


@GATEWAY.mutation("A06", "a consumer has no key")
def consumer_without_key(plan: Plan) -> bool:
    record = azure.one(plan, "apimanagement:Subscription")
    if record is None:
        return False
    plan.remove(record)
    return True


@GATEWAY.mutation("A06", "a consumer's key waits for somebody's approval")
def key_that_waits(plan: Plan) -> bool:
    record = azure.one(plan, "apimanagement:Subscription")
    if record is None:
        return False
    del plan.edit(record)["state"]
    return True


@GATEWAY.mutation("A09", "an operation takes every path of its API")
def operation_of_every_path(plan: Plan) -> bool:
    record = azure.one(plan, "apimanagement:ApiOperation", lambda i: not {"{", "*"} & {*i["urlTemplate"]})
    if record is None:
        return False
    plan.edit(record)["urlTemplate"] = "/*"
    return True


@GATEWAY.mutation("W09", "the gateway does not answer for the host that the edge asks it for")
def gateway_of_no_host(plan: Plan) -> bool:
    azure.service(plan)["hostnameConfigurations"] = []
    return True


@GATEWAY.mutation("P08", "the key of the authority is typed, and what it depended on is kept")
def authority_key_typed(plan: Plan) -> bool:
    made = next((each for each in plan.resources if each["type"] == "pulumi-python:dynamic/perimeter:Certificate"), None)
    if made is None:
        return False
    plan.edit(made)["authorityKey"] = "hush"
    return True


MUTATIONS: tuple[Mutation, ...] = (*EDGE.mutations, *GATEWAY.mutations)
