"""The API gateway lets somebody in that a door is not for."""

import copy
from collections.abc import Callable

from tests.policies.mutations.gateway_edits import Inputs, change_first
from tests.policies.mutations.mutation import Family, Table
from tests.policies.mutations.plan import MARKER, Plan, Record, manifest, namespace

TABLE = Table(Family.GATEWAY)


@TABLE.mutation("A02", "the gateway takes any certificate of the authority")
def any_identity_of_the_authority(plan: Plan) -> bool:
    return change_first(plan, "ClientTrafficPolicy", lambda i: i["spec"]["tls"]["clientValidation"].pop("subjectAltNames"), _asks)


@TABLE.mutation("A02", "the gateway takes its own certificate from its clients")
def another_identity(plan: Plan) -> bool:
    other = {"type": "Exact", "value": "spiffe://boundary/ns/gateway/sa/gateway"}
    return change_first(
        plan, "ClientTrafficPolicy", lambda i: i["spec"]["tls"]["clientValidation"]["subjectAltNames"]["uris"].append(other), _asks
    )


def _asks(inputs: Inputs) -> bool:
    """Say whether a policy asks clients for certificates: the firewalls of clouds have none to show."""
    return "clientValidation" in inputs["spec"].get("tls", {})


@TABLE.mutation("A06", "a door takes the keys of another door's consumers")
def keys_of_other_consumers(plan: Plan) -> bool:
    policies = list(plan.records("SecurityPolicy", where=lambda i: "apiKeyAuth" in i["spec"]))
    for policy in policies:
        own = _keys(policy)
        for other in policies:
            if more := [ref for ref in other["inputs"]["spec"]["apiKeyAuth"]["credentialRefs"] if ref["name"] not in own]:
                plan.edit(policy)["spec"]["apiKeyAuth"]["credentialRefs"] += copy.deepcopy(more)
                return True
    return False


def _keys(policy: Record) -> set[str]:
    return {ref["name"] for ref in policy["inputs"]["spec"]["apiKeyAuth"]["credentialRefs"]}


@TABLE.mutation("A06", "a door takes a key of somebody whom the topology does not know")
def key_of_a_stranger(plan: Plan) -> bool:
    policy = plan.first("SecurityPolicy", where=lambda i: "apiKeyAuth" in i["spec"])
    if policy is None:
        return False
    plan.add(manifest("v1", "Secret", MARKER, namespace(policy["inputs"]), stringData={MARKER: "secret"}))
    plan.edit(policy)["spec"]["apiKeyAuth"]["credentialRefs"].append({"group": "", "kind": "Secret", "name": MARKER})
    return True


@TABLE.mutation("A06", "a door's list of Kong's groups names another door's group")
def group_of_another_door(plan: Plan) -> bool:
    lists = list(plan.records("KongPlugin", where=lambda i: i.get("plugin") == "acl" and "issuer" not in str(i["config"])))
    groups = {group for each in lists for group in each["inputs"]["config"]["allow"]}
    for each in lists:
        if more := sorted(groups - set(each["inputs"]["config"]["allow"])):
            plan.edit(each)["config"]["allow"] += more
            return True
    return False


@TABLE.mutation("A06", "no list says which of Kong's consumers a door is for")
def list_of_groups_disabled(plan: Plan) -> bool:
    lists = list(plan.records("KongPlugin", where=lambda i: i.get("plugin") == "acl" and "issuer" not in str(i["config"])))
    if len(lists) < 2:  # one list for all who have a key keeps nobody out
        return False
    plan.edit(min(lists, key=lambda each: len(each["inputs"]["config"]["allow"])))["disabled"] = True
    return True


@TABLE.mutation("A06", "a consumer of Kong whom the topology does not know")
def consumer_more(plan: Plan) -> bool:
    consumer = plan.first("KongConsumer", where=lambda i: "api-key" in str(i.get("credentials")))
    if consumer is None:
        return False
    place = namespace(consumer["inputs"])
    secret = manifest("v1", "Secret", MARKER, place, stringData={"key": "secret"})
    secret["metadata"]["labels"] = {"konghq.com/credential": "key-auth"}
    plan.add(secret)
    groups = [each for each in consumer["inputs"]["credentials"] if each.startswith("group.")]
    more = copy.deepcopy(consumer["inputs"])
    more["metadata"]["name"] = more["username"] = MARKER
    more["credentials"] = [MARKER, *groups]
    plan.add(more)
    return True


