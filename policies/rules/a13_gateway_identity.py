"""A13: the identities that the mesh ingress trusts belong to the gateway alone."""

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from policies.cloud_rule import in_clouds
from policies.layers import Layer, layers_of
from policies.reading.certificates import Certificate
from policies.reading.charts import chart_name
from policies.reading.resource import Resource
from policies.reading.services import host_of
from policies.reading.stack import Stack
from policies.reading.tls_secrets import KINDS, TlsSecret, tls_secrets
from policies.rule import Finding, Hop, Rule, Severity

CERT_MANAGER: Final = "cert-manager.io"

LONGEST: Final[Mapping[bool, int]] = {False: 90 * 24 * 3600, True: 10 * 365 * 24 * 3600}
"""How many seconds a certificate may hold, by whether it signs others. cert-manager's own default is 90 days."""

_GO_DURATION: Final = re.compile(r"(?:([0-9]+)h)?(?:([0-9]+)m)?(?:([0-9]+)s)?")

MESH_AUTHORITIES: Final = frozenset({"cacerts", "istio-ca-secret"})
"""Secrets from which istiod takes its authority, in the control plane's namespace (istio, security/pkg/pki/ca)."""


TRUSTED: Final[Mapping[str, str]] = {"istio-ca-root-cert": "istiod", "kube-root-ca.crt": "the cluster"}
"""ConfigMaps from which every pod takes the authorities of the mesh and of the API server, and who writes them."""


