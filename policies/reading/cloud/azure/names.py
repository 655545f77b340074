"""What a name or address inside a network leads to: private zones first, then the names that Azure gives."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from policies.reading.cloud.addresses import Addresses, addresses
from policies.reading.cloud.azure.ids import below, name_of
from policies.reading.cloud.references import is_known_as
from policies.reading.exposure import is_internal
from policies.reading.resource import Resource
from policies.reading.services import Service
from policies.reading.values import UnknownValueError, is_unknown, mapping, sequence, unknowns

if TYPE_CHECKING:
    from policies.reading.stack import Stack

ZONE: Final = "azure-native:privatedns:PrivateZone"
RECORD: Final = "azure-native:privatedns:PrivateRecordSet"

ADDRESS: Final = "service.beta.kubernetes.io/azure-load-balancer-ipv4"
"""The address that a load balancer of a cluster gets (cloud-provider-azure; `loadBalancerIP` is its older spelling)."""


@dataclass(frozen=True, kw_only=True)
class Balanced:
    """A load balancer in front of a Service of the cluster."""

    service: Service
    at: Addresses


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What a private zone answers for a name."""

    addresses: tuple[str, ...]
    owner: Resource | None
    """The one resource that the addresses come from: that has them, or, where they are not known, that alone they depend on."""


def answer(stack: "Stack", host: str) -> Answer | None:
    """Return what the private zones of the program answer for a host name; None where none of them is asked.

    The zone with the longest matching name answers alone, even when it has no such record. That a zone is linked to the network,
    N04 asks.

    Raises:
        UnknownValueError: if two records fight over a name, or an address comes from nowhere.
    """
    zones = sorted(
        (zone for zone in stack.of(ZONE) if host == name_of(zone) or host.endswith(f".{name_of(zone)}")), key=lambda z: len(name_of(z))
    )
    if not zones:
        return None
    zone = zones[-1]
    label = host.removesuffix(name_of(zone)).removesuffix(".") or "@"
    found = [
        each
        for each in below(stack, zone, RECORD, "privateZoneName")
        if each.at("relativeRecordSetName", default=each.name) in {label, "*"}
    ]
    if len(found) > 1 or any(str(each.at("recordType")) != "A" for each in found):
        raise UnknownValueError(host, "a name whose records cannot be read")
    if not found:
        return Answer(addresses=(), owner=None)
    record = found[0]
    given = (
        [mapping(each).get("ipv4Address") for each in sequence(record.props.get("aRecords"))]
        if not is_unknown(record.props.get("aRecords"))
        else [record.props.get("aRecords")]
    )
    owners = stack.sources(record, "aRecords")
    if not any(True for value in given for _ in unknowns(value)):
        known = tuple(map(str, given))
        return Answer(
            addresses=known, owner=next((each for each in owners if known and all(is_known_as(each, one) for one in known)), None)
        )
    if len(owners) != 1:
        raise UnknownValueError(f"{record}: aRecords", "addresses that are not known, of more than one resource or of none")
    return Answer(addresses=(), owner=owners[0])


def addresses_of(service: Service) -> set[str]:
    """Return the private addresses that a Service asks of the cloud's load balancer; none where it has no internal one."""
    if service.type != "LoadBalancer" or not is_internal(service):
        return set()
    written = {*str(service.resource.annotations.get(ADDRESS) or "").split(","), str(service.spec.get("loadBalancerIP") or "")}
    return {each.strip() for each in written} - {""}


def balanced(stack: "Stack", address: str) -> Balanced | None:
    """Return the load balancer of the cluster that has a private address."""
    for service in stack.services:
        if address in addresses_of(service):
            if service.spec.get("externalTrafficPolicy") != "Local":
                raise UnknownValueError(
                    f"{service}: externalTrafficPolicy", "not Local: nodes hide who connects, so NetworkPolicies cannot tell"
                )
            return Balanced(service=service, at=addresses(address))
    return None
