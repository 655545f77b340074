"""Fields of Application Gateway and API Management that are accepted."""

from collections.abc import Mapping
from typing import Final

from policies.reading.allowed_values import ANY, Table, all_of, under

_ROUTED: Final = "backendAddressPool.id backendHttpSettings.id redirectConfiguration.id rewriteRuleSet.id"
_DEFAULTS: Final = "defaultBackendAddressPool.id defaultBackendHttpSettings.id defaultRedirectConfiguration.id defaultRewriteRuleSet.id"

_APPLICATION_GATEWAY: Final = {
    **all_of("applicationGatewayName autoscaleConfiguration.* enableHttp2 firewallPolicy.id identity.* sku.* sslPolicy.*"),
    **all_of("backendAddressPools.*.name backendAddressPools.*.backendAddresses.*"),
    **under(
        "backendHttpSettingsCollection.*",
        all_of(
            "name port protocol hostName pickHostNameFromBackendAddress path probe.id requestTimeout trustedRootCertificates.*.id"
            " connectionDraining.* cookieBasedAffinity probeEnabled validateCertChainAndExpiry validateSNI sniName"
        ),
    ),
    **all_of("frontendIPConfigurations.*.name frontendIPConfigurations.*.publicIPAddress.id frontendPorts.*"),
    **all_of("frontendIPConfigurations.*.privateIPAddress frontendIPConfigurations.*.privateIPAllocationMethod"),
    **all_of("frontendIPConfigurations.*.subnet.id gatewayIPConfigurations.*.name gatewayIPConfigurations.*.subnet.id"),
    **under(
        "httpListeners.*",
        all_of(
            "name protocol hostName hostNames.* requireServerNameIndication frontendIPConfiguration.id frontendPort.id sslCertificate.id"
            " firewallPolicy.id"
        ),
    ),
    **all_of("probes.*.name probes.*.host probes.*.interval probes.*.match.statusCodes.* probes.*.path probes.*.protocol"),
    **all_of("probes.*.timeout probes.*.unhealthyThreshold probes.*.pickHostNameFromBackendHttpSettings"),
    **all_of("redirectConfigurations.*"),
    **under("requestRoutingRules.*", all_of(f"name priority ruleType httpListener.id urlPathMap.id {_ROUTED}")),
    **all_of("rewriteRuleSets.*.name rewriteRuleSets.*.rewriteRules.*"),
    **all_of("sslCertificates.*.name sslCertificates.*.keyVaultSecretId trustedRootCertificates.*.name trustedRootCertificates.*.data"),
    **under("urlPathMaps.*", all_of(f"name {_DEFAULTS} pathRules.")),
    **under("urlPathMaps.*.pathRules.*", all_of(f"name paths.* firewallPolicy.id {_ROUTED}")),
}

_WAF: Final = {
    **all_of("policyName customRules.* managedRules.exclusions.* policySettings.state policySettings.mode"),
    **under(
        "managedRules.managedRuleSets.*",
        {
            **all_of("ruleSetType ruleSetVersion ruleGroupOverrides. ruleGroupOverrides.*.ruleGroupName ruleGroupOverrides.*.rules."),
            **all_of("ruleGroupOverrides.*.rules.*.ruleId ruleGroupOverrides.*.rules.*.state ruleGroupOverrides.*.rules.*.action"),
        },
    ),
    **all_of("policySettings.requestBodyCheck policySettings.requestBodyEnforcement policySettings.requestBodyInspectLimitInKB"),
    **all_of("policySettings.maxRequestBodySizeInKb policySettings.fileUploadEnforcement policySettings.fileUploadLimitInMb"),
    **all_of("policySettings.logScrubbing.* policySettings.jsChallengeCookieExpirationInMins"),
}

_WHERE: Final = all_of("serviceName")
_POLICY: Final = {**_WHERE, "policyId": "policy", "value": ANY, "format": ANY}

