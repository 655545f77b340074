"""Who holds keys that the program makes: a vault, and the layers that show or trust them."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from policies.reading.charts import chart_name
from policies.reading.cloud.azure.apis import SERVICE
from policies.reading.cloud.azure.application_gateway import KIND as APPLICATION_GATEWAY
from policies.reading.cloud.azure.certificates import AUTHORITY, HELD, MADE, VAULT_SECRET
from policies.reading.cloud.azure.ids import last, part
from policies.reading.cloud.azure.roles import ASSIGNMENT, CRYPTO_USER, READER, holders_of
from policies.reading.cloud.flaws import Flaw, Reader
from policies.reading.resource import Resource

if TYPE_CHECKING:
    from policies.reading.stack import Stack

TRUSTING: Final = frozenset({(APPLICATION_GATEWAY, "trustedRootCertificates"), (SERVICE, "certificates"), (MADE, "authorityCertificate")})
"""Fields that take the public half of an authority."""
HOLDING: Final = frozenset({(VAULT_SECRET, "properties"), (HELD, "data"), (SERVICE, "hostnameConfigurations")})
"""Fields that take a certificate with its key."""
FIX: Final = "give it to the vault, from which one identity reads it"


def certificate(resource: Resource, stack: "Stack") -> Iterator[Flaw]:
    """Tell who holds a certificate with an identity of a layer."""
    if any(str(uri) for uri in resource.at("uris", default=[])):
        for holder, field in _dependents(stack, resource):
            if (holder.kind, field) not in HOLDING:
                yield Flaw(message=f"goes to {holder} ({field}), which with it is {', '.join(resource.at('uris'))}", fix=FIX)


def readers(resource: Resource, stack: "Stack") -> Iterator[Flaw]:
    """Tell who reads a certificate with an identity of a layer in the vault: the gateway alone."""
    if not any(str(uri) for uri in resource.at("uris", default=[])):
        return
    secrets = [holder for holder, field in _dependents(stack, resource) if (holder.kind, field) == (VAULT_SECRET, "properties")]
    for assignment in stack.of(ASSIGNMENT):
        scope = str(assignment.at("scope"))
        for secret in secrets:
            within = part(scope, "vaults").lower() == last(secret.at("vaultName")).lower() and part(scope, "secrets") in {
                "",
                secret.at("secretName"),
            }
            owners = {owner.kind for owner in holders_of(assignment, stack)}
            if within and (owners != {SERVICE} or not part(scope, "secrets")) and _reads_secrets(assignment, scope):
                yield Flaw(
                    message=f"may be read in the vault by another than the gateway ({assignment})",
                    fix="give the role at one secret, to the API gateway's identity alone",
                    resource=assignment,
                )


def _reads_secrets(assignment: Resource, scope: str) -> bool:
    """Say whether a role reads secrets. Reader reads names alone, and roles for keys stand at keys."""
    role = last(assignment.at("roleDefinitionId"))
    return role not in {READER, CRYPTO_USER} or bool(part(scope, "secrets"))


def authority(resource: Resource, stack: "Stack") -> Iterator[Flaw]:
    """Tell who holds the key of an authority."""
    homes = {release.namespace for release in stack.releases if chart_name(release) == "cert-manager"}
    for holder, field in _dependents(stack, resource):
        signs = (holder.kind, field) == (MADE, "authorityKey")
        with_cert_manager = holder.kind == "Secret" and holder.namespace in homes
        if not signs and not with_cert_manager and (holder.kind, field) not in TRUSTING:
            yield Flaw(
                message=f"goes to {holder} ({field}): whoever reads its key there is anybody", fix="keep authorities with cert-manager"
            )


def _dependents(stack: "Stack", resource: Resource) -> Iterator[tuple[Resource, str]]:
    for each in stack.resources:
        for field, urns in each.property_dependencies.items():
            if resource.urn in urns:
                yield each, field


READERS: Final = (
    Reader(rule="A13", kinds=(MADE,), look=certificate),
    Reader(rule="A13", kinds=(MADE,), look=readers),
    Reader(rule="A13", kinds=(AUTHORITY,), look=authority),
)
