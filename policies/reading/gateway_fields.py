"""Fields of the API gateway's resources that are accepted: those that some rule reads, and those that cannot open a path.

Read from the API of Envoy Gateway 1.9, the Gateway API 1.5 and the schemas of Kong 3.9's plugins.
"""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from policies.reading.allowed_values import ANY, Table, all_of, unaccepted, under
from policies.reading.resource import Resource
from policies.reading.values import mapping

NUMBER: Final = "[0-9]+"
DURATION: Final = "(?=.*[1-9])([0-9]+(h|m|s|ms))+"
"""More than nothing: `0s` switches a timeout off."""
SWITCH: Final = "true|false"
TLS_VERSION: Final = r"1\.[23]"

OF_THE_CLUSTER: Final = frozenset({"apiVersion", "kind", "metadata", "status"})

KONG: Final = "konghq.com/"
"""How the annotations begin by which Kong takes options."""


_REQUEST_HEADER: Final = (
    r"(?i:(?!(host|content-length|transfer-encoding|connection|upgrade|te|x-forwarded-.*|x-original-.*|x-http-method.*)$)[a-z0-9-]+)"
)
"""Request headers that a route may write, apart from those that A07 reads: none that changes what or where the request is."""

_TELLING: Final = (
    "set-cookie|location|refresh|access-control-.*|content-type|strict-transport-security|content-security-policy.*|clear-site-data"
    "|x-frame-options|x-content-type-options|referrer-policy|permissions-policy|cross-origin-.*"
)
"""Response headers that tell a browser whom to believe, where to go, or what not to do."""

_RESPONSE_HEADER: Final = rf"(?i:(?!({_TELLING})$)[a-z0-9-]+)"
_RESPONSE_EDIT: Final = rf"(?i:(?!({_TELLING}):)[a-z0-9-]+):[\s\S]*"
SPARED_RESPONSE_HEADER: Final = (
    r"(?i:access-control-.*|server|via|x-powered-by|x-envoy-.*|x-kong-.*|x-perimeter-.*|x-forwarded-client-cert|x-request-id)"
)
"""Headers that a route may take out of answers: those that tell what made them, and those that let scripts of other origins read them. Others
protect the browser that reads the answer."""

_NO_CREDENTIAL: Final = r"(?![\s\S]*(?i:authorization|cookie|api-key))[\s\S]*"

_TARGETS: Final = all_of("spec.targetRefs.*.group spec.targetRefs.*.kind spec.targetRefs.*.name spec.targetRefs.*.sectionName")
_PARENTS: Final = all_of("spec.hostnames.* spec.parentRefs.*")
_FILTER: Final[Table] = {
    "type": "RequestHeaderModifier|ResponseHeaderModifier|URLRewrite|RequestMirror|ExtensionRef",
    **all_of("urlRewrite.* requestMirror.* extensionRef.* requestHeaderModifier.remove.*"),
    "responseHeaderModifier.remove.*": SPARED_RESPONSE_HEADER,
    "responseHeaderModifier.remove.": ANY,
    **all_of("requestHeaderModifier.set. requestHeaderModifier.add. responseHeaderModifier.set. responseHeaderModifier.add."),
    **all_of("requestHeaderModifier.set.*.name requestHeaderModifier.add.*.name", _REQUEST_HEADER),
    **all_of("responseHeaderModifier.set.*.name responseHeaderModifier.add.*.name", _RESPONSE_HEADER),
    **all_of("requestHeaderModifier.set.*.value requestHeaderModifier.add.*.value", r"[^%{]*"),
    **all_of("responseHeaderModifier.set.*.value responseHeaderModifier.add.*.value", r"[^%{]*"),
}
_FILTERS: Final = {**under("spec.rules.*.filters.*", _FILTER), **under("spec.rules.*.backendRefs.*.filters.*", _FILTER)}
_RULES: Final = {**_PARENTS, **_FILTERS, **all_of("spec.rules.*.name spec.rules.*.matches.* spec.rules.*.timeouts.*")} | under(
    "spec.rules.*.backendRefs.*", all_of("group kind name namespace port weight")
)

