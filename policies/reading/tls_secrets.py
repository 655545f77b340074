"""Secrets by which the layers of the boundary prove who they are, and by which they know each other."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from policies.reading.controllers import GATEWAY_API
from policies.reading.resource import Resource
from policies.reading.values import is_known, mapping, sequence

if TYPE_CHECKING:
    from policies.reading.stack import Stack

KINDS: Final = (
    f"Gateway.{GATEWAY_API}",
    f"BackendTLSPolicy.{GATEWAY_API}",
    "ClientTrafficPolicy.gateway.envoyproxy.io",
    "EnvoyProxy.gateway.envoyproxy.io",
    "DestinationRule.networking.istio.io",
    "Gateway.networking.istio.io",
)
"""Kinds that name Secrets for TLS."""

NAMES: Final = frozenset({"credentialName", "credentialNames", "caCertCredentialName"})
"""Fields with names of Secrets beside the proxies (istio 1.31, `ServerTLSSettings`, `ClientTLSSettings`)."""

REFERENCES: Final = frozenset({"certificateRefs", "caCertificateRefs", "clientCertificateRef"})
"""Fields with references, by default to Secrets (Gateway API 1.4, `SecretObjectReference`; Envoy Gateway 1.6, `EnvoyProxy`)."""


@dataclass(frozen=True, kw_only=True)
class TlsSecret:
    """A Secret, or a ConfigMap with certificates, that some resource names."""

    kind: str
    namespace: str
    name: str

    def __str__(self) -> str:
        """Name it as people do."""
        return f"{self.kind} {self.namespace}/{self.name}"

    def is_of(self, stack: "Stack") -> bool:
        """Say whether the program has it: a Certificate fills it, or it is a resource itself."""
        filled = self.kind == "Secret" and stack.certificates.of(self.namespace, self.name) is not None
        return filled or stack.find(self.kind, self.namespace, self.name) is not None


def tls_secrets(resource: Resource, namespaces: frozenset[str]) -> Iterator[TlsSecret]:
    """Yield what a resource of one of those kinds names; names without namespace are meant in each of some namespaces.

    Raises:
        UnknownValueError: if a name is not known.
    """
    for field, value in _fields(resource.spec):
        for each in sequence(value) if is_known(value, list) else (value,):
            if not each:
                continue
            reference = {"name": each} if field in NAMES else mapping(each)
            for namespace in (reference["namespace"],) if reference.get("namespace") else sorted(namespaces):
                yield TlsSecret(kind=reference.get("kind") or "Secret", namespace=namespace, name=str(reference["name"]))


def _fields(value: Any) -> Iterator[tuple[str, Any]]:
    if is_known(value, dict):
        for key, inner in mapping(value).items():
            yield from ((key, inner),) if key in NAMES | REFERENCES else _fields(inner)
    elif is_known(value, list):
        for inner in sequence(value):
            yield from _fields(inner)
