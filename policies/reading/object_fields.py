"""Fields of Kubernetes objects that are accepted: those that some rule reads, and those that cannot open a path.

Read from the APIs of Kubernetes 1.36, Istio 1.31 and cert-manager 1.21. The gateway's objects are in `gateway_fields`, charts in
`chart_values`, roles in K12, EnvoyFilters in M18.
"""

import re
from collections.abc import Iterator, Mapping
from fnmatch import fnmatchcase
from functools import cache
from typing import Any, Final

from policies.reading.allowed_values import ANY, Place, Table, all_of, places, unaccepted, under
from policies.reading.gateway_fields import SPARED_RESPONSE_HEADER
from policies.reading.pod_fields import POD
from policies.reading.pods import TEMPLATES
from policies.reading.resource import Resource
from policies.reading.values import mapping, sequence

NUMBER: Final = "[0-9]+"
SWITCH: Final = "true|false"

LABELS: Final = re.compile(
    r"[^/]+|(app\.kubernetes\.io|helm\.sh|perimeter\.dev|pod-security\.kubernetes\.io|kubernetes\.io)/.+|sidecar\.istio\.io/inject"
    r"|istio\.io/(rev|dataplane-mode)|topology\.istio\.io/locality|konghq\.com/credential|rbac\.authorization\.k8s\.io/aggregate-to-.+"
)
"""Labels that some rule reads, and those with which people sort their objects."""

ANNOTATIONS: Final = re.compile(
    r"[^/]+|(app\.kubernetes\.io|perimeter\.dev|konghq\.com|gateway\.networking\.k8s\.io|deployment\.kubernetes\.io|meta\.helm\.sh|prometheus\.io|proxy\.istio\.io)/.+"
    r"|sidecar\.istio\.io/(inject|interceptionMode|proxy(CPU|Memory|CPULimit|MemoryLimit|Image)|bootstrapOverride|discoveryAddress|status)"
    r"|sidecar\.istio\.io/userVolume(Mount)?"
    r"|(traffic\.sidecar|inject|ambient)\.istio\.io/.+|istio\.io/(dry-run|reroute-virtual-interfaces|dataplane-mode)"
    r"|container\.apparmor\.security\.beta\.kubernetes\.io/.+|kubernetes\.io/(description|ingress\.class)"
    r"|pulumi\.com/(skipAwait|waitFor|timeoutSeconds|patchForce)|(service\.beta|cloud)\..*/.+|networking\.gke\.io/.+"
)
"""Annotations that some rule reads, and those with which people describe their objects."""

_APART: Final = frozenset({"apiVersion", "kind", "metadata", "status"})
_METADATA: Final = frozenset({"name", "namespace", "labels", "annotations"})
_OF_THE_CLUSTER: Final = frozenset({"uid", "resourceVersion", "generation", "creationTimestamp", "managedFields", "selfLink"})
"""Fields of metadata that the API server writes."""


_FINALIZERS: Final = frozenset({"service.kubernetes.io/load-balancer-cleanup", "customresourcecleanup.apiextensions.k8s.io"})


_WORKLOAD: Final = {
    **all_of("replicas minReadySeconds progressDeadlineSeconds revisionHistoryLimit", NUMBER),
    **all_of(
        "selector.* strategy.rollingUpdate.* updateStrategy.rollingUpdate.maxUnavailable updateStrategy.rollingUpdate.maxSurge serviceName"
    ),
    "strategy.type": "RollingUpdate|Recreate",
    "updateStrategy.type": "RollingUpdate",
    "podManagementPolicy": "OrderedReady|Parallel",
    "paused": "false",
}
_JOB: Final = {
    **all_of("activeDeadlineSeconds backoffLimit completions parallelism ttlSecondsAfterFinished", NUMBER),
    "completionMode": "NonIndexed|Indexed",
    "suspend": "false",
}
_CRON_JOB: Final = {
    **under("jobTemplate.spec", _JOB),
    **all_of("failedJobsHistoryLimit successfulJobsHistoryLimit startingDeadlineSeconds", NUMBER),
    **all_of("schedule timeZone concurrencyPolicy"),
    "suspend": "false",
}
_BY_WORKLOAD: Final[Mapping[str, Table]] = {"Job": _JOB, "CronJob": _CRON_JOB, "Pod": {}}

