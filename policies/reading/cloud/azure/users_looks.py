"""Who administers AKS, and with whose key its Secrets are encrypted."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from policies.reading.cloud.administrators import FIX, administrators
from policies.reading.cloud.azure.cluster import CLUSTER, pools
from policies.reading.cloud.azure.ids import target, tenant_of
from policies.reading.cloud.azure.rights_looks import VAULT
from policies.reading.cloud.flaws import Flaw, Reader
from policies.reading.resource import Resource
from policies.reading.stack_file import AZURE
from policies.reading.values import mapping, sequence

if TYPE_CHECKING:
    from policies.reading.stack import Stack


def administrators_are_named(cluster: Resource, stack: "Stack") -> Iterator[Flaw]:
    """N08: the stack file names every group that administers the cluster."""
    groups = {str(each) for each in sequence(mapping(cluster.at("aadProfile", default={})).get("adminGroupObjectIDs"))}
    named = administrators(stack, AZURE) if groups else groups
    for group in sorted(groups - named):
        yield Flaw(message=f"is administered by the group {group}, which the stack file does not name", fix=FIX)


def directory_is_ours(cluster: Resource, stack: "Stack") -> Iterator[Flaw]:
    """N08: whoever owns another tenant makes users and groups there as he likes."""
    given = mapping(cluster.at("aadProfile", default={})).get("tenantID")
    if given is not None and str(given).lower() != (own := tenant_of(stack)):
        yield Flaw(message=f"takes its users from the tenant {given}, which is not the program's ({own})", fix="remove tenantID")


def key_is_ours(cluster: Resource, stack: "Stack") -> Iterator[Flaw]:
    """N07: where a key of one's own encrypts Secrets, it is on, named, of a vault of ours, and asked for inside the network."""
    said = cluster.at("securityProfile", "azureKeyVaultKms", default=None)
    if said is None:
        return
    service = mapping(said)
    if service.get("enabled") is not True or not service.get("keyId"):
        yield Flaw(message="names a key for its Secrets and does not use it", fix="write `enabled: true` and a `keyId`, or leave it out")
    if service.get("keyVaultResourceId") and target(stack, cluster, "securityProfile", service["keyVaultResourceId"], VAULT) is None:
        yield Flaw(
            message=f"encrypts its Secrets with a key of {service['keyVaultResourceId']}, which the program does not make",
            fix="name the program's own vault",
        )
    if service.get("keyVaultNetworkAccess", "Public") != "Private":
        yield Flaw(
            message="asks for the key of its Secrets over the internet, where the vault has to answer",
            fix="write `keyVaultNetworkAccess: Private`",
        )


def disks_are_encrypted(cluster: Resource, stack: "Stack") -> Iterator[Flaw]:
    """N07: what a node keeps beside its managed disks, caches and temporary ones, is encrypted only by the host (Learn, `aks/enable-host-encryption`)."""
    for owner, spec in pools(stack, cluster):
        if spec.get("enableEncryptionAtHost") is not True:
            yield Flaw(
                message=f"the temporary disks of pool {spec.get('name') or owner.name} are not encrypted, on which images and logs are",
                fix="write `enableEncryptionAtHost: true`",
                resource=owner,
            )


READERS: Final = (
    Reader(rule="N07", kinds=(CLUSTER,), look=key_is_ours),
    Reader(rule="N07", kinds=(CLUSTER,), look=disks_are_encrypted),
    Reader(rule="N08", kinds=(CLUSTER,), look=administrators_are_named),
    Reader(rule="N08", kinds=(CLUSTER,), look=directory_is_ours),
)
