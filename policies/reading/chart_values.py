"""Values that known Helm charts may be given: those that some rule reads, and those that cannot open a path.

A chart's values are an open set, and every chart has some that change what the boundary rests on. So the tables say what is
accepted; everything else is for a person to review. Read from the charts named in `policies.reading.charts`.
"""

from collections.abc import Iterator, Mapping
from typing import Final

from policies.reading import allowed_values
from policies.reading.allowed_values import ANY, all_of, under
from policies.reading.charts import chart_name
from policies.reading.resource import Resource
from policies.reading.values import is_known, values_in

OFF: Final = "false"
NUMBER: Final = "[0-9]+"
SHARE: Final = "[0-9]+%?"
"""A number of instances, or that many percent of them."""
WORDS: Final = "[A-Za-z0-9._/-]*"

INTERNAL_DEFAULTS: Final = "_internal_defaults_do_not_set"
"""The key under which Istio's charts keep their defaults (templates/zzz_profile.yaml): it sets every other value unseen."""

_SCHEDULING: Final = dict.fromkeys(
    ("affinity.*", "tolerations.*", "nodeSelector.*", "topologySpreadConstraints.*", "priorityClassName", "imagePullSecrets.*"), ANY
)
_BUDGET: Final = {"minAvailable": SHARE, "maxUnavailable": SHARE, "unhealthyPodEvictionPolicy": "IfHealthyBudget|AlwaysAllow|"}
_DISRUPTION: Final = {"podDisruptionBudget.enabled": "true|false", **under("podDisruptionBudget", _BUDGET)}
_AUTOSCALING: Final = {
    "enabled": "true|false",
    **all_of("minReplicas maxReplicas targetCPUUtilizationPercentage targetMemoryUtilizationPercentage", NUMBER),
    **all_of("autoscaleBehavior.* behavior.* metrics.*"),
}
"""How many instances run opens nothing, but charts put these values into their objects as they are: a text of several lines would be
objects of its own. The last three are written by `toYaml`, which quotes."""
_SIZE: Final = {"resources.*": ANY, "replicaCount": NUMBER, **_DISRUPTION, **under("autoscaling", _AUTOSCALING)}
_COMMON: Final = {**_SCHEDULING, **_SIZE, "imagePullPolicy": "Always|IfNotPresent|Never"}
_SECURITY: Final = {
    "securityContext.seccompProfile.type": "RuntimeDefault",
    "securityContext.runAsNonRoot": "true",
    "securityContext.runAsUser": "[1-9][0-9]*",
    "securityContext.runAsGroup": "[1-9][0-9]*",
}
_HUB: Final = r"registry\.istio\.io/release|docker\.io/istio|gcr\.io/istio-release"

_LOGGED: Final = "(%(REQ|REQ_WITHOUT_QUERY)[(](:[A-Z]+|X-(PERIMETER|ENVOY|REQUEST)-[A-Z-]+)([?]:[A-Z]+)?[)]%|%[A-Z0-9_]+%|[^%])*"
"""What a line of the access log may hold: no header that carries a credential."""

ISTIOD_ENVIRONMENT: Final[Mapping[str, str]] = {
    "ENABLE_DEBUG_ON_HTTP": OFF,
    "ENABLE_HCM_INTERNAL_NETWORKS": OFF,
    "PILOT_ENABLE_ALPN_FILTER": "true|false",  # which protocol name the client side offers; the server's TLS stays what it is
    "PILOT_ENABLE_METADATA_EXCHANGE": "true|false",  # labels of metrics
    "PILOT_ENABLE_GATEWAY_API": OFF,
    "PILOT_ENABLE_GATEWAY_API_DEPLOYMENT_CONTROLLER": OFF,
    "PILOT_ENABLE_GATEWAY_API_STATUS": OFF,
    "PILOT_ENABLE_XDS_IDENTITY_CHECK": "true",
    "PILOT_FILTER_GATEWAY_CLUSTER_CONFIG": "true|false",
    "PILOT_JWT_PUB_KEY_REFRESH_INTERVAL": "[0-9]+[smh]([0-9]+[smh])*",
    "PILOT_SKIP_VALIDATE_TRUST_DOMAIN": OFF,
    "VERIFY_CERTIFICATE_AT_CLIENT": "true",
    "XDS_AUTH": "true",
}
"""Variables of istiod (pilot/pkg/features) with the values at which they open nothing."""