_SELECTOR: Final = all_of("spec.selector.matchLabels.* spec.targetRefs.*")
_PEER: Final = all_of(
    "podSelector.matchLabels.* podSelector.matchExpressions.* namespaceSelector.matchLabels.* namespaceSelector.matchExpressions.*"
)
_RULES: Final = {
    **under("from.*", {**_PEER, **all_of("ipBlock.cidr ipBlock.except.*")}),
    **under("to.*", {**_PEER, **all_of("ipBlock.cidr ipBlock.except.*")}),
    **all_of("ports.*.port ports.*.endPort ports.*.protocol"),
}
_SOURCE: Final = "principals requestPrincipals namespaces serviceAccounts trustDomains ipBlocks remoteIpBlocks"
_OPERATION: Final = "hosts methods paths ports"


def _negated(names: str) -> dict[str, str]:
    return {f"{each}.*": ANY for name in names.split() for each in (name, f"not{name[0].upper()}{name[1:]}")}


_CONNECTIONS: Final = {
    **all_of("connectionPool.* outlierDetection.*"),
    **all_of("tls.mode tls.sni tls.subjectAltNames.* tls.credentialName tls.clientCertificate tls.privateKey"),
    "tls.caCertificates": "system|/etc/ssl/certs/ca-certificates.crt",
    "tls.insecureSkipVerify": ANY,
    "loadBalancer.simple": ANY,
    "loadBalancer.localityLbSetting.enabled": SWITCH,
}
_DESTINATION: Final = all_of("destination.host destination.port.number destination.subset")
_HEADERS: Final = all_of("headers.request.remove.* headers.request.set.* headers.request.add.*") | {
    "headers.response.remove.*": SPARED_RESPONSE_HEADER
}
_HTTP: Final = {
    **under(
        "match.*",
        all_of(
            "gateways.* headers.* withoutHeaders.* method.* uri.* authority.* scheme.* port name sourceLabels.* sourceNamespace ignoreUriCase queryParams.*"
        ),
    ),
    **under("route.*", {**_DESTINATION, **_HEADERS, "weight": NUMBER}),
    **under("mirrors.*", {**_DESTINATION, "percentage.value": ANY}),
    **under("mirror", all_of("host port.number subset")),
    **_HEADERS,
    **all_of("fault.abort.percentage.value fault.delay.fixedDelay fault.delay.percentage.value mirrorPercentage.value"),
    "fault.abort.httpStatus": "[45][0-9]{2}",
    "retries.attempts": "[0-9]|10",
    "retries.": ANY,
    **all_of("name timeout retries.perTryTimeout retries.retryOn rewrite.* delegate.*"),
}

