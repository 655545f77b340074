"""Fields of the API gateway's resources that are accepted: those that some rule reads, and those that cannot open a path.

Read from the API of Envoy Gateway 1.9, the Gateway API 1.5 and the schemas of Kong 3.9's plugins.
"""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from policies.reading.allowed_values import ANY, Table, unaccepted
from policies.reading.resource import Resource
from policies.reading.values import mapping

NUMBER: Final = "[0-9]+"
DURATION: Final = "([0-9]+(h|m|s|ms))+"
SWITCH: Final = "true|false"
TLS_VERSION: Final = r"1\.[23]"

OF_THE_CLUSTER: Final = frozenset({"apiVersion", "kind", "metadata", "status"})

KONG: Final = "konghq.com/"
"""How the annotations begin by which Kong takes options."""


def _all(paths: str, value: str = ANY) -> dict[str, str]:
    return dict.fromkeys(paths.split(), value)


def _under(place: str, fields: Table) -> dict[str, str]:
    return {f"{place}.{path}": value for path, value in fields.items()}


_REQUEST_HEADER: Final = (
    r"(?i:(?!(host|content-length|transfer-encoding|connection|upgrade|te|x-forwarded-.*|x-original-.*|x-http-method.*)$)[a-z0-9-]+)"
)
"""Request headers that a route may write, apart from those that A07 reads: none that changes what or where the request is."""

_RESPONSE_HEADER: Final = r"(?i:(?!(set-cookie|location|refresh|access-control-.*|content-type)$)[a-z0-9-]+)"
_NO_CREDENTIAL: Final = r"(?![\s\S]*(?i:authorization|cookie|api-key))[\s\S]*"

_TARGETS: Final = _all("spec.targetRefs.*.group spec.targetRefs.*.kind spec.targetRefs.*.name spec.targetRefs.*.sectionName")
_PARENTS: Final = _all("spec.hostnames.* spec.parentRefs.*")
_FILTER: Final[Table] = {
    "type": "RequestHeaderModifier|ResponseHeaderModifier|URLRewrite|RequestMirror|ExtensionRef",
    **_all("urlRewrite.* requestMirror.* extensionRef.* requestHeaderModifier.remove.* responseHeaderModifier.remove.*"),
    **_all("requestHeaderModifier.set. requestHeaderModifier.add. responseHeaderModifier.set. responseHeaderModifier.add."),
    **_all("requestHeaderModifier.set.*.name requestHeaderModifier.add.*.name", _REQUEST_HEADER),
    **_all("responseHeaderModifier.set.*.name responseHeaderModifier.add.*.name", _RESPONSE_HEADER),
    **_all("requestHeaderModifier.set.*.value requestHeaderModifier.add.*.value", r"[^%{]*"),
    **_all("responseHeaderModifier.set.*.value responseHeaderModifier.add.*.value", r"[^%{]*"),
}
_FILTERS: Final = {**_under("spec.rules.*.filters.*", _FILTER), **_under("spec.rules.*.backendRefs.*.filters.*", _FILTER)}
_RULES: Final = {**_PARENTS, **_FILTERS, **_all("spec.rules.*.name spec.rules.*.matches.* spec.rules.*.timeouts.*")} | _under(
    "spec.rules.*.backendRefs.*", _all("group kind name namespace port weight")
)

