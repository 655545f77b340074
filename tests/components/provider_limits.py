"""What names and descriptions providers take: a deployment ends at the first that they refuse, and no plan says so."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, kw_only=True)
class Limit:
    """A form that the text at some path of a type must have."""

    source: str
    """A page of Learn (`learn.microsoft.com`), or an operation or type of an AWS API reference."""
    form: str
    """An expression that fits the whole text."""
    shortest: int = 1
    longest: int

    def takes(self, text: str) -> bool:
        """Say whether the provider takes a text."""
        return self.shortest <= len(text) <= self.longest and re.fullmatch(self.form, text, re.ASCII) is not None


_EC2: Final = r"[a-zA-Z0-9. _\-:/()#,@\[\]+=&;{}!$*]*"
_TAG: Final = r"[\w .:/=+\-@]*"
_MANAGED: Final = r"[^*#&+:<>?]+"
"""Of whatever API Management keeps (Learn, `resource-name-rules`)."""
_RESOURCE: Final = r"[A-Za-z0-9]([\w.-]*\w)?"
_HYPHENS: Final = r"[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?"


def _named(longest: int, form: str = _RESOURCE, shortest: int = 1) -> Limit:
    return Limit(source="resource-name-rules", form=form, shortest=shortest, longest=longest)


def _managed(longest: int, form: str = _MANAGED) -> Limit:
    return Limit(source="rest/api/apimanagement", form=form, longest=longest)


_TEXT: Final = r"[\s\S]*"
_SECURITY_GROUP: Final = Limit(source="EC2 CreateSecurityGroup", form=_EC2, longest=255)
_WAF_NAME: Final = Limit(source="WAFv2 WebACL, Rule", form=r"[\w\-]+", longest=128)
_WAF_METRIC: Final = Limit(source="WAFv2 VisibilityConfig", form=r"[\w#:.\-/]+", longest=128)
_PART: Final = Limit(source="resource-name-rules", form=_RESOURCE, longest=80)

LIMITS: Final[Mapping[tuple[str, str], Limit]] = {
    ("aws:ec2/securityGroup:SecurityGroup", "name"): Limit(source="EC2 CreateSecurityGroup", form=rf"(?!sg-){_EC2}", longest=255),
    ("aws:ec2/securityGroup:SecurityGroup", "description"): _SECURITY_GROUP,
    ("aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule", "description"): _SECURITY_GROUP,
    ("aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule", "description"): _SECURITY_GROUP,
    ("aws:ec2/launchTemplate:LaunchTemplate", "name"): Limit(
        source="EC2 CreateLaunchTemplate", form=r"[a-zA-Z0-9().\-/_]+", shortest=3, longest=128
    ),
    ("aws:wafv2/webAcl:WebAcl", "name"): _WAF_NAME,
    ("aws:wafv2/webAcl:WebAcl", "rules.name"): _WAF_NAME,
    ("aws:wafv2/webAcl:WebAcl", "visibilityConfig.metricName"): _WAF_METRIC,
    ("aws:wafv2/webAcl:WebAcl", "rules.visibilityConfig.metricName"): _WAF_METRIC,
    ("aws:lb/loadBalancer:LoadBalancer", "name"): Limit(source="ELBv2 CreateLoadBalancer", form=rf"(?!internal-){_HYPHENS}", longest=32),
    ("aws:lb/targetGroup:TargetGroup", "name"): Limit(source="ELBv2 CreateTargetGroup", form=_HYPHENS, longest=32),
    ("aws:iam/role:Role", "name"): Limit(source="IAM CreateRole", form=r"[\w+=,.@\-]+", longest=64),
    ("aws:iam/rolePolicy:RolePolicy", "name"): Limit(source="IAM PutRolePolicy", form=r"[\w+=,.@\-]+", longest=128),
    ("aws:kms/key:Key", "description"): Limit(source="KMS CreateKey", form=_TEXT, longest=8192),
    ("aws:kms/alias:Alias", "name"): Limit(source="KMS CreateAlias", form=r"alias/(?!aws/)[a-zA-Z0-9/_\-]+", longest=256),
    ("aws:eks/cluster:Cluster", "name"): Limit(source="EKS CreateCluster", form=r"[0-9A-Za-z][A-Za-z0-9\-_]*", longest=100),
    ("aws:eks/nodeGroup:NodeGroup", "nodeGroupName"): Limit(source="EKS CreateNodegroup", form=r"[0-9A-Za-z][A-Za-z0-9\-_]*", longest=63),
    ("aws:eks/cluster:Cluster", "tags.Name"): Limit(source="EKS TagResource", form=_TAG, longest=256),
    ("aws:secretsmanager/secret:Secret", "name"): Limit(
        source="Secrets Manager CreateSecret", form=r"[A-Za-z0-9/_+=.@\-]+", longest=512
    ),
    ("aws:cloudwatch/logGroup:LogGroup", "name"): Limit(source="CloudWatch Logs CreateLogGroup", form=r"[.\-_/#A-Za-z0-9]+", longest=512),
    ("azure-native:network:NetworkSecurityGroup", "networkSecurityGroupName"): _PART,
    ("azure-native:network:NetworkSecurityGroup", "securityRules.name"): _PART,
    ("azure-native:network:NetworkSecurityGroup", "securityRules.description"): Limit(
        source="azure/templates/microsoft.network/networksecuritygroups", form=_TEXT, longest=140
    ),
    ("azure-native:network:VirtualNetwork", "virtualNetworkName"): _named(64, shortest=2),
    ("azure-native:network:VirtualNetwork", "subnets.name"): _PART,
    ("azure-native:network:NatGateway", "natGatewayName"): _PART,
    ("azure-native:network:PublicIPAddress", "publicIpAddressName"): _PART,
    ("azure-native:network:PublicIPAddress", "dnsSettings.domainNameLabel"): Limit(
        source="azure/templates/microsoft.network/publicipaddresses", form=r"[a-z][a-z0-9-]{1,61}[a-z0-9]", longest=63
    ),
    ("azure-native:network:PrivateEndpoint", "privateEndpointName"): _named(64, shortest=2),
    ("azure-native:network:ApplicationGateway", "applicationGatewayName"): _PART,
    **{
        ("azure-native:network:ApplicationGateway", f"{part}.name"): _PART
        for part in (
            "backendAddressPools", "backendHttpSettingsCollection", "frontendIPConfigurations", "frontendPorts", "gatewayIPConfigurations",
            "httpListeners", "probes", "requestRoutingRules", "rewriteRuleSets", "sslCertificates", "trustedRootCertificates", "urlPathMaps",
            "urlPathMaps.pathRules",
        )
    },
    ("azure-native:network:WebApplicationFirewallPolicy", "policyName"): _PART,
    ("azure-native:network:WebApplicationFirewallPolicy", "customRules.name"): Limit(
        source="web-application-firewall/ag/create-custom-waf-rules", form=r"[A-Za-z][A-Za-z0-9]*", longest=128
    ),
    ("azure-native:apimanagement:ApiManagementService", "serviceName"): _named(50, r"[A-Za-z]([A-Za-z0-9-]*[A-Za-z0-9])?"),
    ("azure-native:apimanagement:Api", "apiId"): _managed(256),
    ("azure-native:apimanagement:Api", "displayName"): _managed(300, _TEXT),
    ("azure-native:apimanagement:Api", "path"): Limit(source="rest/api/apimanagement", form=_TEXT, shortest=0, longest=400),
    ("azure-native:apimanagement:ApiOperation", "operationId"): _managed(80),
    ("azure-native:apimanagement:ApiOperation", "displayName"): _managed(300, _TEXT),
    ("azure-native:apimanagement:ApiOperation", "description"): _managed(1000, _TEXT),
    ("azure-native:apimanagement:ApiOperation", "urlTemplate"): _managed(1000, _TEXT),
    ("azure-native:apimanagement:Backend", "backendId"): _managed(80),
    ("azure-native:apimanagement:Certificate", "certificateId"): _managed(80),
    ("azure-native:apimanagement:Logger", "loggerId"): _managed(256),
    ("azure-native:apimanagement:NamedValue", "namedValueId"): _managed(256),
    ("azure-native:apimanagement:NamedValue", "displayName"): _managed(256, r"[A-Za-z0-9\-._]+"),
    ("azure-native:apimanagement:Product", "productId"): _managed(256),
    ("azure-native:apimanagement:Product", "displayName"): _managed(300, _TEXT),
    ("azure-native:apimanagement:Product", "description"): _managed(1000, _TEXT),
    ("azure-native:apimanagement:Subscription", "sid"): _managed(256),
    ("azure-native:apimanagement:Subscription", "displayName"): _managed(100, _TEXT),
    ("azure-native:resources:Deployment", "deploymentName"): _named(64, r"[\w().-]+"),
    ("azure-native:containerservice:ManagedCluster", "resourceName"): _named(63, r"[A-Za-z0-9]([\w-]*[A-Za-z0-9])?"),
    ("azure-native:containerservice:ManagedCluster", "agentPoolProfiles.name"): _named(12, r"[a-z][a-z0-9]*"),
    ("azure-native:containerservice:AgentPool", "agentPoolName"): _named(12, r"[a-z][a-z0-9]*"),
    ("azure-native:keyvault:Vault", "vaultName"): _named(24, rf"(?!.*--)(?=[A-Za-z]){_HYPHENS}", shortest=3),
    ("azure-native:keyvault:Key", "keyName"): _named(127, r"[A-Za-z0-9-]+"),
    ("azure-native:keyvault:Secret", "secretName"): _named(127, r"[A-Za-z0-9-]+"),
    ("azure-native:managedidentity:UserAssignedIdentity", "resourceName"): _named(128, r"[A-Za-z0-9][\w-]*", shortest=3),
    ("azure-native:operationalinsights:Workspace", "workspaceName"): _named(63, _HYPHENS, shortest=4),
    ("azure-native:compute:DiskEncryptionSet", "diskEncryptionSetName"): _named(80, r"[\w-]+"),
    ("azure-native:storage:StorageAccount", "accountName"): _named(24, r"[a-z0-9]+", shortest=3),
    ("azure-native:resources:ResourceGroup", "resourceGroupName"): _named(90, r"[\w().-]*[\w()-]"),
}  # fmt: skip
"""Each type and path, and what may stand there."""
