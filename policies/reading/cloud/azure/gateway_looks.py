"""What API Management and its backends tell the rules: TLS on both sides, where requests go, what policies keep."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from policies.reading.cloud.azure.apis import API, BACKEND, OPERATION, SERVICE
from policies.reading.cloud.azure.gateway import URL, ApiManagement
from policies.reading.cloud.azure.ids import APIM, target
from policies.reading.cloud.azure.names import Balanced
from policies.reading.cloud.azure.policy import Document
from policies.reading.cloud.azure.policy_fields import unreviewed
from policies.reading.cloud.flaws import Flaw, Reader
from policies.reading.resource import Resource
from policies.reading.values import UnknownValueError, mapping
from policies.rule import Hop

if TYPE_CHECKING:
    from policies.reading.stack import Stack

SECURITY: Final = "Microsoft.WindowsAzure.ApiManagement.Gateway.Security."
WITHDRAWN: Final = tuple(f"{side}Protocols.{name}" for side in ("", "Backend.") for name in ("Ssl30", "Tls10", "Tls11"))
"""What has to be switched off by name: where nothing is said, it depends on the age of the service (Learn, REST reference of the service)."""
WEAK: Final = tuple(
    f"Ciphers.{name}"
    for name in (
        *("TripleDes168", "TLS_RSA_WITH_AES_128_CBC_SHA", "TLS_RSA_WITH_AES_128_CBC_SHA256", "TLS_RSA_WITH_AES_128_GCM_SHA256"),
        *("TLS_RSA_WITH_AES_256_CBC_SHA", "TLS_RSA_WITH_AES_256_CBC_SHA256", "TLS_RSA_WITH_AES_256_GCM_SHA384"),
        *("TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA", "TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA"),
    )
)
"""Ciphers that are on where nothing is said: those without forward secrecy, and those of CBC (the same reference)."""
TLS_SCHEMES: Final = frozenset({"https", "wss"})
NARROW: Final = tuple(f"{APIM}{kind}" for kind in ("ApiOperationPolicy", "ApiPolicy", "ProductPolicy"))
"""Policies of scopes that have a wider one."""
WIDE: Final = tuple(f"{APIM}{kind}" for kind in ("Policy", "ApiPolicy", "ProductPolicy"))
"""Policies that hold for more than one operation."""
SENDING: Final = ("forward-request", "set-backend-service")
"""Policies by which a request goes on."""


def station_of(stack: "Stack", resource: Resource) -> ApiManagement:
    """Return the gateway that a resource of it belongs to.

    Raises:
        UnknownValueError: if it is not known which one, or where that stands.
    """
    service = resource if resource.kind == SERVICE else target(stack, resource, "serviceName", resource.props.get("serviceName"), SERVICE)
    found = next((each for each in stack.cloud.stations if each.resource is service), None)
    if not isinstance(found, ApiManagement):
        raise UnknownValueError(f"{resource}: serviceName", "a service of which it is not known where it stands")
    return found


def has_no_old_tls(resource: Resource, stack: "Stack") -> Iterator[Flaw]:
    """A03."""
    del stack
    given = mapping(resource.at("customProperties", default={}))
    for name, value in given.items():
        if name.startswith(SECURITY) and str(value).lower() != "false":
            yield Flaw(message=f"accepts {name.removeprefix(SECURITY)}", fix='write "False"')
    if missing := [name for name in (*WITHDRAWN, *WEAK) if f"{SECURITY}{name}" not in given]:
        more = f" and {len(missing) - 1} more" if len(missing) > 1 else ""
        yield Flaw(message=f"does not say whether it accepts {missing[0]}{more}", fix=f'write {SECURITY}{missing[0]}: "False"')


def asks_for_tls(resource: Resource, stack: "Stack") -> Iterator[Flaw]:
    """A05."""
    del stack
    if plain := sorted(set(map(str, resource.at("protocols", default=["https"]))) - TLS_SCHEMES):
        yield Flaw(message=f"is published over {', '.join(plain)}: tokens and keys go in clear", fix="write `protocols: [https]`")


def verifies(resource: Resource, stack: "Stack") -> Iterator[Flaw]:
    """A04, the backend's side."""
    del stack
    match = URL.match(str(resource.at("url", default="")))
    if match is None:
        raise UnknownValueError(f"{resource}: url", "an address that cannot be read")
    if match["scheme"] != "https":
        yield Flaw(message="the gateway speaks plain HTTP to it", fix="write https://")
    for field in ("validateCertificateChain", "validateCertificateName"):
        if resource.at("tls", field, default=True) is not True:
            yield Flaw(
                message=f"its certificate is not verified ({field}): whoever answers there gets tokens and keys",
                fix=f"write `{field}: true`",
            )


def shows_itself(resource: Resource, stack: "Stack") -> Iterator[Flaw]:
    """A04, the gateway's side."""
    station = station_of(stack, resource)
    operation = station.operations.get(resource)
    if operation is not None and (facts := station.facts(operation)).forward is not None and not facts.certificate:
        yield Flaw(
            message=f"{operation}: shows the mesh no certificate, so it cannot tell the gateway from anybody else",
            fix="add `authentication-certificate`",
        )


