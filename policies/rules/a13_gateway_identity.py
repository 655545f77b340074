"""A13: the identities that the mesh ingress trusts belong to the gateway alone."""

from collections.abc import Iterator

from policies.reading.certificates import Certificate
from policies.reading.stack import Stack
from policies.rule import Finding, Hop, Rule, Severity


class A13(Rule):
    """A certificate with an identity that a mesh's gateway trusts is made only where a layer outside the mesh lives.

    Forbids:
        - a Certificate with a SPIFFE identity of the gateway, the edge or a bridge in a namespace other than the one that the
          identity names;
        - such a Certificate in a namespace of services, whatever it is for;
        - a certificate that may sign others (`isCA`) in a namespace of services.

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
        for certificate in stack.certificates.by_secret.values():
            yield from self.over([certificate.resource], lambda _, certificate=certificate: self._certificate(certificate, stack))
        for resource, error in stack.unreadable:
            if resource.kind == "Certificate":
                yield self.undecided(resource, f"which identity it proves cannot be read: {error}")

    def _certificate(self, certificate: Certificate, stack: Stack) -> Iterator[Finding]:
        resource = certificate.resource
        if resource.at("spec", "isCA", default=False) and certificate.namespace in stack.app_namespaces:
            yield self.broken(
                resource,
                "may sign certificates, in a namespace of services: whoever reads its Secret is anybody",
                "keep authorities with cert-manager",
            )
        for identity in certificate.identities:
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
