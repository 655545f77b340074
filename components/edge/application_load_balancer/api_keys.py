"""Where whoever hands API keys to consumers reads them: not in the cluster, whose API is private."""

from collections.abc import Mapping
from typing import Final

import pulumi
from pulumi_aws import secretsmanager

from components.aws.keys import key
from components.aws.land import AwsLand
from components.component import Component
from topology.model.base import Name

RECOVERY_DAYS: Final = 7
"""For which a deleted secret of a production environment can be had back, and its name is taken. Where nothing is protected from deletion, none:
what is destroyed can be made again at once."""


class ApiKeys(Component, layer="edge"):
    """A secret for each consumer's key, encrypted with a key of the environment's own; only roles of yours read them."""

    def __init__(self, keys: Mapping[Name, pulumi.Output[str]], land: AwsLand, *, parent: pulumi.Resource) -> None:
        """Register the secrets."""
        super().__init__("api-keys", {"consumers": sorted(keys)}, parent=parent)
        own = pulumi.ResourceOptions(parent=self)
        cipher = key("api-keys", land.names, parent=self)
        for consumer, value in keys.items():
            name = f"api-key-{consumer}"
            kept = secretsmanager.Secret(
                name,
                secretsmanager.SecretArgs(
                    name=f"{land.names.name}/api-keys/{consumer}",
                    kms_key_id=cipher,
                    recovery_window_in_days=RECOVERY_DAYS if land.sizing.deletion_protection else 0,
                    tags=land.names.tags(name),
                ),
                opts=own,
            )
            secretsmanager.SecretVersion(name, secretsmanager.SecretVersionArgs(secret_id=kept.id, secret_string=value), opts=own)
        self.register_outputs({})
