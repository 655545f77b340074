"""What Azure charges for."""

from collections.abc import Iterator, Mapping
from typing import Final

from costs.items import Inputs, Item, Metered, Provider, Resource, inputs_of, number

CAPACITY_UNITS: Final = 10
"""Of one instance of an Application Gateway; those of the least instances are charged always (Learn, `understanding-pricing`)."""
DISKS: Final = {8: 128, 16: 256, 64: 512}
"""GiB of a node's disk where a pool does not say, for fewer virtual processors than these; AKS chooses so (Learn, `cluster-configuration`)."""
LARGEST_DISK: Final = 1024
INTERNAL: Final = "service.beta.kubernetes.io/azure-load-balancer-internal"
FREE_RULES: Final = 5
"""Rules that a load balancer's first price covers."""


def _nodes(pool: Inputs) -> Iterator[Item]:
    size, name = str(pool.get("vmSize")), pool.get("name") or pool.get("agentPoolName")
    scales = bool(pool.get("enableAutoScaling"))
    least = number(pool.get("minCount" if scales else "count"))
    most = number(pool["maxCount"]) if scales else least
    yield Item(key=f"vm/{size}", what=f"nodes of pool {name}", least=least, most=most)
    if pool.get("osDiskType") != "Ephemeral":
        gibibytes = pool.get("osDiskSizeGB") or next((disk for below, disk in DISKS.items() if _processors(size) < below), LARGEST_DISK)
        yield Item(key=f"disk/{gibibytes}", what=f"disks of pool {name}", least=least, most=most)


def _processors(size: str) -> int:
    """Return the virtual processors that a size's name tells: `Standard_D4ds_v5` has four."""
    digits = "".join(character if character.isdigit() else " " for character in size.removeprefix("Standard_")).split()
    return int(digits[0]) if digits else 0


def _pool(resource: Resource, _: Mapping[str, Resource]) -> Iterator[Item]:
    yield from _nodes(inputs_of(resource))


def _cluster(resource: Resource, _: Mapping[str, Resource]) -> Iterator[Item | Metered]:
    given = inputs_of(resource)
    yield Item(key=f"aks/{given.get('sku', {}).get('tier', 'Free')}", what="control plane")
    for pool in given.get("agentPoolProfiles", ()):
        yield from _nodes(pool)
    if given.get("securityProfile", {}).get("defender"):
        yield Metered(what="Defender for Containers, if the subscription has that plan: by processors of the nodes")


def _api_management(resource: Resource, _: Mapping[str, Resource]) -> Iterator[Item]:
    sku = inputs_of(resource)["sku"]
    yield Item(key=f"api-management/{sku['name']}", what=f"units of API Management {sku['name']}", least=number(sku["capacity"]))


def _application_gateway(resource: Resource, _: Mapping[str, Resource]) -> Iterator[Item]:
    given = inputs_of(resource)
    name, scale = given["sku"]["name"], given.get("autoscaleConfiguration")
    least = number(scale["minCapacity"]) if scale else number(given["sku"]["capacity"])
    most = number(scale["maxCapacity"]) if scale else least
    key = f"application-gateway/{name}"
    yield Item(key=key, what=f"Application Gateway {name}")
    yield Item(key=f"{key}/capacity-unit", what="its capacity units", least=least * CAPACITY_UNITS, most=most * CAPACITY_UNITS)


def _nat_gateway(resource: Resource, _: Mapping[str, Resource]) -> Iterator[Item | Metered]:
    yield Item(key=f"nat-gateway/{inputs_of(resource)['sku']['name']}", what="NAT gateway")
    yield Metered(key="nat-gateway/data", what="what nodes send outside, through the NAT gateway")


def _public_address(resource: Resource, _: Mapping[str, Resource]) -> Iterator[Item]:
    given = inputs_of(resource)
    yield Item(key=f"public-address/{given['sku']['name']}", what="public addresses")
    protection: Inputs = given.get("ddosSettings") or {}
    if protection.get("protectionMode") == "Enabled":
        yield Item(key="ddos-ip-protection", what="addresses with DDoS IP Protection")


