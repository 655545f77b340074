"""The Kubernetes cluster: private API, nobody in it but by name, NetworkPolicies enforced from the first packet of a pod."""

from collections.abc import Mapping
from typing import Any, Final

import pulumi
from pulumi_aws import ec2, eks

from components.aws.addresses import Tier
from components.aws.flows import Group
from components.aws.keys import key
from components.aws.land import AwsNetwork
from components.aws.logs import log_group
from components.aws.names import Names
from components.aws.rights import INSTANCES, role, trust, trust_pods
from components.aws.settings import AwsSettings
from components.aws.sizes import SIZES
from components.cluster.eks import addons, container_logs
from components.cluster.eks.system import SystemPods
from components.cluster.kubernetes import provider
from components.component import Component
from components.known import known
from components.versions import EKS_VERSION

SERVICE: Final = "eks.amazonaws.com"
LOGS: Final = ("api", "audit", "authenticator", "controllerManager", "scheduler")
ADMINISTRATION: Final = "arn:aws:eks::aws:cluster-access-policy/AmazonEKSClusterAdminPolicy"
NODE_POLICIES: Final = ("AmazonEKSWorkerNodePolicy", "AmazonEC2ContainerRegistryPullOnly")
"""Nodes join and fetch images; what the network plugin may do, its own pods may (EKS User Guide, `create-node-role`)."""


class EksCluster(Component, layer="cluster"):
    """EKS with its keys, roles, entries, add-ons, nodes and logs."""

    name: pulumi.Output[str]
    provider: pulumi.ProviderResource

    def __init__(  # noqa: PLR0913 # what a cluster stands on
        self,
        settings: AwsSettings,
        names: Names,
        network: AwsNetwork,
        *,
        log_key: pulumi.Input[str],
        after: list[pulumi.Resource],
        parent: pulumi.Resource,
    ) -> None:
        """Register the cluster, whoever may enter it, its network plugin, its nodes, and what runs in it of AWS's own."""
        inputs = {"private": not settings.operators, "version": EKS_VERSION}
        super().__init__("kubernetes", inputs, parent=parent)
        self._settings, self._names, self._network, self._size = settings, names, network, SIZES[settings.size]
        self._own = pulumi.ResourceOptions(parent=self)
        cluster = self._cluster(log_key)
        self.name = known(names.name, cluster)
        entries = [self._administrator(number, principal) for number, principal in enumerate(settings.administrators, start=1)]
        first = [self._addon(addon) for addon in addons.BEFORE_NODES]
        kubeconfig = _kubeconfig(cluster, names)
        # After the add-ons, which take a minute: an access entry holds some seconds after EKS says that it is there.
        inside = provider(kubeconfig, name="cluster-system", after=[*entries, *first])
        system = SystemPods(inside, network.addresses, settings.services, parent=self)
        nodes = self._nodes([*first, *after, *network.ways_out])
        last = [self._addon(addon, [nodes, *system.fences]) for addon in addons.AFTER_NODES]
        logs = container_logs.place(names, self.name, key=log_key, days=self._size.log_days, parent=self)
        last.append(self._addon(container_logs.collector(names), [nodes, *system.fences, *logs]))
        self.provider = provider(kubeconfig, after=[*entries, nodes, *last])
        self.register_outputs({"cluster": names.name})

    def _cluster(self, log_key: pulumi.Input[str]) -> eks.Cluster:
        settings, names, network = self._settings, self._names, self._network
        secrets = key("secrets", names, parent=self)
        logs = log_group("control-plane-logs", f"/aws/eks/{names.name}/cluster", names, key=log_key, days=self._size.log_days, parent=self)
        own_role, rights = role("cluster", names, trusted=trust(SERVICE, names), managed=("AmazonEKSClusterPolicy",), parent=self)
        return eks.Cluster(
            "cluster",
            eks.ClusterArgs(
                name=names.name,
                version=EKS_VERSION,
                role_arn=own_role,
                access_config=eks.ClusterAccessConfigArgs(authentication_mode="API", bootstrap_cluster_creator_admin_permissions=False),
                bootstrap_self_managed_addons=False,
                enabled_cluster_log_types=list(LOGS),
                encryption_config=eks.ClusterEncryptionConfigArgs(
                    provider=eks.ClusterEncryptionConfigProviderArgs(key_arn=secrets), resources=["secrets"]
                ),
                kubernetes_network_config=eks.ClusterKubernetesNetworkConfigArgs(ip_family="ipv4", service_ipv4_cidr=settings.services),
                vpc_config=eks.ClusterVpcConfigArgs(
                    subnet_ids=network.ids(Tier.INTRA),
                    security_group_ids=[network.groups[Group.API].id],
                    endpoint_private_access=True,
                    endpoint_public_access=bool(settings.operators),
                    public_access_cidrs=list(settings.operators) or None,
                ),
                upgrade_policy=eks.ClusterUpgradePolicyArgs(support_type="STANDARD"),
                deletion_protection=self._size.deletion_protection,
                tags=names.tags("cluster"),
            ),
            # A destroy goes the other way round: the network stays open until what runs in the cluster, which removes itself through it, is gone
            # (terraform-aws-modules/terraform-aws-eks#888).
            opts=pulumi.ResourceOptions(parent=self, depends_on=[*rights, logs, *network.ready]),
        )

    def _administrator(self, number: int, principal: str) -> pulumi.Resource:
        name = f"administrator-{number}"
        entry = eks.AccessEntry(
            name,
            eks.AccessEntryArgs(cluster_name=self.name, principal_arn=principal, type="STANDARD", tags=self._names.tags(name)),
            opts=self._own,
        )
        return eks.AccessPolicyAssociation(
            name,
            eks.AccessPolicyAssociationArgs(
                cluster_name=self.name,
                principal_arn=known(principal, entry),
                policy_arn=ADMINISTRATION,
                access_scope=eks.AccessPolicyAssociationAccessScopeArgs(type="cluster"),
            ),
            opts=self._own,
        )

    def _addon(self, addon: addons.Addon, after: list[pulumi.Resource] | None = None) -> pulumi.Resource:
        identity, rights = None, list[pulumi.Resource]()
        if addon.account:
            trusted = trust_pods(addons.NAMESPACE, addon.account, self._names)
            arn, rights = role(addon.name, self._names, trusted=trusted, managed=addon.policies, parent=self)
            identity = [eks.AddonPodIdentityAssociationArgs(role_arn=arn, service_account=addon.account)]
        return eks.Addon(
            addon.name,
            eks.AddonArgs(
                cluster_name=self.name,
                addon_name=addon.name,
                addon_version=addon.version,
                configuration_values=addon.configuration,
                namespace_config=eks.AddonNamespaceConfigArgs(namespace=addon.namespace) if addon.namespace else None,
                pod_identity_associations=identity,
                resolve_conflicts_on_create="OVERWRITE",
                resolve_conflicts_on_update="OVERWRITE",
                tags=self._names.tags(addon.name),
            ),
            opts=pulumi.ResourceOptions(parent=self, depends_on=[*rights, *(after or [])]),
        )

    def _nodes(self, after: list[pulumi.Resource]) -> eks.NodeGroup:
        names, size = self._names, self._size
        own_role, rights = role("nodes", names, trusted=trust(INSTANCES, names), managed=NODE_POLICIES, parent=self)
        template = ec2.LaunchTemplate("nodes", _template(names, self._network, size.disk_gibibytes), opts=self._own)
        return eks.NodeGroup(
            "nodes",
            eks.NodeGroupArgs(
                cluster_name=self.name,
                node_group_name=names.of("nodes"),
                node_role_arn=own_role,
                subnet_ids=self._network.ids(Tier.PRIVATE),
                ami_type="AL2023_x86_64_STANDARD",
                instance_types=[size.node_type],
                launch_template=eks.NodeGroupLaunchTemplateArgs(id=template.id, version=template.latest_version.apply(str)),
                scaling_config=eks.NodeGroupScalingConfigArgs(
                    min_size=size.least_nodes, desired_size=size.least_nodes, max_size=size.most_nodes
                ),
                update_config=eks.NodeGroupUpdateConfigArgs(max_unavailable=1),
                tags=names.tags("nodes"),
            ),
            opts=pulumi.ResourceOptions(parent=self, depends_on=[*rights, *after]),
        )