_ISTIOD: Final[Mapping[str, str]] = {
    **_COMMON,
    **{f"{place}.{name}": value for place in ("env", "pilot.env") for name, value in ISTIOD_ENVIRONMENT.items()},
    "autoscaleEnabled": "true|false",
    "autoscaleMin": NUMBER,
    "autoscaleMax": NUMBER,
    "base.validationFailurePolicy": ANY,
    **{f"{part}.targetAverageUtilization": NUMBER for part in ("cpu", "memory")},
    "global.hub": _HUB,
    "global.istioNamespace": ANY,
    "global.logAsJson": "true|false",
    "global.logging.level": ANY,
    "global.proxy.logLevel": "info|warning|error|critical|off",
    "global.proxy.resources.*": ANY,
    "global.tag": ANY,
    "global.variant": "distroless|",
    "hub": _HUB,
    "revision": ANY,
    "revisionTags.*": ANY,
    "seccompProfile.type": "RuntimeDefault",
    "tag": ANY,
    "telemetry.enabled": "true|false",  # the statistics filter; access logs are a provider of meshConfig (P04)
    "meshConfig.accessLogEncoding": "JSON|TEXT",
    "meshConfig.accessLogFile": "/dev/stdout|",
    "meshConfig.defaultConfig.*": ANY,
    "meshConfig.discoverySelectors.*": ANY,
    "meshConfig.enableAutoMtls": "true",
    "meshConfig.enableTracing": "true|false",
    **{
        f"meshConfig.extensionProviders.*.envoyExtAuthz{kind}.{key}": ANY
        for kind in ("Http", "Grpc")
        for key in ("service", "port", "timeout", "failOpen")
    },
    "meshConfig.extensionProviders.*.envoyFileAccessLog.path": "/dev/stdout",
    "meshConfig.extensionProviders.*.envoyFileAccessLog.logFormat.labels.*": _LOGGED,
    "meshConfig.extensionProviders.*.name": ANY,
    "meshConfig.extensionProviders.*.opentelemetry.*": ANY,
    "meshConfig.ingressControllerMode": "OFF",
    "meshConfig.meshMTLS.minProtocolVersion": "TLSV1_2|TLSV1_3",
    "meshConfig.outboundTrafficPolicy.mode": ANY,
    "meshConfig.pathNormalization.normalization": ANY,
    "meshConfig.rootNamespace": ANY,
    "meshConfig.trustDomain": ANY,
    "meshConfig.trustDomainAliases.*": ANY,
    **under("pdb", _BUDGET),
}

_GATEWAY: Final[Mapping[str, str]] = {
    **_COMMON,
    **_SECURITY,
    "kind": ANY,
    "labels.*": ANY,
    "name": ANY,
    "podAnnotations.proxy.istio.io/config": ANY,
    "podAnnotations.prometheus.io/*": ANY,
    "revision": ANY,
    "service.externalIPs.*": ANY,
    "service.loadBalancerIP": ANY,
    "service.loadBalancerSourceRanges.*": ANY,
    "service.ports.*": ANY,
    "service.type": ANY,
    "serviceAccount.create": ANY,
    "serviceAccount.name": ANY,
    "terminationGracePeriodSeconds": NUMBER,
}

_ENVOY_GATEWAY: Final[Mapping[str, str]] = {
    **{f"deployment.pod.{path}": value for path, value in _SCHEDULING.items()},
    "config.envoyGateway.gateway.controllerName": r"gateway\.envoyproxy\.io/gatewayclass-controller",
    "config.envoyGateway.logging.level.*": ANY,
    "config.envoyGateway.provider.kubernetes.deploy.type": ANY,
    "config.envoyGateway.provider.kubernetes.watch.namespaces.*": ANY,
    "config.envoyGateway.provider.kubernetes.watch.type": "Namespaces",
    "config.envoyGateway.provider.type": "Kubernetes",
    "config.envoyGateway.rateLimit.backend.redis.url": ANY,
    "config.envoyGateway.rateLimit.backend.type": "Redis",
    "config.envoyGateway.rateLimit.failClosed": ANY,
    "config.envoyGateway.rateLimit.timeout": ANY,
    "crds.enabled": "true|false",
    "deployment.envoyGateway.resources.*": ANY,
    "deployment.replicas": NUMBER,
    "global.images.envoyGateway.image": r"docker\.io/envoyproxy/gateway:[A-Za-z0-9._-]+",
    "global.images.ratelimit.image": r"docker\.io/envoyproxy/ratelimit:[A-Za-z0-9._-]+",
    **_DISRUPTION,
    "service.type": ANY,
    "topologyInjector.enabled": "true|false",
}

