"""Who may read the developer portal, and who may sign up in it.

The provider has no resource for these settings (pulumi-azure-native, issues 1601 and 4358), so they are deployed as an ARM template. Its
generic `resources.Resource` cannot set them: it refuses to create what exists already (issue 1722 names the cause, `CanCreate`), and a
service has these settings from its first moment.

What the provider does with a template (`Diff`, `Read` and `defaultCreate` in provider.go): it compares the template with the one of the
deployment before, and Azure's answers never hold one, so that a second run changes nothing. Another template is deployed anew under the
same name. What somebody changes by hand is not noticed. A deletion takes away Azure's record alone (Learn,
`deployment-history-deletions`): the settings go with the service.
"""

from typing import Any, Final

import pulumi
import pulumi_azure_native.resources as arm

from components.azure.land import AzureLand
from components.gateway.api_management.service import Service
from components.known import known
from components.versions import API_MANAGEMENT_API

SETTINGS: Final = "Microsoft.ApiManagement/service/portalsettings"
SCHEMA: Final = "https://schema.management.azure.com/schemas/2019-04-01/deploymentTemplate.json#"
"""Of a template for a resource group (Learn, `templates/syntax`)."""
SIGN_IN: Final = {"enabled": True}
"""Nobody reads before signing in (Learn, REST reference, Sign In Settings)."""
SIGN_UP: Final[dict[str, Any]] = {"enabled": True, "termsOfService": {"enabled": False, "consentRequired": False, "text": ""}}
"""Whoever reaches the portal may sign up (Learn, REST reference, Sign Up Settings): developers ask for keys there, and the program knows none of them.

The portal answers inside the network alone, and a key needs somebody's approval. Every field is said: a text may be empty, but not be left out
(Azure Verified Modules, `avm/res/api-management/service/portalsetting`).
"""


def settle(made: Service, land: AzureLand, after: list[pulumi.Resource], *, parent: pulumi.Resource) -> list[pulumi.Resource]:
    """Register the settings and return the last change; delegation, the third of them, is off from the start and stays so."""
    deployment = arm.Deployment(
        "portal-settings",
        arm.DeploymentArgs(
            # Of the service: where that is replaced, the settings are made again, too.
            deployment_name=known(land.place.of("portal"), made.service),
            # No location: Azure refuses one here, and the provider adds none (issue 643).
            resource_group_name=land.place.group,
            properties=arm.DeploymentPropertiesArgs(mode=arm.DeploymentMode.INCREMENTAL, template=_template(made, land)),
        ),
        opts=pulumi.ResourceOptions(parent=parent, depends_on=after),
    )
    return [deployment]


def _template(made: Service, land: AzureLand) -> dict[str, Any]:
    """Return the template: everything in it is literal, so that it says by itself what it makes."""
    sign_in = _setting(made, "signin", SIGN_IN)
    # One after the other: Azure deploys the resources of a template at once, and API Management takes one change at a time.
    sign_up = _setting(made, "signup", SIGN_UP) | {"dependsOn": [land.place.id(SETTINGS, made.service_name, "signin")]}
    return {"$schema": SCHEMA, "contentVersion": "1.0.0.0", "resources": [sign_in, sign_up]}


def _setting(made: Service, name: str, properties: dict[str, Any]) -> dict[str, Any]:
    return {"type": SETTINGS, "apiVersion": API_MANAGEMENT_API, "name": f"{made.service_name}/{name}", "properties": properties}