ACCEPTED: Final[Mapping[str, Table]] = {
    "ClientTrafficPolicy": {
        **_TARGETS,
        "spec.clientIPDetection.xForwardedFor.numTrustedHops": "1",
        "spec.headers.earlyRequestHeaders.remove.*": ANY,
        **all_of("spec.headers.earlyRequestHeaders.set.*.name spec.headers.earlyRequestHeaders.add.*.name", _REQUEST_HEADER),
        **all_of("spec.headers.earlyRequestHeaders.set.*.value spec.headers.earlyRequestHeaders.add.*.value"),
        "spec.headers.lateResponseHeaders.remove.*": SPARED_RESPONSE_HEADER,
        "spec.headers.lateResponseHeaders.set.*.name": "(?i)x-request-id",
        "spec.headers.lateResponseHeaders.set.*.value": r"%REQ\(x-request-id\)%",
        "spec.headers.requestID": "Preserve|PreserveOrGenerate|Generate",
        "spec.headers.withUnderscoresAction": "RejectRequest|DropHeader",
        "spec.headers.xForwardedClientCert.mode": ANY,
        **all_of("spec.http2.maxConcurrentStreams spec.connection.connectionLimit.value", NUMBER),
        **all_of("spec.path.disableMergeSlashes spec.path.escapedSlashesAction"),
        **all_of("spec.timeout.http.* spec.timeout.tcp.*", DURATION),
        "spec.tls.alpnProtocols.*": r"h2|http/1\.1",
        **all_of("spec.tls.minVersion spec.tls.clientValidation.mode spec.tls.clientValidation.optional"),
        "spec.tls.maxVersion": TLS_VERSION,
        **all_of("spec.tls.clientValidation.caCertificateRefs.* spec.tls.clientValidation.subjectAltNames.uris.*.value"),
        "spec.tls.clientValidation.subjectAltNames.uris.*.type": "Exact",
    },
    "BackendTrafficPolicy": {
        **_TARGETS,
        "spec.circuitBreaker.*": NUMBER,
        "spec.loadBalancer.type": "RoundRobin|Random|LeastRequest",
        **all_of("spec.rateLimit.*.rules.*.clientSelectors.* spec.rateLimit.*.rules.*.limit.*"),
        **all_of("spec.rateLimit.*.rules.*.shared spec.rateLimit.*.rules.*.shadowMode"),
        "spec.rateLimit.type": "Local|Global",
        "spec.requestBuffer.limit": ANY,
        **all_of("spec.timeout.http.* spec.timeout.tcp.*", DURATION),
    },
    "SecurityPolicy": {
        **_TARGETS,
        **all_of("spec.apiKeyAuth.credentialRefs.* spec.apiKeyAuth.extractFrom.*.headers.* spec.apiKeyAuth.forwardClientIDHeader"),
        "spec.apiKeyAuth.sanitize": "true",
        **all_of("spec.authorization.defaultAction spec.authorization.rules.*.action spec.authorization.rules.*.cel"),
        **all_of("spec.authorization.rules.*.name spec.authorization.rules.*.principal.jwt.* spec.authorization.rules.*.operation.*"),
        **all_of("spec.jwt.optional spec.jwt.failOpen"),
        **all_of("spec.cors.allowOrigins.* spec.cors.allowMethods.* spec.cors.allowHeaders.* spec.cors.exposeHeaders.*"),  # A15
        **all_of("spec.cors.allowCredentials spec.cors.maxAge"),
        **under(
            "spec.jwt.providers.*",
            {
                **all_of("name issuer audiences.* claimToHeaders.* extractFrom.headers.* remoteJWKS.uri"),
                **all_of("remoteJWKS.cacheDuration remoteJWKS.backendSettings.timeout.*", DURATION),
            },
        ),
    },
    "EnvoyProxy": {
        "spec.backendTLS.clientCertificateRef.*": ANY,
        **all_of("spec.backendTLS.minVersion spec.backendTLS.maxVersion", TLS_VERSION),
        "spec.concurrency": NUMBER,
        "spec.logging.level.*": "info|warn|error",
        "spec.provider.type": "Kubernetes",
        **under(
            "spec.provider.kubernetes",
            {
                "envoyDeployment.container.image": r"docker\.io/envoyproxy/envoy:distroless-v[0-9.]+(@sha256:[0-9a-f]{64})?",
                "envoyDeployment.replicas": NUMBER,
                **all_of("envoyDeployment.container.resources.* envoyDeployment.pod.labels.* envoyDeployment.pod.tolerations.*"),
                **all_of(
                    "envoyDeployment.pod.topologySpreadConstraints.* envoyDeployment.pod.affinity.* envoyDeployment.pod.nodeSelector.*"
                ),
                **all_of("envoyHpa.* envoyPDB.* envoyService.name envoyService.type useListenerPortAsContainerPort"),
                "envoyService.externalTrafficPolicy": "Local|Cluster",  # the CRD fills it in; the Service is internal either way (K01, W08)
            },
        ),
        "spec.shutdown.*": DURATION,
        "spec.telemetry.accessLog.settings.*.format.*": _NO_CREDENTIAL,
        "spec.telemetry.accessLog.settings.*.sinks.*.type": "File",
        "spec.telemetry.accessLog.settings.*.sinks.*.file.path": "/dev/std(out|err)",
    },
    "Gateway": all_of(
        "spec.gatewayClassName spec.infrastructure.parametersRef.* spec.infrastructure.labels.* spec.listeners.*.allowedRoutes.*"
    )
    | under("spec.listeners.*", all_of("name hostname port protocol tls.mode tls.certificateRefs.*")),
    "GatewayClass": all_of("spec.controllerName spec.description spec.parametersRef.*"),
    "HTTPRoute": _RULES,
    "GRPCRoute": _RULES,
    "HTTPRouteFilter": {"spec.urlRewrite.*": ANY},
    "BackendTLSPolicy": {
        **_TARGETS,
        "spec.validation.caCertificateRefs.*.kind": "Secret|ConfigMap",
        **all_of(
            "spec.validation.caCertificateRefs.*.group spec.validation.caCertificateRefs.*.name spec.validation.hostname spec.validation.wellKnownCACertificates"
        ),
    },
    "KongConsumer": all_of("username custom_id credentials.*"),
    "KongUpstreamPolicy": {},
}
"""Accepted fields by kind."""

