"""What a stack file binds: which product plays each layer, and where things come from. Read once, all errors at once."""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, Final, cast

import pulumi
import pulumi.runtime.config as runtime_config
from pydantic import Field, ValidationError, model_validator
from pydantic.alias_generators import to_camel

from components import ranges
from components.aws.settings import AwsSettings
from components.azure.settings import AzureSettings
from components.fitting import Fitting, faults_beside
from components.part import AddressRange, Part
from components.ranges import PRIVATE
from components.versions import CHARTS, IMAGES, Chart
from topology.derive import names
from topology.explain import explain
from topology.findings import Finding, KeyPath, did_you_mean, spell
from topology.load import read as read_document

PROJECT: Final = "perimeter"
LOCAL: Final = ("./", "../", "/")
"""How the path of a chart begins, by which it is told from a name in a repository."""


class EdgeKind(StrEnum):
    """Products that can play the edge."""

    NGINX = "nginx"
    """Pods of nginx with ModSecurity and the OWASP Core Rule Set, public by a NodePort."""
    APPLICATION_GATEWAY = "application-gateway"
    """Azure Application Gateway with its web application firewall."""
    APPLICATION_LOAD_BALANCER = "application-load-balancer"
    """AWS Application Load Balancer with a WAFv2 web ACL."""
    LOAD_BALANCER = "load-balancer"
    """Pods of nginx behind a load balancer that only passes connections on."""


class GatewayKind(StrEnum):
    """Products that can play the API gateway."""

    ENVOY_GATEWAY = "envoy-gateway"
    """Envoy Gateway, as pods of the cluster. Fetches the key sets of issuers by itself."""
    KONG = "kong"
    """Kong's open-source edition, as pods of the cluster. Is given public keys (`issuers.<name>.publicKeys`)."""
    API_MANAGEMENT = "api-management"
    """Azure API Management in the internal mode of a virtual network."""


class ClusterKind(StrEnum):
    """Where the Kubernetes cluster comes from."""

    EXISTING = "existing"
    """It is there: a kube context."""
    AKS = "aks"
    """The stack makes one in Azure."""
    EKS = "eks"
    """The stack makes one in AWS."""


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
    """Its name."""


class Collector(Part):
    """An OpenTelemetry collector in the cluster that takes traces over OTLP/gRPC."""

    namespace: str
    """Where it runs."""
    service: str
    """Name of its Kubernetes Service."""
    port: Annotated[int, Field(ge=1, le=65535)] = 4317
    """Port of the Service."""
    pod_labels: Mapping[str, str] = {}
    """Labels of its pods, for the NetworkPolicies that let proxies reach it; empty: every pod of the namespace."""


class ChartOverride(Part):
    """Another place for a chart: a local path, a mirror, another version."""

    chart: str | None = None
    """Path of a folder (begins with `./`, `../` or `/`), an `oci://` reference, or a name in the repository. Default: the pinned one."""
    version: str | None = None
    """Default: the pinned one. A folder has none that a plan could say, which is undecided, unless it is given here."""
    repository: str | None = None
    """URL of the Helm repository. Default: the pinned one; none for a folder or an `oci://` reference."""

    @model_validator(mode="before")
    @classmethod
    def _by_reference(cls, given: object) -> object:
        """Take a text as a path or a reference, which is looked for in no repository; a folder has no version that a plan could say."""
        if not isinstance(given, str):
            return given
        return {"chart": given, "repository": "", **({"version": ""} if given.startswith(LOCAL) else {})}


class Replicas(Part):
    """Instances of each layer's proxies and of istiod. From two on, a drained node takes one at a time."""

    edge: Annotated[int, Field(ge=1)] = 1
    """Pods of the edge, where pods play it."""
    gateway: Annotated[int, Field(ge=1)] = 1
    """Pods of the API gateway, where pods play it."""
    ingress: Annotated[int, Field(ge=1)] = 1
    """Mesh ingress, of each mesh."""
    egress: Annotated[int, Field(ge=1)] = 1
    """Egress gateway, of each mesh."""
    bridge: Annotated[int, Field(ge=1)] = 1
    """Internal gateway, of each mesh that has one."""
    istiod: Annotated[int, Field(ge=1)] = 1
    """Control plane, of each mesh."""