_CERT_MANAGER: Final[Mapping[str, str]] = {
    **_COMMON,
    **{f"{part}.{path}": value for part in ("webhook", "cainjector", "startupapicheck") for path, value in _COMMON.items()},
    "cainjector.enabled": "true|false",
    "crds.enabled": "true|false",
    "crds.keep": "true|false",
    "extraArgs.*": "--dns01-recursive-nameservers-only",
    "fullnameOverride": ANY,
    "global.leaderElection.namespace": ANY,
    "global.logLevel": NUMBER,
    "global.rbac.aggregateClusterRoles": OFF,
    "image.repository": r"quay\.io/jetstack/cert-manager-controller",
    "image.tag": ANY,
    "podLabels.azure.workload.identity/use": "true",  # which identity that is, and what it may do: N12
    "prometheus.enabled": OFF,
    "serviceAccount.labels.azure.workload.identity/use": "true",
    "startupapicheck.enabled": "true|false",
    "webhook.serviceType": ANY,
}

_PLUGINS: Final = "(acl|bundled|correlation-id|jwt|key-auth|proxy-cache|rate-limiting|request-size-limiting|request-termination|request-transformer|response-transformer)"
_RANGE: Final = "([0-9.]+|[0-9a-f:]+)/([89]|[1-9][0-9]+)"
_SECRET_FILE: Final = "/etc/secrets/[a-z0-9-]+/(ca|tls)[.]crt"  # noqa: S105 # no password but a path

_KONG_ENVIRONMENT: Final[Mapping[str, str]] = {
    "admin_access_log": "off",
    "anonymous_reports": "off",
    "database": "off",
    "headers": "off",
    "headers_upstream": "off",
    "lua_max_req_headers": NUMBER,
    "nginx_http_client_max_body_size": "[1-9][0-9]*[km]?",
    "nginx_http_log_format": r"[^;\r\n]*",
    "nginx_proxy_set": "[$][a-z_]+ /etc/secrets/[a-z0-9-]+",
    "nginx_proxy_ssl_client_certificate": _SECRET_FILE,
    "nginx_proxy_ssl_verify_client": "on",
    "nginx_proxy_ssl_verify_depth": NUMBER,
    "nginx_proxy_underscores_in_headers": "off",
    "nginx_worker_processes": NUMBER,
    "plugins": f"{_PLUGINS}(,{_PLUGINS})*",
    "port_maps": "[0-9:,]+",
    "proxy_access_log": "/dev/stdout( [a-z_]+)?",
    "real_ip_header": "X-Forwarded-For",
    "real_ip_recursive": "off",
    "router_flavor": "expressions",
    "ssl_cipher_suite": "intermediate|modern",
    "ssl_session_tickets": "off",
    "status_access_log": "off",
    "trusted_ips": f"{_RANGE}(,{_RANGE})*",
    "untrusted_lua": "off",
    **{
        f"nginx_proxy_{module}_ssl_{directive}": value
        for module in ("proxy", "grpc")
        for directive, value in {
            "certificate": "[$][a-z_]+/tls[.]crt",
            "certificate_key": "[$][a-z_]+/tls[.]key",
            "protocols": "TLSv1[.][23]( TLSv1[.]3)?",
            "trusted_certificate": _SECRET_FILE,
            "verify": "on",
            "verify_depth": NUMBER,
        }.items()
    },
}
"""Keys of kong.conf. A value of an `nginx_*` key becomes text of nginx.conf, so none may end its directive."""

_KONG: Final[Mapping[str, str]] = {
    **_COMMON,
    **_SECURITY,
    **{f"container{path[0].upper()}{path[1:]}": value for path, value in _SECURITY.items()},
    **{f"env.{name}": value for name, value in _KONG_ENVIRONMENT.items()},
    "admin.addresses.*": r"127\.0\.0\.1|::1",
    **{f"{part}.{key}": ANY for part in ("admin", "proxy") for key in ("enabled", "type", "nameOverride")},
    **{
        f"{part}.{scheme}.{key}": f"true|false|{NUMBER}"
        for part in ("admin", "proxy")
        for scheme in ("http", "tls")
        for key in ("enabled", "containerPort", "servicePort")
    },
    "containerSecurityContext.allowPrivilegeEscalation": OFF,
    "containerSecurityContext.capabilities.drop.*": ANY,
    "containerSecurityContext.enabled": "true",
    "containerSecurityContext.readOnlyRootFilesystem": "true|false",
    "deployment.daemonset": "true|false",
    "deployment.prefixDir.sizeLimit": ANY,
    "deployment.serviceAccount.create": "true|false",
    "deployment.serviceAccount.name": ANY,
    "enterprise.enabled": OFF,
    "fullnameOverride": ANY,
    "image.repository": r"(docker\.io/)?(library/|kong/)?kong",
    "image.tag": ANY,
    "ingressController.admissionWebhook.enabled": "true|false",
    "ingressController.createIngressClass": OFF,
    "ingressController.enabled": "true",
    "ingressController.env.anonymous_reports": OFF,
    "ingressController.env.enable_controller_*": OFF,
    "ingressController.env.gateway_to_reconcile": WORDS,
    "ingressController.env.init_cache_sync_duration": ANY,
    "ingressController.env.metrics_bind_address": r"127\.0\.0\.1:[0-9]+",
    "ingressController.image.repository": r"(docker\.io/)?kong/kubernetes-ingress-controller",
    "ingressController.image.tag": ANY,
    "ingressController.resources.*": ANY,
    "ingressController.watchNamespaces.*": ANY,
    "manager.enabled": OFF,
    "nameOverride": ANY,
    "podLabels.*": ANY,
    "portal.enabled": OFF,
    "portalapi.enabled": OFF,
    "proxy.tls.parameters.*": "http2",
    "secretVolumes.*": ANY,
    "updateStrategy.*": ANY,
}

