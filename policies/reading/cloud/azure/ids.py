"""References between resources of Azure: by the id that is written, or, where that is not known, by what a property depends on."""

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, Final

from policies.reading.cloud.references import Spelled, is_known_as, meant
from policies.reading.resource import Resource
from policies.reading.stack_file import AZURE, held_to, said
from policies.reading.values import UnknownValueError, is_known, is_unknown, mapping, sequence

if TYPE_CHECKING:
    from policies.reading.stack import Stack

NETWORK: Final = "azure-native:network:"
APIM: Final = "azure-native:apimanagement:"
PROVIDER: Final = "pulumi:providers:azure-native"

NAMES: Final[Mapping[str, tuple[str, str]]] = {
    f"{NETWORK}VirtualNetwork": ("virtualNetworks", "virtualNetworkName"),
    f"{NETWORK}NetworkSecurityGroup": ("networkSecurityGroups", "networkSecurityGroupName"),
    f"{NETWORK}RouteTable": ("routeTables", "routeTableName"),
    f"{NETWORK}PublicIPAddress": ("publicIPAddresses", "publicIpAddressName"),
    f"{NETWORK}NatGateway": ("natGateways", "natGatewayName"),
    f"{NETWORK}ApplicationGateway": ("applicationGateways", "applicationGatewayName"),
    f"{NETWORK}WebApplicationFirewallPolicy": ("ApplicationGatewayWebApplicationFirewallPolicies", "policyName"),
    f"{APIM}ApiManagementService": ("service", "serviceName"),
    f"{APIM}Product": ("products", "productId"),
    f"{APIM}ApiVersionSet": ("apiVersionSets", "versionSetId"),
    f"{APIM}Logger": ("loggers", "loggerId"),
    "azure-native:containerservice:ManagedCluster": ("managedClusters", "resourceName"),
    "azure-native:keyvault:Vault": ("vaults", "vaultName"),
    "azure-native:operationalinsights:Workspace": ("workspaces", "workspaceName"),
    "azure-native:storage:StorageAccount": ("storageAccounts", "accountName"),
    "azure-native:keyvault:Secret": ("secrets", "secretName"),
    "azure-native:privatedns:PrivateZone": ("privateDnsZones", "privateZoneName"),
    "azure-native:compute:DiskEncryptionSet": ("diskEncryptionSets", "diskEncryptionSetName"),
    "azure-native:monitor:DataCollectionRule": ("dataCollectionRules", "dataCollectionRuleName"),
    "azure-native:applicationinsights:Component": ("components", "resourceName"),
    "azure-native:managedidentity:UserAssignedIdentity": ("userAssignedIdentities", "resourceName"),
}
"""How a kind is spelled in ids, and the input that gives a resource its name there."""


def part(reference: str, segment: str) -> str:
    """Return the name that follows a segment of an id; empty where the id has no such segment. Ids do not tell case."""
    steps = reference.split("/")
    return next((steps[at + 1] for at, step in enumerate(steps[:-1]) if step.lower() == segment.lower()), "")


def last(reference: Any) -> str:
    """Return the last part of the id in a `{id: ...}`, the name of a part of the same resource; empty for none.

    Raises:
        UnknownValueError: if the id is not known.
    """
    if reference is None:
        return ""
    value = reference.get("id") if is_known(reference, dict) else reference
    return str(value or "").rpartition("/")[2]


def name_of(resource: Resource) -> str:
    """Return the name of a resource in Azure; empty where the program leaves it to the provider.

    Raises:
        UnknownValueError: if it is not known.
    """
    return str(resource.at(NAMES[resource.kind][1], default=""))


def group_of(resource: Resource) -> str:
    """Return the name of the resource group that a resource is in, in small letters; empty where it says none.

    Raises:
        UnknownValueError: if it is not known.
    """
    return str(resource.at("resourceGroupName", default="")).lower()


def along(value: Any, path: tuple[str, ...]) -> Iterator[Any]:
    """Yield what stands at the end of a path, through lists; nothing where a step is absent."""
    if is_known(value, list):
        for each in sequence(value):
            yield from along(each, path)
    elif path and is_known(value, dict):
        if (inner := mapping(value).get(path[0])) is not None:
            yield from along(inner, path[1:])
    elif path or value is not None:
        yield value


def target(stack: "Stack", resource: Resource, field: str, value: Any, *kinds: str) -> Resource | None:
    """Return the resource of some kinds that a value inside a field (a top-level one) refers to; None for one of another program.

    Raises:
        UnknownValueError: if the reference is not known and the field depends on no single resource of the kinds.
    """
    if not is_unknown(value) and (value is None or value == ""):
        return None
    found = meant(stack, resource, field, value, among=stack.of(*kinds), spelled=speller(stack))
    if is_unknown(value) and len(found) != 1:
        bool(value)  # raises, with the value's own path
    return found[0] if found else None


def speller(stack: "Stack") -> Spelled:
    """Return what says whether a resource has an id or a name."""
    return lambda resource, reference: _is_named(resource, str(reference), stack)


def _is_named(resource: Resource, reference: str, stack: "Stack") -> bool:
    """Say whether a resource has an id or a name: an id tells its subscription and its group, too."""
    if is_known_as(resource, reference):
        return True
    wanted = part(reference, NAMES[resource.kind][0]) or reference
    if name_of(resource).lower() != wanted.lower():
        return False
    return is_beside(resource, reference, stack)


def is_beside(resource: Resource, reference: str, stack: "Stack") -> bool:
    """Say whether an id, as far as it tells them, names the group and the subscription of a resource."""
    group, subscription = part(reference, "resourceGroups").lower(), part(reference, "subscriptions").lower()
    own = subscriptions(stack)
    return (not group or group_of(resource) in {"", group}) and (not subscription or not own or subscription in own)


def subscriptions(stack: "Stack") -> set[str]:
    """Return the subscriptions in which the program makes everything, as its providers name them; none where they name none.

    The one of the stack file is among them: where a provider names another, `belonging.is_made_in_our_subscription` says so, once.
    """
    given = _said_of_providers(stack, "subscriptionId")
    return {each.lower() for each in (*given, *(subscription_of(stack) if given else ()))}


def subscription_of(stack: "Stack") -> tuple[str, ...]:
    """Return the subscription that the stack file names; none where nobody gave that to the judge, or it names none."""
    found = said(stack, AZURE).get("subscriptionId") if AZURE in stack.config else None
    return (str(found),) if found else ()


def _said_of_providers(stack: "Stack", field: str) -> set[str]:
    return {str(each.at(field, default="")) for each in stack.of(PROVIDER)} - {""}


def below(stack: "Stack", owner: Resource, kind: str, field: str) -> Iterator[Resource]:
    """Yield the resources of a kind that name an owner in a field (`serviceName` of APIs).

    Raises:
        UnknownValueError: if the field of one is not known and tells nothing.
    """
    for resource in stack.of(kind):
        if target(stack, resource, field, resource.props.get(field), owner.kind) is owner:
            yield resource


def tenant_of(stack: "Stack") -> str:
    """Return the tenant of Entra ID to which the program's subscription belongs, as its provider names it.

    Raises:
        UnknownValueError: if its providers name none, several, or another than the stack file does.
    """
    named = _said_of_providers(stack, "tenantId")
    if len(named) != 1:
        raise UnknownValueError("the tenant of the program", f"not to be told: its providers name {len(named)} (tenantId)")
    return held_to(stack, AZURE, "tenantId", named.pop()).lower()