class Alternative(Part):
    """Another edge and gateway, beside the stack's own."""

    edge: EdgeKind
    """The other edge."""
    gateway: GatewayKind
    """The gateway behind it."""


class Binding(Fitting):
    """The environment half of a stack: the boundary itself is in the topology."""

    topology: str
    """Path of the topology file, relative to the project."""
    edge: EdgeKind = EdgeKind.NGINX
    """What plays the edge."""
    gateway: GatewayKind = GatewayKind.ENVOY_GATEWAY
    """What plays the API gateway."""
    cluster: ClusterKind = ClusterKind.EXISTING
    """Where the Kubernetes cluster comes from."""
    alternative: Alternative | None = None
    """Who serves the hosts with a door that `edge` and `gateway` cannot carry; there is none of it where they carry all."""
    azure: AzureSettings | None = None
    """What an Azure environment needs to know; only for cluster `aks`."""
    aws: AwsSettings | None = None
    """What an AWS environment needs to know; only for cluster `eks`."""
    public_port: Annotated[int, Field(ge=30000, le=32767)] = names.EDGE_NODE_PORT
    """NodePort of the edge `nginx`, the only public port."""
    context: str | None = None
    """Kube context of cluster `existing`. Name it: without one `pulumi up` takes the current context, and `perimeter up` asks."""
    kubeconfig: str | None = None
    """Kubeconfig file of cluster `existing`; default: kubectl's own."""
    charts: Mapping[str, ChartOverride] = {}
    """Other places for charts, by the keys below; a text is a path or a reference."""
    images: Mapping[str, str] = {}
    """Other images, by the keys below."""
    api_server: tuple[AddressRange, ...] = tuple(map(str, PRIVATE))
    """Where the Kubernetes API server may be, for the controllers that must reach it."""
    api_server_ports: tuple[int, ...] = (443, 6443)
    """Ports on which the Kubernetes API server answers there."""
    inside: tuple[AddressRange, ...] = (*map(str, PRIVATE), "169.254.0.0/16")
    """Addresses that are not outside: what egress to the outside never reaches."""
    private_hosts: Mapping[str, Annotated[tuple[AddressRange, ...], Field(min_length=1)]] = {}
    """Where outside hosts with private addresses are, by the name of their `egress`: a database in a connected network, whose routes are
    yours. The others are on the internet."""
    cluster_ranges: tuple[AddressRange, ...] = ()
    """Addresses of the pods and Services of cluster `existing`; no private host may be among them. The clouds' own keys say them there."""
    certificate_issuer: IssuerRef | None = None
    """Who issues the edge's server certificate; default: a certificate authority made on deploy."""
    collector: Collector | None = None
    """Where traces go; without it no proxy sends any."""
    values: Mapping[str, dict[str, Any]] = {}
    """Further values of charts, by the keys of charts, laid over ours: sizes, affinities, tolerations."""
    replicas: Replicas = Replicas()
    """Least instances of each layer. Autoscalers make up to four times as many, except of Kong."""
    rotation: str = "1"
    """Any other value makes new API keys."""

    def faults(self) -> Iterator[str]:
        """Yield what cannot be, each with what to do."""
        if self.read("edge", "gateway", "cluster"):
            misplaced = [*_misplaced(self.edge, self.gateway, self.cluster), *(self._alternative() if self.read("alternative") else ())]
            yield from misplaced
            yield from () if misplaced else self._clouds()
        if self.read("cluster", "cluster_ranges") and self.cluster_ranges and self.cluster is not ClusterKind.EXISTING:
            yield f"cluster {self.cluster} has no use for the key clusterRanges: remove it"
        if self.read("private_hosts"):
            for name, given in self.private_hosts.items():
                yield from ranges.private(f"privateHosts.{name}", given)
                yield from ranges.apart(f"privateHosts.{name}", given, self._own_ranges())

    def _clouds(self) -> Iterator[str]:
        for key, (cluster, given) in {"azure": (ClusterKind.AKS, self.azure), "aws": (ClusterKind.EKS, self.aws)}.items():
            # What was given and cannot be read is there all the same.
            is_there = given is not None or not self.read(key)
            if is_there is not (self.cluster is cluster):
                yield f"cluster {self.cluster} {f'has no use for the key {key}: remove it' if is_there else f'needs the key {key}'}"
        yield from self._azure_keys() if self.azure else ()

    def _own_ranges(self) -> dict[str, str]:
        """Return the ranges that the cluster itself uses, as far as the stack file says them, by where it does."""
        clouds = {"azure": self.azure if self.read("azure") else None, "aws": self.aws if self.read("aws") else None}
        said = {f"{cloud}.{key}": block for cloud, given in clouds.items() if given for key, block in given.own_ranges().items()}
        return said | {f"clusterRanges.{at}": block for at, block in enumerate(self.cluster_ranges if self.read("cluster_ranges") else ())}

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
    stack = pulumi.get_stack()
    return read_binding({key: config.require(key) for key in keys}, stack, Path(_file(stack)))


