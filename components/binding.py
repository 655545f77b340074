"""What a stack file binds: which product plays each layer, and where things come from. Read once, all errors at once."""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, Any, Final, Self, cast

import pulumi
import pulumi.runtime.config as runtime_config
from pydantic import Field, ValidationError, model_validator
from pydantic.alias_generators import to_camel

from components.aws.settings import AwsSettings
from components.azure.settings import AzureSettings
from components.part import AddressRange, Part
from components.ranges import PRIVATE
from components.versions import CHARTS, IMAGES, Chart
from topology.derive import names
from topology.explain import explain
from topology.findings import Faults, Finding, did_you_mean, spell

PROJECT: Final = "perimeter"
LOCAL: Final = ("./", "../", "/")
"""How the path of a chart begins, by which it is told from a name in a repository."""


class EdgeKind(StrEnum):
    """Products that can play the edge."""

    NGINX = "nginx"
    APPLICATION_GATEWAY = "application-gateway"
    APPLICATION_LOAD_BALANCER = "application-load-balancer"
    LOAD_BALANCER = "load-balancer"
    """Pods of nginx behind a load balancer that only passes connections on."""


class GatewayKind(StrEnum):
    """Products that can play the API gateway."""

    ENVOY_GATEWAY = "envoy-gateway"
    KONG = "kong"
    API_MANAGEMENT = "api-management"


class ClusterKind(StrEnum):
    """Where the Kubernetes cluster comes from."""

    EXISTING = "existing"
    """It is there: a kube context."""
    AKS = "aks"
    EKS = "eks"


@dataclass(frozen=True, kw_only=True)
class Neighbours:
    """What an edge can stand in front of, and where."""

    gateways: frozenset[GatewayKind]
    clusters: frozenset[ClusterKind]


NEIGHBOURS: Final[Mapping[EdgeKind, Neighbours]] = {
    EdgeKind.NGINX: Neighbours(
        gateways=frozenset({GatewayKind.ENVOY_GATEWAY, GatewayKind.KONG}), clusters=frozenset({ClusterKind.EXISTING})
    ),
    EdgeKind.APPLICATION_GATEWAY: Neighbours(gateways=frozenset({GatewayKind.API_MANAGEMENT}), clusters=frozenset({ClusterKind.AKS})),
    EdgeKind.APPLICATION_LOAD_BALANCER: Neighbours(
        gateways=frozenset({GatewayKind.ENVOY_GATEWAY, GatewayKind.KONG}), clusters=frozenset({ClusterKind.EKS})
    ),
    EdgeKind.LOAD_BALANCER: Neighbours(
        gateways=frozenset({GatewayKind.ENVOY_GATEWAY, GatewayKind.KONG}), clusters=frozenset({ClusterKind.AKS})
    ),
}
"""Which products can be bound together."""

IN_CLUSTER: Final = frozenset({EdgeKind.NGINX, EdgeKind.LOAD_BALANCER, GatewayKind.ENVOY_GATEWAY, GatewayKind.KONG})
"""Products that run as pods of the system's own cluster. The others stand in the network around it."""

AZURE_KEYS: Final[Mapping[str, EdgeKind]] = {
    "publisher": EdgeKind.APPLICATION_GATEWAY,
    "public_certificate": EdgeKind.APPLICATION_GATEWAY,
    "discovery": EdgeKind.APPLICATION_GATEWAY,
    "application_insights": EdgeKind.APPLICATION_GATEWAY,
    "dns_zone": EdgeKind.LOAD_BALANCER,
}
"""Settings of Azure that one edge alone, or the gateway behind it, has a use for."""


class IssuerRef(Part):
    """A cert-manager ClusterIssuer of the user's own, for the certificate that clients see."""

    name: str


class Collector(Part):
    """An OpenTelemetry collector in the cluster that takes traces over OTLP/gRPC."""

    namespace: str
    service: str
    port: Annotated[int, Field(ge=1, le=65535)] = 4317
    pod_labels: Mapping[str, str] = {}
    """Labels of its pods, for the NetworkPolicies that let proxies reach it; empty: every pod of the namespace."""


class ChartOverride(Part):
    """Another place for a chart: a local path, a mirror, another version."""

    chart: str | None = None
    version: str | None = None
    repository: str | None = None


