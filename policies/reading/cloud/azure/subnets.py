"""Virtual networks: their subnets, and what lies around each."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from policies.reading.cloud.addresses import Addresses, addresses
from policies.reading.cloud.azure.filters import GROUP, SecurityGroup, security_group
from policies.reading.cloud.azure.ids import NETWORK, below, is_beside, name_of, part, target
from policies.reading.cloud.model import Filter
from policies.reading.resource import Resource
from policies.reading.values import UnknownValueError, is_known, is_unknown, mapping, sequence

if TYPE_CHECKING:
    from policies.reading.stack import Stack

VNET: Final = f"{NETWORK}VirtualNetwork"
SUBNET: Final = f"{NETWORK}Subnet"


@dataclass(frozen=True, kw_only=True, eq=False)
class Subnet:
    """One subnet of a virtual network."""

    resource: Resource
    """The resource that says it: the network, or the subnet's own."""
    network: str
    name: str
    addresses: Addresses
    is_meant: Callable[[str], bool]
    """Says whether an id that has the names of network and subnet is that of this one, and not of a namesake elsewhere."""
    group: SecurityGroup | None
    """None where nothing filters what comes and goes."""
    endpoint_policies: str = ""
    """Whether the group holds for private endpoints (`privateEndpointNetworkPolicies`); empty where nothing is said."""

    def __str__(self) -> str:
        """Name the subnet."""
        return f"subnet {self.network}/{self.name}"

    def is_named(self, given: str) -> bool:
        """Say whether an id is this subnet's."""
        wanted = (self.network.lower(), self.name.lower())
        return (part(given, "virtualNetworks").lower(), part(given, "subnets").lower()) == wanted and self.is_meant(given)

    @property
    def filters(self) -> tuple[Filter, ...]:
        """Return what lies around it."""
        return (self.group,) if self.group else ()


def subnets(stack: "Stack") -> Iterator[Subnet]:
    """Yield every subnet that can be read; one that cannot is noted, and whatever refers to it then finds none."""
    for network in stack.of(VNET):
        yield from stack.reading(network, lambda network=network: list(_of_network(stack, network))) or ()


def _of_network(stack: "Stack", network: Resource) -> Iterator[Subnet]:
    own = list(below(stack, network, SUBNET, "virtualNetworkName"))
    seen, taken = set[str](), list[Addresses]()
    space = addresses(*sequence(mapping(network.at("addressSpace")).get("addressPrefixes")))
    for resource, field, spec in (
        *((network, "subnets", mapping(spec)) for spec in network.at("subnets", default=[])),
        *((each, "networkSecurityGroup", each.props) for each in own),
    ):
        found = _subnet(stack, network, resource, field, spec)
        if found.name in seen:
            raise UnknownValueError(
                f"{network}: subnet {found.name}", "said twice, inline and by a resource of its own: which holds is not known"
            )
        if not space.holds(found.addresses) or any(found.addresses & other for other in taken):
            raise UnknownValueError(
                f"{network}: subnet {found.name}", "outside of its network, or over another subnet: Azure makes no such one"
            )
        seen.add(found.name)
        taken.append(found.addresses)
        yield found


def _subnet(stack: "Stack", network: Resource, resource: Resource, field: str, spec: Mapping[str, Any]) -> Subnet:
    space = addresses(*sequence(mapping(network.at("addressSpace")).get("addressPrefixes")))
    prefixes = [*sequence(spec.get("addressPrefixes"))] + ([spec["addressPrefix"]] if spec.get("addressPrefix") else [])
    group = target(stack, resource, field, reference_of(spec.get("networkSecurityGroup")), GROUP)
    if group is None and spec.get("networkSecurityGroup"):
        raise UnknownValueError(f"{resource}: {spec.get('name')}", "filtered by a security group that the program does not have")
    return Subnet(
        resource=resource,
        network=name_of(network),
        is_meant=lambda given: is_beside(network, given, stack),
        name=str(spec.get("name") or spec.get("subnetName")),
        addresses=addresses(*prefixes),
        group=security_group(stack, group, space) if group else None,
        endpoint_policies=str(spec.get("privateEndpointNetworkPolicies") or ""),
    )


def reference_of(reference: Any) -> Any:
    """Return the id in a `{id: ...}`, or what is given, known or not."""
    if is_unknown(reference):
        return reference
    return reference.get("id") if is_known(reference, dict) else reference


def subnet_of(known: Mapping[tuple[str, str], Subnet], resource: Resource, reference: Any) -> Subnet:
    """Return the subnet of an id.

    Raises:
        UnknownValueError: if the id is not known, or is that of a subnet that the program does not have, be it of the same name.
    """
    given = str(reference_of(reference) or "")
    key = part(given, "virtualNetworks").lower(), part(given, "subnets").lower()
    if key not in known or not known[key].is_meant(given):
        raise UnknownValueError(f"{resource}: subnet {'/'.join(key)}", "no subnet of the program: what lies around it is not known")
    return known[key]
