"""Fields of resources of AWS that were reviewed, with the values that were: everything else is undecided (P02, P07).

Read from the schema of pulumi-aws 7 (https://www.pulumi.com/registry/packages/aws/api-docs/). A kind with an empty table is known; a kind
without one may open a path of which no rule knows.
"""

from collections.abc import Mapping
from typing import Final

from policies.reading.allowed_values import ANY, Table, all_of, under
from policies.reading.cloud.aws import kinds

_OWN: Final[Table] = all_of("name namePrefix region description tags.* tags. tagsAll.*")
"""What every resource may be called, and in which region it is."""

_ON_OFF: Final = "true|false"
_OFF: Final = "false"


def _of(paths: str = "", **values: str) -> Table:
    """Return a table of fields that rules read, or that open nothing, and of fields with few accepted values."""
    return {**_OWN, **all_of(paths), **values}


_CONDITIONS: Final = all_of("hostHeader.values.* pathPattern.values.* httpRequestMethod.values.*")
_ACTIONS: Final[Table] = {
    **all_of("order targetGroupArn forward.targetGroups.*.arn forward.targetGroups.*.weight redirect.* fixedResponse.*"),
    "type": "forward|redirect|fixed-response",
}

ACCEPTED: Final[Mapping[str, Table]] = {
    # An account and a region of the stack file, and no other place to ask than AWS itself (`endpoints`, `profile`, `assumeRoles`)
    "pulumi:providers:aws": {
        **all_of("allowedAccountIds allowedAccountIds.* defaultTags defaultTags.* region version __internal __internal.* __internal."),
        **dict.fromkeys(("skipCredentialsValidation", "skipRegionValidation", "skipMetadataApiCheck", "skipRequestingAccountId"), _ON_OFF),
    },
    # Network
    kinds.VPC: _of(
        "cidrBlock",
        enableDnsHostnames=_ON_OFF,
        enableDnsSupport=_ON_OFF,
        enableNetworkAddressUsageMetrics=_ON_OFF,
        assignGeneratedIpv6CidrBlock=_OFF,
        instanceTenancy="default",
    ),
    kinds.SUBNET: {
        **_of("vpcId availabilityZone availabilityZoneId cidrBlock mapPublicIpOnLaunch", assignIpv6AddressOnCreation=_OFF),
        **all_of("enableDns64 enableResourceNameDnsARecordOnLaunch enableResourceNameDnsAaaaRecordOnLaunch", _OFF),
        **all_of("ipv6Native mapCustomerOwnedIpOnLaunch", _OFF),
    },
    kinds.INTERNET_GATEWAY: _of("vpcId"),
    kinds.NAT_GATEWAY: _of("allocationId subnetId", availabilityMode="zonal", connectivityType="public"),
    kinds.EIP: _of("instance networkInterface", domain="vpc"),
    kinds.EIP_ASSOCIATION: _of("allocationId instanceId networkInterfaceId"),
    kinds.ROUTE: _of("routeTableId destinationCidrBlock gatewayId natGatewayId"),
    kinds.ROUTE_TABLE: _of("vpcId routes.*.cidrBlock routes.*.gatewayId routes.*.natGatewayId routes."),
    kinds.DEFAULT_ROUTE_TABLE: _of("defaultRouteTableId routes.*.cidrBlock routes.*.gatewayId routes.*.natGatewayId routes."),
    kinds.ROUTE_TABLE_ASSOCIATION: _of("routeTableId subnetId"),
    kinds.MAIN_ROUTE_TABLE_ASSOCIATION: _of("routeTableId vpcId"),
    kinds.VPC_ENDPOINT: _of(
        "vpcId subnetIds.* securityGroupIds.* routeTableIds.* policy privateDnsEnabled",
        serviceName=r"com\.amazonaws\.[a-z]{2}(-[a-z]+)+-\d\.[a-z0-9.-]+",  # AWS's own, and nobody's (`com.amazonaws.vpce...`)
        vpcEndpointType="Interface|Gateway",
    ),
    kinds.FLOW_LOG: _of(
        "vpcId iamRoleArn maxAggregationInterval logFormat",
        trafficType="ALL",
        logDestinationType="cloud-watch-logs",
        logDestination=r"arn:aws:logs:[a-z0-9-]+:\d{12}:log-group:.+",
    ),
    kinds.GROUP: _of("vpcId ingress.* egress.* ingress. egress.", revokeRulesOnDelete=_ON_OFF),
    kinds.DEFAULT_GROUP: _of("vpcId ingress.* egress.* ingress. egress."),
    kinds.GROUP_RULE: _of(
        "type protocol fromPort toPort securityGroupId sourceSecurityGroupId cidrBlocks.* ipv6CidrBlocks.* prefixListIds.* self"
    ),
    kinds.INGRESS_RULE: _of("ipProtocol fromPort toPort securityGroupId referencedSecurityGroupId cidrIpv4 cidrIpv6 prefixListId"),
    kinds.EGRESS_RULE: _of("ipProtocol fromPort toPort securityGroupId referencedSecurityGroupId cidrIpv4 cidrIpv6 prefixListId"),
    # Edge
    kinds.LOAD_BALANCER: _of(
        "internal subnets.* securityGroups.* accessLogs.* connectionLogs.* dropInvalidHeaderFields desyncMitigationMode enableWafFailOpen "
        "xffHeaderProcessingMode enableXffClientPort loadBalancerType subnetMappings.* idleTimeout clientKeepAlive",
        enableDeletionProtection=_ON_OFF,
        enableCrossZoneLoadBalancing=_ON_OFF,
        enableHttp2=_ON_OFF,
        enableZonalShift=_ON_OFF,
        enableTlsVersionAndCipherSuiteHeaders="false",
        preserveHostHeader=_ON_OFF,
        secondaryIpsAutoAssignedPerSubnet="0",
        ipAddressType="ipv4",
    ),
    kinds.CLASSIC_LOAD_BALANCER: _of("internal"),
    kinds.LISTENER: {
        **_of("loadBalancerArn port protocol sslPolicy certificateArn tcpIdleTimeoutSeconds", routingHttpResponseServerEnabled="false"),
        **all_of("routingHttpResponseStrictTransportSecurityHeaderValue"),
        "routingHttpResponseXContentTypeOptionsHeaderValue": "nosniff",
        **under("defaultActions.*", _ACTIONS),
    },
    kinds.LISTENER_RULE: {**_of("listenerArn priority"), **under("actions.*", _ACTIONS), **under("conditions.*", _CONDITIONS)},
    kinds.LISTENER_CERTIFICATE: _of("listenerArn certificateArn"),
    kinds.TARGET_GROUP: {
        **_of("vpcId port protocol targetType healthCheck.* deregistrationDelay slowStart", protocolVersion="HTTP1|HTTP2|GRPC"),
        **all_of("targetGroupHealth.*"),
        "loadBalancingAlgorithmType": "round_robin|least_outstanding_requests",
        "loadBalancingAnomalyMitigation": "on|off",
        "loadBalancingCrossZoneEnabled": "use_load_balancer_configuration|true|false",
        **all_of("connectionTermination lambdaMultiValueHeadersEnabled proxyProtocolV2", _OFF),
        "ipAddressType": "ipv4",
        "stickiness.enabled": "false",
    },
    kinds.TARGET_ATTACHMENT: _of("targetGroupArn targetId port availabilityZone"),
    kinds.WEB_ACL: {
        **_of("defaultAction.allow defaultAction.block rules.* visibilityConfig.* dataProtectionConfig.*", scope="REGIONAL"),
        **all_of("defaultAction.allow.* defaultAction.block.*"),
    },
    kinds.WEB_ACL_ASSOCIATION: _of("resourceArn webAclArn"),
    kinds.WEB_ACL_LOGGING: _of("resourceArn logDestinationConfigs.* redactedFields.* loggingFilter.*"),
    kinds.CERTIFICATE: _of(
        "domainName subjectAlternativeNames.* validationMethod validationOptions.*",
        keyAlgorithm="RSA_(2048|3072|4096)|EC_(prime256v1|secp384r1|secp521r1)",
    ),
    "aws:acm/certificateValidation:CertificateValidation": _of("certificateArn validationRecordFqdns.*"),
    kinds.RECORD: _of("zoneId type ttl records.* aliases.*", allowOverwrite=_ON_OFF),
    # Cluster
    kinds.CLUSTER: {
        **_of("roleArn version enabledClusterLogTypes.* encryptionConfig.*", bootstrapSelfManagedAddons=_ON_OFF),
        **under("vpcConfig", all_of("subnetIds.* securityGroupIds.* endpointPrivateAccess endpointPublicAccess publicAccessCidrs.*")),
        "vpcConfig.controlPlaneEgressMode": "AWS_MANAGED",
        **all_of("publicAccessCidrs. accessConfig.authenticationMode upgradePolicy.* zonalShiftConfig.*"),
        "accessConfig.bootstrapClusterCreatorAdminPermissions": "false",
        "kubernetesNetworkConfig.ipFamily": "ipv4",
        "kubernetesNetworkConfig.serviceIpv4Cidr": ANY,
        "deletionProtection": _ON_OFF,
    },
    kinds.NODE_GROUP: {
        **_of("clusterName nodeRoleArn nodeGroupName subnetIds.* launchTemplate.* scalingConfig.* updateConfig.* instanceTypes.* labels.*"),
        **all_of("version releaseVersion taints.* nodeRepairConfig.* remoteAccess.* diskSize"),
        "amiType": "(AL2023|BOTTLEROCKET)_(x86_64|ARM_64)(_STANDARD|_FIPS)?",
        "capacityType": "ON_DEMAND|SPOT",
    },
    kinds.LAUNCH_TEMPLATE: {
        **_of("vpcSecurityGroupIds.* networkInterfaces.*.securityGroups.* networkInterfaces.*.associatePublicIpAddress"),
        **all_of("metadataOptions.httpTokens metadataOptions.httpPutResponseHopLimit"),
        "metadataOptions.httpEndpoint": "enabled|disabled",
        "metadataOptions.instanceMetadataTags": "disabled",
        **all_of("blockDeviceMappings.*.deviceName blockDeviceMappings.*.ebs.volumeType blockDeviceMappings.*.ebs.volumeSize"),
        **all_of("blockDeviceMappings.*.ebs.kmsKeyId blockDeviceMappings.*.ebs.iops blockDeviceMappings.*.ebs.throughput"),
        "blockDeviceMappings.*.ebs.encrypted": "true",
        "blockDeviceMappings.*.ebs.deleteOnTermination": "true",
        **all_of("tagSpecifications.* defaultVersion monitoring.* networkInterfaces.*.deviceIndex"),
        "networkInterfaces.*.deleteOnTermination": _ON_OFF,
        "updateDefaultVersion": _ON_OFF,
        "ebsOptimized": _ON_OFF,
        "instanceInitiatedShutdownBehavior": "stop|terminate",
    },
    kinds.ADDON: {
        **_of("addonName clusterName addonVersion configurationValues resolveConflictsOnCreate resolveConflictsOnUpdate"),
        **all_of("serviceAccountRoleArn podIdentityAssociations.*"),
        "namespaceConfig.namespace": "kube-system",
        "preserve": _ON_OFF,
    },
    kinds.ACCESS_ENTRY: _of("clusterName principalArn", type="STANDARD"),
    kinds.ACCESS_POLICY: _of(
        "clusterName principalArn accessScope.*",
        policyArn="arn:aws:eks::aws:cluster-access-policy/AmazonEKS(ClusterAdmin|Admin|AdminView|Edit|View)Policy",
    ),
    kinds.POD_IDENTITY: _of("clusterName namespace serviceAccount roleArn"),
    # Rights, keys, logs, buckets
    kinds.SECRET: _of("kmsKeyId recoveryWindowInDays policy"),
    kinds.SECRET_POLICY: _of("secretArn policy", blockPublicPolicy=_ON_OFF),
    kinds.SECRET_VERSION: _of("secretId secretString"),
    kinds.KEY: {
        **_of("policy deletionWindowInDays rotationPeriodInDays", enableKeyRotation=_ON_OFF, keyUsage="ENCRYPT_DECRYPT"),
        "bypassPolicyLockoutSafetyCheck": _ON_OFF,
        "customerMasterKeySpec": "SYMMETRIC_DEFAULT",
        "isEnabled": "true",
        "multiRegion": "false",
    },
    "aws:kms/alias:Alias": _of("targetKeyId"),
    kinds.ROLE: _of("assumeRolePolicy path maxSessionDuration permissionsBoundary", forceDetachPolicies=_ON_OFF),
    kinds.POLICY: _of("policy path"),
    kinds.ROLE_POLICY: _of("role policy"),
    kinds.ROLE_ATTACHMENT: _of("role policyArn"),
    kinds.LOG_GROUP: _of("kmsKeyId retentionInDays", logGroupClass="STANDARD", skipDestroy=_ON_OFF, deletionProtectionEnabled=_ON_OFF),
    kinds.LOG_POLICY: _of("policyName policyDocument"),
    kinds.BUCKET: _of("bucket bucketPrefix", acl="private", bucketNamespace="global", forceDestroy=_ON_OFF),
    kinds.BUCKET_POLICY: _of("bucket policy"),
    kinds.BUCKET_BLOCK: _of("bucket blockPublicAcls blockPublicPolicy ignorePublicAcls restrictPublicBuckets"),
    "aws:s3/bucketOwnershipControls:BucketOwnershipControls": {**_of("bucket"), "rule.objectOwnership": "BucketOwnerEnforced"},
    kinds.BUCKET_ENCRYPTION: _of("*"),
    kinds.BUCKET_LIFECYCLE: _of("*"),
    "aws:s3/bucketVersioning:BucketVersioning": _of("*"),
}
