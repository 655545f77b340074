"""Certificates of hops that leave the cluster: made on deploy, secret in the state, renewed by a later deployment.

cert-manager, which makes all others, cannot hand a certificate to a cloud's gateway before the gateway exists. Here the program makes the
authority; cert-manager gets it as a Secret and signs the cluster's side of the hop with it.
"""

import base64
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final, cast

import pulumi
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import pkcs12
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from pulumi import dynamic

from components.contracts import Authority

AUTHORITY_BITS: Final = 3072
LEAF_BITS: Final = 2048
"""RSA: Application Gateway and API Management take no other key everywhere."""
AUTHORITY_LIFE: Final = timedelta(days=3650)
LEAF_LIFE: Final = timedelta(days=180)
RENEWAL: Final = timedelta(days=60)
"""A deployment renews what has no longer to live than this."""
SKEW: Final = timedelta(minutes=5)
"""Clocks differ so much at most."""
USAGES: Final = {"server": ExtendedKeyUsageOID.SERVER_AUTH, "client": ExtendedKeyUsageOID.CLIENT_AUTH}


def _pem(key: rsa.RSAPrivateKey) -> str:
    form, no_password = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    return key.private_bytes(serialization.Encoding.PEM, form, no_password).decode()


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text[:64])])


def _ends_soon(pem: str) -> bool:
    return x509.load_pem_x509_certificate(pem.encode()).not_valid_after_utc < datetime.now(UTC) + RENEWAL


def _begun(subject: str, issuer: x509.Name, key: rsa.RSAPublicKey, life: timedelta) -> x509.CertificateBuilder:
    now = datetime.now(UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(_name(subject))
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - SKEW)
        .not_valid_after(now + life)
    )


def _usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs_certificates,
        content_commitment=False,
        key_encipherment=not signs_certificates,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        encipher_only=False,
        decipher_only=False,
    )


def new_authority(common_name: str) -> dict[str, str]:
    """Return a new authority: `certificate` and `key` in PEM."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=AUTHORITY_BITS)
    made = (
        _begun(common_name, _name(common_name), key.public_key(), AUTHORITY_LIFE)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_usage(signs_certificates=True), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(key, hashes.SHA256())
    )
    return {"certificate": made.public_bytes(serialization.Encoding.PEM).decode(), "key": _pem(key)}


def new_leaf(props: Mapping[str, Any]) -> dict[str, str]:
    """Return a new certificate: `certificate` in PEM, and `pfx`, which is certificate and key in PKCS #12 without password, in base64."""
    authority = x509.load_pem_x509_certificate(str(props["authorityCertificate"]).encode())
    signer = cast(rsa.RSAPrivateKey, serialization.load_pem_private_key(str(props["authorityKey"]).encode(), password=None))
    names: list[x509.GeneralName] = [x509.DNSName(str(name)) for name in props["dnsNames"]]
    names += [x509.UniformResourceIdentifier(str(uri)) for uri in props["uris"]]
    key = rsa.generate_private_key(public_exponent=65537, key_size=LEAF_BITS)
    made = (
        _begun(str(props["commonName"]), authority.subject, key.public_key(), LEAF_LIFE)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(signs_certificates=False), critical=True)
        .add_extension(x509.ExtendedKeyUsage([USAGES[str(props["usage"])]]), critical=False)
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key()), critical=False)
        .sign(signer, hashes.SHA256())
    )
    bundle = pkcs12.serialize_key_and_certificates(None, key, made, [authority], serialization.NoEncryption())
    return {"certificate": made.public_bytes(serialization.Encoding.PEM).decode(), "pfx": base64.b64encode(bundle).decode()}


def der(pem: str) -> str:
    """Return a certificate in DER, in base64: what PEM holds within its frame."""
    return "".join(line for line in pem.splitlines() if not line.startswith("-----"))


