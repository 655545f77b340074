"""What the gateway tells of requests: never headers, never bodies, where credentials and personal data are."""

from typing import Final

import pulumi
import pulumi_azure_native.apimanagement as apim
import pulumi_azure_native.applicationinsights as insights

from components.azure.diagnostics import send
from components.azure.land import AzureLand
from components.azure.roles import Role, grant
from components.azure.vault import secret
from components.gateway.api_management.service import SERVICE, Service
from components.known import known

LOGS: Final = ("GatewayLogs", "DeveloperPortalAuditLogs")
MONITOR = "azuremonitor"
INSIGHTS = "applicationinsights"
CONNECTION = "insights-connection"
"""Name of the secret, and of the value by which the gateway's configuration names it."""
SAMPLED = 10.0
"""Percent of requests whose traces are kept; errors always."""


def log(made: Service, land: AzureLand, *, parent: pulumi.Resource) -> list[pulumi.Resource]:
    """Register what is logged of every request, then where it goes, and return the last change of the service.

    In this order: Azure makes the logger `azuremonitor` by itself, sooner or later, where a service's logs are sent to a workspace, and the
    provider refuses to create what exists already (azure-native, `CanCreate` in azure/client.go). A service has one such logger at most
    (github.com/Azure/apiops, specification of `LoggerModel`), so that no other name would help.
    """
    logger = _logger(made, land, list(made.ready), parent)
    diagnostic = _diagnostic(MONITOR, 100.0, made, land, logger, parent)
    send("apim", land, of=known(land.place.id(SERVICE, made.service_name), made.service, diagnostic), logs=LOGS, parent=parent)
    return [diagnostic]


def _logger(made: Service, land: AzureLand, after: list[pulumi.Resource], parent: pulumi.Resource) -> apim.Logger:
    return apim.Logger(
        f"logger-{MONITOR}",
        apim.LoggerArgs(
            logger_id=MONITOR,
            service_name=known(made.service_name, made.service),
            resource_group_name=land.place.group,
            logger_type=apim.LoggerType.AZURE_MONITOR,
            is_buffered=True,
        ),
        opts=made.inside(parent, after),
    )


def _diagnostic(  # noqa: PLR0913, PLR0917 # the parts of a diagnostic
    name: str, sampled: float, made: Service, land: AzureLand, logger: apim.Logger, parent: pulumi.Resource
) -> apim.Diagnostic:
    nothing = apim.HttpMessageDiagnosticArgs(headers=[], body=apim.BodyDiagnosticSettingsArgs(bytes=0))
    quiet = apim.PipelineDiagnosticSettingsArgs(request=nothing, response=nothing)
    logger_id = land.place.id(f"{SERVICE}/loggers", made.service_name, name)
    return apim.Diagnostic(
        f"diagnostic-{name}",
        apim.DiagnosticArgs(
            diagnostic_id=name,
            service_name=known(made.service_name, made.service),
            resource_group_name=land.place.group,
            logger_id=known(logger_id, logger),
            always_log=apim.AlwaysLog.ALL_ERRORS,
            log_client_ip=True,
            # "Sets correlation protocol to use for Application Insights diagnostics" (REST reference, Diagnostic). Azure has refused its sibling
            # `operationNameFormat` for others (terraform-provider-azurerm, issue 17098).
            http_correlation_protocol=apim.HttpCorrelationProtocol.W3_C if name == INSIGHTS else None,
            verbosity=apim.Verbosity.INFORMATION,
            sampling=apim.SamplingSettingsArgs(sampling_type=apim.SamplingType.FIXED, percentage=sampled),
            frontend=quiet,
            backend=quiet,
        ),
        opts=made.inside(parent, [logger]),
    )


def trace(made: Service, land: AzureLand, after: list[pulumi.Resource], *, parent: pulumi.Resource) -> list[pulumi.Resource]:
    """Register Application Insights and return the last change of the service.

    Its connection is a secret of the vault, and the gateway writes with its own identity.
    """
    where, below = land.place, pulumi.ResourceOptions(parent=parent)
    component = insights.Component(
        "insights",
        resource_name_=where.of("appi"),
        resource_group_name=where.group,
        location=where.location,
        kind="web",
        application_type=insights.ApplicationType.WEB,
        workspace_resource_id=land.workspace_id,
        disable_local_auth=True,
        opts=below,
    )
    component_id, secret_id = where.id("Microsoft.Insights/components", where.of("appi")), land.secret_id(CONNECTION)
    kept = secret(CONNECTION, component.connection_string, land, parent=parent)
    rights = [
        grant(
            where,
            role,
            name=name,
            scope=known(scope, owner),
            scope_id=scope,
            to=made.principal,
            parent=parent,
        )
        for role, name, scope, owner in (
            (Role.KEY_VAULT_SECRETS_USER, "gateway-reads-connection", secret_id, kept),
            (Role.MONITORING_METRICS_PUBLISHER, "gateway-writes-traces", component_id, component),
        )
    ]
    value = apim.NamedValue(
        f"value-{CONNECTION}",
        apim.NamedValueArgs(
            named_value_id=CONNECTION,
            display_name=CONNECTION,
            service_name=known(made.service_name, made.service),
            resource_group_name=where.group,
            secret=True,
            key_vault=apim.KeyVaultContractCreatePropertiesArgs(secret_identifier=known(land.secret_url(CONNECTION), kept)),
        ),
        opts=made.inside(parent, [*after, *rights, *land.vault_ready]),
    )
    logger = apim.Logger(
        f"logger-{INSIGHTS}",
        apim.LoggerArgs(
            logger_id=INSIGHTS,
            service_name=known(made.service_name, made.service),
            resource_group_name=where.group,
            logger_type=apim.LoggerType.APPLICATION_INSIGHTS,
            credentials={"connectionString": f"{{{{{CONNECTION}}}}}", "identityClientId": "SystemAssigned"},
            resource_id=known(component_id, component),
            is_buffered=True,
        ),
        opts=made.inside(parent, [value]),
    )
    return [_diagnostic(INSIGHTS, SAMPLED, made, land, logger, parent)]