class Replicas(Part):
    """Instances of each layer's proxies and of istiod."""

    edge: Annotated[int, Field(ge=1)] = 1
    gateway: Annotated[int, Field(ge=1)] = 1
    ingress: Annotated[int, Field(ge=1)] = 1
    egress: Annotated[int, Field(ge=1)] = 1
    bridge: Annotated[int, Field(ge=1)] = 1
    istiod: Annotated[int, Field(ge=1)] = 1


class Alternative(Part):
    """Another edge and gateway, beside the stack's own."""

    edge: EdgeKind
    gateway: GatewayKind


class Binding(Part):
    """The environment half of a stack: the boundary itself is in the topology."""

    topology: str
    """Path of the topology file, relative to the project."""
    edge: EdgeKind = EdgeKind.NGINX
    gateway: GatewayKind = GatewayKind.ENVOY_GATEWAY
    cluster: ClusterKind = ClusterKind.EXISTING
    alternative: Alternative | None = None
    """Who serves the hosts with a door that `edge` and `gateway` cannot carry; there is none of it where they carry all."""
    azure: AzureSettings | None = None
    """What an Azure environment needs to know; only for cluster `aks`."""
    aws: AwsSettings | None = None
    """What an AWS environment needs to know; only for cluster `eks`."""
    public_port: Annotated[int, Field(ge=30000, le=32767)] = names.EDGE_NODE_PORT
    """NodePort of the edge, the only public port."""
    context: str | None = None
    """Kube context; default: the current one."""
    kubeconfig: str | None = None
    charts: Mapping[str, ChartOverride | str] = {}
    """By the keys of `components.versions.CHARTS`; a string is a path or reference."""
    images: Mapping[str, str] = {}
    """By the keys of `components.versions.IMAGES`."""
    api_server: tuple[AddressRange, ...] = tuple(map(str, PRIVATE))
    """Where the Kubernetes API server may be, for the controllers that must reach it."""
    api_server_ports: tuple[int, ...] = (443, 6443)
    inside: tuple[AddressRange, ...] = (*map(str, PRIVATE), "169.254.0.0/16")
    """Addresses that are not outside: what egress to the outside never reaches."""
    certificate_issuer: IssuerRef | None = None
    """Who issues the edge's server certificate; default: a certificate authority made on deploy."""
    collector: Collector | None = None
    """Where traces go; without it no proxy sends any."""
    values: Mapping[str, dict[str, Any]] = {}
    """Further values of charts, by the keys of `components.versions.CHARTS`, laid over ours: sizes, affinities, tolerations."""
    replicas: Replicas = Replicas()
    rotation: str = "1"
    """Any other value makes new API keys."""

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        if misplaced := [*_misplaced(self.edge, self.gateway, self.cluster), *self._alternative()]:
            raise Faults(misplaced)
        clouds: dict[str, tuple[ClusterKind, object]] = {"azure": (ClusterKind.AKS, self.azure), "aws": (ClusterKind.EKS, self.aws)}
        wrong = [
            f"cluster {self.cluster} {f'needs the key {key}' if given is None else f'has no use for the key {key}: remove it'}"
            for key, (cluster, given) in clouds.items()
            if (given is None) is (self.cluster is cluster)
        ]
        wrong += self._azure_keys() if self.azure else []
        if wrong:
            raise Faults(wrong)
        return self

    def _alternative(self) -> Iterator[str]:
        other = self.alternative
        if other is None:
            return
        beside = sorted(edge for edge, around in NEIGHBOURS.items() if edge in IN_CLUSTER and self.cluster in around.clusters)
        if self.edge in IN_CLUSTER or not beside:
            yield f"alternative: nothing can stand beside edge {self.edge} in cluster {self.cluster}: remove it"
        elif other.edge not in beside:
            yield f"alternative: edge {other.edge} cannot stand beside {self.edge} in cluster {self.cluster}: name {' or '.join(beside)}"
        else:
            yield from (f"alternative: {reason}" for reason in _misplaced(other.edge, other.gateway, self.cluster))

    def _azure_keys(self) -> Iterator[str]:
        given = self.azure.model_fields_set if self.azure else set[str]()
        edges = {self.edge, self.alternative.edge if self.alternative else self.edge}
        for key, edge in AZURE_KEYS.items():
            if key in given and edge not in edges:
                yield f"edge {self.edge} has no use for the key azure.{to_camel(key)}: remove it"
        if self.gateway is GatewayKind.API_MANAGEMENT and "publisher" not in given:
            yield f"gateway {self.gateway} needs the key azure.publisher"

    def chart(self, key: str) -> Chart:
        """Return where a chart comes from in this stack."""
        pinned, override = CHARTS[key], self.charts.get(key)
        if override is None:
            return pinned
        if isinstance(override, str):
            return Chart(chart=override, version="" if override.startswith(LOCAL) else pinned.version)
        chart = pinned.chart if override.chart is None else override.chart
        # A folder and an OCI reference say where they are: Helm would look for them in a repository, were one given.
        whence = "" if chart.startswith((*LOCAL, "oci://")) else pinned.repository
        return Chart(
            chart=chart,
            version=pinned.version if override.version is None else override.version,
            repository=whence if override.repository is None else override.repository,
        )

    def image(self, key: str) -> str:
        """Return the image of a part in this stack."""
        return self.images.get(key, IMAGES[key])


