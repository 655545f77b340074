"""The Kubernetes cluster: no local accounts, no public nodes, NetworkPolicies enforced, system and user pools apart."""

import base64
from collections.abc import Sequence
from ipaddress import IPv4Network
from typing import Final

import pulumi
import pulumi_azure_native.containerservice as aks
import pulumi_azure_native.managedidentity as identities

from components.azure.addresses import Subnet
from components.azure.diagnostics import send
from components.azure.edge_address import EdgeAddress
from components.azure.ids import Place
from components.azure.land import AzureLand, subnet_id
from components.azure.roles import Role, grant
from components.azure.sizes import Range
from components.cluster.aks import container_logs
from components.cluster.aks.disks import Disks
from components.component import Component
from components.known import known
from components.versions import AKS_VERSION

JOINED: Final = (Subnet.NODES, Subnet.API_SERVER, Subnet.INGRESS)
"""Subnets in which AKS puts nodes, its API server and load balancers."""
LOGS: Final = ("kube-audit-admin", "kube-apiserver", "kube-controller-manager", "guard", "cluster-autoscaler")
SYSTEM: Final = "system"
USER: Final = "user"
MOST_PODS: Final = 110
DNS_HOST: Final = 10
"""The cluster's name service has the tenth address of the range of Services."""


class AksCluster(Component, layer="cluster"):
    """AKS with its identity, its rights, its pools and its logs."""

    cluster: aks.ManagedCluster
    ready: tuple[pulumi.Resource, ...]
    kubeconfig: pulumi.Output[str]
    token_issuer: pulumi.Output[str]
    """Who signs the tokens of ServiceAccounts."""

    def __init__(self, land: AzureLand, *, parent: pulumi.Resource) -> None:
        """Register the cluster after the rights of its identity, and its user pool after it."""
        settings, where = land.settings, land.place
        inputs = {"private": not settings.operators, "version": AKS_VERSION}
        super().__init__("kubernetes", inputs, parent=parent)
        identity = identities.UserAssignedIdentity(
            "aks-identity",
            resource_name_=where.of("id-aks"),
            resource_group_name=where.group,
            location=where.location,
            opts=pulumi.ResourceOptions(parent=self),
        )
        disks = Disks(land, identity.principal_id, parent=self) if land.sizing.customer_managed_key else None
        rights: list[pulumi.Resource] = [
            grant(
                where,
                Role.NETWORK_CONTRIBUTOR,
                name=f"aks-joins-{subnet}",
                scope=land.subnet_id(subnet),
                scope_id=subnet_id(where, subnet),
                to=identity.principal_id,
                parent=self,
            )
            for subnet in JOINED
            if subnet in land.subnets
        ]
        if land.address:
            rights.append(self._join(land.address, identity.principal_id, where))
        identity_id = known(where.id("Microsoft.ManagedIdentity/userAssignedIdentities", where.of("id-aks")), identity)
        waited = pulumi.ResourceOptions(
            parent=self,
            depends_on=[*rights, *(disks.rights if disks else ())],
            # The autoscaler owns the number of nodes of the system pool, too.
            ignore_changes=["agentPoolProfiles[0].count"],
        )
        self.cluster = _cluster(land, identity_id, disks.set_id if disks else None, waited)
        cluster_id = known(where.id("Microsoft.ContainerService/managedClusters", where.of("aks")), self.cluster)
        pool = self._user_pool(land)
        send("aks", land, of=cluster_id, logs=LOGS, parent=self)
        container_logs.collect(land, cluster_id, parent=self)
        self.ready = (self.cluster, pool)
        self.token_issuer = self.cluster.oidc_issuer_profile.apply(lambda profile: profile.issuer_url if profile else "")
        self.kubeconfig = pulumi.Output.secret(_kubeconfig(land, self.cluster, self))
        self.register_outputs({"cluster": where.of("aks")})

    def _join(self, address: EdgeAddress, to: pulumi.Input[str], where: Place) -> pulumi.Resource:
        """Register the right to put the edge's address in front of a load balancer."""
        group = address.group
        return grant(
            where,
            Role.NETWORK_CONTRIBUTOR,
            name="aks-joins-edge-address",
            scope=known(group.group_id, *([group.owner] if group.owner else [])),
            scope_id=group.group_id,
            to=to,
            parent=self,
        )

    def _user_pool(self, land: AzureLand) -> aks.AgentPool:
        size, where = land.sizing, land.place
        return aks.AgentPool(
            "aks-user",
            agent_pool_name=USER,
            resource_group_name=where.group,
            resource_name_=known(where.of("aks"), self.cluster),
            mode=aks.AgentPoolMode.USER,
            type=aks.AgentPoolType.VIRTUAL_MACHINE_SCALE_SETS,
            os_type=aks.OSType.LINUX,
            os_sku=aks.OSSKU.AZURE_LINUX,
            os_disk_type=aks.OSDiskType.MANAGED,
            vm_size=size.user_vm,
            enable_auto_scaling=True,
            count=size.user_nodes.least,
            min_count=size.user_nodes.least,
            max_count=size.user_nodes.most,
            max_pods=MOST_PODS,
            availability_zones=list(size.zones),
            vnet_subnet_id=land.subnet_id(Subnet.NODES),
            enable_node_public_ip=False,
            enable_encryption_at_host=True,
            upgrade_settings=aks.AgentPoolUpgradeSettingsArgs(max_surge="33%"),
            # The autoscaler owns the number of nodes.
            opts=pulumi.ResourceOptions(parent=self, ignore_changes=["count"]),
        )


