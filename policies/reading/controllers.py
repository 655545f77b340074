"""What controllers create for Gateway API Gateways: proxies and their Services, which no resource of the program shows."""

import hashlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any, Final

from policies.reading.charts import chart_name
from policies.reading.resource import Resource
from policies.reading.values import UnknownValueError, mapping

GATEWAY_API: Final = "gateway.networking.k8s.io"


class Controller(Enum):
    """Who serves a GatewayClass."""

    ENVOY_GATEWAY = "gateway.envoyproxy.io/gatewayclass-controller"
    KONG = "konghq.com/kic-gateway-controller"
    ISTIO = "istio.io/gateway-controller"
    OTHER = ""
    """A controller, or a class, that is not known: what it creates is not known either."""


Find = Callable[[str, str, str], Resource | None]


@dataclass(frozen=True, kw_only=True, eq=False)
class GatewayClassView:
    """A GatewayClass, and the parameters that its Gateways get."""

    controller: Controller
    parameters: Resource | None
    resource: Resource | None


def class_of(gateway: Resource, find: Find) -> GatewayClassView:
    """Return the class of a Gateway, with the EnvoyProxy that applies to it: its own before its class's.

    Raises:
        UnknownValueError: if class or parameters are not known.
    """
    name: str = gateway.at("spec", "gatewayClassName", default="")
    resource = find("GatewayClass", "", name)
    if resource is None:
        controller = Controller.ISTIO if name.startswith("istio") else Controller.OTHER
        return GatewayClassView(controller=controller, parameters=None, resource=None)
    said = resource.at("spec", "controllerName", default="")
    controller = next((each for each in Controller if each.value == said), Controller.OTHER)
    parameters = None
    if own := gateway.at("spec", "infrastructure", "parametersRef", default={}):
        parameters = find(own["kind"], gateway.namespace, own["name"])
    elif general := resource.at("spec", "parametersRef", default={}):
        parameters = find(general["kind"], general.get("namespace", ""), general["name"])
    return GatewayClassView(controller=controller, parameters=parameters, resource=resource)


def envoy_gateway_config(release: Resource) -> Mapping[str, Any]:
    """Return the EnvoyGateway configuration of a Release of `gateway-helm`."""
    return release.at("values", "config", "envoyGateway", default={})


def in_gateway_namespace(release: Resource) -> bool:
    """Say whether Envoy Gateway puts proxies into the Gateway's own namespace instead of its own."""
    provider = mapping(envoy_gateway_config(release).get("provider"))
    deploy = mapping(mapping(provider.get("kubernetes")).get("deploy"))
    return deploy.get("type") == "GatewayNamespace"


def proxies_of(gateway: Resource, view: GatewayClassView, releases: tuple[Resource, ...]) -> Iterator[Resource]:
    """Yield workload, ServiceAccount and Service that the controller makes for a Gateway.

    Kong's Gateways are unmanaged: its proxies come from its chart.

    Raises:
        UnknownValueError: if a value that decides about names, labels or exposure is not known.
    """
    match view.controller:
        case Controller.ENVOY_GATEWAY:
            yield from _envoy(gateway, view.parameters, releases)
        case Controller.ISTIO:
            yield from _istio(gateway)
        case _:
            return


def container_port(listener_port: int) -> int:
    """Return the container port of Envoy Gateway's proxy for a listener port: below 1024 it adds 10000."""
    return listener_port + 10000 if listener_port < 1024 else listener_port


