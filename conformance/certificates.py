"""Client certificates that are shown: the layers' own, read from the cluster, and one that anybody could have made."""

import base64
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from conformance.cluster import Cluster
from conformance.errors import CannotProbeError, NotRunError
from topology.derive import names
from topology.derive.probes import Certificate

Pem = tuple[tuple[str, str], ...]
"""`cert` and `key`, each with its text."""

SECRETS: Final = {
    Certificate.EDGE: (names.EDGE_NAMESPACE, names.EDGE_CLIENT_SECRET),
    Certificate.GATEWAY: (names.GATEWAY_NAMESPACE, names.GATEWAY_CLIENT_SECRET),
}


@dataclass
class Certificates:
    """Makes or reads each certificate once."""

    cluster: Cluster
    _known: dict[Certificate, Pem] = field(default_factory=dict[Certificate, Pem])

    def get(self, certificate: Certificate) -> Pem:
        """Return certificate and key.

        Raises:
            NotRunError: where they cannot be had.
        """
        if certificate is Certificate.NONE:
            return ()
        if certificate not in self._known:
            self._known[certificate] = _self_made() if certificate is Certificate.SELF_MADE else self._read(certificate)
        return self._known[certificate]

    def _read(self, certificate: Certificate) -> Pem:
        namespace, secret = SECRETS[certificate]
        try:
            data = self.cluster.get("secret", secret, "-n", namespace)["data"]
        except CannotProbeError as error:
            raise NotRunError(f"Secret {namespace}/{secret} cannot be read, so {certificate} cannot be shown") from error
        return tuple((name, base64.b64decode(data[key]).decode()) for name, key in (("cert", "tls.crt"), ("key", "tls.key")))


def _self_made() -> Pem:
    """Return a certificate with the identities of edge and gateway, signed by itself."""
    key, now = ec.generate_private_key(ec.SECP256R1()), datetime.now(UTC)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, names.GATEWAY)])
    identities = [x509.UniformResourceIdentifier(names.SPIFFE + one) for one in (names.EDGE_IDENTITY, names.GATEWAY_IDENTITY)]
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName(identities), critical=False)
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    return (("cert", certificate.public_bytes(serialization.Encoding.PEM).decode()), ("key", private.decode()))
