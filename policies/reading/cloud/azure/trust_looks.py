"""Whose certificates Azure's layers believe, and for whom API Management answers.

A root that edge or gateway believes makes whoever holds its key the next layer. On a first deployment the program's own certificates are
not known, and each stands where the property depends on one authority of the program; later they are those that it made.
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Final

from policies.reading.cloud.azure.apis import SERVICE
from policies.reading.cloud.azure.application_gateway import KIND as APPLICATION_GATEWAY
from policies.reading.cloud.azure.certificates import AUTHORITY
from policies.reading.cloud.flaws import Flaw, Reader
from policies.reading.resource import Resource
from policies.reading.values import is_unknown, mapping, sequence

if TYPE_CHECKING:
    from policies.reading.stack import Stack

FRAME: Final = "-----"
"""Begins the first and the last line of PEM (RFC 7468)."""
REQUESTS: Final = "Proxy"
"""The kind of host name under which API Management answers requests; the others are its portals and its management (Learn,
`configure-custom-domain`)."""


def gateway_believes_own(service: Resource, stack: "Stack") -> Iterator[Flaw]:
    """A04: by these roots the gateway verifies mesh ingresses."""
    given = [mapping(each).get("encodedCertificate") for each in sequence(service.props.get("certificates"))]
    yield from _believed(service, "certificates", given, stack)


def edge_believes_own(gateway: Resource, stack: "Stack") -> Iterator[Flaw]:
    """W09: by these roots the edge verifies the API gateway."""
    given = [mapping(each).get("data") for each in sequence(gateway.props.get("trustedRootCertificates"))]
    yield from _believed(gateway, "trustedRootCertificates", given, stack)


def _believed(resource: Resource, field: str, given: list[Any], stack: "Stack") -> Iterator[Flaw]:
    fix = f"leave in {field} the certificate of the program's own authority alone"
    own = {_body(name) for authority in stack.of(AUTHORITY) for name in authority.known_as}
    for each in given:
        if not is_unknown(each) and _body(str(each)) not in own:
            yield Flaw(message=f"believes a certificate that no authority of the program has: {str(each)[:24]}... ({field})", fix=fix)
    urns = resource.property_dependencies.get(field, ())
    authorities = [each for each in stack.sources(resource, field) if each.kind == AUTHORITY]
    waiting = sum(map(is_unknown, given))
    if waiting > len(authorities) or (waiting and len(set(urns)) > len(authorities)):
        yield Flaw(message=f"believes {waiting} certificates of which it is not known whose they are ({field})", fix=fix, undecided=True)


def _body(certificate: str) -> str:
    """Return what PEM holds within its frame; DER in base64 as it is."""
    return "".join(line.strip() for line in certificate.splitlines() if not line.startswith(FRAME))


def answers_for_doors(service: Resource, stack: "Stack") -> Iterator[Flaw]:
    """A09: API Management answers for the topology's hosts, and to requests alone."""
    hosts = set(stack.intent.public_hosts())
    for each in map(mapping, sequence(service.props.get("hostnameConfigurations"))):
        host, kind = str(each.get("hostName")), str(each.get("type"))
        if host.lower() not in hosts:
            yield Flaw(message=f"answers for {host}, which is no host of the topology", fix="name hosts of the topology")
        if kind != REQUESTS:
            yield Flaw(message=f"gives its {kind} a name of the system ({host})", fix=f"name hosts of type {REQUESTS} alone")


READERS: Final = (
    Reader(rule="A04", kinds=(SERVICE,), look=gateway_believes_own),
    Reader(rule="A09", kinds=(SERVICE,), look=answers_for_doors),
    Reader(rule="W09", kinds=(APPLICATION_GATEWAY,), look=edge_believes_own),
)
