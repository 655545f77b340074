"""Registers a component that only its provider's plugin can build."""

import pulumi
import pulumi_kubernetes as k8s

provider = k8s.Provider("cluster", kubeconfig="{}")
k8s.helm.v4.Chart("istio", chart="base", opts=pulumi.ResourceOptions(provider=provider))
