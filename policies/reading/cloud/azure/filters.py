"""Network security groups: whom their rules let through, after all of them.

Rules hold in the order of their priority, the first that matches decides, and six default rules come last
(https://learn.microsoft.com/azure/virtual-network/network-security-groups-overview).
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final

from policies.reading.cloud.addresses import EVERYWHERE, INTERNET, OUTSIDE, Addresses, addresses
from policies.reading.cloud.azure.balancers import ADDRESS, all_named, named
from policies.reading.cloud.azure.ids import NETWORK, below
from policies.reading.cloud.model import Opening, Way
from policies.reading.resource import Resource
from policies.reading.values import UnknownValueError, is_unknown, mapping, sequence

if TYPE_CHECKING:
    from policies.reading.stack import Stack

GROUP: Final = f"{NETWORK}NetworkSecurityGroup"
RULE: Final = f"{NETWORK}SecurityRule"

VIRTUAL_NETWORK: Final = "VirtualNetwork"
LOAD_BALANCER: Final = "AzureLoadBalancer"
PROBES: Final = "168.63.129.16/32"
"""Where health probes and Azure's own DNS come from (https://learn.microsoft.com/azure/virtual-network/what-is-ip-address-168-63-129-16)."""

EVERYONE: Final = EVERYWHERE | OUTSIDE
ANYTHING: Final = frozenset({"*", "any"})


@dataclass(frozen=True, kw_only=True)
class Rule:
    """One rule as it is written."""

    resource: Resource | None
    """The separate resource that gives it, or None for a rule of the group itself."""
    name: str
    inbound: bool
    allows: bool
    priority: int
    spec: Mapping[str, Any]

    def __str__(self) -> str:
        """Name the rule."""
        return f"rule {self.name} (priority {self.priority})"


@dataclass(frozen=True, kw_only=True, eq=False)
class SecurityGroup:
    """A network security group as a filter around a subnet of a network."""

    resource: Resource
    network: Addresses
    """The address space of the virtual network: what `VirtualNetwork` means besides networks joined to it."""
    separate: tuple[Resource, ...]
    """Rules that are resources of their own."""
    public: tuple[Resource, ...] = ()
    """The public addresses of the program. Behind a load balancer they are addresses of the subnet too: packets keep them (floating IP)."""

    @cached_property
    def rules(self) -> tuple[Rule, ...]:
        """Return all rules, the first to decide first.

        Raises:
            UnknownValueError: if a rule cannot be read.
        """
        inline = [_rule(mapping(spec), None) for spec in self.resource.at("securityRules", default=[])]
        return tuple(sorted([*inline, *(_rule(each.props, each) for each in self.separate)], key=lambda rule: rule.priority))

    @cached_property
    def ports(self) -> frozenset[int]:
        """Return the ports at which ranges of its rules begin and end."""
        found: set[int] = set()
        for rule in self.rules:
            for given in (*sequence(rule.spec.get("destinationPortRanges")), rule.spec.get("destinationPortRange") or "*"):
                found |= {int(end) for end in str(given).split("-") if end.isdigit()}
        return frozenset(found)

    def openings(self, way: Way, own: Addresses, port: int, transport: str = "TCP") -> Iterator[Opening]:
        """Yield whom the rules let through.

        What a rule says of a part of the guarded addresses lets that part through, and refuses only where it says it of all.
        """
        denied = Addresses()
        inside, beyond = ("destination", "source") if way == "in" else ("source", "destination")
        for rule in self.rules:
            spec = rule.spec
            if rule.inbound != (way == "in") or not _speaks(spec, transport) or not _among(spec, "destinationPort", port):
                continue
            guarded = self._named(rule, inside) | self._public(rule, inside)
            if not guarded & own or not (rule.allows or guarded.holds(own)):
                continue
            peers = self._named(rule, beyond)
            if rule.allows:
                if left := peers - denied:
                    yield Opening(peers=left, by=str(rule))
            elif _among(spec, "sourcePort", None):
                denied |= peers
                if denied.holds(EVERYWHERE):
                    return
        yield from self._defaults(way, denied)

    def _defaults(self, way: Way, denied: Addresses) -> Iterator[Opening]:
        network = self.network | Addresses(names=frozenset({VIRTUAL_NETWORK}))
        given = {"in": (network, Addresses(names=frozenset({LOAD_BALANCER}))), "out": (network, OUTSIDE)}[way]
        for peers in given:
            if left := peers - denied:
                yield Opening(peers=left, by="Azure's default rules")

    def _named(self, rule: Rule, side: str) -> Addresses:
        """Return the addresses that a rule means on one side: for one that allows all that it may mean, for one that refuses no more than it does.

        Which machines are in an application security group is not in the plan, and IPv6 is not followed: neither refuses anybody.
        """
        spec = rule.spec
        groups = [str(mapping(each).get("id")) for each in sequence(spec.get(f"{side}ApplicationSecurityGroups"))]
        if groups and rule.allows and (side == "destination" or not rule.inbound):
            return EVERYONE
        found = Addresses(names=frozenset(groups)) if rule.allows else Addresses()
        for prefix in _counting(rule, side):
            found |= self._chosen(rule, side, prefix) if is_unknown(prefix) else self._meant(str(prefix))
        return found

    def _public(self, rule: Rule, side: str) -> Addresses:
        """Return the public addresses that a rule may mean by the ranges of its own side.

        Whoever lets in somewhere outside may let in to a number that nobody knows yet; who refuses has to name everything.
        """
        meant = [self._meant(str(prefix)) for prefix in _counting(rule, side) if not is_unknown(prefix)]
        if any(each.holds(EVERYWHERE) for each in meant):
            return all_named(self.public)
        somewhere = rule.allows and any(each & OUTSIDE for each in meant)
        return all_named(each for each in self.public if not named(each).ranges) if somewhere else Addresses()

    def _chosen(self, rule: Rule, side: str, value: Any) -> Addresses:
        """Return the public address that a rule means by a value which Azure chooses: the only one that the value can be of.

        Raises:
            UnknownValueError: if it may be of something else.
        """
        owner, field = (rule.resource, f"{side}AddressPrefix") if rule.resource else (self.resource, "securityRules")
        found = [each for each in self.public if each.urn in owner.property_dependencies.get(field, ())]
        if len(found) != 1 or len(owner.property_dependencies[field]) != 1:
            bool(value)  # raises, with the value's own path
        return named(found[0])

    def _meant(self, prefix: str) -> Addresses:
        if prefix.lower() in ANYTHING or prefix in {"0.0.0.0/0", "::/0"}:
            return EVERYONE
        if prefix.lower() == INTERNET.lower():
            return OUTSIDE
        if prefix.lower() == VIRTUAL_NETWORK.lower():
            return self.network | Addresses(names=frozenset({VIRTUAL_NETWORK}))
        if prefix[:1].isdigit() or ":" in prefix:
            return addresses(prefix)
        return Addresses(names=frozenset({prefix}))


