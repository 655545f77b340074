"""The key that encrypts the disks of nodes, where the environment has one of its own."""

import pulumi
import pulumi_azure_native.compute as computing
import pulumi_azure_native.keyvault as vaults

from components.azure.land import AzureLand
from components.azure.roles import Role, grant
from components.component import Component
from components.known import known

KEY = "disks"
KEY_BITS = 4096


class Disks(Component, layer="cluster"):
    """A key in the vault, and the disk encryption set that uses it."""

    set_id: pulumi.Output[str]
    rights: tuple[pulumi.Resource, ...]

    def __init__(self, land: AzureLand, cluster: pulumi.Input[str], *, parent: pulumi.Resource) -> None:
        """Register the key, the set, the set's right to the key, and the right of the cluster's identity to the set."""
        where = land.place
        super().__init__("disks", {"key": KEY}, parent=parent)
        key = vaults.Key(
            "disk-key",
            vaults.KeyArgs(
                key_name=KEY,
                vault_name=known(land.vault_name, land.vault),
                resource_group_name=where.group,
                properties=vaults.KeyPropertiesArgs(kty=vaults.JsonWebKeyType.RSA, key_size=KEY_BITS),
            ),
            opts=land.in_vault(self),
        )
        land.vault_changes.append(key)
        vault_id = known(where.id("Microsoft.KeyVault/vaults", land.vault_name), land.vault)
        made = computing.DiskEncryptionSet(
            "disk-encryption",
            computing.DiskEncryptionSetArgs(
                disk_encryption_set_name=where.of("des"),
                resource_group_name=where.group,
                location=where.location,
                identity=computing.EncryptionSetIdentityArgs(type=computing.DiskEncryptionSetIdentityType.SYSTEM_ASSIGNED),
                encryption_type=computing.DiskEncryptionSetType.ENCRYPTION_AT_REST_WITH_CUSTOMER_KEY,
                active_key=computing.KeyForDiskEncryptionSetArgs(
                    key_url=key.key_uri_with_version, source_vault=computing.SourceVaultArgs(id=vault_id)
                ),
                rotation_to_latest_key_version_enabled=True,
            ),
            opts=pulumi.ResourceOptions(parent=self),
        )
        set_id = where.id("Microsoft.Compute/diskEncryptionSets", where.of("des"))
        self.set_id = known(set_id, made)
        key_id = where.id("Microsoft.KeyVault/vaults/keys", land.vault_name, KEY)
        owner = made.identity.apply(lambda identity: identity.principal_id if identity else "")
        self.rights = (
            grant(
                where,
                Role.KEY_VAULT_CRYPTO_SERVICE_ENCRYPTION_USER,
                name="disks-use-key",
                scope=known(key_id, key),
                scope_id=key_id,
                to=owner,
                parent=self,
            ),
            grant(where, Role.READER, name="aks-reads-disks", scope=self.set_id, scope_id=set_id, to=cluster, parent=self),
        )
        self.register_outputs({"set": where.of("des")})
