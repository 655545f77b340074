"""Certificate authorities and certificates of the lab: the cluster's own, and the one that plays the world's."""

import datetime
import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

LIFE: Final = datetime.timedelta(days=3650)
EARLY: Final = datetime.timedelta(hours=1)
"""Certificates hold a little before they are made, for clocks that go wrong."""


@dataclass(frozen=True, kw_only=True)
class Pair:
    """A certificate and its key, as two PEM files."""

    certificate: Path
    key: Path

    @classmethod
    def at(cls, folder: Path, name: str) -> "Pair":
        """Return the pair of a name in a folder."""
        return cls(certificate=folder / f"{name}.crt", key=folder / f"{name}.key")

    def exists(self) -> bool:
        """Say whether both files are there."""
        return self.certificate.exists() and self.key.exists()


@dataclass(frozen=True, kw_only=True)
class Authority:
    """Who signs."""

    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey

    @classmethod
    def load_or_make(cls, pair: Pair, name: str) -> "Authority":
        """Return the authority in two files; it is made where they are not."""
        if not pair.exists():
            key = ec.generate_private_key(ec.SECP256R1())
            subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
            builder = _builder(subject, subject, key).add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
            usage = x509.KeyUsage(
                digital_signature=True, key_cert_sign=True, crl_sign=True, content_commitment=False, key_encipherment=False,
                data_encipherment=False, key_agreement=False, encipher_only=False, decipher_only=False,
            )  # fmt: skip
            write(pair, builder.add_extension(usage, critical=True).sign(key, hashes.SHA256()), key)
        found = serialization.load_pem_private_key(pair.key.read_bytes(), None)
        assert isinstance(found, ec.EllipticCurvePrivateKey)  # noqa: S101 # written above
        return cls(certificate=x509.load_pem_x509_certificate(pair.certificate.read_bytes()), key=found)

    def issue(self, pair: Pair, common_name: str, *, organisation: str = "", names: Sequence[str] = ()) -> None:
        """Make a certificate, for servers where it has names, else for clients.

        Args:
            pair: where it is written.
            common_name: who it is for; a Kubernetes client's user.
            organisation: a Kubernetes client's group.
            names: DNS names and addresses of a server.
        """
        key = ec.generate_private_key(ec.SECP256R1())
        subject = [x509.NameAttribute(NameOID.COMMON_NAME, common_name[:64])]
        if organisation:
            subject.append(x509.NameAttribute(NameOID.ORGANIZATION_NAME, organisation))
        builder = _builder(x509.Name(subject), self.certificate.subject, key).add_extension(
            x509.BasicConstraints(ca=False, path_length=None), critical=True
        )
        purpose = ExtendedKeyUsageOID.SERVER_AUTH if names else ExtendedKeyUsageOID.CLIENT_AUTH
        builder = builder.add_extension(x509.ExtendedKeyUsage([purpose]), critical=False)
        if names:
            builder = builder.add_extension(x509.SubjectAlternativeName([_name(name) for name in names]), critical=False)
        write(pair, builder.sign(self.key, hashes.SHA256()), key)


def write(pair: Pair, certificate: x509.Certificate, key: ec.EllipticCurvePrivateKey) -> None:
    """Write a certificate and its key, which only its owner reads."""
    pair.key.parent.mkdir(parents=True, exist_ok=True)
    secret(pair.key, key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()))
    pair.certificate.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))


def secret(path: Path, content: bytes) -> None:
    """Write a file that only its owner reads."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch(mode=0o600)
    path.chmod(0o600)
    path.write_bytes(content)


def _builder(subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePrivateKey) -> x509.CertificateBuilder:
    now = datetime.datetime.now(datetime.UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - EARLY)
        .not_valid_after(now + LIFE)
    )


def _name(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)