def _private_endpoint(_: Resource, __: Mapping[str, Resource]) -> Iterator[Item]:
    yield Item(key="private-endpoint", what="private endpoints")


def _zone(_: Resource, __: Mapping[str, Resource]) -> Iterator[Item]:
    yield Item(key="private-dns-zone", what="private DNS zones")


def _workspace(resource: Resource, _: Mapping[str, Resource]) -> Iterator[Metered]:
    yield Metered(key=f"log-analytics/{inputs_of(resource)['sku']['name']}", what="logs and traces that Log Analytics takes")


def _storage(resource: Resource, _: Mapping[str, Resource]) -> Iterator[Metered]:
    yield Metered(key=f"storage/{inputs_of(resource)['sku']['name']}", what="flow logs that the storage account keeps")


def _vault(_: Resource, __: Mapping[str, Resource]) -> Iterator[Metered]:
    yield Metered(what="operations of the key vault: a few cents for ten thousand")


def _service(resource: Resource, _: Mapping[str, Resource]) -> Iterator[Item | Metered]:
    """Yield the load balancer that a Service makes Azure make, with a rule for each port."""
    given = inputs_of(resource)
    spec, annotations = given.get("spec", {}), given.get("metadata", {}).get("annotations", {})
    if spec.get("type") == "LoadBalancer":
        rules = len(spec.get("ports", ()))
        yield Item(key="load-balancer/rules", what="internal load balancer" if annotations.get(INTERNAL) == "true" else "load balancer")
        yield Metered(key="load-balancer/data", what="what load balancers pass on")
        if rules > FREE_RULES:
            yield Item(key="load-balancer/further-rule", what="its further rules", least=rules - FREE_RULES)


def _location(resource: Resource) -> str | None:
    location = inputs_of(resource).get("location")
    return location if isinstance(location, str) and location != "global" else None


def _of(package: str, *names: str) -> frozenset[str]:
    return frozenset(f"azure-native:{package}:{name}" for name in names)


AZURE: Final = Provider(
    readers={
        "azure-native:containerservice:ManagedCluster": _cluster,
        "azure-native:containerservice:AgentPool": _pool,
        "azure-native:apimanagement:ApiManagementService": _api_management,
        "azure-native:network:ApplicationGateway": _application_gateway,
        "azure-native:network:NatGateway": _nat_gateway,
        "azure-native:network:PublicIPAddress": _public_address,
        "azure-native:network:PrivateEndpoint": _private_endpoint,
        "azure-native:privatedns:PrivateZone": _zone,
        "azure-native:operationalinsights:Workspace": _workspace,
        "azure-native:storage:StorageAccount": _storage,
        "azure-native:keyvault:Vault": _vault,
    },
    elsewhere={"kubernetes:core/v1:Service": _service},
    free=_of(
        "apimanagement", "Api", "ApiOperation", "ApiOperationPolicy", "ApiPolicy", "ApiVersionSet", "Backend", "Certificate", "Diagnostic",
        "Logger", "NamedValue", "Policy", "Product", "ProductApi", "ProductGroup", "Subscription",
    )
    | _of("authorization", "RoleAssignment")
    | _of("compute", "DiskEncryptionSet")
    | _of("dns", "RecordSet")  # its zone is not of the program
    | _of("keyvault", "Key", "Secret")
    | _of("managedidentity", "FederatedIdentityCredential", "UserAssignedIdentity")
    # What these let through is charged where it arrives: at the workspace and the storage account.
    | _of("applicationinsights", "Component")
    | _of("monitor", "DataCollectionRule", "DataCollectionRuleAssociation", "DiagnosticSetting")
    | _of("network", "FlowLog", "NetworkSecurityGroup", "PrivateDnsZoneGroup", "VirtualNetwork", "WebApplicationFirewallPolicy")
    | _of("privatedns", "PrivateRecordSet", "VirtualNetworkLink")
    | _of("resources", "Deployment", "ResourceGroup"),
    region=_location,
)  # fmt: skip