class AuthorityProvider(dynamic.ResourceProvider):
    """Makes an authority once. It talks to nobody."""

    def create(self, props: dict[str, Any]) -> dynamic.CreateResult:
        """Return a new authority."""
        return dynamic.CreateResult(id_=str(props["commonName"]), outs={**props, **new_authority(str(props["commonName"]))})

    def diff(self, _id: str, _olds: dict[str, Any], _news: dict[str, Any]) -> dynamic.DiffResult:
        """Replace an authority when it has another name; its key stays otherwise, because who trusts it reads it only at start."""
        changed = ["commonName"] if _olds.get("commonName") != _news.get("commonName") else []
        return dynamic.DiffResult(changes=bool(changed), replaces=changed, delete_before_replace=False)


class LeafProvider(dynamic.ResourceProvider):
    """Makes a certificate, and a new one in its place when it is to say something else or ends soon. It talks to nobody."""

    def create(self, props: dict[str, Any]) -> dynamic.CreateResult:
        """Return a new certificate."""
        return dynamic.CreateResult(id_=str(props["commonName"]), outs={**props, **new_leaf(props)})

    def diff(self, _id: str, _olds: dict[str, Any], _news: dict[str, Any]) -> dynamic.DiffResult:
        """Say whether a new one is needed."""
        asked = ("commonName", "dnsNames", "uris", "usage", "authorityCertificate")
        changed = any(_olds.get(key) != _news.get(key) for key in asked) or _ends_soon(str(_olds["certificate"]))
        return dynamic.DiffResult(changes=changed)

    def update(self, _id: str, _olds: dict[str, Any], _news: dict[str, Any]) -> dynamic.UpdateResult:
        """Return a new certificate."""
        return dynamic.UpdateResult(outs={**_news, **new_leaf(_news)})


class CertificateAuthority(dynamic.Resource, module="perimeter", name="CertificateAuthority"):
    """An authority for the hops of one environment."""

    certificate: pulumi.Output[str]
    key: pulumi.Output[str]

    def __init__(self, name: str, common_name: str, *, parent: pulumi.Resource | None = None) -> None:
        """Register the authority."""
        options = pulumi.ResourceOptions(parent=parent, additional_secret_outputs=["key"])
        super().__init__(AuthorityProvider(), name, {"commonName": common_name, "certificate": None, "key": None}, options)

    @property
    def outputs(self) -> Authority:
        """The authority as neighbours use it; its key stays secret in whatever it is put into."""
        return Authority(certificate=self.certificate, key=pulumi.Output.secret(self.key))


class Leaf(dynamic.Resource, module="perimeter", name="Certificate"):
    """A certificate that the authority has signed, with its key."""

    certificate: pulumi.Output[str]
    pfx: pulumi.Output[str]

    def __init__(  # noqa: PLR0913 # what a certificate says
        self,
        name: str,
        authority: Authority,
        *,
        usage: str,
        dns_names: Sequence[str] = (),
        uris: Sequence[str] = (),
        parent: pulumi.Resource | None = None,
    ) -> None:
        """Register the certificate.

        Args:
            name: Pulumi name, and common name.
            authority: who signs it.
            usage: `server` or `client`.
            dns_names: DNS names in it.
            uris: URIs in it, such as SPIFFE identities.
            parent: the component that owns it.
        """
        props = {
            "commonName": name,
            "dnsNames": list(dns_names),
            "uris": list(uris),
            "usage": usage,
            "authorityCertificate": authority.certificate,
            "authorityKey": authority.key,
            "certificate": None,
            "pfx": None,
        }
        options = pulumi.ResourceOptions(parent=parent, additional_secret_outputs=["pfx", "authorityKey"])
        super().__init__(LeafProvider(), name, props, options)

    @property
    def secret(self) -> pulumi.Output[str]:
        """Certificate and key in PKCS #12 without password, in base64; secret in whatever it is put into."""
        return pulumi.Output.secret(self.pfx)
