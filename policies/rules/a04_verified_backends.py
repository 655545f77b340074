"""A04: between gateway and mesh both sides show who they are."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from policies.reading.kong_upstream import tls_settings
from policies.reading.services import Service
from policies.reading.stack import Stack
from policies.route_rule import Published, RouteRule
from policies.rule import Finding, Severity

KONG: Final = "konghq.com"
KONG_TLS: Final = frozenset({"https", "grpcs", "wss"})


class A04(RouteRule):
    """The API gateway speaks TLS to the mesh ingress, verifies it, and shows its own certificate.

    Forbids:
        - a backend without TLS;
        - TLS to a backend whose certificate is not checked against an authority of this system;
        - a gateway that shows no client certificate;
        - a Backend of API Management of which this holds, and an operation without `authentication-certificate`;
        - an API Management that believes a root or an authority besides the program's own (`certificates`).

    Why:
        The mesh ingress lets in whoever proves to be the gateway. Without the gateway's certificate it would have to believe
        addresses; without verification the gateway hands tokens and keys to whatever answers under the ingress's name.

    Instead:
        For Envoy Gateway, a BackendTLSPolicy in the Service's namespace and a client certificate of the proxies::

            kind: BackendTLSPolicy
            spec:
              targetRefs: [{group: "", kind: Service, name: ingress}]
              validation:
                hostname: api.abc.example
                caCertificateRefs: [{group: "", kind: Secret, name: ingress-server}]
            ---
            kind: EnvoyProxy
            spec:
              backendTLS:
                clientCertificateRef: {kind: Secret, name: gateway-client}

        For Kong, annotations of the Service: `konghq.com/protocol: https`, `konghq.com/client-cert`, and
        `konghq.com/tls-verify: "true"` with `konghq.com/ca-certificates-secrets`; or, for all Services at once, `nginx_proxy_proxy_ssl_*` in
        the chart's `env`.
    """

    id = "A04"
    name = "verified-mutual-tls-to-the-mesh"
    severity = Severity.HIGH
    frameworks = ("CKV_AZURE_215", "PSRule APIM.HTTPBackend")

    def check(self, published: Published, stack: Stack) -> Iterator[Finding]:
        """Check the backends of one rule."""
        for backend in published.rule.backends:
            service = published.service(backend)
            if service is not None:
                yield from self._kong(service, published) if published.is_kong else self._envoy(service, published, backend.port)

    def _envoy(self, service: Service, published: Published, port: int | None) -> Iterator[Finding]:
        validation = self._validation(service, published.stack, port)
        if validation is None:
            yield self.broken(
                published.route,
                f"{published}: no BackendTLSPolicy is for {service}, so the gateway speaks plain HTTP to it",
                f"add a BackendTLSPolicy with caCertificateRefs in {service.namespace}",
            )
        elif not validation.get("caCertificateRefs"):
            yield self.broken(
                published.route,
                f"{published}: the certificate of {service} is checked against public authorities, of which any may sign it",
                "name the authority of this system in validation.caCertificateRefs",
            )
        parameters = published.gateway.parameters
        if parameters is None or not parameters.at("spec", "backendTLS", "clientCertificateRef", default={}):
            yield self.broken(
                parameters or published.gateway.gateway,
                "the gateway's proxies show no certificate to their backends, so the mesh cannot tell them from anybody else",
                "give the EnvoyProxy of this Gateway backendTLS.clientCertificateRef",
            )

    def _validation(self, service: Service, stack: Stack, port: int | None) -> Mapping[str, Any] | None:
        for policy in stack.of("BackendTLSPolicy.gateway.networking.k8s.io"):
            if policy.namespace != service.namespace:
                continue
            for target in policy.at("spec", "targetRefs", default=[]):
                section = target.get("sectionName")
                named = next((each.name for each in service.ports if each.port == port), None)
                if target["kind"] == "Service" and target["name"] == service.name and section in {None, named}:
                    return policy.at("spec", "validation", default={})
        return None

    def _kong(self, service: Service, published: Published) -> Iterator[Finding]:
        notes = service.resource.annotations
        protocol = notes.get(f"{KONG}/protocol", "http")
        if protocol not in KONG_TLS:
            yield self.broken(service.resource, f"Kong speaks {protocol} to it, without TLS", f'annotate it with {KONG}/protocol: "https"')
            return
        settings = tls_settings(published.stack.releases, protocol)
        if not notes.get(f"{KONG}/client-cert") and not ({"certificate", "certificate_key"} <= set(settings)):
            yield self.broken(
                service.resource,
                "Kong shows it no certificate, so the mesh cannot tell Kong from anybody else",
                f"annotate it with {KONG}/client-cert, or set nginx_proxy_proxy_ssl_certificate and its key for all Services",
            )
        wanted = notes.get(f"{KONG}/tls-verify")
        verifies = wanted == "true" or (wanted is None and settings.get("verify") == "on")
        own = notes.get(f"{KONG}/ca-certificates-secrets") or notes.get(f"{KONG}/ca-certificates-configmaps")
        if not verifies or not (own or settings.get("trusted_certificate")):
            yield self.broken(
                service.resource,
                "Kong does not verify its certificate, so whoever answers under its name gets tokens and keys",
                f'annotate it with {KONG}/tls-verify: "true" and give Kong the authority: by {KONG}/ca-certificates-secrets, or for all '
                "Services by nginx_proxy_proxy_ssl_trusted_certificate",
            )
