"""What a stack file binds: which product plays each layer, and where things come from. Read once, all errors at once."""

import json
from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated, Any, Final, cast

import pulumi
import pulumi.runtime.config as runtime_config
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic.alias_generators import to_camel

from components.versions import CHARTS, IMAGES, Chart
from topology.findings import did_you_mean

PROJECT: Final = "perimeter"
ADDRESS_RANGE: Final = r"^[0-9a-fA-F.:]+/[0-9]+$"
AddressRange = Annotated[str, Field(pattern=ADDRESS_RANGE)]


class EdgeKind(StrEnum):
    """Products that can play the edge."""

    NGINX = "nginx"


class GatewayKind(StrEnum):
    """Products that can play the API gateway."""

    ENVOY_GATEWAY = "envoy-gateway"
    KONG = "kong"


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", alias_generator=to_camel, populate_by_name=True)


class IssuerRef(_Part):
    """A cert-manager ClusterIssuer of the user's own, for the certificate that clients see."""

    name: str


class Collector(_Part):
    """An OpenTelemetry collector in the cluster that takes traces over OTLP/gRPC."""

    namespace: str
    service: str
    port: Annotated[int, Field(ge=1, le=65535)] = 4317
    pod_labels: dict[str, str] = {}
    """Labels of its pods, for the NetworkPolicies that let proxies reach it; empty: every pod of the namespace."""


class ChartOverride(_Part):
    """Another place for a chart: a local path, a mirror, another version."""

    chart: str | None = None
    version: str | None = None
    repository: str | None = None


class Replicas(_Part):
    """Instances of each layer's proxies and of istiod."""

    edge: Annotated[int, Field(ge=1)] = 1
    gateway: Annotated[int, Field(ge=1)] = 1
    ingress: Annotated[int, Field(ge=1)] = 1
    egress: Annotated[int, Field(ge=1)] = 1
    bridge: Annotated[int, Field(ge=1)] = 1
    istiod: Annotated[int, Field(ge=1)] = 1


class Binding(_Part):
    """The environment half of a stack: the boundary itself is in the topology."""

    topology: str
    """Path of the topology file, relative to the project."""
    edge: EdgeKind = EdgeKind.NGINX
    gateway: GatewayKind = GatewayKind.ENVOY_GATEWAY
    public_port: Annotated[int, Field(ge=30000, le=32767)] = 30443
    """NodePort of the edge, the only public port."""
    context: str | None = None
    """Kube context; default: the current one."""
    kubeconfig: str | None = None
    charts: dict[str, ChartOverride | str] = {}
    """By the keys of `components.versions.CHARTS`; a string is a path or reference."""
    images: dict[str, str] = {}
    """By the keys of `components.versions.IMAGES`."""
    api_server: tuple[AddressRange, ...] = ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10")
    """Where the Kubernetes API server may be, for the controllers that must reach it."""
    api_server_ports: tuple[int, ...] = (443, 6443)
    inside: tuple[AddressRange, ...] = ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "169.254.0.0/16")
    """Addresses that are not outside: what egress to the outside never reaches."""
    certificate_issuer: IssuerRef | None = None
    """Who issues the edge's server certificate; default: a certificate authority made on deploy."""
    collector: Collector | None = None
    """Where traces go; without it no proxy sends any."""
    values: dict[str, dict[str, Any]] = {}
    """Further values of charts, by the keys of `components.versions.CHARTS`, laid over ours: sizes, affinities, tolerations."""
    replicas: Replicas = Replicas()
    rotation: str = "1"
    """Any other value makes new API keys."""

    def chart(self, key: str) -> Chart:
        """Return where a chart comes from in this stack."""
        pinned, override = CHARTS[key], self.charts.get(key)
        if override is None:
            return pinned
        if isinstance(override, str):
            return Chart(chart=override, version="" if override.startswith(("./", "../", "/")) else pinned.version)
        return Chart(
            chart=pinned.chart if override.chart is None else override.chart,
            version=pinned.version if override.version is None else override.version,
            repository=pinned.repository if override.repository is None else override.repository,
        )

    def image(self, key: str) -> str:
        """Return the image of a part in this stack."""
        return self.images.get(key, IMAGES[key])


class BindingError(pulumi.RunError):
    """A stack file that cannot be; the message says everything that is wrong with it, one line for each."""


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
    problems: list[str] = []
    try:
        binding = Binding.model_validate(given)
    except ValidationError as error:
        problems += [_explain(item) for item in error.errors(include_url=False)]
        binding = None
    problems += _unknown_keys(given)
    if problems or binding is None:
        raise BindingError("\n".join(f"stacks/Pulumi.{stack}.yaml: {problem}" for problem in problems))
    return binding


_TEXT: Final = frozenset({"topology", "edge", "gateway", "context", "kubeconfig", "rotation"})
"""Keys whose value is text, whatever it looks like. Others are JSON, as Pulumi hands structured values over."""


def _value(key: str, text: str) -> Any:
    if key in _TEXT:
        return text
    try:
        return json.loads(text)
    except json.JSONDecodeError:
        return text


_KEYED: Final[Mapping[str, Mapping[str, object]]] = {"charts": CHARTS, "values": CHARTS, "images": IMAGES}


def _unknown_keys(given: Mapping[str, Any]) -> list[str]:
    found: list[str] = []
    for key, known in _KEYED.items():
        chosen: Any = given.get(key)
        names = [str(name) for name in cast("dict[Any, Any]", chosen)] if isinstance(chosen, dict) else []
        found += [f"{PROJECT}:{key}.{name}: is not known ({did_you_mean(name, known)})" for name in names if name not in known]
    return found


def _explain(item: Any) -> str:
    path = ".".join(map(str, item["loc"]))
    reason = {"missing": "is missing", "extra_forbidden": "is not a known key"}.get(item["type"])
    if item["type"] == "extra_forbidden" and len(item["loc"]) == 1:
        hint = f" ({did_you_mean(path, [field.alias or name for name, field in Binding.model_fields.items()])})"
    else:
        hint = ""
    given = "" if reason else f'"{item["input"]}" '
    message = str(item["msg"])
    return f"{PROJECT}:{path}: {given}{reason or message[:1].lower() + message[1:]}{hint}"