def security_group(stack: "Stack", resource: Resource, network: Addresses) -> SecurityGroup:
    """Return the view of a group, with the rules that are resources of their own.

    Raises:
        UnknownValueError: if it is not known which group such a rule belongs to.
    """
    separate = tuple(below(stack, resource, RULE, "networkSecurityGroupName"))
    return SecurityGroup(resource=resource, network=network, separate=separate, public=tuple(stack.of(ADDRESS)))


def _prefixes(spec: Mapping[str, Any], side: str) -> list[Any]:
    one = spec.get(f"{side}AddressPrefix")
    return [*sequence(spec.get(f"{side}AddressPrefixes")), *([one] if is_unknown(one) or one else [])]


def _counting(rule: Rule, side: str) -> list[Any]:
    """Return the ranges of a rule as far as they count: one of IPv6 refuses nobody who comes by IPv4."""
    return [each for each in _prefixes(rule.spec, side) if rule.allows or is_unknown(each) or ":" not in str(each)]


def _rule(spec: Mapping[str, Any], resource: Resource | None) -> Rule:
    access, direction = str(spec.get("access")).lower(), str(spec.get("direction")).lower()
    if spec.get("priority") is None:
        raise UnknownValueError(str(spec.get("name")), "a rule without priority")
    if access not in {"allow", "deny"} or direction not in {"inbound", "outbound"}:
        raise UnknownValueError(str(spec.get("name")), f"a rule with access {access} and direction {direction}")
    name = spec.get("name") or spec.get("securityRuleName") or (resource.name if resource else "")
    return Rule(
        resource=resource,
        name=str(name),
        inbound=direction == "inbound",
        allows=access == "allow",
        priority=int(spec["priority"]),
        spec=spec,
    )


def _speaks(spec: Mapping[str, Any], transport: str) -> bool:
    return str(spec.get("protocol")).lower() in {"*", transport.lower()}


def _among(spec: Mapping[str, Any], field: str, port: int | None) -> bool:
    """Say whether a port is among those of a rule; None asks whether every port is."""
    written = [*sequence(spec.get(f"{field}Ranges"))]
    written += [one] if (one := spec.get(f"{field}Range")) else []
    for given in map(str, written):
        if given == "*":
            return True
        if port is not None:
            first, _, final = given.partition("-")
            if int(first) <= port <= int(final or first):
                return True
    return not written and port is None