ACCEPTED: Final[Mapping[str, Table]] = {
    "AuthorizationPolicy.security.istio.io": {
        **_SELECTOR,
        **under("spec.rules.*.from.*.source", _negated(_SOURCE)),
        **under("spec.rules.*.to.*.operation", _negated(_OPERATION)),
        **all_of("spec.action spec.provider.name spec.rules.*.when.*.key spec.rules.*.when.*.values.* spec.rules.*.when.*.notValues.*"),
    },
    "TargetGroupBinding.elbv2.k8s.aws": {
        **all_of("spec.targetGroupARN spec.targetGroupName spec.serviceRef.name spec.serviceRef.port spec.vpcID spec.networking.*"),
        "spec.targetType": "ip",
    },
    "Certificate.cert-manager.io": {
        **all_of("spec.commonName spec.dnsNames.* spec.uris.* spec.issuerRef.group spec.issuerRef.kind spec.issuerRef.name"),
        "spec.secretName": ANY,
        "spec.duration": "[0-9]+[hms].*",
        "spec.renewBefore": "[0-9]+[hms].*",
        "spec.isCA": ANY,
        "spec.privateKey.algorithm": "ECDSA|RSA|Ed25519",
        "spec.privateKey.encoding": "PKCS1|PKCS8",
        "spec.privateKey.rotationPolicy": "Always|Never",
        "spec.privateKey.size": "256|384|521|2048|3072|4096|8192",
        "spec.revisionHistoryLimit": NUMBER,
        "spec.usages.*": "digital signature|key encipherment|client auth|server auth",
    },
    "ClusterIssuer.cert-manager.io": all_of("spec.ca.secretName spec.selfSigned.* spec.acme.* spec.vault.* spec.venafi.*"),
    "Issuer.cert-manager.io": all_of("spec.ca.secretName spec.selfSigned.* spec.acme.* spec.vault.* spec.venafi.*"),
    "ConfigMap": {**all_of("data.*"), "immutable": SWITCH},
    "CustomResourceDefinition.apiextensions.k8s.io": {
        **all_of("spec.group spec.names.* spec.scope spec.versions.* spec.preserveUnknownFields"),
        "spec.conversion.strategy": "None",
    },
    "DestinationRule.networking.istio.io": {
        **all_of("spec.host spec.exportTo.* spec.workloadSelector.matchLabels.* spec.subsets.*.name spec.subsets.*.labels.*"),
        **under("spec.trafficPolicy", _CONNECTIONS),
        **under("spec.trafficPolicy.portLevelSettings.*", {**_CONNECTIONS, "port.number": NUMBER}),
        **under("spec.subsets.*.trafficPolicy", _CONNECTIONS),
    },
    "Gateway.networking.istio.io": {
        **all_of("spec.selector.* spec.servers.*.hosts.* spec.servers.*.port.name spec.servers.*.port.number spec.servers.*.port.protocol"),
        **all_of("spec.servers.*.name spec.servers.*.port.targetPort spec.servers.*.tls.mode spec.servers.*.tls.credentialName"),
        **all_of("spec.servers.*.tls.minProtocolVersion spec.servers.*.tls.maxProtocolVersion"),
        **all_of("spec.servers.*.tls.subjectAltNames.* spec.servers.*.tls.httpsRedirect"),
    },
    "Namespace": all_of("spec.finalizers.*", "kubernetes"),
    "NetworkPolicy.networking.k8s.io": {
        **all_of("spec.podSelector.* spec.policyTypes.*"),
        **under("spec.ingress.*", _RULES),
        **under("spec.egress.*", _RULES),
    },
    "PeerAuthentication.security.istio.io": {**_SELECTOR, **all_of("spec.mtls.mode spec.portLevelMtls.*")},
    "ProxyConfig.networking.istio.io": {
        **_SELECTOR,
        **all_of("spec.concurrency spec.interceptionMode spec.environmentVariables.*"),
    },
    "RequestAuthentication.security.istio.io": {
        **_SELECTOR,
        **all_of("spec.jwtRules.*.audiences.* spec.jwtRules.*.issuer spec.jwtRules.*.jwks spec.jwtRules.*.jwksUri spec.jwtRules.*.timeout"),
        **all_of("spec.jwtRules.*.forwardOriginalToken spec.jwtRules.*.outputClaimToHeaders.*"),
        **all_of("spec.jwtRules.*.fromHeaders.* spec.jwtRules.*.fromParams.* spec.jwtRules.*.fromCookies.*"),
    },
    "Secret": {**all_of("data.* stringData.* type"), "immutable": SWITCH},
    "Service": {
        **all_of("spec.selector.* spec.ports.*.name spec.ports.*.port spec.ports.*.protocol spec.ports.*.targetPort spec.ports.*.nodePort"),
        **all_of("spec.ports.*.appProtocol spec.type spec.externalIPs.* spec.externalName"),
        **all_of("spec.externalTrafficPolicy spec.internalTrafficPolicy spec.ipFamilies.* spec.ipFamilyPolicy spec.sessionAffinity"),
        **all_of("spec.loadBalancerIP spec.loadBalancerClass spec.loadBalancerSourceRanges.* spec.allocateLoadBalancerNodePorts"),
        **all_of("spec.healthCheckNodePort spec.trafficDistribution"),
        **all_of("spec.clusterIP spec.clusterIPs.*", "(?!None$).*"),  # without an address, callers' proxies connect past the routes
        "spec.publishNotReadyAddresses": "false",
    },
    "ServiceAccount": {"automountServiceAccountToken": ANY, "imagePullSecrets.*.name": ANY},
    "ServiceEntry.networking.istio.io": all_of(
        "spec.hosts.* spec.addresses.* spec.ports.* spec.location spec.resolution spec.exportTo.* spec.endpoints.*.address"
        " spec.endpoints.*.ports.* spec.endpoints.*.labels.* spec.subjectAltNames.* spec.workloadSelector.labels.*"
    ),
    "Sidecar.networking.istio.io": {
        **all_of(
            "spec.workloadSelector.labels.* spec.outboundTrafficPolicy.mode spec.egress.*.hosts.* spec.egress.*.captureMode spec.egress."
        ),
        **all_of("spec.ingress.*.captureMode spec.ingress.*.port.* spec.ingress.*.defaultEndpoint"),
    },
    "Telemetry.telemetry.istio.io": {
        **_SELECTOR,
        "spec.accessLogging.*.providers.*.name": ANY,
        "spec.accessLogging.*.filter.expression": r"response\.code >= 400 \|\| response\.code == 0",
        "spec.accessLogging.*.disabled": "false",
        "spec.tracing.*.providers.*.name": ANY,
        "spec.tracing.*.randomSamplingPercentage": ANY,
        "spec.tracing.*.disableSpanReporting": SWITCH,
        "spec.metrics.*": ANY,
    },
    "VirtualService.networking.istio.io": {
        **all_of("spec.hosts.* spec.gateways.* spec.exportTo.*"),
        **under("spec.http.*", _HTTP),
        **under("spec.tcp.*.route.*", {**_DESTINATION, "weight": NUMBER}),
        **under("spec.tcp.*.match.*", all_of("gateways.* port sourceLabels.* sourceNamespace destinationSubnets.*")),
        **under("spec.tls.*.route.*", {**_DESTINATION, "weight": NUMBER}),
        **under("spec.tls.*.match.*", all_of("gateways.* port sniHosts.* sourceLabels.* sourceNamespace destinationSubnets.*")),
    },
}
"""By kind (and group, but for the core group): accepted paths below the object, metadata apart."""

