"""The developer portal of API Management: anybody reads it, and templates that make more than its settings."""

from collections.abc import Callable
from typing import Any

from tests.policies.mutations import azure_plan as azure
from tests.policies.mutations.mutation import CloudFamily, Table
from tests.policies.mutations.plan import MARKER, UNKNOWN, Plan

TABLE = Table(CloudFamily.GATEWAY)

DEPLOYMENT = "resources:Deployment"
ELSEWHERE = "https://templates.example/one.json"
STRANGERS = {
    "type": "Microsoft.Network/publicIPAddresses",
    "apiVersion": "2024-05-01",
    "name": MARKER,
    "location": "westeurope",
    "sku": {"name": "Standard"},
    "properties": {"publicIPAllocationMethod": "Static"},
}
"""A resource that no rule would see."""

UNSEEN = ("template-from-an-address", "template-as-text", "template-unknown", "settings-by-symbolic-names", "name-by-an-expression")
ALSO = {
    **dict.fromkeys(("sign-in-by-an-expression", "sign-in-unknown"), frozenset({"P07"})),
    **dict.fromkeys(("settings-of-a-stranger", "settings-in-another-group", "type-by-an-expression"), frozenset({"A06"})),
    **dict.fromkeys(UNSEEN, frozenset({"A06", "P02"})),
}
"""Which other rules notice some of these: whoever cannot see the template does not see the sign-in either, nor whose settings it makes."""


def _template(change: Callable[[dict[str, Any]], object]) -> Callable[[Plan], bool]:
    """Return a change of the properties of the deployment, where there is one."""

    def changed(plan: Plan) -> bool:
        found = azure.one(plan, DEPLOYMENT)
        if found is None:
            return False
        change(plan.edit(found)["properties"])
        return True

    return changed


def _enter(rule: str, description: str, name: str, change: Callable[[dict[str, Any]], object]) -> None:
    made = _template(change)
    made.__name__ = name
    TABLE.mutation(rule, description)(made)


def _made(properties: dict[str, Any], name: str = "signin") -> dict[str, Any]:
    return next(each for each in properties["template"]["resources"] if each["name"].endswith(f"/{name}"))


def _keep(properties: dict[str, Any], name: str) -> None:
    properties["template"]["resources"] = [_made(properties, name)]


def _by_symbols(properties: dict[str, Any]) -> None:
    template = properties["template"]
    template |= {"languageVersion": "2.0", "resources": {each["name"].rpartition("/")[2]: each for each in template["resources"]}}


def _linked(properties: dict[str, Any]) -> None:
    del properties["template"]
    properties["templateLink"] = {"uri": ELSEWHERE}


def _delegated(properties: dict[str, Any]) -> None:
    like = _made(properties)
    said = {"url": ELSEWHERE, "validationKey": "", "userRegistration": {"enabled": True}, "subscriptions": {"enabled": True}}
    properties["template"]["resources"].append({**like, "name": like["name"].replace("signin", "delegation"), "properties": said})


def _of_a_subscription(properties: dict[str, Any]) -> None:
    template = properties["template"]
    template["$schema"] = template["$schema"].replace("deploymentTemplate", "subscriptionDeploymentTemplate")


NESTED = {
    "type": "Microsoft.Resources/deployments",
    "apiVersion": "2024-03-01",
    "name": MARKER,
    "properties": {"mode": "Incremental", "templateLink": {"uri": ELSEWHERE}},
}