def _cluster(
    land: AzureLand, identity: pulumi.Input[str], disk_key: pulumi.Input[str] | None, options: pulumi.ResourceOptions
) -> aks.ManagedCluster:
    settings, where, size = land.settings, land.place, land.sizing
    return aks.ManagedCluster(
        "aks",
        # Arguments, not `ManagedClusterArgs`: the SDK takes its `resource_name` for the resource's own.
        resource_name_=where.of("aks"),
        resource_group_name=where.group,
        location=where.location,
        node_resource_group=where.of("rg-nodes"),
        dns_prefix=where.name,
        kubernetes_version=AKS_VERSION,
        sku=aks.ManagedClusterSKUArgs(name=aks.ManagedClusterSKUName.BASE, tier=size.cluster_tier),
        identity=aks.ManagedClusterIdentityArgs(type=aks.ResourceIdentityType.USER_ASSIGNED, user_assigned_identities=[identity]),
        enable_rbac=True,
        disable_local_accounts=True,
        aad_profile=aks.ManagedClusterAADProfileArgs(
            managed=True, enable_azure_rbac=True, tenant_id=settings.tenant_id, admin_group_object_ids=list(settings.administrators)
        ),
        oidc_issuer_profile=aks.ManagedClusterOIDCIssuerProfileArgs(enabled=True),
        security_profile=aks.ManagedClusterSecurityProfileArgs(
            workload_identity=aks.ManagedClusterSecurityProfileWorkloadIdentityArgs(enabled=True),
            image_cleaner=aks.ManagedClusterSecurityProfileImageCleanerArgs(enabled=True, interval_hours=168),
            defender=aks.ManagedClusterSecurityProfileDefenderArgs(
                log_analytics_workspace_resource_id=land.workspace_id,
                security_monitoring=aks.ManagedClusterSecurityProfileDefenderSecurityMonitoringArgs(enabled=True),
            ),
        ),
        api_server_access_profile=aks.ManagedClusterAPIServerAccessProfileArgs(
            enable_vnet_integration=True,
            subnet_id=land.subnet_id(Subnet.API_SERVER),
            enable_private_cluster=not settings.operators,
            enable_private_cluster_public_fqdn=False if not settings.operators else None,
            authorized_ip_ranges=list(settings.operators) or None,
            disable_run_command=True,
        ),
        network_profile=_network(settings.pods, settings.services),
        agent_pool_profiles=[_system_pool(land, size.system_nodes)],
        auto_scaler_profile=aks.ManagedClusterPropertiesAutoScalerProfileArgs(
            balance_similar_node_groups="true", expander=aks.Expander.LEAST_WASTE
        ),
        auto_upgrade_profile=aks.ManagedClusterAutoUpgradeProfileArgs(
            upgrade_channel=aks.UpgradeChannel.PATCH, node_os_upgrade_channel=aks.NodeOSUpgradeChannel.NODE_IMAGE
        ),
        addon_profiles={
            "omsagent": container_logs.agent(land),
            "azurepolicy": aks.ManagedClusterAddonProfileArgs(enabled=True),
            "httpApplicationRouting": aks.ManagedClusterAddonProfileArgs(enabled=False),
        },
        ingress_profile=aks.ManagedClusterIngressProfileArgs(
            web_app_routing=aks.ManagedClusterIngressProfileWebAppRoutingArgs(enabled=False)
        ),
        disk_encryption_set_id=disk_key,
        opts=options,
    )


def _network(pods: str, services: str) -> aks.ContainerServiceNetworkProfileArgs:
    return aks.ContainerServiceNetworkProfileArgs(
        network_plugin=aks.NetworkPlugin.AZURE,
        network_plugin_mode=aks.NetworkPluginMode.OVERLAY,
        network_dataplane=aks.NetworkDataplane.CILIUM,
        network_policy=aks.NetworkPolicy.CILIUM,
        load_balancer_sku=aks.LoadBalancerSku.STANDARD,
        outbound_type=aks.OutboundType.USER_ASSIGNED_NAT_GATEWAY,
        pod_cidr=pods,
        service_cidr=services,
        dns_service_ip=str(IPv4Network(services)[DNS_HOST]),
    )


def _system_pool(land: AzureLand, nodes: Range) -> aks.ManagedClusterAgentPoolProfileArgs:
    return aks.ManagedClusterAgentPoolProfileArgs(
        name=SYSTEM,
        mode=aks.AgentPoolMode.SYSTEM,
        type=aks.AgentPoolType.VIRTUAL_MACHINE_SCALE_SETS,
        os_type=aks.OSType.LINUX,
        os_sku=aks.OSSKU.AZURE_LINUX,
        os_disk_type=aks.OSDiskType.MANAGED,
        vm_size=land.sizing.system_vm,
        enable_auto_scaling=True,
        count=nodes.least,
        min_count=nodes.least,
        max_count=nodes.most,
        max_pods=MOST_PODS,
        availability_zones=list(land.sizing.zones),
        node_taints=["CriticalAddonsOnly=true:NoSchedule"],
        vnet_subnet_id=land.subnet_id(Subnet.NODES),
        enable_node_public_ip=False,
        enable_encryption_at_host=True,
        upgrade_settings=aks.AgentPoolUpgradeSettingsArgs(max_surge="33%"),
    )


def _kubeconfig(land: AzureLand, cluster: aks.ManagedCluster, parent: pulumi.Resource) -> pulumi.Output[str]:
    """Return how to reach the cluster as whoever runs the program: kubelogin asks Entra ID, so that the file holds no credential."""
    given = aks.list_managed_cluster_user_credentials_output(
        format="exec",
        resource_group_name=land.place.group,
        resource_name=cluster.name,
        opts=pulumi.InvokeOutputOptions(parent=parent),
    )
    return given.kubeconfigs.apply(_first)


def _first(found: Sequence[aks.outputs.CredentialResultResponse]) -> str:
    return base64.b64decode(found[0].value).decode()
