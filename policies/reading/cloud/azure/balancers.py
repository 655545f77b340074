"""Load balancers of the cluster with a public address: which address of the program a Service asks for, and how filters name it.

https://cloud-provider-azure.sigs.k8s.io/topics/loadbalancer/
"""

from collections.abc import Iterable, Iterator
from ipaddress import ip_address
from typing import TYPE_CHECKING, Any, Final

from policies.reading.cloud.addresses import Addresses, addresses
from policies.reading.cloud.azure.ids import NETWORK, group_of, name_of
from policies.reading.exposure import is_internal
from policies.reading.resource import Resource
from policies.reading.services import Service
from policies.reading.values import is_known

if TYPE_CHECKING:
    from policies.reading.stack import Stack

ADDRESS: Final = f"{NETWORK}PublicIPAddress"

PREFIX: Final = "service.beta.kubernetes.io/azure-"
BY_NAME: Final = f"{PREFIX}pip-name"
GROUP: Final = f"{PREFIX}load-balancer-resource-group"
KNOWN: Final = frozenset({BY_NAME, GROUP, f"{PREFIX}load-balancer-tcp-idle-timeout"})
"""Annotations that say which address, and how long a connection lives.

Not among them: further addresses, private link services, service tags, and the one without which packets do not keep the public address
on their way to the nodes (floating IP), so that security groups would see the nodes' own.
"""


def is_public(service: Service) -> bool:
    """Say whether Azure gives the Service a public load balancer."""
    return service.type == "LoadBalancer" and not is_internal(service)


def address_of(stack: "Stack", service: Service) -> Resource | None:
    """Return the address of the program that the load balancer of a Service gets; None where it is none of the program's.

    Raises:
        UnknownValueError: if the name or the group of an address is not known.
    """
    name, group = (service.resource.annotations.get(key, "").lower() for key in (BY_NAME, GROUP))
    return next((each for each in stack.of(ADDRESS) if (name_of(each).lower(), group_of(each)) == (name, group)), None) if name else None


def asking(stack: "Stack", address: Resource) -> list[Service]:
    """Return the Services whose load balancers get an address."""
    return [service for service in stack.services if is_public(service) and address_of(stack, service) is address]


def named(address: Resource) -> Addresses:
    """Return an address as filters know it: by which resource it is, and by its number where a deployment has made that known."""
    given: list[Any] = [*address.known_as, address.props.get("ipAddress")]
    return addresses(*filter(_is_address, given)) | Addresses(names=frozenset({address.urn}))


def all_named(public: Iterable[Resource]) -> Addresses:
    """Return some addresses in one set."""
    found = Addresses()
    for each in public:
        found |= named(each)
    return found


def _is_address(value: Any) -> bool:
    if not is_known(value, str):
        return False
    try:
        return bool(ip_address(value))
    except ValueError:
        return False


def published(stack: "Stack") -> Iterator[tuple[Service, Resource]]:
    """Yield the Services with a public load balancer at an address of the program, and that address.

    Raises:
        UnknownValueError: if it is not known which one.
    """
    for service in stack.services:
        address = address_of(stack, service) if is_public(service) else None
        if address is not None:
            yield service, address
