"""Logs and metrics of a layer, sent to the environment's workspace."""

from collections.abc import Sequence
from typing import Final

import pulumi
import pulumi_azure_native.monitor as azure_monitor

from components.azure.land import AzureLand

DDOS_LOGS: Final = ("DDoSProtectionNotifications", "DDoSMitigationFlowLogs", "DDoSMitigationReports")
"""Of a public address (Learn, `ddos-protection/ddos-view-diagnostic-logs`)."""


def send(  # noqa: PLR0913 # the parts of a setting
    name: str, land: AzureLand, *, of: pulumi.Input[str], logs: Sequence[str], parent: pulumi.Resource, metrics: bool = True
) -> azure_monitor.DiagnosticSetting:
    """Send a resource's logs to the workspace.

    Args:
        name: Pulumi name and name of the setting.
        land: where the workspace is.
        of: id of the resource that is watched.
        logs: categories of its logs (Learn, `azure-monitor/reference/supported-logs`).
        parent: the component that owns the setting.
        metrics: whether its metrics go there too.
    """
    return azure_monitor.DiagnosticSetting(
        name,
        azure_monitor.DiagnosticSettingArgs(
            name=name,
            resource_uri=of,
            workspace_id=land.workspace_id,
            log_analytics_destination_type="Dedicated",
            logs=[azure_monitor.DiagnosticsLogSettingsArgs(category=category, enabled=True) for category in logs],
            metrics=[azure_monitor.DiagnosticsMetricSettingsArgs(category="AllMetrics", enabled=True)] if metrics else [],
        ),
        opts=pulumi.ResourceOptions(parent=parent),
    )
