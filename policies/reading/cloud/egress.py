"""What NetworkPolicies let pods reach that are not in the program: those of add-ons, which a cloud puts into the cluster."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from policies.reading.cloud.addresses import Addresses, addresses
from policies.reading.namespaces import NAME_LABEL
from policies.reading.resource import Resource
from policies.reading.selectors import matches
from policies.reading.values import mapping, sequence

if TYPE_CHECKING:
    from policies.reading.stack import Stack


@dataclass(frozen=True)
class Egress:
    """Ways out of pods with some labels in a namespace, where nothing is open that no NetworkPolicy opens."""

    namespace: str
    labels: Mapping[str, str]
    stack: "Stack"

    def reaches(self, wanted: Addresses, port: int, transport: str = "TCP") -> bool:
        """Say whether they reach all of some addresses.

        Raises:
            UnknownValueError: if a rule is not known.
        """
        found = Addresses()
        for peers in self._peers(port, transport):
            if not peers:
                return True
            for block in (mapping(peer["ipBlock"]) for peer in peers if peer.get("ipBlock")):
                if ":" not in str(block["cidr"]):  # all addresses here are of IPv4
                    found |= addresses(block["cidr"]) - addresses(*sequence(block.get("except")))
        return bool(wanted) and found.holds(wanted)

    def reaches_pods(self, namespace: str, labels: Mapping[str, str], port: int, transport: str = "TCP") -> bool:
        """Say whether they reach the pods with some labels in a namespace, of which nothing is known but its name.

        Raises:
            UnknownValueError: if a rule is not known, or asks in a way that does not exist.
        """
        place = {NAME_LABEL: namespace}

        def fits(peer: Mapping[str, Any]) -> bool:
            spaces = peer.get("namespaceSelector")
            at_home = matches(spaces, place) if spaces is not None else namespace == self.namespace
            return not peer.get("ipBlock") and at_home and matches(peer.get("podSelector"), labels)

        return any(not peers or any(map(fits, peers)) for peers in self._peers(port, transport))

    def _peers(self, port: int, transport: str) -> Iterator[list[Any]]:
        """Yield the peers of every rule that opens a port."""
        for rule in (each for policy in self.stack.of("NetworkPolicy") if self._is_of(policy) for each in _rules(policy)):
            ports = sequence(rule.get("ports"))
            if not ports or any(_opens(mapping(each), port, transport) for each in ports):
                yield sequence(rule.get("to"))

    def _is_of(self, policy: Resource) -> bool:
        if policy.namespace != self.namespace or "Egress" not in sequence(policy.at("spec", "policyTypes", default=["Egress"])):
            return False
        return matches(policy.at("spec", "podSelector", default={}), self.labels)


def _rules(policy: Resource) -> Iterator[Mapping[str, Any]]:
    return map(mapping, sequence(policy.at("spec", "egress", default=[])))


def _opens(given: Mapping[str, Any], port: int, transport: str) -> bool:
    """Say whether an entry of `ports` opens one; those by name are of pods that nobody knows."""
    if (given.get("protocol") or "TCP") != transport or isinstance(given.get("port"), str):
        return False
    first = given.get("port")
    return first is None or first <= port <= (given.get("endPort") or first)
