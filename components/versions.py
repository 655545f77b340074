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
"""Minor version of Kubernetes in AKS, which keeps it at the newest patch (`az aks get-versions --location <region>`).

Kubernetes itself mends 1.35 until 2027-02-28 (kubernetes.io/releases/1.35, as of 2026-04)."""
API_MANAGEMENT_API: Final = "2024-05-01"
"""API version of API Management in templates: the one that azure-native 3.29 uses for all of it, and Microsoft's own module for these settings
(`avm/res/api-management/service/portalsetting`)."""
WAF_RULES: Final = {"Microsoft_DefaultRuleSet": "2.1", "Microsoft_BotManagerRuleSet": "1.1"}
"""Rule sets of Azure's web application firewall. DRS 2.2 is newer and switches the rules of paranoia level 2 off; 2.1, the version before, is
supported (Learn, `web-application-firewall/ruleset-support-policy`, since 2026-02; `ag/upgrade-ruleset-version`; `web-application-firewall/ag/application-gateway-crs-rulegroups-rules`)."""

AWS_WAF_RULES: Final = (
    "AWSManagedRulesAmazonIpReputationList", "AWSManagedRulesCommonRuleSet", "AWSManagedRulesKnownBadInputsRuleSet",
    "AWSManagedRulesSQLiRuleSet", "AWSManagedRulesLinuxRuleSet",
)  # fmt: skip
"""Rule groups of AWS's web application firewall, at their default versions, which AWS renews (WAF, `aws-managed-rule-groups-list`).

Together 1,325 of the 1,500 capacity units that a web ACL has at its base price. Not among them: bot control, which counts HTTP libraries,
the clients of APIs, as bots.
"""
EKS_VERSION: Final = "1.35"
"""Minor version of Kubernetes in EKS, which keeps its control plane at the newest patch (EKS User Guide, `kubernetes-versions`).

Released in EKS on 2026-01-28; standard support, which costs nothing more, ends on 2027-03-27 (endoflife.date/amazon-eks, as of 2026-02-15)."""
EKS_ADDONS: Final = {
    # EKS User Guide, `managing-coredns`: the one for 1.35 (as of 2026)
    "coredns": "v1.14.2-eksbuild.4",
    # In no table of the User Guide; AWS's cdk-eks-blueprints (`lib/addons/eks-pod-identity-agent`, 2026-04) has build 2 of this version for 1.35,
    # public stacks of EKS 1.35 and 1.36 this build (as of 2026-05)
    "eks-pod-identity-agent": "v1.3.10-eksbuild.3",
    # In no table of the User Guide; AWS's cloud-game-development-toolkit (`modules/unreal/unreal-cloud-ddc`) has it for 1.35, with a `config` of its
    # own (as of 2026)
    "fluent-bit": "v4.2.2-eksbuild.1",
    # EKS User Guide, `managing-kube-proxy`: the one for 1.35 (as of 2026)
    "kube-proxy": "v1.35.3-eksbuild.2",
    # In no table of the User Guide, which says its port (`metrics-server`: 10251), and not in cdk-eks-blueprints; public stacks of EKS 1.35 have it
    # (as of 2026-06)
    "metrics-server": "v0.8.1-eksbuild.6",
    # EKS User Guide, `managing-vpc-cni`, names one version for all of Kubernetes; AWS's cdk-eks-blueprints (`lib/addons/vpc-cni`, 2026-04) has
    # build 1 of this version for 1.35, public stacks of EKS 1.35 this build (as of 2026-05)
    "vpc-cni": "v1.21.1-eksbuild.7",
}
"""What AWS runs in the cluster. Whether an account is offered exactly these: `aws eks describe-addon-versions --kubernetes-version 1.35`."""

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
    # renovate: datasource=helm depName=aws-load-balancer-controller registryUrl=https://aws.github.io/eks-charts
    "aws-load-balancer-controller": Chart(
        chart="aws-load-balancer-controller", version="3.5.0", repository="https://aws.github.io/eks-charts"
    ),
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
    "aws-load-balancer-controller": "public.ecr.aws/eks/aws-load-balancer-controller:v3.5.0",
    # renovate: datasource=docker
    "ratelimit": "docker.io/envoyproxy/ratelimit:8fe6ea42",
    # renovate: datasource=docker
    "redis": "docker.io/redis:8.2.1-alpine",
}
"""Images by the key under which a stack file may point them elsewhere (`perimeter:images`). `istio` is the prefix of Istio's own."""