for _rule, _description, _name, _change in (
    ("A06", "nobody has to sign in to read", "sign_in_off", lambda p: _made(p)["properties"].update(enabled=False)),
    ("A06", "whether one has to sign in is left to Azure", "sign_in_not_said", lambda p: _made(p)["properties"].clear()),
    ("A06", "the template has no sign-in", "sign_in_left_out", lambda p: _keep(p, "signup")),
    ("A06", "Azure evaluates whether one has to sign in", "sign_in_by_an_expression", lambda p: _made(p)["properties"].update(enabled="[not(true())]")),
    ("A06", "whether one has to sign in is known when it is deployed", "sign_in_unknown", lambda p: _made(p)["properties"].update(enabled=UNKNOWN)),
    ("P07", "the template is at an address", "template_from_an_address", _linked),
    ("P07", "the template is one text", "template_as_text", lambda p: p.update(template=str(p["template"]))),
    ("P07", "the template is known when it is deployed", "template_unknown", lambda p: p.update(template=UNKNOWN)),
    ("P07", "the template makes a public address", "another_resource", lambda p: p["template"]["resources"].append(STRANGERS)),
    ("P07", "the template deploys another one", "nested_template", lambda p: p["template"]["resources"].append(NESTED)),
    ("P07", "a setting has a resource of its own inside", "child_resource", lambda p: _made(p).update(resources=[STRANGERS])),
    ("P07", "sign-in and keys are another site's", "delegated", _delegated),
    ("P07", "a resource's type is an expression", "type_by_an_expression", lambda p: _made(p).update(type="[variables('type')]")),
    ("P07", "a resource's name is an expression", "name_by_an_expression", lambda p: _made(p).update(name="[concat('apim', '/signin')]")),
    ("P07", "a text is an expression", "text_by_an_expression", lambda p: _made(p, "signup")["properties"]["termsOfService"].update(text="[reference('x').key]")),
    ("P07", "a resource waits for an expression", "wait_by_an_expression", lambda p: _made(p, "signup").update(dependsOn=["[resourceId('x/y', 'z')]"])),
    ("P07", "the sign-in is made on a condition", "sign_in_on_a_condition", lambda p: _made(p).update(condition=False)),
    ("P07", "the sign-in is made several times", "sign_in_copied", lambda p: _made(p).update(copy={"name": "x", "count": 2})),
    ("P07", "the sign-in is made in another scope", "sign_in_elsewhere", lambda p: _made(p).update(scope="/subscriptions/other")),
    ("P07", "the template has a parameter", "template_parameters", lambda p: p["template"].update(parameters={"x": {"type": "bool", "defaultValue": False}})),
    ("P07", "the template has functions", "template_functions", lambda p: p["template"].update(functions=[{"namespace": "x", "members": {}}])),
    ("P07", "the template is of another scope", "template_of_a_subscription", _of_a_subscription),
    ("P07", "resources have symbolic names", "settings_by_symbolic_names", _by_symbols),
    ("P07", "a template at an address is named beside the one in the plan", "template_twice", lambda p: p.update(templateLink={"uri": ELSEWHERE})),
    ("P07", "parameters are at an address", "parameters_from_an_address", lambda p: p.update(parametersLink={"uri": ELSEWHERE})),
    ("P07", "what the template does not name is deleted", "complete_mode", lambda p: p.update(mode="Complete")),
    ("P07", "the deployment before comes back after an error", "rolled_back", lambda p: p.update(onErrorDeployment={"type": "LastSuccessful"})),
):  # fmt: skip
    _enter(_rule, _description, _name, _change)


@TABLE.mutation("A06", "nothing says that one has to sign in")
def no_settings(plan: Plan) -> bool:
    if (found := azure.one(plan, DEPLOYMENT)) is None:
        return False
    plan.remove(found)
    return True


@TABLE.mutation("A06", "a system without a portal leaves it to Azure, which has one")
def a_portal_of_which_nothing_is_said(plan: Plan) -> bool:
    if azure.one(plan, DEPLOYMENT) is not None:
        return False
    del azure.service(plan)["developerPortalStatus"]
    return True


@TABLE.mutation("A06", "a second template switches sign-in off again")
def sign_in_taken_back(plan: Plan) -> bool:
    if (found := azure.one(plan, DEPLOYMENT)) is None:
        return False
    own = found["inputs"]
    signin = {**_made(own["properties"]), "properties": {"enabled": False}}
    template = {**own["properties"]["template"], "resources": [signin]}
    plan.add_resource(
        f"azure-native:{DEPLOYMENT}", {**own, "deploymentName": MARKER, "properties": {"mode": "Incremental", "template": template}}
    )
    return True


@TABLE.mutation("P02", "the settings are those of a service of somebody else")
def settings_of_a_stranger(plan: Plan) -> bool:
    return _template(lambda p: [each.update(name=f"other/{each['name'].rpartition('/')[2]}") for each in p["template"]["resources"]])(plan)


@TABLE.mutation("P02", "the settings are those of a service in somebody else's group")
def settings_in_another_group(plan: Plan) -> bool:
    if (found := azure.one(plan, DEPLOYMENT)) is None:
        return False
    plan.edit(found)["resourceGroupName"] = "rg-other"
    return True