class A13(Rule):
    """A certificate with an identity that a mesh's gateway trusts is made only where a layer outside the mesh lives.

    Forbids:
        - a Certificate with a SPIFFE identity of the gateway, the edge or a bridge in a namespace other than the one that the
          identity names;
        - such a Certificate in a namespace of services, whatever it is for;
        - pods that mount its Secret and run as another account than the identity names;
        - a certificate that may sign others (`isCA`) anywhere but with cert-manager;
        - a certificate for a Service of another namespace, with a wildcard, or for a public host in a namespace of services;
        - a certificate that holds longer than 90 days, an authority that holds longer than ten years; one that keeps its key when it is renewed;
        - the same of a certificate or an authority that the program makes itself: held by anything but its vault, or a cloud's layers;
        - an issuer that is not in the program, whose key no `isCA` Certificate makes, or that shares its key with another;
        - a certificate of a public authority (ACME) for anything but the topology's public hosts, or from one that is not known by its name;
        - a Secret that a gateway's TLS, or a pod of edge or API gateway, takes its key from, and that no Certificate of the program fills;
        - a Secret given by the program in the place of a mesh's own authority (`cacerts`) or of a Certificate; a ConfigMap in the
          place of the one by which pods know the authority (`istio-ca-root-cert`, `kube-root-ca.crt`).

    Why:
        The mesh ingress lets in whoever shows the gateway's certificate, and does not ask where it comes from. A second
        Certificate with the same URI in an application's namespace makes that application the gateway.

    Instead:
        One Certificate for each identity, in the namespace that the identity names::

            kind: Certificate
            metadata: {name: gateway-client, namespace: gateway}
            spec:
              uris: [spiffe://boundary/ns/gateway/sa/gateway]
              usages: [digital signature, client auth]
    """

    id = "A13"
    name = "gateway-identity-has-one-home"
    severity = Severity.CRITICAL

    def judge(self, stack: Stack) -> Iterator[Finding]:
        """Check where every certificate lies."""
        yield from self._secrets(stack)
        yield from self._named(stack)
        issuers = tuple(stack.of("Issuer.cert-manager.io", "ClusterIssuer.cert-manager.io"))
        yield from self.over(issuers, lambda issuer: self._issuer(issuer, issuers, stack))
        for certificate in stack.certificates.all:
            yield from self.over([certificate.resource], lambda _, certificate=certificate: self._certificate(certificate, stack))
        yield from in_clouds(self, stack)
        for resource, error in stack.unreadable:
            if resource.kind == "Certificate":
                yield self.undecided(resource, f"which identity it proves cannot be read: {error}")

    def _secrets(self, stack: Stack) -> Iterator[Finding]:
        """Check that no key is given where one is made."""
        roots = {place for mesh in stack.meshes for place in (mesh.release.namespace, mesh.root_namespace)}
        for secret in stack.of("Secret"):
            if secret.name in MESH_AUTHORITIES and secret.namespace in roots:
                yield self.broken(
                    secret,
                    "is the authority of a mesh, given by the program: whoever has seen its key is anybody in the mesh",
                    "let istiod make its own authority",
                )
            if (certificate := stack.certificates.of(secret.namespace, secret.name)) is not None:
                yield self.broken(
                    secret,
                    f"is the Secret of {certificate.resource}: which of the two keys is used cannot be told",
                    "leave the Secret to cert-manager",
                )

        for config_map in stack.of("ConfigMap"):
            if config_map.name in TRUSTED:
                yield self.broken(config_map, f"says whom to trust in the place of {TRUSTED[config_map.name]}", "remove it")

    def _named(self, stack: Stack) -> Iterator[Finding]:
        """Check that the program makes the keys by which layers prove who they are, and know each other."""
        places = {gateway.resource: frozenset(pod.namespace for pod in gateway.pods) for gateway in stack.mesh_gateways}
        for resource in stack.of(*KINDS):
            beside = places.get(resource) or frozenset({resource.namespace})
            yield from self.over([resource], lambda each, beside=beside: self._made(each, tls_secrets(each, beside), stack))
        for pod, layer in layers_of(stack).pods.items():
            if layer in {Layer.EDGE, Layer.GATEWAY}:
                mounted = [TlsSecret(kind="Secret", namespace=pod.namespace, name=name) for name in sorted(pod.secrets)]
                yield from self.over([pod.resource], lambda each, mounted=mounted: self._made(each, mounted, stack))

    def _made(self, resource: Resource, named: Iterable[TlsSecret], stack: Stack) -> Iterator[Finding]:
        for each in dict.fromkeys(named):
            if not each.is_of(stack):
                yield self.undecided(
                    resource,
                    f"takes its key or its authorities from the {each}, which no Certificate of the program fills: whose they are cannot be told",
                    "make it with a Certificate, or name the Secret of one",
                )

    def _issuer(self, issuer: Resource, issuers: Iterable[Resource], stack: Stack) -> Iterator[Finding]:
        """Check that an authority's key is made by the program, and serves one issuer."""
        secret = issuer.at("spec", "ca", "secretName")
        if not secret:
            return
        places = {issuer.namespace} if issuer.namespace else {each.namespace for each in _cert_managers(stack)}
        made = any(
            each.secret == secret and each.resource.at("spec", "isCA", default=False) and (each.namespace in places or not places)
            for each in stack.certificates.all
        ) or any((place, secret) in stack.cloud.authorities for place in places)
        if not made:
            yield self.broken(
                issuer,
                f"signs with the Secret {secret}, which no Certificate with `isCA` makes: whose key it is cannot be told",
                "make the authority with a Certificate, in the namespace of cert-manager",
            )
        for other in issuers:
            if other is not issuer and other.namespace == issuer.namespace and other.at("spec", "ca", "secretName") == secret:
                yield self.broken(issuer, f"signs with the same key as {other}: the two are one authority", "one authority for each issuer")

    def _signed(self, certificate: Certificate, stack: Stack) -> Iterator[Finding]:
        """Check who signs a certificate."""
        resource = certificate.resource
        ref: Mapping[str, Any] = resource.at("spec", "issuerRef", default={})
        kind, name = ref.get("kind", "Issuer"), ref.get("name", "")
        if ref.get("group", CERT_MANAGER) != CERT_MANAGER or kind not in {"Issuer", "ClusterIssuer"}:
            yield self.undecided(resource, f"{kind} {name} signs it, whose way of signing is not known", "use an issuer of cert-manager")
            return
        issuer = stack.find(kind, resource.namespace if kind == "Issuer" else "", name)
        if issuer is None:
            yield self.broken(
                resource,
                f"{kind} {name}, which signs it, is not in the program: whoever makes one of this name is its authority",
                f"add the {kind} {name}",
            )
        elif issuer.at("spec", "selfSigned") is not None:
            if not resource.at("spec", "isCA", default=False):
                yield self.broken(resource, f"signs itself ({issuer}): anybody can make one like it", "sign it with an authority")
        elif (acme := issuer.at("spec", "acme")) is not None:
            yield from self._proved(certificate, issuer, acme, stack)
        elif not issuer.at("spec", "ca", "secretName"):
            yield self.undecided(resource, f"{issuer} signs it, and who else it signs for is not known", "use an issuer of the kind `ca`")

    def _proved(self, certificate: Certificate, issuer: Resource, acme: Mapping[str, Any], stack: Stack) -> Iterator[Finding]:
        """Check a certificate of a public authority, which signs for everybody who can prove a name: it tells clients one of ours, and no more."""
        beyond = sorted({*certificate.identities, *(set(certificate.hosts) - set(stack.intent.public_hosts()))})
        if beyond:
            yield self.broken(
                certificate.resource,
                f"{issuer} signs it, which is a public authority's: {', '.join(beyond)} is what somebody else may have as well",
                "sign what layers show each other with an authority of the program",
            )
        if not str(acme.get("server")).startswith("https://") or acme.get("skipTLSVerify") or acme.get("caBundle"):
            yield self.broken(
                issuer, "does not know whom it asks for certificates", "name a public authority by https, without caBundle or skipTLSVerify"
            )

    def _authority(self, certificate: Certificate, stack: Stack) -> Iterator[Finding]:
        """Check that keys which sign others lie with cert-manager alone."""
        if not certificate.resource.at("spec", "isCA", default=False):
            return
        homes = {release.namespace for release in _cert_managers(stack)}
        if certificate.namespace in stack.app_namespaces or (homes and certificate.namespace not in homes):
            place = "a namespace of services" if certificate.namespace in stack.app_namespaces else f"the namespace {certificate.namespace}"
            yield self.broken(
                certificate.resource,
                f"may sign certificates, in {place}: whoever reads its Secret is anybody",
                "keep authorities with cert-manager",
            )

    def _lifetime(self, certificate: Certificate) -> Iterator[Finding]:
        """Check that a key which was stolen is worth nothing one day."""
        signs = bool(certificate.resource.at("spec", "isCA", default=False))
        if certificate.resource.at("spec", "privateKey", "rotationPolicy", default="Always") != "Always" and not signs:
            yield self.broken(certificate.resource, "keeps its key when it is renewed (`rotationPolicy`)", "set rotationPolicy: Always")
        duration = certificate.resource.at("spec", "duration")
        if duration is None:
            return
        parts = _GO_DURATION.fullmatch(str(duration))
        if parts is None or not duration:
            yield self.undecided(certificate.resource, f"holds for `{duration}`, which cannot be read", "give the hours: 2160h")
        elif sum(int(number or 0) * unit for number, unit in zip(parts.groups(), (3600, 60, 1), strict=True)) > LONGEST[signs]:
            days = LONGEST[signs] // (24 * 3600)
            yield self.broken(
                certificate.resource,
                f"holds for {duration}, longer than {days} days: whoever has seen its key has it that long",
                f"set duration to {days * 24}h at most",
            )

    def _hosts(self, certificate: Certificate, stack: Stack) -> Iterator[Finding]:
        """Check that a certificate answers for no Service of another namespace."""
        for host in certificate.hosts:
            meant = host_of(host, certificate.namespace) if "." in host else None
            if host.startswith("*"):
                what = "every host of that name"
            elif certificate.namespace in stack.app_namespaces and host in stack.intent.public_hosts():
                what = "a public host"
            elif meant and meant[1] != certificate.namespace and host not in stack.intent.public_hosts():
                what = f"a Service of the namespace {meant[1]}"
            else:
                continue
            yield self.broken(
                certificate.resource,
                f"gives the namespace {certificate.namespace} a certificate for {host}: it may answer as {what}",
                "name the namespace's own Services, and public hosts in layers of the boundary only",
            )

    def _certificate(self, certificate: Certificate, stack: Stack) -> Iterator[Finding]:
        resource = certificate.resource
        yield from self._signed(certificate, stack)
        if (other := stack.certificates.of(certificate.namespace, certificate.secret)) is not None and other is not certificate:
            yield self.broken(
                resource, f"fills the same Secret {certificate.secret} as {other.resource}", "give each certificate its own Secret"
            )
        yield from self._authority(certificate, stack)
        yield from self._lifetime(certificate)
        yield from self._hosts(certificate, stack)
        for identity in certificate.identities:
            for pod in stack.pods.of_namespace(certificate.namespace):
                if certificate.secret in pod.secrets and not identity.endswith(f"/ns/{pod.namespace}/sa/{pod.service_account}"):
                    yield self.broken(
                        pod.resource,
                        f"mounts the Secret {certificate.secret}, with which it is {identity}; it runs as {pod.service_account}",
                        "mount it in the pods of that identity alone",
                    )
            home = identity.partition("/ns/")[2].partition("/")[0]
            if home == certificate.namespace and certificate.namespace not in stack.app_namespaces:
                continue
            hops = (
                Hop(place=f"namespace {certificate.namespace}", allowed_by=str(resource), urn=resource.urn),
                Hop(place=identity, allowed_by="its certificate"),
            )
            where = (
                f"which belongs to the namespace {home}"
                if home != certificate.namespace
                else "by which a service would be a layer of the boundary"
            )
            yield self.broken(
                resource,
                f"gives the namespace {certificate.namespace} a certificate with the identity {identity}, {where}",
                "make the certificate in the namespace of its identity, and none for services: istiod signs theirs",
                hops,
            )


def _cert_managers(stack: Stack) -> Iterator[Resource]:
    return (release for release in stack.releases if chart_name(release) == "cert-manager")