GATEWAY: Final[Mapping[str, Table]] = {
    "network:ApplicationGateway": _APPLICATION_GATEWAY,
    "network:WebApplicationFirewallPolicy": _WAF,
    "apimanagement:ApiManagementService": {
        **_WHERE,
        **all_of("certificates.*.encodedCertificate customProperties.* developerPortalStatus"),
        "apiVersionConstraint.minApiVersion": r"20(2[1-9]|[3-9]\d)-\d\d-\d\d(-preview)?",  # older ones answer with keys in clear
        "certificates.*.storeName": "Root|CertificateAuthority",
        **all_of("enableClientCertificate identity.* publisherEmail publisherName sku.*"),
        **under(
            "hostnameConfigurations.*",
            {
                **all_of("hostName type encodedCertificate certificatePassword defaultSslBinding negotiateClientCertificate"),
                "certificateSource": "Custom",  # not a vault's, whose owner says what it shows
            },
        ),
        **all_of("notificationSenderEmail publicNetworkAccess virtualNetworkConfiguration.subnetResourceId virtualNetworkType"),
        "disableGateway": "false",
        "legacyPortalStatus": "Disabled",
        "natGatewayState": "Disabled|Enabled",
        "restore": "false",
    },
    "apimanagement:Api": {
        **_WHERE,
        **all_of("apiId path protocols.* subscriptionRequired subscriptionKeyParameterNames.* displayName description contact.* license.*"),
        **all_of("apiVersion apiVersionSetId apiVersionDescription serviceUrl termsOfServiceUrl apiType type format value"),
        "apiRevision": "1",
        "isCurrent": "true",
    },
    "apimanagement:ApiOperation": {
        **_WHERE,
        **all_of("apiId operationId method urlTemplate displayName description templateParameters.* responses.* request.*"),
    },
    "apimanagement:ApiOperationPolicy": {**_POLICY, **all_of("apiId operationId")},
    "apimanagement:ApiPolicy": {**_POLICY, **all_of("apiId")},
    "apimanagement:ApiSchema": {**_WHERE, **all_of("apiId schemaId contentType components.* definitions.* value")},
    "apimanagement:ApiVersionSet": {
        **_WHERE,
        **all_of("versionSetId displayName description versioningScheme versionHeaderName versionQueryName"),
    },
    "apimanagement:Backend": {
        **_WHERE,
        **all_of("backendId url tls.validateCertificateChain tls.validateCertificateName title description type circuitBreaker.*"),
        "protocol": "http",
        "credentials.certificate.*": ANY,
    },
    "apimanagement:Certificate": {**_WHERE, **all_of("certificateId keyVault.secretIdentifier keyVault.identityClientId data password")},
    "apimanagement:Diagnostic": {
        **_WHERE,
        **all_of("diagnosticId httpCorrelationProtocol loggerId sampling.* metrics"),
        "alwaysLog": "allErrors",
        "logClientIp": "true",
        "verbosity": "information|verbose",
        **all_of("frontend.request.body.bytes frontend.response.body.bytes backend.request.body.bytes backend.response.body.bytes", "0"),
        **all_of("frontend.request.headers. frontend.response.headers. backend.request.headers. backend.response.headers."),
    },
    "apimanagement:Logger": {
        **_WHERE,
        **all_of("loggerId isBuffered resourceId description"),
        "loggerType": "azureMonitor|applicationInsights",
        "credentials.connectionString": r"\{\{[A-Za-z0-9-]+\}\}",  # a named value, of which N12 asks whose it is
        "credentials.identityClientId": "SystemAssigned",
    },
    "apimanagement:NamedValue": {
        **_WHERE,
        **all_of("namedValueId displayName keyVault.secretIdentifier keyVault.identityClientId tags.*"),
        "secret": "true",
    },
    "apimanagement:Policy": _POLICY,
    "apimanagement:Product": {
        **_WHERE,
        **all_of("productId displayName description terms state subscriptionRequired approvalRequired subscriptionsLimit"),
    },
    "apimanagement:ProductApi": {**_WHERE, **all_of("apiId productId")},
    "apimanagement:ProductGroup": {**_WHERE, "productId": ANY, "groupId": "developers|administrators"},
    "apimanagement:ProductPolicy": {**_POLICY, **all_of("productId")},
    "apimanagement:Subscription": {
        **_WHERE,
        **all_of("sid displayName scope state primaryKey secondaryKey"),  # not `ownerId`: an owner reads keys in the developer portal
        "allowTracing": "false",
    },
}
"""By kind, without the provider's package."""