_OWN: Final[Table] = {**all_of("plugin instance_name"), "disabled": SWITCH, "protocols.*": "https?|grpcs?"}
_EDITS: Final = under(
    "config", all_of(" ".join(f"{verb}.headers{each}" for verb in ("remove", "rename", "add", "append", "replace") for each in (".*", ".")))
)

PLUGINS: Final[Mapping[str, Table]] = {
    "acl": all_of("config.allow.* config.hide_groups_header"),
    "cors": {
        **all_of("config.origins.* config.methods.* config.headers.* config.exposed_headers.* config.credentials config.max_age"),  # A15
        **all_of("config.preflight_continue config.private_network", "false"),
    },
    # Under a name that no client's request may bear: the id is what the gateway made.
    "correlation-id": {"config.header_name": "x-perimeter-request-id", "config.generator": "uuid", "config.echo_downstream": SWITCH},
    "jwt": {
        **all_of("config.claims_to_verify.* config.header_names.* config.uri_param_names.* config.anonymous"),
        "config.cookie_names.*": "",
        "config.key_claim_name": "iss",
        "config.maximum_expiration": NUMBER,
        "config.run_on_preflight": "true",
        "config.secret_is_base64": SWITCH,
    },
    "key-auth": {
        **all_of("config.key_names.* config.anonymous config.hide_credentials"),
        "config.key_in_header": "true",
        **all_of("config.key_in_body config.key_in_query", "false"),
        "config.run_on_preflight": "true",
    },
    "proxy-cache": {
        **all_of("config.response_code.* config.request_method.* config.content_type.* config.vary_headers.* config.memory.*"),
        "config.cache_ttl": NUMBER,
        "config.storage_ttl": NUMBER,
        "config.cache_control": SWITCH,
        "config.strategy": "memory",
        "config.response_headers.*": SWITCH,
    },
    "rate-limiting": {
        **all_of("config.second config.minute config.hour config.day", NUMBER),
        **all_of("config.fault_tolerant config.hide_client_headers"),
        "config.limit_by": "consumer|credential|ip",
        "config.policy": "local|redis",
        **all_of(
            "config.redis.host config.redis.port config.redis.timeout config.redis.ssl config.redis.ssl_verify config.redis.server_name"
        ),
    },
    "request-size-limiting": all_of("config.allowed_payload_size config.require_content_length config.size_unit"),
    "request-termination": {"config.status_code": "4[0-9]{2}", "config.message": ANY},
    "request-transformer": _EDITS,
    "response-transformer": {
        **all_of("config.remove.headers.*", SPARED_RESPONSE_HEADER),
        **all_of("config.remove.headers."),
        **all_of("config.add.headers.* config.append.headers.* config.replace.headers.*", _RESPONSE_EDIT),
        **all_of("config.add.headers. config.append.headers. config.replace.headers. config.rename.headers."),
        "config.rename.headers.*": "x-perimeter-request-id:x-request-id",
    },
}
"""Accepted settings of Kong's plugins, by plugin. A plugin that is not listed may do anything."""

ANNOTATIONS: Final[Table] = {
    **all_of("plugins strip-path protocol client-cert tls-verify ca-certificates-secrets ca-certificates-configmaps"),
    **all_of("host-header gatewayclass-unmanaged publish-service"),
    **all_of("connect-timeout read-timeout write-timeout", "[1-9][0-9]*"),
    "retries": "[0-5]",
    "preserve-host": "true",
}
"""Accepted annotations of Kong, by what follows `konghq.com/`."""

KONG_PLUGIN_KINDS: Final = frozenset({"KongPlugin", "KongClusterPlugin"})


def unreviewed(resource: Resource) -> Iterator[tuple[str, str]]:
    """Yield what a resource says to a gateway and nobody reviewed: path, and the value where another one would be accepted.

    Raises:
        UnknownValueError: if a value that matters is not known.
    """
    body = {key: value for key, value in resource.props.items() if key not in OF_THE_CLUSTER}
    if resource.kind in KONG_PLUGIN_KINDS:
        name: str = resource.at("plugin", default="")
        if name not in PLUGINS:
            yield "plugin", name
        else:
            yield from unaccepted(body, {**_OWN, **PLUGINS[name]}, empty=True)
    elif (table := ACCEPTED.get(resource.kind)) is not None:
        yield from unaccepted(body, table, empty=True)
    notes: Mapping[str, Any] = mapping(resource.at("metadata", "annotations", default={}))
    own = {key.removeprefix(KONG): value for key, value in notes.items() if key.startswith(KONG)}
    yield from ((f"metadata.annotations.{KONG}{key}", value) for key, value in unaccepted(own, ANNOTATIONS))
