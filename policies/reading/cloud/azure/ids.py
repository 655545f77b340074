"""References between resources of Azure: by the id that is written, or, where that is not known, by what a property depends on."""

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, Final

from policies.reading.resource import Resource
from policies.reading.values import UnknownValueError, is_known, is_unknown

if TYPE_CHECKING:
    from policies.reading.stack import Stack

NETWORK: Final = "azure-native:network:"
APIM: Final = "azure-native:apimanagement:"

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
    "azure-native:containerservice:ManagedCluster": ("managedClusters", "resourceName"),
    "azure-native:keyvault:Vault": ("vaults", "vaultName"),
    "azure-native:keyvault:Secret": ("secrets", "secretName"),
    "azure-native:privatedns:PrivateZone": ("privateDnsZones", "privateZoneName"),
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


def depends_on(resource: Resource, source: Resource) -> bool:
    """Say whether any property of a resource takes its value from another one."""
    return any(source.urn in urns for urns in resource.property_dependencies.values())


def target(stack: "Stack", resource: Resource, field: str, value: Any, kind: str) -> Resource | None:
    """Return the resource of a kind that a value inside a field (a top-level one) refers to; None for one of another program.

    Raises:
        UnknownValueError: if the reference is not known and the field depends on no single resource of the kind.
    """
    if value is None or value == "":
        return None
    if not is_unknown(value):
        wanted = part(str(value), NAMES[kind][0]) or str(value)
        group = part(str(value), "resourceGroups").lower()
        named = (each for each in stack.of(kind) if name_of(each).lower() == wanted.lower())
        return next((each for each in named if not group or group_of(each) in {"", group}), None)
    found = [source for source in stack.sources(resource, field) if source.kind == kind]
    if len(found) == 1:
        return found[0]
    raise UnknownValueError(f"{resource}: {field}", "a reference that is not known, and it depends on no single resource that it may be")


def below(stack: "Stack", owner: Resource, kind: str, field: str) -> Iterator[Resource]:
    """Yield the resources of a kind that name an owner in a field (`serviceName` of APIs).

    Raises:
        UnknownValueError: if the field of one is not known and tells nothing.
    """
    for resource in stack.of(kind):
        if target(stack, resource, field, resource.props.get(field), owner.kind) is owner:
            yield resource
