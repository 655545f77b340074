"""Who tells the load balancer where its targets are, and can do nothing else with it."""

from typing import Any, Final

import pulumi
from pulumi_aws import eks

from components.aws.addresses import IDENTITY_AGENT, IDENTITY_PORT
from components.aws.land import AwsLand
from components.aws.rights import Statement, role, trust_pods
from components.binding import Binding
from components.charts import release
from components.component import Component
from components.contracts import Below
from topology.derive import namespaces, network
from topology.model.base import Name

CHART: Final = "aws-load-balancer-controller"
NAMESPACE: Final = "aws-load-balancer"
ACCOUNT: Final = CHART
LABELS: Final = {"app.kubernetes.io/name": CHART}
WEBHOOK_PORT: Final = 9443
HTTPS: Final = 443

LOOKS: Final = (
    "ec2:DescribeVpcs", "ec2:DescribeSecurityGroups", "ec2:DescribeInstances", "elasticloadbalancing:DescribeTargetGroups",
    "elasticloadbalancing:DescribeTargetHealth",
)  # fmt: skip
"""Actions that AWS lets nobody narrow to a resource."""
REGISTERS: Final = (
    "elasticloadbalancing:RegisterTargets", "elasticloadbalancing:DeregisterTargets", "elasticloadbalancing:ModifyTargetGroup",
    "elasticloadbalancing:ModifyTargetGroupAttributes",
)  # fmt: skip
"""With `LOOKS` what the controller's own documentation asks for where it binds target groups and nothing else (AWS Load Balancer
Controller, `deploy/installation`), but here for the environment's own target groups alone."""

OFF: Final = ("NLBGatewayAPI", "ALBGatewayAPI", "EnableServiceController", "GlobalAcceleratorController")
"""What would let an object in the cluster make a load balancer (ditto, `deploy/configurations`)."""


class LoadBalancerController(Component, layer="edge"):
    """The controller with its role, its namespace and its fence."""

    ready: pulumi.Resource

    def __init__(self, binding: Binding, land: AwsLand, below: Below, watched: Name, *, parent: pulumi.Resource) -> None:
        """Register the controller; `watched` is the namespace of the targets."""
        super().__init__("load-balancer-controller", {"namespace": NAMESPACE}, parent=parent)
        made = self.add(namespaces.namespace(NAMESPACE, namespaces.ENFORCE_RESTRICTED))
        closed = self.add(network.default_deny(NAMESPACE), after=[made])
        fence = self.add(_fence(binding), after=[closed])
        self.ready = release(
            binding,
            CHART,
            CHART,
            NAMESPACE,
            _values(binding, land, watched),
            parent=self,
            after=[fence, below.platform.certificates, *self._identity(land)],
        )
        self.register_outputs({"namespace": NAMESPACE})

    def _identity(self, land: AwsLand) -> list[pulumi.Resource]:
        own = land.names.arn("elasticloadbalancing", f"targetgroup/{land.names.name}-*/*")
        rights = (
            Statement(sid="Look", actions=LOOKS, resources=("*",)),
            Statement(sid="Register", actions=REGISTERS, resources=(own,)),
        )
        arn, waited = role("load-balancer", land.names, trusted=trust_pods(NAMESPACE, ACCOUNT, land.names), statements=rights, parent=self)
        association = eks.PodIdentityAssociation(
            "load-balancer",
            eks.PodIdentityAssociationArgs(
                cluster_name=land.cluster,
                namespace=NAMESPACE,
                service_account=ACCOUNT,
                role_arn=arn,
                tags=land.names.tags("load-balancer"),
            ),
            opts=pulumi.ResourceOptions(parent=self),
        )
        return [*waited, association]


def _fence(binding: Binding) -> dict[str, Any]:
    """Return whom its pods call (the API, AWS's endpoints in the network, the agent that knows their role) and who asks its webhooks."""
    inside = network.ranges(binding.api_server, *binding.api_server_ports)
    agent = network.ranges([IDENTITY_AGENT], IDENTITY_PORT)
    webhook = {"ports": network.tcp(WEBHOOK_PORT)}
    return network.policy(CHART, NAMESPACE, LABELS, ingress=[webhook], egress=[network.dns(), inside, agent])


def _values(binding: Binding, land: AwsLand, watched: Name) -> dict[str, Any]:
    """Return the values of the chart: it binds target groups in one namespace, and everything else is off."""
    repository, _, tag = binding.image(CHART).rpartition(":")
    return {
        "clusterName": land.names.name,
        "region": land.names.region,
        "vpcTags": {"Name": land.names.of("vpc")},  # known before there is an id
        "image": {"repository": repository, "tag": tag},
        "defaultTargetType": "ip",
        "replicaCount": 2,
        "serviceAccount": {"create": True, "name": ACCOUNT},
        "watchNamespace": watched,
        "enableCertManager": True,
        "createIngressClassResource": False,
        "ingressClassParams": {"create": False},
        "disableIngressClassAnnotation": True,
        "disableIngressGroupNameAnnotation": True,
        "enableServiceMutatorWebhook": False,
        "enablePodReadinessGateInject": False,
        "enableShield": False,
        "enableWaf": False,
        "enableWafv2": False,
        "enableBackendSecurityGroup": False,
        "controllerConfig": {"featureGates": dict.fromkeys(OFF, False)},
        "podSecurityContext": {"fsGroup": 65534, "seccompProfile": {"type": "RuntimeDefault"}},
        "securityContext": {
            "readOnlyRootFilesystem": True,
            "runAsNonRoot": True,
            "allowPrivilegeEscalation": False,
            "capabilities": {"drop": ["ALL"]},
        },
        "resources": {"requests": {"cpu": "50m", "memory": "128Mi"}, "limits": {"memory": "256Mi"}},
    }