KINDS: Final = (*ACCEPTED, *TEMPLATES)


_PLACES: Final[Mapping[str, Place]] = {
    **{kind: places(table) for kind, table in ACCEPTED.items()},
    **{kind: places(under("spec", _BY_WORKLOAD.get(kind, _WORKLOAD))) for kind in TEMPLATES},
}
_POD: Final = places(POD)


def unreviewed(resource: Resource) -> Iterator[tuple[str, str]]:
    """Yield the fields of one object that nobody reviewed: path, and the value where another one would be accepted.

    Raises:
        UnknownValueError: if a value that matters is not known.
    """
    yield from _metadata("metadata", mapping(resource.props.get("metadata")))
    body = {key: value for key, value in resource.props.items() if key not in _APART}
    if resource.kind not in TEMPLATES:
        yield from _unread(body, _PLACES[f"{resource.kind}.{resource.group}" if resource.group else resource.kind])
        return
    path = TEMPLATES[resource.kind]
    template, rest = _taken_out(body, path)
    yield from _unread(rest, _PLACES[resource.kind])
    place = ".".join((*path, ""))
    yield from _metadata(f"{place}metadata", mapping(template.get("metadata")) if path else {})
    for field, value in _unread(mapping(template.get("spec")), _POD):
        yield f"{place}spec.{field}", value


def _unread(value: Mapping[str, Any], table: Place) -> Iterator[tuple[str, str]]:
    """Yield what a table does not accept. Something empty is accepted where the table has something in its place."""
    for path, given in unaccepted(value, table, empty=True):
        if not (path.endswith(".") and _expects(table, path[:-1])):
            yield path, given


@cache
def _expects(table: Place, path: str) -> bool:
    return any(_begins(accepted, path) for accepted, _ in table.table)


def _begins(accepted: str, path: str) -> bool:
    steps, wanted = path.split("."), accepted.split(".")
    return len(steps) <= len(wanted) and all(fnmatchcase(step, pattern) for step, pattern in zip(steps, wanted, strict=False))


def _taken_out(body: Mapping[str, Any], path: tuple[str, ...]) -> tuple[Mapping[str, Any], Mapping[str, Any]]:
    """Return what stands at a path, and everything else."""
    if not path:
        return body, {}
    first, *others = path
    if not others:
        return mapping(body.get(first)), {key: value for key, value in body.items() if key != first}
    found, rest = _taken_out(mapping(body.get(first)), tuple(others))
    return found, {**body, first: rest}


def _metadata(place: str, metadata: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for key, value in metadata.items():
        if key not in _METADATA and key not in _OF_THE_CLUSTER and not (key == "finalizers" and set(sequence(value)) <= _FINALIZERS):
            yield f"{place}.{key}", ""
    for key in mapping(metadata.get("labels")):
        if not LABELS.fullmatch(key):
            yield f"{place}.labels.{key}", ""
    for key in mapping(metadata.get("annotations")):
        if not ANNOTATIONS.fullmatch(key):
            yield f"{place}.annotations.{key}", ""