def _envoy(gateway: Resource, parameters: Resource | None, releases: tuple[Resource, ...]) -> Iterator[Resource]:
    release = next((each for each in releases if chart_name(each) == "gateway-helm"), None)
    beside = release is not None and in_gateway_namespace(release)
    namespace = gateway.namespace if beside or release is None else release.namespace
    full = f"{gateway.namespace}/{gateway.name}"
    digest = hashlib.sha256(full.encode()).hexdigest()[:8]
    name = gateway.name if beside else f"envoy-{full.replace('/', '-')[:48].rstrip('-')}-{digest}"
    spec: Mapping[str, Any] = parameters.at("spec", default={}) if parameters else {}
    kubernetes = mapping(mapping(spec.get("provider")).get("kubernetes"))
    for part in ("envoyService", "envoyDeployment", "envoyDaemonSet"):
        if parameters and mapping(kubernetes.get(part)).get("patch"):
            raise UnknownValueError(f"{parameters}: {part}.patch", "a patch of what is created, which is not followed")
    if parameters and spec.get("bootstrap"):
        raise UnknownValueError(f"{parameters}: bootstrap", "a change of the proxy's own configuration, which is not followed")
    deployment = mapping(kubernetes.get("envoyDeployment") or kubernetes.get("envoyDaemonSet"))
    service = mapping(kubernetes.get("envoyService"))
    account = mapping(kubernetes.get("envoyServiceAccount")).get("name") or name
    selector = {
        "app.kubernetes.io/name": "envoy",
        "app.kubernetes.io/component": "proxy",
        "app.kubernetes.io/managed-by": "envoy-gateway",
        "gateway.envoyproxy.io/owning-gateway-name": gateway.name,
        "gateway.envoyproxy.io/owning-gateway-namespace": gateway.namespace,
    }
    pod = mapping(deployment.get("pod"))
    labels = {
        **selector,
        **({"gateway.networking.k8s.io/gateway-name": gateway.name} if beside else {}),
        **(gateway.at("spec", "infrastructure", "labels", default={})),
        **mapping(pod.get("labels")),
    }
    as_is = bool(kubernetes.get("useListenerPortAsContainerPort"))
    listeners: list[Mapping[str, Any]] = gateway.at("spec", "listeners", default=[])
    ports = {
        listener["name"]: (listener["port"], listener["port"] if as_is else container_port(listener["port"])) for listener in listeners
    }
    yield _object(gateway, "ServiceAccount", namespace, account, {})
    yield _object(
        gateway,
        "Deployment",
        namespace,
        (deployment.get("name") or name),
        {
            "spec": {
                "template": {
                    "metadata": {"labels": labels, "annotations": mapping(pod.get("annotations"))},
                    "spec": {
                        "serviceAccountName": account,
                        "containers": [{"name": "envoy", "ports": [{"containerPort": target} for _, target in ports.values()]}],
                    },
                }
            }
        },
    )
    yield _object(
        gateway,
        "Service",
        namespace,
        service.get("name") or name,
        {
            "spec": {
                "type": service.get("type") or "LoadBalancer",
                "selector": selector,
                "ports": [{"name": port, "port": number, "targetPort": target} for port, (number, target) in ports.items()],
            }
        },
    )


def _istio(gateway: Resource) -> Iterator[Resource]:
    name = f"{gateway.name}-istio"
    labels = {
        "gateway.networking.k8s.io/gateway-name": gateway.name,
        "istio.io/gateway-name": gateway.name,
        "sidecar.istio.io/inject": "true",
    }
    listeners: list[Mapping[str, Any]] = gateway.at("spec", "listeners", default=[])
    annotations: Mapping[str, str] = gateway.annotations
    template = {
        "metadata": {"labels": labels, "annotations": {"inject.istio.io/templates": "gateway"}},
        "spec": {"serviceAccountName": name, "containers": [{"name": "istio-proxy"}]},
    }
    yield _object(gateway, "ServiceAccount", gateway.namespace, name, {})
    yield _object(gateway, "Deployment", gateway.namespace, name, {"spec": {"template": template}})
    spec = {
        "type": annotations.get("networking.istio.io/service-type", "LoadBalancer"),
        "selector": {"gateway.networking.k8s.io/gateway-name": gateway.name},
        "ports": [{"name": listener["name"], "port": listener["port"]} for listener in listeners],
    }
    yield _object(gateway, "Service", gateway.namespace, name, {"spec": spec})


def _object(gateway: Resource, kind: str, namespace: str, name: str, props: Mapping[str, Any]) -> Resource:
    return Resource(
        urn=gateway.urn,
        token=gateway.token,
        kind=kind,
        group="apps" if kind == "Deployment" else "",
        version="v1",
        namespace=namespace,
        name=name,
        props={"metadata": {"name": name, "namespace": namespace}, **props},
        parent=gateway.urn,
    )
