"""Certificates that cert-manager makes: which names a Secret proves, and which authority signed them."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Final

from policies.reading.resource import Resource
from policies.reading.values import UnknownValueError

SPIFFE: Final = "spiffe://"


@dataclass(frozen=True, kw_only=True, eq=False)
class Certificate:
    """What the Secret of a Certificate proves."""

    resource: Resource
    namespace: str
    secret: str
    identities: tuple[str, ...]
    """SPIFFE identities among its URIs, without scheme."""
    hosts: tuple[str, ...]
    authority: str
    """Who signs: two certificates of the same authority trust each other (both Secrets carry its `ca.crt`)."""


class Certificates:
    """The Certificates of a stack by the Secrets they fill."""

    def __init__(
        self,
        certificates: Iterable[Resource],
        find: Callable[[str, str, str], Resource | None],
        note: Callable[[Resource, UnknownValueError], None],
        beside: Iterable[Certificate] = (),
    ) -> None:
        """Read every Certificate. What cannot be read is given to `note`; `beside` are those that no cert-manager makes."""
        self._find = find
        self.by_secret: dict[tuple[str, str], Certificate] = {}
        self.by_identity: dict[str, list[Certificate]] = {}
        self.all: list[Certificate] = []
        for certificate in beside:
            for identity in certificate.identities:
                self.by_identity.setdefault(identity, []).append(certificate)
        for resource in certificates:
            try:
                self._add(resource)
            except UnknownValueError as error:
                note(resource, error)

    def _add(self, resource: Resource) -> None:
        certificate = self._certificate(resource)
        self.all.append(certificate)
        self.by_secret[certificate.namespace, certificate.secret] = certificate
        for identity in certificate.identities:
            self.by_identity.setdefault(identity, []).append(certificate)

    def of(self, namespace: str, secret: str) -> Certificate | None:
        """Return the certificate in a Secret; None for a Secret that no Certificate of the program fills."""
        return self.by_secret.get((namespace, secret))

    def holders(self, identity: str) -> tuple[Certificate, ...]:
        """Return every certificate that proves an identity."""
        return tuple(self.by_identity.get(identity, ()))

    def _certificate(self, resource: Resource) -> Certificate:
        uris: list[str] = resource.at("spec", "uris", default=[])
        return Certificate(
            resource=resource,
            namespace=resource.namespace,
            secret=resource.at("spec", "secretName", default=""),
            identities=tuple(uri.removeprefix(SPIFFE) for uri in uris if uri.startswith(SPIFFE)),
            hosts=tuple(resource.at("spec", "dnsNames", default=[])),
            authority=self._authority(resource),
        )

    def _authority(self, resource: Resource) -> str:
        """Return the key that signs: the Secret of a CA issuer, else the issuer itself."""
        kind = resource.at("spec", "issuerRef", "kind", default="Issuer")
        name = resource.at("spec", "issuerRef", "name", default="")
        place = resource.namespace if kind == "Issuer" else ""
        issuer = self._find(kind, place, name)
        secret = issuer.at("spec", "ca", "secretName") if issuer else None
        if secret:
            return f"Secret {place or 'of ClusterIssuer'} {secret}"
        return f"{kind} {place} {name}"
