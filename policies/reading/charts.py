"""Known Helm charts: which pods, ServiceAccounts and Services a Release of them creates, by its values.

Read from the charts themselves and checked against `helm template` (istio base, istiod, gateway 1.31; gateway-helm 1.9;
cert-manager 1.21; kong 3.4; aws-load-balancer-controller 1.14). Any other chart is opaque: what it creates is not known.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from policies.reading.resource import Resource
from policies.reading.values import mapping, sequence

Made = Iterator[Resource]


def chart_name(release: Resource) -> str:
    """Return a chart's name without repository, path, version or archive suffix: `oci://host/charts/gateway` is `gateway`.

    Raises:
        UnknownValueError: if the chart is not known.
    """
    chart: str = release.at("chart", default="")
    return chart.rstrip("/").rpartition("/")[2].removesuffix(".tgz").partition(":")[0]


def is_known(release: Resource) -> bool:
    """Say whether it is known what the Release creates."""
    return chart_name(release) in CHARTS


def objects_of(release: Resource) -> Made:
    """Yield what a Release of a known chart creates, as far as the boundary goes: workloads, ServiceAccounts, Services.

    Raises:
        UnknownValueError: if a value that matters is not known.
    """
    yield from CHARTS[chart_name(release)](release, release.at("values", default={}))


def _base(_release: Resource, _values: Mapping[str, Any]) -> Made:
    yield from ()


def _istiod(release: Resource, values: Mapping[str, Any]) -> Made:
    revision = values.get("revision") or ""
    name = f"istiod-{revision}" if revision else "istiod"
    labels = {
        "app": "istiod",
        "istio": "istiod" if revision else "pilot",
        "istio.io/rev": revision or "default",
        "sidecar.istio.io/inject": "false",
        "istio.io/dataplane-mode": "none",
        **mapping(values.get("podLabels")),
    }
    ports = {"grpc-xds": (15010, 15010), "https-dns": (15012, 15012), "https-webhook": (443, 15017), "http-monitoring": (15014, 15014)}
    yield _account(release, name)
    yield _workload(release, name, _pods(name, labels, ports=(8080, 15010, 15012, 15014, 15017)))
    selector = {key: labels[key] for key in ("app", "istio.io/rev")}
    yield _service(release, name, selector, ports, {})


def _gateway(release: Resource, values: Mapping[str, Any]) -> Made:
    name = values.get("name") or release.name
    given = mapping(values.get("labels"))
    selector = {"app": given.get("app", name), "istio": given.get("istio", name.removeprefix("istio-"))}
    account = mapping(values.get("serviceAccount"))
    account_name = account.get("name") or (name if account.get("create", True) else "default")
    labels = {
        "sidecar.istio.io/inject": "true",
        "istio.io/dataplane-mode": "none",
        "app.kubernetes.io/name": name,
        "app.kubernetes.io/instance": release.name,
        "app.kubernetes.io/managed-by": "Helm",
        "app.kubernetes.io/part-of": "istio",
        **({"istio.io/rev": values["revision"]} if values.get("revision") else {}),
        **selector,
        **given,
    }
    annotations = {"inject.istio.io/templates": "gateway", "sidecar.istio.io/inject": "true", **mapping(values.get("podAnnotations"))}
    if account.get("create", True):
        yield _account(release, account_name)
    kind = values.get("kind") or "Deployment"
    pods = _pods(account_name, labels, annotations)
    pods["spec"]["containers"] += sequence(values.get("additionalContainers"))
    yield _workload(release, name, pods, kind)
    service = mapping(values.get("service"))
    if service.get("type", "LoadBalancer") != "None":
        given_ports: list[dict[str, Any]] = sequence(service.get("ports")) or _GATEWAY_PORTS
        ports = {port["name"]: (port["port"], port.get("targetPort", port["port"])) for port in given_ports}
        yield _service(release, name, selector, ports, {"type": "LoadBalancer", **service})


_GATEWAY_PORTS: Final[list[dict[str, Any]]] = [
    {"name": "status-port", "port": 15021},
    {"name": "http2", "port": 80},
    {"name": "https", "port": 443},
]


def _envoy_gateway(release: Resource, values: Mapping[str, Any]) -> Made:
    name = "envoy-gateway"
    selector = {
        "control-plane": "envoy-gateway",
        "app.kubernetes.io/name": "gateway-helm",
        "app.kubernetes.io/instance": release.name,
    }
    pod = mapping(mapping(values.get("deployment")).get("pod"))
    ports = {"grpc": (18000, 18000), "ratelimit": (18001, 18001), "wasm": (18002, 18002), "metrics": (19001, 19001)}
    if mapping(values.get("topologyInjector")).get("enabled", True):
        ports["webhook"] = (9443, 9443)
    yield _account(release, name)
    yield _workload(release, name, _pods(name, {**selector, **mapping(pod.get("labels"))}, pod.get("annotations")))
    service = mapping(values.get("service"))
    yield _service(release, name, selector, ports, service)
    full = release.name if "gateway-helm" in release.name else f"{release.name}-gateway-helm"
    yield _account(release, f"{full}-certgen")
    yield _workload(release, f"{full}-certgen", _pods(f"{full}-certgen", {"app": "certgen"}), "Job")
    gateway = mapping(mapping(values.get("config")).get("envoyGateway"))
    if mapping(gateway.get("rateLimit")).get("backend"):
        limiter = {
            "app.kubernetes.io/name": "envoy-ratelimit",
            "app.kubernetes.io/component": "ratelimit",
            "app.kubernetes.io/managed-by": name,
        }
        yield _account(release, "envoy-ratelimit")
        yield _workload(release, "envoy-ratelimit", _pods("envoy-ratelimit", limiter))
        yield _service(release, "envoy-ratelimit", limiter, {"grpc": (8081, 8081), "metrics": (19001, 19001)}, {})


def _cert_manager(release: Resource, values: Mapping[str, Any]) -> Made:
    full = values.get("fullnameOverride") or (release.name if "cert-manager" in release.name else f"{release.name}-cert-manager")
    parts = {"controller": (full, "cert-manager", "cert-manager"), "webhook": (f"{full}-webhook", "webhook", "webhook")}
    if mapping(values.get("cainjector")).get("enabled", True):
        parts["cainjector"] = (f"{full}-cainjector", "cainjector", "cainjector")
    if mapping(values.get("startupapicheck")).get("enabled", True):
        parts["startupapicheck"] = (f"{full}-startupapicheck", "startupapicheck", "startupapicheck")
    for component, (name, app, label) in parts.items():
        labels = {
            "app": app,
            "app.kubernetes.io/name": label,
            "app.kubernetes.io/instance": release.name,
            "app.kubernetes.io/component": component,
        }
        own = values if component == "controller" else mapping(values.get(component))
        kind = "Job" if component == "startupapicheck" else "Deployment"
        yield _account(release, name)
        template = _pods(name, {**labels, **mapping(own.get("podLabels"))}, own.get("podAnnotations"))
        yield _workload(release, name, template, kind)
        if component == "webhook":
            service_type = own.get("serviceType") or "ClusterIP"
            yield _service(release, name, labels, {"https": (443, 10250)}, {"type": service_type})


def _kong(release: Resource, values: Mapping[str, Any]) -> Made:
    full = values.get("fullnameOverride") or f"{release.name}-{values.get('nameOverride') or 'kong'}"
    selector = {
        "app.kubernetes.io/name": values.get("nameOverride") or "kong",
        "app.kubernetes.io/component": "app",
        "app.kubernetes.io/instance": release.name,
    }
    deployment = mapping(values.get("deployment"))
    account = mapping(deployment.get("serviceAccount"))
    account_name = account.get("name") or (full if account.get("create", True) else "default")
    if account.get("create", True):
        yield _account(release, account_name)
    annotations: dict[str, Any] = {
        "traffic.sidecar.istio.io/includeInboundPorts": "",
        "kuma.io/gateway": "enabled",
        **mapping(values.get("podAnnotations")),
    }
    template = _pods(
        account_name,
        {**selector, "app": full, "app.kubernetes.io/managed-by": "Helm", **mapping(values.get("podLabels"))},
        {key: value for key, value in annotations.items() if value is not None},
        hostNetwork=bool(deployment.get("hostNetwork")),
    )
    yield _workload(release, full, template, "DaemonSet" if deployment.get("daemonset") else "Deployment")
    for part, service_type in (("proxy", "LoadBalancer"), ("admin", "NodePort"), ("manager", "NodePort"), ("portal", "NodePort")):
        own = _merge_ports(_KONG_PORTS[part], mapping(values.get(part)))
        if not own.get("enabled", part == "proxy") or (part in {"manager", "portal"} and not _enterprise(values)):
            continue
        ports = {
            f"kong-{part}{'' if scheme == 'http' else '-tls'}": (own[scheme]["servicePort"], own[scheme]["containerPort"])
            for scheme in ("http", "tls")
            if own[scheme]["enabled"]
        }
        yield _service(release, own.get("nameOverride") or f"{full}-{part}", selector, ports, {"type": service_type, **own})
    controller = mapping(values.get("ingressController"))
    if controller.get("enabled", True):
        if mapping(controller.get("admissionWebhook")).get("enabled", True):
            yield _service(release, f"{full}-validation-webhook", selector, {"webhook": (443, 8080)}, {})
        yield _service(release, f"{full}-metrics", selector, {"cmetrics": (10255, 10255), "status": (10254, 10254)}, {})


_KONG_PORTS: Final[Mapping[str, Mapping[str, Mapping[str, Any]]]] = {
    "proxy": {
        "http": {"enabled": True, "servicePort": 80, "containerPort": 8000},
        "tls": {"enabled": True, "servicePort": 443, "containerPort": 8443},
    },
    "admin": {
        "http": {"enabled": False, "servicePort": 8001, "containerPort": 8001},
        "tls": {"enabled": True, "servicePort": 8444, "containerPort": 8444},
    },
    "manager": {
        "http": {"enabled": True, "servicePort": 8002, "containerPort": 8002},
        "tls": {"enabled": True, "servicePort": 8445, "containerPort": 8445},
    },
    "portal": {
        "http": {"enabled": True, "servicePort": 8003, "containerPort": 8003},
        "tls": {"enabled": True, "servicePort": 8446, "containerPort": 8446},
    },
}


def _load_balancer_controller(release: Resource, values: Mapping[str, Any]) -> Made:
    chart = "aws-load-balancer-controller"
    called = values.get("nameOverride") or chart
    full = values.get("fullnameOverride") or (release.name if called in release.name else f"{release.name}-{called}")
    labels = {"app.kubernetes.io/name": called, "app.kubernetes.io/instance": release.name}
    account = mapping(values.get("serviceAccount"))
    account_name = account.get("name") or (full if account.get("create", True) else "default")
    if account.get("create", True):
        yield _account(release, account_name)
    template = _pods(
        account_name, {**labels, **mapping(values.get("podLabels"))}, values.get("podAnnotations"), ports=(9443, 8080),
        hostNetwork=bool(values.get("hostNetwork")),
    )  # fmt: skip
    yield _workload(release, full, template)
    webhook = f"{values.get('nameOverride') or chart.removesuffix('-controller')}-webhook-service"
    yield _service(release, webhook, labels, {"webhook-server": (443, 9443)}, {})


def _enterprise(values: Mapping[str, Any]) -> bool:
    return bool(mapping(values.get("enterprise")).get("enabled"))


def _merge_ports(defaults: Mapping[str, Mapping[str, Any]], own: Mapping[str, Any]) -> dict[str, Any]:
    return {**own, **{scheme: {**ports, **mapping(own.get(scheme))} for scheme, ports in defaults.items()}}


CHARTS: Final[Mapping[str, Callable[[Resource, Mapping[str, Any]], Made]]] = {
    "base": _base,
    "istiod": _istiod,
    "gateway": _gateway,
    "gateway-helm": _envoy_gateway,
    "gateway-crds-helm": _base,
    "cert-manager": _cert_manager,
    "kong": _kong,
    "aws-load-balancer-controller": _load_balancer_controller,
}
"""Charts whose objects are known, by name."""


GROUPS: Final[Mapping[str, str]] = {"Deployment": "apps", "DaemonSet": "apps", "Job": "batch"}
"""API groups of the kinds made here; every other one is of the core group."""


def _object(release: Resource, kind: str, name: str, props: Mapping[str, Any]) -> Resource:
    return Resource(
        urn=release.urn,
        token=release.token,
        kind=kind,
        group=GROUPS.get(kind, ""),
        version="v1",
        namespace=release.namespace,
        name=name,
        props={"metadata": {"name": name, "namespace": release.namespace}, **props},
        parent=release.urn,
    )


def _account(release: Resource, name: str) -> Resource:
    return _object(release, "ServiceAccount", name, {})


def _workload(release: Resource, name: str, template: Mapping[str, Any], kind: str = "Deployment") -> Resource:
    return _object(release, kind, name, {"spec": {"template": template}})


def _pods(account: str, labels: Mapping[str, str], annotations: Any = None, ports: tuple[int, ...] = (), **spec: Any) -> dict[str, Any]:
    container = {"name": account, "ports": [{"containerPort": port} for port in ports]}
    return {
        "metadata": {"labels": dict(labels), "annotations": mapping(annotations)},
        "spec": {"serviceAccountName": account, "containers": [container], **spec},
    }


def _service(
    release: Resource, name: str, selector: Mapping[str, str], ports: Mapping[str, tuple[int, int | str]], given: Mapping[str, Any]
) -> Resource:
    spec: dict[str, Any] = {
        "type": given.get("type") or "ClusterIP",
        "selector": dict(selector),
        "ports": [{"name": port, "port": number, "targetPort": target} for port, (number, target) in ports.items()],
    }
    for key in ("externalIPs", "loadBalancerIP", "loadBalancerSourceRanges"):
        if given.get(key):
            spec[key] = given[key]
    return _object(release, "Service", name, {"spec": spec})