def _file(stack: str) -> str:
    return f"stacks/Pulumi.{stack}.yaml"


def read_binding(values: Mapping[str, str], stack: str, file: Path | None = None) -> Binding:
    """Return the binding in a stack's configuration.

    Args:
        values: configuration values of the project's own namespace by key, structured ones as JSON text (as Pulumi hands them over).
        stack: name of the stack, for messages.
        file: its file, for the lines of messages; without it they have none.

    Raises:
        BindingError: with every mistake: key, given value, reason, what to do.
    """
    given = {key: _value(key, text) for key, text in values.items()}
    found: list[Finding] = []
    try:
        binding = Binding.model_validate(given)
    except ValidationError as error:
        found += explain(error, Binding)
        found += [each for each in faults_beside(Binding, given, found) if each not in found]
        binding = None
    found += _unknown_keys(given)
    if found or binding is None:
        raise BindingError(_said(finding, stack, line) for line, finding in _placed(found, file))
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


def _placed(findings: Iterable[Finding], file: Path | None) -> list[tuple[int, Finding]]:
    """Return findings in the order of the file, each with its line there; 0 where there is no file."""
    try:
        text = file.read_text(encoding="utf-8") if file else ""
    except (OSError, UnicodeDecodeError):  # what cannot be read has no lines
        text = ""
    lines = read_document(text).lines
    return sorted(((_line(lines, finding), finding) for finding in findings), key=lambda each: each[0])


def _line(lines: Mapping[KeyPath, int], finding: Finding) -> int:
    """Return the line of the key that a finding is on, however it is written in the file, or of what that was to stand in."""
    # What several values cannot be together begins with the key of one.
    path = (*finding.path, finding.reason.partition(" ")[0])
    key, *rest = path
    written = next(
        (("config", each) for each in (f"{PROJECT}:{key}", f"{PROJECT}:config:{key}", str(key)) if ("config", each) in lines), None
    )
    if written is None:
        return lines.get(("config",), 0)
    while (*written, *rest) not in lines:
        rest.pop()
    return lines[*written, *rest]


def _said(finding: Finding, stack: str, line: int) -> str:
    where = f"{PROJECT}:{spell(finding.path)}" if finding.path else PROJECT
    place = f"{_file(stack)}:{line}" if line else _file(stack)
    return f"{place}: {where}: {finding.said}{f' ({finding.suggestion})' if finding.suggestion else ''}"
