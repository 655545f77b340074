"""Certificates that the program makes itself, and what of Azure holds them."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Final

from policies.reading.certificates import SPIFFE, Certificate
from policies.reading.cloud.azure.ids import APIM, below, part
from policies.reading.cloud.references import meant, refers
from policies.reading.opaque import holds_unknown
from policies.reading.resource import Resource
from policies.reading.values import is_unknown, mapping

if TYPE_CHECKING:
    from policies.reading.stack import Stack

MADE: Final = "pulumi-python:dynamic/perimeter:Certificate"
AUTHORITY: Final = "pulumi-python:dynamic/perimeter:CertificateAuthority"
VAULT_SECRET: Final = "azure-native:keyvault:Secret"  # noqa: S105 # a kind
HELD: Final = f"{APIM}Certificate"


def made(stack: "Stack") -> Iterator[Certificate]:
    """Yield the certificates that the program makes itself."""
    for resource in stack.of(MADE):
        found = stack.reading(resource, lambda resource=resource: _certificate(stack, resource))
        if found:
            yield found


def _certificate(stack: "Stack", resource: Resource) -> Certificate:
    uris: list[str] = resource.at("uris", default=[])
    return Certificate(
        resource=resource,
        namespace="",
        secret=resource.name,
        identities=tuple(uri.removeprefix(SPIFFE) for uri in uris if uri.startswith(SPIFFE)),
        hosts=tuple(resource.at("dnsNames", default=[])),
        authority=authority(stack, resource),
    )


def authority(stack: "Stack", resource: Resource) -> str:
    """Return the key that signs a certificate: what its key comes from, spelled as cert-manager's issuer of the same key is.

    A key that can be read is typed: whatever it depends on besides, it is nobody's.
    """
    signs: Any = resource.props.get("authorityKey")
    owners = stack.sources(resource, "authorityKey") if is_unknown(signs) else ()
    shown_with: Any = resource.props.get("authorityCertificate")
    if len(owners) != 1 or owners[0].kind != AUTHORITY or not meant(stack, resource, "authorityCertificate", shown_with, among=owners):
        return str(resource)  # of nobody else
    for secret in secrets_of(stack, owners[0]):
        for issuer in stack.of("ClusterIssuer.cert-manager.io", "Issuer.cert-manager.io"):
            if issuer.at("spec", "ca", "secretName", default="") == secret.name and issuer.namespace in {"", secret.namespace}:
                return f"Secret {issuer.namespace or 'of ClusterIssuer'} {secret.name}"
    return str(owners[0])


def secrets_of(stack: "Stack", made_by: Resource) -> Iterator[Resource]:
    """Yield the Kubernetes Secrets that hold what a resource makes."""
    for secret in stack.of("Secret"):
        if any(made_by in stack.sources(secret, field) and holds_unknown(secret.props.get(field)) for field in ("stringData", "data")):
            yield secret


def authorities(stack: "Stack") -> dict[tuple[str, str], Resource]:
    """Return the Secrets of the cluster that hold an authority's key, with what makes it."""
    return {(secret.namespace, secret.name): maker for maker in stack.of(AUTHORITY) for secret in secrets_of(stack, maker)}


def shown(stack: "Stack", service: Resource, name: str) -> Certificate | None:
    """Return the certificate that API Management keeps under an id: given to it, or taken from a vault; None where nothing makes it.

    Raises:
        UnknownValueError: if what it depends on cannot be told.
    """
    for held in below(stack, service, HELD, "serviceName"):
        if str(held.at("certificateId", default="")).lower() != name.lower():
            continue
        source = held if held.props.get("keyVault") is None else _vault_secret(stack, held)
        return next((each for each in stack.cloud.certificates if source and refers(source, each.resource)), None)
    return None


def _vault_secret(stack: "Stack", held: Resource) -> Resource | None:
    reference = held.props["keyVault"]
    identifier = mapping(reference).get("secretIdentifier") if not is_unknown(reference) else reference
    found = [source for source in stack.sources(held, "keyVault") if source.kind == VAULT_SECRET]
    if not is_unknown(identifier):
        wanted = part(str(identifier), "secrets")
        found = [secret for secret in stack.of(VAULT_SECRET) if str(secret.at("secretName", default="")) == wanted]
    return found[0] if len(found) == 1 else None