def leads_to_the_ingress(resource: Resource, stack: "Stack") -> Iterator[Flaw]:
    """A08, for every backend, whether some operation uses it or not."""
    match = URL.match(str(resource.at("url", default="")))
    if match is None:
        raise UnknownValueError(f"{resource}: url", "an address that cannot be read")
    station = station_of(stack, resource)
    yield from _ingress(station, match["host"].lower(), resource, stack)


def sends_by_backends(resource: Resource, stack: "Stack") -> Iterator[Flaw]:
    """A08, for addresses that a policy writes itself."""
    station = station_of(stack, resource)
    operation = station.operations.get(resource)
    if operation is not None and (url := station.facts(operation).url):
        match = URL.match(url)
        if match is None:
            raise UnknownValueError(f"{operation}: {url}", "an address that cannot be read")
        yield from _ingress(station, match["host"].lower(), resource, stack)


def _ingress(station: ApiManagement, host: str, resource: Resource, stack: "Stack") -> Iterator[Flaw]:
    found = station.azure.at(host)
    if isinstance(found, Balanced) and found.service.pods and set(found.service.pods) <= stack.mesh_ingress:
        return
    behind = str(found.service) if isinstance(found, Balanced) else str(found or host)
    yield Flaw(
        message=f"the gateway sends requests to {behind}, which is no mesh ingress",
        fix="lead it to the load balancer of a mesh ingress, which decides what goes on to which service",
        path=(Hop(place=str(station), allowed_by=str(resource), urn=resource.urn), Hop(place=behind, allowed_by=host)),
    )


def keeps_what_is_above(resource: Resource, stack: "Stack") -> Iterator[Flaw]:
    """A12. `cors` comes first of all, or it does not work as it says (Learn, `cors-policy`), and looks at `Origin` alone: A15 reads it."""
    del stack
    document = Document(resource=resource)
    for section in ("inbound", "outbound", "on-error"):
        policies = document.section(section)
        if policies is None:
            continue
        names = [policy.name for policy in policies]
        if "base" not in names:
            yield Flaw(message=f"its {section} does not keep what the wider scopes say (<base />)", fix="begin the section with <base />")
        elif section == "inbound" and (before := [name for name in names[: names.index("base")] if name != "cors"]):
            yield Flaw(
                message=f"<{before[0]}> stands before <base />, and sees the request as the client sent it",
                fix="begin the section with <base />",
            )


def sends_nothing_on(resource: Resource, stack: "Stack") -> Iterator[Flaw]:
    """A09, for policies of many operations: only a door sends requests on."""
    del stack
    root = Document(resource=resource).root
    if found := [name for name in SENDING if next(root.iter(name), None) is not None]:
        yield Flaw(
            message=f"holds for more than one operation and sends requests on (<{'>, <'.join(found)}>): an operation whose own policy is"
            " gone, or that somebody adds, is answered by the mesh",
            fix="write it in the policy of each door's operations",
        )


def does_what_was_reviewed(resource: Resource, stack: "Stack") -> Iterator[Flaw]:
    """A14."""
    del stack
    for path, value in dict.fromkeys(unreviewed(resource)):
        given = f" to `{value}`" if value else ""
        yield Flaw(
            message=f"sets {path}{given}, and what that opens is not known",
            fix="remove it, or add it to policies/reading/cloud/azure/policy_fields.py after review",
            undecided=True,
        )


def sends_in_one_way(resource: Resource, stack: "Stack") -> Iterator[Flaw]:
    """A14: API Management refuses any more ("backend section allows only one policy to be specified"), `<base />` among them."""
    del stack
    policies = Document(resource=resource).section("backend") or ()
    if len(policies) > 1:
        yield Flaw(
            message=f"its backend has <{'>, <'.join(each.name for each in policies)}>, and API Management takes one policy there: it refuses"
            " the whole document, and what was there before goes on",
            fix="leave what sends requests on alone, without <base />",
        )


READERS: Final = (
    Reader(rule="A03", kinds=(SERVICE,), look=has_no_old_tls),
    Reader(rule="A04", kinds=(BACKEND,), look=verifies),
    Reader(rule="A04", kinds=(OPERATION,), look=shows_itself),
    Reader(rule="A05", kinds=(API,), look=asks_for_tls),
    Reader(rule="A08", kinds=(BACKEND,), look=leads_to_the_ingress),
    Reader(rule="A08", kinds=(OPERATION,), look=sends_by_backends),
    Reader(rule="A09", kinds=WIDE, look=sends_nothing_on),
    Reader(rule="A12", kinds=NARROW, look=keeps_what_is_above),
    Reader(rule="A14", kinds=(f"{APIM}Policy", *NARROW), look=does_what_was_reviewed),
    Reader(rule="A14", kinds=(f"{APIM}Policy", *NARROW), look=sends_in_one_way),
)