def _misplaced(edge: EdgeKind, gateway: GatewayKind, cluster: ClusterKind) -> Iterator[str]:
    around = NEIGHBOURS[edge]
    if gateway not in around.gateways or cluster not in around.clusters:
        gateways, clusters = (" or ".join(sorted(group)) for group in (around.gateways, around.clusters))
        given = f"gateway {gateway} and cluster {cluster}"
        yield f"edge {edge} stands in front of gateway {gateways} in cluster {clusters}, not of {given}: change one of them"


class BindingError(pulumi.RunError):
    """A stack file that cannot be; `findings` says everything that is wrong with it, and the message has one line for each."""

    def __init__(self, findings: Iterable[str]) -> None:
        """Keep all findings."""
        self.findings: tuple[str, ...] = tuple(findings)
        super().__init__("\n".join(self.findings))


def stack_binding() -> Binding:
    """Return the binding of the stack that the program runs for.

    Raises:
        BindingError: with every mistake in its stack file.
    """
    config = pulumi.Config()
    given = {**runtime_config.get_config_env(), **runtime_config.CONFIG.get()}
    prefix = f"{config.name}:"
    keys = sorted(key.removeprefix(prefix) for key in given if key.startswith(prefix))
    return read_binding({key: config.require(key) for key in keys}, pulumi.get_stack())


def read_binding(values: Mapping[str, str], stack: str) -> Binding:
    """Return the binding in a stack's configuration.

    Args:
        values: configuration values of the project's own namespace by key, structured ones as JSON text (as Pulumi hands them over).
        stack: name of the stack, for messages.

    Raises:
        BindingError: with every mistake: key, given value, reason, what to do.
    """
    given = {key: _value(key, text) for key, text in values.items()}
    found: list[Finding] = []
    try:
        binding = Binding.model_validate(given)
    except ValidationError as error:
        found += explain(error, Binding)
        binding = None
    found += _unknown_keys(given)
    if found or binding is None:
        raise BindingError(f"stacks/Pulumi.{stack}.yaml: {_said(finding)}" for finding in found)
    return binding


_TEXT: Final = frozenset({"topology", "edge", "gateway", "cluster", "context", "kubeconfig", "rotation"})
"""Keys whose value is text, whatever it looks like. Others are JSON, as Pulumi hands structured values over."""


def _value(key: str, text: str) -> Any:
    if key in _TEXT:
        return text
    try:
        return json.loads(text)
    except json.JSONDecodeError:
        return text


_KEYED: Final[Mapping[str, Mapping[str, object]]] = {"charts": CHARTS, "values": CHARTS, "images": IMAGES}


def _unknown_keys(given: Mapping[str, Any]) -> list[Finding]:
    found: list[Finding] = []
    for key, known in _KEYED.items():
        chosen: Any = given.get(key)
        keys = [str(name) for name in cast("dict[Any, Any]", chosen)] if isinstance(chosen, dict) else []
        found += [
            Finding(path=(key, name), given=None, reason="is not known", suggestion=did_you_mean(name, known))
            for name in keys
            if name not in known
        ]
    return found


def _said(finding: Finding) -> str:
    where = f"{PROJECT}:{spell(finding.path)}" if finding.path else PROJECT
    return f"{where}: {finding.said}{f' ({finding.suggestion})' if finding.suggestion else ''}"
