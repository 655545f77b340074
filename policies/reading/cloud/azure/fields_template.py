"""Fields of ARM templates that are accepted. A template may make anything: each resource in one has to be of a kind that is known here."""

from collections.abc import Mapping
from typing import Final

from policies.reading.allowed_values import ANY, Table, all_of, under

LITERAL: Final = r"(?!\[)[\s\S]*"
"""A text that Azure takes as it is; one that begins with a bracket is an expression (Learn, `templates/template-expressions`)."""
SWITCH: Final = "true|false"

_SETTING: Final = {
    # Not `delegation`, which hands sign-in and keys to another site.
    "type": r"Microsoft\.ApiManagement/service/portalsettings",
    "name": r"[A-Za-z][A-Za-z0-9-]*/(signin|signup)",
    "apiVersion": r"\d{4}-\d\d-\d\d",
    "dependsOn.*": LITERAL,
    **all_of("properties.enabled properties.termsOfService.enabled properties.termsOfService.consentRequired", SWITCH),
    "properties.termsOfService.text": LITERAL,
}
"""Of the developer portal (Learn, `azure/templates/microsoft.apimanagement/service/portalsettings`)."""

TEMPLATES: Final[Mapping[str, Table]] = {
    "resources:Deployment": {
        "deploymentName": ANY,
        "properties.mode": "Incremental",
        "properties.template.$schema": r"https://schema\.management\.azure\.com/schemas/\d{4}-\d\d-\d\d/deploymentTemplate\.json#",
        "properties.template.contentVersion": r"\d+(\.\d+){3}",
        **under("properties.template.resources.*", _SETTING),
    },
}
"""By kind, without the provider's package."""