@TABLE.mutation("A06", "a consumer of Kong is in the group of another tier")
def consumer_in_another_group(plan: Plan) -> bool:
    consumers = list(plan.records("KongConsumer", where=lambda i: "api-key" in str(i.get("credentials"))))
    groups = {each for record in consumers for each in record["inputs"]["credentials"] if each.startswith("group.")}
    for record in consumers:
        if more := sorted(groups - set(record["inputs"]["credentials"])):
            plan.edit(record)["credentials"].append(more[0])
            return True
    return False


@TABLE.mutation("A06", "claims of tokens are not asked for")
def claims_not_asked(plan: Plan) -> bool:
    def change(inputs: Inputs) -> None:
        for rule in inputs["spec"]["authorization"]["rules"]:
            rule.get("principal", {}).get("jwt", {}).pop("claims", None)

    return change_first(plan, "SecurityPolicy", change, lambda i: "'claims'" in str(i["spec"].get("authorization")))


@TABLE.mutation("A06", "tokens with another claim are accepted")
def another_claim(plan: Plan) -> bool:
    def change(inputs: Inputs) -> None:
        for rule in inputs["spec"]["authorization"]["rules"]:
            for claim in rule.get("principal", {}).get("jwt", {}).get("claims", []):
                claim["values"].append(MARKER)

    return change_first(plan, "SecurityPolicy", change, lambda i: "'claims'" in str(i["spec"].get("authorization")))


@TABLE.mutation("A07", "a door of one tier names another")
def another_tier_named(plan: Plan) -> bool:
    doors = [
        route
        for route in plan.records("HTTPRoute")
        if "x-perimeter-tier" in str([each for rule in route["inputs"]["spec"]["rules"] for each in rule.get("filters") or ()])
    ]
    for route in doors:
        for rule in plan.edit(route)["spec"]["rules"]:
            for each in rule.get("filters") or ():
                for header in each.get("requestHeaderModifier", {}).get("set") or ():
                    if header["name"] == "x-perimeter-tier":
                        header["value"] = MARKER
                        return True
    return False


@TABLE.mutation("A07", "a mesh ingress says another tier of who showed a key")
def another_tier_said(plan: Plan) -> bool:
    def change(inputs: Inputs) -> None:
        for route in inputs["spec"]["http"]:
            request = route["headers"]["request"]
            request["set"] = dict.fromkeys(request.get("set") or {}, MARKER)

    return change_first(
        plan,
        "VirtualService",
        change,
        lambda i: "x-perimeter-tier" in str([r.get("headers", {}).get("request", {}).get("set") for r in i["spec"].get("http") or ()]),
    )


@TABLE.mutation("A07", "a mesh ingress says a tier of whoever comes with a token")
def tier_of_a_token_said(plan: Plan) -> bool:
    def change(inputs: Inputs) -> None:
        inputs["spec"]["http"][0]["headers"]["request"]["set"] = {"x-perimeter-tier": "platinum"}

    return change_first(plan, "VirtualService", change, lambda i: "remove" in str(i["spec"].get("http", [{}])[0].get("headers")))


@TABLE.mutation("A06", "Kong checks tokens with a key that the topology does not name")
def kong_with_another_public_key(plan: Plan) -> bool:
    key = "-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VwAyEAGb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE=\n-----END PUBLIC KEY-----\n"
    return change_first(
        plan, "Secret", lambda i: i["stringData"].update(rsa_public_key=key), lambda i: "rsa_public_key" in (i.get("stringData") or {})
    )


def _provider(plan: Plan, change: Callable[[Inputs], object]) -> bool:
    return change_first(plan, "SecurityPolicy", lambda i: change(i["spec"]["jwt"]["providers"][0]), lambda i: "jwt" in i["spec"])


@TABLE.mutation("A06", "the gateway takes tokens from another header than the mesh")
def token_from_another_header(plan: Plan) -> bool:
    return _provider(plan, lambda provider: provider.update(extractFrom={"headers": [{"name": "x-token"}]}))


@TABLE.mutation("A06", "the gateway writes a claim that clients choose as their tier")
def claim_of_the_clients_choice(plan: Plan) -> bool:
    return _provider(
        plan, lambda provider: provider.setdefault("claimToHeaders", []).append({"header": "x-perimeter-tier", "claim": "nickname"})
    )
