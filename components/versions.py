"""Every version of everything that is not ours, each once."""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, kw_only=True)
class Chart:
    """A Helm chart: where it is and which version of it is used. `repository` is empty for an OCI reference in `chart`."""

    chart: str
    version: str
    repository: str = ""


ISTIO_VERSION: Final = "1.31.1"
ISTIO_HUB: Final = "registry.istio.io/release"
_ISTIO_CHARTS: Final = "https://istio-release.storage.googleapis.com/charts"

AKS_VERSION: Final = "1.35"
"""Minor version of Kubernetes in AKS, which keeps it at the newest patch (`az aks get-versions --location <region>`)."""
WAF_RULES: Final = {"Microsoft_DefaultRuleSet": "2.1", "Microsoft_BotManagerRuleSet": "1.1"}
"""Rule sets of Azure's web application firewall (Learn, `web-application-firewall/ag/application-gateway-crs-rulegroups-rules`)."""

CHARTS: Final = {
    # renovate: datasource=helm depName=base registryUrl=https://istio-release.storage.googleapis.com/charts
    "istio-base": Chart(chart="base", version=ISTIO_VERSION, repository=_ISTIO_CHARTS),
    "istiod": Chart(chart="istiod", version=ISTIO_VERSION, repository=_ISTIO_CHARTS),
    "istio-gateway": Chart(chart="gateway", version=ISTIO_VERSION, repository=_ISTIO_CHARTS),
    # renovate: datasource=docker depName=quay.io/jetstack/charts/cert-manager
    "cert-manager": Chart(chart="oci://quay.io/jetstack/charts/cert-manager", version="v1.21.2"),
    # renovate: datasource=docker depName=docker.io/envoyproxy/gateway-helm
    "envoy-gateway": Chart(chart="oci://docker.io/envoyproxy/gateway-helm", version="v1.9.1"),
    # renovate: datasource=helm depName=kong registryUrl=https://charts.konghq.com
    "kong": Chart(chart="kong", version="3.4.1", repository="https://charts.konghq.com"),
}
"""Charts by the key under which a stack file may point them elsewhere (`perimeter:charts`)."""

IMAGES: Final = {
    "istio": ISTIO_HUB,
    # renovate: datasource=docker
    "envoy": "docker.io/envoyproxy/envoy:distroless-v1.39.1",
    # renovate: datasource=docker
    "envoy-gateway": "docker.io/envoyproxy/gateway:v1.9.1",
    # renovate: datasource=docker
    "demo": "ghcr.io/stefanprodan/podinfo:6.9.2",
    # renovate: datasource=docker
    "composition": "docker.io/nginxinc/nginx-unprivileged:1.29.1-alpine",
    # renovate: datasource=docker
    "waf": "docker.io/owasp/modsecurity-crs:4.28.0-nginx-alpine-202607160307",
    # renovate: datasource=docker
    "kong": "docker.io/kong:3.9.3",
    # renovate: datasource=docker
    "kong-ingress-controller": "docker.io/kong/kubernetes-ingress-controller:3.5.13",
    # renovate: datasource=docker
    "ratelimit": "docker.io/envoyproxy/ratelimit:8fe6ea42",
    # renovate: datasource=docker
    "redis": "docker.io/redis:8.2.1-alpine",
}
"""Images by the key under which a stack file may point them elsewhere (`perimeter:images`). `istio` is the prefix of Istio's own."""