def _template(names: Names, network: AwsNetwork, gibibytes: int) -> ec2.LaunchTemplateArgs:
    """Return how nodes start: in our security group alone, their disks encrypted, their credentials out of the reach of pods."""
    disk = ec2.LaunchTemplateBlockDeviceMappingEbsArgs(
        volume_type="gp3", volume_size=gibibytes, encrypted="true", delete_on_termination="true"
    )
    return ec2.LaunchTemplateArgs(
        name=names.of("nodes"),
        update_default_version=True,
        vpc_security_group_ids=[network.groups[Group.NODES].id],
        block_device_mappings=[ec2.LaunchTemplateBlockDeviceMappingArgs(device_name="/dev/xvda", ebs=disk)],
        # One hop: a packet of a pod's own network does not get there, only what runs on the node itself.
        metadata_options=ec2.LaunchTemplateMetadataOptionsArgs(
            http_endpoint="enabled", http_tokens="required", http_put_response_hop_limit=1
        ),
        tag_specifications=[
            ec2.LaunchTemplateTagSpecificationArgs(resource_type=kind, tags=names.tags("node")) for kind in ("instance", "volume")
        ],
        tags=names.tags("nodes"),
    )


def _kubeconfig(cluster: eks.Cluster, names: Names) -> pulumi.Output[str]:
    """Return how to reach the cluster as whoever runs the program: the AWS CLI asks for a token, so that the file holds no credential."""
    authority = cluster.certificate_authority.apply(lambda found: found.data if found else "")
    user: Mapping[str, Any] = {
        "exec": {
            "apiVersion": "client.authentication.k8s.io/v1",
            "interactiveMode": "Never",
            "command": "aws",
            "args": ["eks", "get-token", "--region", names.region, "--cluster-name", names.name],
        }
    }
    return pulumi.Output.json_dumps(
        {
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [{"name": names.name, "cluster": {"server": cluster.endpoint, "certificate-authority-data": authority}}],
            "users": [{"name": names.name, "user": user}],
            "contexts": [{"name": names.name, "context": {"cluster": names.name, "user": names.name}}],
            "current-context": names.name,
        }
    )
