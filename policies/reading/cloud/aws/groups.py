"""Security groups: whose connections their members take, and where members may connect to.

A group without a rule refuses everything: the provider takes away the rule that lets everything out, which EC2 makes by itself
(https://www.pulumi.com/registry/packages/aws/api-docs/ec2/securitygroup/). The group that EKS makes for a cluster lets its members
talk to each other and to everybody (https://docs.aws.amazon.com/eks/latest/userguide/sec-group-reqs.html).
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, TypeVar
from weakref import WeakKeyDictionary

from policies.reading.cloud.addresses import OUTSIDE, Addresses, addresses
from policies.reading.cloud.aws.kinds import CLUSTER, DEFAULT_GROUP, EGRESS_RULE, GROUP, GROUP_RULE, INGRESS_RULE
from policies.reading.cloud.model import Opening, Way
from policies.reading.cloud.references import named
from policies.reading.resource import Resource
from policies.reading.values import UnknownValueError, sequence

if TYPE_CHECKING:
    from policies.reading.stack import Stack

T = TypeVar("T")

GROUPS: Final = (GROUP, DEFAULT_GROUP, CLUSTER)
"""What a property that names security groups may lead to; a cluster stands for the group that EKS makes for it."""

EVERY_PROTOCOL: Final = frozenset({"-1", "all"})
NUMBERS: Final[Mapping[str, str]] = {"6": "TCP", "17": "UDP"}
"""Protocols by the numbers of IANA, which rules may have in the place of names."""
LAST_PORT: Final = 65535


@dataclass(frozen=True, kw_only=True, eq=False)
class Permission:
    """One peer, on some ports, in one direction."""

    resource: Resource
    """Where it is written: the rule, or the group for one inside it."""
    way: Way
    protocol: str
    first: int
    last: int
    peers: Addresses
    peer: str
    """The peer as it is written."""

    def on(self, port: int, transport: str = "TCP") -> bool:
        """Say whether it opens a port."""
        return self.protocol in EVERY_PROTOCOL or (self.protocol == transport and self.first <= port <= self.last)

    def __str__(self) -> str:
        """Spell peer and ports."""
        ports = f"port {self.first}" if self.first == self.last else f"ports {self.first} to {self.last}"
        return f"{self.peer} on {'every port' if self.protocol in EVERY_PROTOCOL else ports}"


@dataclass(frozen=True, kw_only=True, eq=False)
class Membership:
    """The filter around what is a member of some groups: what any of them permits, passes."""

    groups: tuple[Resource, ...]
    permissions: tuple[Permission, ...]
    unread: tuple[tuple[Resource, UnknownValueError], ...] = ()

    @property
    def resource(self) -> Resource:
        """Return the first of the groups."""
        return self.groups[0]

    def openings(self, way: Way, own: Addresses, port: int, transport: str = "TCP") -> Iterator[Opening]:
        """Yield whom the groups let through.

        Raises:
            UnknownValueError: if a rule cannot be read that may belong to one of them.
        """
        del own  # a permission holds for every address of its group's members
        for _, error in self.unread:
            raise error
        for each in self.permissions:
            if each.way == way and each.on(port, transport):
                yield Opening(peers=each.peers, by=str(each.resource))


class Groups:
    """All security groups of a stack."""

    def __init__(self, stack: "Stack") -> None:
        """Read every rule. One that cannot be read may belong to any group, and leaves all of them undecided."""
        self._permissions: defaultdict[str, list[Permission]] = defaultdict(list)
        self._unread: list[tuple[Resource, UnknownValueError]] = []
        self.mixed: list[Resource] = []
        """Groups with rules inside and rules of their own: each deployment takes away what the other made."""
        separate: set[str] = set()
        for rule in stack.of(INGRESS_RULE, EGRESS_RULE, GROUP_RULE):
            for group, permission in self._read(rule, lambda rule=rule: _separate(stack, rule)):
                self._permissions[group.urn].append(permission)
                separate.add(group.urn)
        for group in stack.of(GROUP, DEFAULT_GROUP):
            self._permissions[group.urn] += self._read(group, lambda group=group: _inline(stack, group))
            if group.urn in separate and {"ingress", "egress"} & group.props.keys():
                self.mixed.append(group)
        for cluster in stack.of(CLUSTER):
            self._permissions[cluster.urn] += _of_cluster(cluster)

    def _read(self, resource: Resource, read: Callable[[], Iterator[T]]) -> list[T]:
        try:
            return list(read())
        except UnknownValueError as error:
            self._unread.append((resource, error))
        except (TypeError, KeyError, AttributeError, ValueError, IndexError) as error:
            reason = f"not of the expected shape ({type(error).__name__}: {error})"
            self._unread.append((resource, UnknownValueError(str(resource), reason)))
        return []

    @property
    def unread(self) -> tuple[tuple[Resource, UnknownValueError], ...]:
        """Return the rules and groups that could not be read, and why."""
        return tuple(self._unread)

    def written_in(self, resource: Resource) -> tuple[tuple[str, Permission], ...]:
        """Return what one rule permits, or one group by rules inside it, each with the URN of its group.

        Raises:
            UnknownValueError: if that could not be read.
        """
        for unread, error in self._unread:
            if unread is resource:
                raise error
        return tuple((urn, each) for urn, found in self._permissions.items() for each in found if each.resource is resource)

    def of(self, group: Resource) -> tuple[Permission, ...]:
        """Return what a group permits."""
        return tuple(self._permissions.get(group.urn, ()))

    def around(self, groups: Iterable[Resource]) -> Membership:
        """Return the filter around members of some groups."""
        groups = tuple(groups)
        permissions = tuple(each for group in groups for each in self.of(group))
        return Membership(groups=groups, permissions=permissions, unread=self.unread)


_FOUND: WeakKeyDictionary["Stack", Groups] = WeakKeyDictionary()


def groups_in(stack: "Stack") -> Groups:
    """Return the security groups of a stack; read once."""
    if stack not in _FOUND:
        _FOUND[stack] = Groups(stack)
    return _FOUND[stack]


def name_of(group: Resource) -> str:
    """Return the name by which sets of addresses know the members of a group."""
    return f"group {group.name if group.kind != CLUSTER else f'of {group}'}"


def members(groups: Iterable[Resource]) -> Addresses:
    """Return whatever has an address and is a member of some groups."""
    return Addresses(names=frozenset(map(name_of, groups)))


def groups_named(stack: "Stack", resource: Resource, *path: str) -> tuple[Resource, ...]:
    """Return the security groups that a property names.

    Raises:
        UnknownValueError: where some are no groups of the program.
    """
    return named(stack, resource, *path, kinds=GROUPS)


def _separate(stack: "Stack", rule: Resource) -> Iterator[tuple[Resource, Permission]]:
    found = groups_named(stack, rule, "securityGroupId")
    if len(found) != 1:
        raise UnknownValueError(f"{rule}: securityGroupId", "not to be followed: a rule belongs to one group")
    (group,) = found
    if rule.kind == GROUP_RULE:
        way: Way = "out" if rule.at("type") == "egress" else "in"
        plain, sources = rule.props, groups_named(stack, rule, "sourceSecurityGroupId")
    else:
        way = "out" if rule.kind == EGRESS_RULE else "in"
        plain = {
            "protocol": rule.at("ipProtocol"),
            "fromPort": rule.at("fromPort"),
            "toPort": rule.at("toPort"),
            **{f"{key}Blocks": [each] for key, name in _BLOCKS.items() if (each := rule.at(name))},
            "prefixListIds": [rule.props["prefixListId"]] if rule.props.get("prefixListId") is not None else [],
        }
        sources = groups_named(stack, rule, "referencedSecurityGroupId")
    yield from ((group, each) for each in _permissions(rule, plain, way, sources, group))


_BLOCKS: Final = {"cidr": "cidrIpv4", "ipv6Cidr": "cidrIpv6"}


def _inline(stack: "Stack", group: Resource) -> Iterator[Permission]:
    ways: tuple[tuple[str, Way], ...] = (("ingress", "in"), ("egress", "out"))
    for key, way in ways:
        # The engine says of the whole list which groups it names, not which rule names which: each may name any of them.
        sources = groups_named(stack, group, key, "securityGroups")
        for rule in sequence(group.props.get(key)):
            yield from _permissions(group, rule, way, sources if sequence(rule.get("securityGroups")) else (), group)


def _permissions(
    resource: Resource, rule: Mapping[str, Any], way: Way, groups: tuple[Resource, ...], own: Resource
) -> Iterator[Permission]:
    said = str(rule["protocol"]).lower()
    protocol = said if said in EVERY_PROTOCOL else NUMBERS.get(said, said.upper())
    first, last = (0, LAST_PORT) if said in EVERY_PROTOCOL else (int(rule["fromPort"]), int(rule["toPort"]))
    shared: dict[str, Any] = {"resource": resource, "way": way, "protocol": protocol, "first": first, "last": last}
    for block in (*sequence(rule.get("cidrBlocks")), *sequence(rule.get("ipv6CidrBlocks"))):
        yield Permission(peers=addresses(block), peer=block, **shared)
    for group in (*groups, *((own,) if rule.get("self") else ())):
        yield Permission(peers=members([group]), peer=str(group), **shared)
    for _ in sequence(rule.get("prefixListIds")):
        # Which ranges a prefix list has is in no plan: those of S3 or CloudFront, or any that its owner writes into it.
        yield Permission(peers=OUTSIDE, peer="a prefix list", **shared)


def _of_cluster(cluster: Resource) -> list[Permission]:
    shared: dict[str, Any] = {"resource": cluster, "protocol": "-1", "first": 0, "last": LAST_PORT}
    return [
        Permission(way="in", peers=members([cluster]), peer=f"the members of the group of {cluster}", **shared),
        Permission(way="out", peers=addresses("0.0.0.0/0"), peer="everybody", **shared),
    ]