ACCEPTED: Final[Mapping[str, Table]] = {
    "ClientTrafficPolicy": {
        **_TARGETS,
        "spec.clientIPDetection.xForwardedFor.numTrustedHops": "1",
        "spec.headers.earlyRequestHeaders.remove.*": ANY,
        **_all("spec.headers.earlyRequestHeaders.set.*.name spec.headers.earlyRequestHeaders.add.*.name", _REQUEST_HEADER),
        **_all("spec.headers.earlyRequestHeaders.set.*.value spec.headers.earlyRequestHeaders.add.*.value"),
        "spec.headers.requestID": "Preserve|PreserveOrGenerate|Generate",
        "spec.headers.withUnderscoresAction": "RejectRequest|DropHeader",
        "spec.headers.xForwardedClientCert.mode": ANY,
        **_all("spec.http2.maxConcurrentStreams spec.connection.connectionLimit.value", NUMBER),
        **_all("spec.path.disableMergeSlashes spec.path.escapedSlashesAction"),
        **_all("spec.timeout.http.* spec.timeout.tcp.*", DURATION),
        "spec.tls.alpnProtocols.*": r"h2|http/1\.1",
        **_all("spec.tls.minVersion spec.tls.clientValidation.mode spec.tls.clientValidation.optional"),
        "spec.tls.maxVersion": TLS_VERSION,
        **_all("spec.tls.clientValidation.caCertificateRefs.* spec.tls.clientValidation.subjectAltNames.uris.*.value"),
        "spec.tls.clientValidation.subjectAltNames.uris.*.type": "Exact",
    },
    "BackendTrafficPolicy": {
        **_TARGETS,
        "spec.circuitBreaker.*": NUMBER,
        "spec.loadBalancer.type": "RoundRobin|Random|LeastRequest",
        **_all("spec.rateLimit.*.rules.*.clientSelectors.* spec.rateLimit.*.rules.*.limit.*"),
        **_all("spec.rateLimit.*.rules.*.shared spec.rateLimit.*.rules.*.shadowMode"),
        "spec.rateLimit.type": "Local|Global",
        "spec.requestBuffer.limit": ANY,
        **_all("spec.timeout.http.* spec.timeout.tcp.*", DURATION),
    },
    "SecurityPolicy": {
        **_TARGETS,
        **_all("spec.apiKeyAuth.credentialRefs.* spec.apiKeyAuth.extractFrom.*.headers.* spec.apiKeyAuth.forwardClientIDHeader"),
        "spec.apiKeyAuth.sanitize": "true",
        **_all("spec.authorization.defaultAction spec.authorization.rules.*.action spec.authorization.rules.*.cel"),
        **_all("spec.authorization.rules.*.name spec.authorization.rules.*.principal.jwt.* spec.authorization.rules.*.operation.*"),
        **_all("spec.jwt.optional spec.jwt.failOpen"),
        **_under(
            "spec.jwt.providers.*",
            {
                **_all("name issuer audiences.* claimToHeaders.* extractFrom.headers.* remoteJWKS.uri"),
                **_all("remoteJWKS.cacheDuration remoteJWKS.backendSettings.timeout.*", DURATION),
            },
        ),
    },
    "EnvoyProxy": {
        "spec.backendTLS.clientCertificateRef.*": ANY,
        **_all("spec.backendTLS.minVersion spec.backendTLS.maxVersion", TLS_VERSION),
        "spec.concurrency": NUMBER,
        "spec.logging.level.*": "info|warn|error",
        "spec.provider.type": "Kubernetes",
        **_under(
            "spec.provider.kubernetes",
            {
                "envoyDeployment.container.image": r"docker\.io/envoyproxy/envoy:distroless-v[0-9.]+(@sha256:[0-9a-f]{64})?",
                "envoyDeployment.replicas": NUMBER,
                **_all("envoyDeployment.container.resources.* envoyDeployment.pod.labels.* envoyDeployment.pod.tolerations.*"),
                **_all("envoyDeployment.pod.topologySpreadConstraints.* envoyDeployment.pod.affinity.* envoyDeployment.pod.nodeSelector.*"),
                **_all("envoyHpa.* envoyPDB.* envoyService.name envoyService.type useListenerPortAsContainerPort"),
                "envoyService.externalTrafficPolicy": "Local|Cluster",  # the CRD fills it in; the Service is internal either way (K01, W08)
            },
        ),
        "spec.shutdown.*": DURATION,
        "spec.telemetry.accessLog.settings.*.format.*": _NO_CREDENTIAL,
        "spec.telemetry.accessLog.settings.*.sinks.*.type": "File",
        "spec.telemetry.accessLog.settings.*.sinks.*.file.path": "/dev/std(out|err)",
    },
    "Gateway": _all(
        "spec.gatewayClassName spec.infrastructure.parametersRef.* spec.infrastructure.labels.* spec.listeners.*.allowedRoutes.*"
    )
    | _under("spec.listeners.*", _all("name hostname port protocol tls.mode tls.certificateRefs.*")),
    "GatewayClass": _all("spec.controllerName spec.description spec.parametersRef.*"),
    "HTTPRoute": _RULES,
    "GRPCRoute": _RULES,
    "HTTPRouteFilter": {"spec.urlRewrite.*": ANY},
    "BackendTLSPolicy": {
        **_TARGETS,
        **_all("spec.validation.caCertificateRefs.* spec.validation.hostname spec.validation.wellKnownCACertificates"),
    },
    "KongConsumer": _all("username custom_id credentials.*"),
    "KongUpstreamPolicy": {},
}
"""Accepted fields by kind."""

_OWN: Final[Table] = {**_all("plugin instance_name"), "disabled": SWITCH, "protocols.*": "https?|grpcs?"}
_EDITS: Final = _under(
    "config", _all(" ".join(f"{verb}.headers{each}" for verb in ("remove", "rename", "add", "append", "replace") for each in (".*", ".")))
)

PLUGINS: Final[Mapping[str, Table]] = {
    "acl": _all("config.allow.* config.hide_groups_header"),
    "jwt": {
        **_all("config.claims_to_verify.* config.header_names.* config.uri_param_names.* config.anonymous"),
        "config.cookie_names.*": "",
        "config.key_claim_name": "iss",
        "config.maximum_expiration": NUMBER,
        "config.run_on_preflight": "true",
        "config.secret_is_base64": SWITCH,
    },
    "key-auth": {
        **_all("config.key_names.* config.anonymous config.hide_credentials"),
        "config.key_in_header": "true",
        **_all("config.key_in_body config.key_in_query", "false"),
        "config.run_on_preflight": "true",
    },
    "proxy-cache": {
        **_all("config.response_code.* config.request_method.* config.content_type.* config.vary_headers.* config.memory.*"),
        "config.cache_ttl": NUMBER,
        "config.storage_ttl": NUMBER,
        "config.cache_control": SWITCH,
        "config.strategy": "memory",
        "config.response_headers.*": SWITCH,
    },
    "rate-limiting": {
        **_all("config.second config.minute config.hour config.day", NUMBER),
        **_all("config.fault_tolerant config.hide_client_headers"),
        "config.limit_by": "consumer|credential|ip",
        "config.policy": "local|redis",
        **_all(
            "config.redis.host config.redis.port config.redis.timeout config.redis.ssl config.redis.ssl_verify config.redis.server_name"
        ),
    },
    "request-size-limiting": _all("config.allowed_payload_size config.require_content_length config.size_unit"),
    "request-termination": {"config.status_code": "4[0-9]{2}", "config.message": ANY},
    "request-transformer": _EDITS,
    "response-transformer": _EDITS,
}
"""Accepted settings of Kong's plugins, by plugin. A plugin that is not listed may do anything."""

ANNOTATIONS: Final[Table] = {
    **_all("plugins preserve-host strip-path protocol client-cert tls-verify ca-certificates-secrets ca-certificates-configmaps"),
    **_all("host-header gatewayclass-unmanaged publish-service"),
    **_all("retries connect-timeout read-timeout write-timeout", NUMBER),
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
