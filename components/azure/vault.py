"""Secrets of the environment's key vault."""

import pulumi
import pulumi_azure_native.keyvault as vaults

from components.azure.land import AzureLand
from components.known import known

PKCS12 = "application/x-pkcs12"
"""By this type Application Gateway and API Management know a secret as a certificate with its key."""


def secret(
    name: str, value: pulumi.Input[str], land: AzureLand, *, parent: pulumi.Resource, content_type: str | None = None
) -> vaults.Secret:
    """Register a secret; `value` is marked secret by whoever makes it."""
    made = vaults.Secret(
        name,
        vaults.SecretArgs(
            secret_name=name,
            vault_name=known(land.vault_name, land.vault),
            resource_group_name=land.place.group,
            properties=vaults.SecretPropertiesArgs(
                value=pulumi.Output.secret(value), content_type=content_type, attributes=vaults.SecretAttributesArgs(enabled=True)
            ),
        ),
        opts=land.in_vault(parent),
    )
    land.vault_changes.append(made)
    return made