_LOAD_BALANCER_CONTROLLER: Final[Mapping[str, str]] = {
    **_COMMON,
    **_SECURITY,
    **{f"podS{path[1:]}": value for path, value in _SECURITY.items()},
    **dict.fromkeys(("clusterName", "region", "vpcTags.*", "watchNamespace", "podLabels.*", "fullnameOverride", "updateStrategy.*"), ANY),
    **dict.fromkeys(("enableWaf", "enableWafv2", "enableShield"), OFF),  # whoever writes an Ingress would set the firewall of its balancer
    **dict.fromkeys(("createIngressClassResource", "ingressClassParams.create", "hostNetwork", "ingressClassConfig.default"), OFF),
    **dict.fromkeys(("enableServiceMutatorWebhook", "clusterSecretsPermissions.allowAllSecrets", "serviceMonitor.enabled"), OFF),
    **dict.fromkeys(("enableBackendSecurityGroup", "enableEndpointSlices", "enablePodReadinessGateInject", "keepTLSSecret"), "true|false"),
    **dict.fromkeys(("enableCertManager", "configureDefaultAffinity"), "true|false"),
    **dict.fromkeys(("disableIngressClassAnnotation", "disableIngressGroupNameAnnotation"), "true|false"),
    "controllerConfig.featureGates.*": OFF,
    "defaultTargetType": "ip",
    "image.repository": r"public\.ecr\.aws/eks/aws-load-balancer-controller",
    "image.tag": ANY,
    "image.pullPolicy": "Always|IfNotPresent|Never",
    "logLevel": "info|debug",
    "securityContext.allowPrivilegeEscalation": OFF,
    "securityContext.capabilities.drop.*": "ALL",
    "securityContext.readOnlyRootFilesystem": "true",
    "podSecurityContext.fsGroup": "[1-9][0-9]*",
    "serviceAccount.automountServiceAccountToken": "true|false",
    "serviceAccount.create": "true|false",
    "serviceAccount.name": ANY,
}

ACCEPTED: Final[Mapping[str, Mapping[str, str]]] = {
    "base": {"base.validationFailurePolicy": ANY, "defaultRevision": ANY, "global.istioNamespace": ANY},
    "istiod": _ISTIOD,
    "gateway": _GATEWAY,
    "gateway-helm": _ENVOY_GATEWAY,
    "gateway-crds-helm": {"crds.*": ANY},
    "cert-manager": _CERT_MANAGER,
    "kong": _KONG,
    "aws-load-balancer-controller": _LOAD_BALANCER_CONTROLLER,
}
"""By chart: accepted paths of values (`*` stands for any text) with a regular expression for the whole value."""


def unaccepted(release: Resource) -> Iterator[tuple[str, str]]:
    """Yield the values of a known chart's Release that are not accepted: path, and the value where another one would be accepted.

    Raises:
        UnknownValueError: if the values, or one whose value matters, are not known.
    """
    yield from allowed_values.unaccepted(release.at("values", default={}), ACCEPTED[chart_name(release)])


def of_several_lines(release: Resource) -> list[str]:
    """Return the texts among a Release's values, keys included, that hold a line break.

    Many charts print a value as it stands, so that its second line is a field, or a document, of its own
    (https://helm.sh/docs/chart_template_guide/yaml_techniques/).
    """
    inside = values_in(release.at("values", default={}))
    keys = [key for each in inside if is_known(each, dict) for key in each]
    return [text for text in (*inside, *keys) if is_known(text, str) and len(text.splitlines()) > 1]
