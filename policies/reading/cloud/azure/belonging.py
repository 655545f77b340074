"""What of Azure belongs to whom: who acts with an identity, at whose resources its roles stand, whose vault keeps what is secret."""

import re
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, Final

from policies.reading.cloud.azure import public
from policies.reading.cloud.azure.apis import SERVICE
from policies.reading.cloud.azure.application_gateway import KIND as APPLICATION_GATEWAY
from policies.reading.cloud.azure.certificates import HELD, VAULT_SECRET
from policies.reading.cloud.azure.cluster import CLUSTER, pools
from policies.reading.cloud.azure.ids import NETWORK, PROVIDER, along, group_of, last, name_of, part, speller, subscription_of, target
from policies.reading.cloud.azure.log_looks import FLOW_LOG, INSIGHTS
from policies.reading.cloud.azure.rights_looks import ACCOUNT, TRUST, VAULT, type_of
from policies.reading.cloud.azure.roles import ASSIGNMENT, NARROW, holders_of
from policies.reading.cloud.azure.secret_looks import NAMED_VALUE
from policies.reading.cloud.azure.subnet_looks import ZONE
from policies.reading.cloud.azure.subnets import subnets
from policies.reading.cloud.flaws import Flaw, Reader
from policies.reading.cloud.references import meant
from policies.reading.resource import Resource
from policies.reading.stack_file import AZURE, named
from policies.reading.values import is_unknown, mapping

if TYPE_CHECKING:
    from policies.reading.stack import Stack

IDENTITY: Final = "azure-native:managedidentity:UserAssignedIdentity"
KEY: Final = "azure-native:keyvault:Key"
ENCRYPTION: Final = "azure-native:compute:DiskEncryptionSet"
NAMES_OF_ENDPOINT: Final = f"{NETWORK}PrivateDnsZoneGroup"
IN_SUBNET: Final = "service.beta.kubernetes.io/azure-load-balancer-internal-subnet"
"""Where the load balancer of a Service has its address (cloud-provider-azure)."""
KEY_URL: Final = re.compile(r"https://([^./]+)\.vault\.azure\.net/keys/[^/]+(?:/.*)?")
IDENTIFIER: Final = re.compile(r"https://([^./]+)\.vault\.azure\.net/secrets/([^/]+)(?:/.*)?")

_ACTING: Final = (("identity", "userAssignedIdentities"), IDENTITY)
REFERENCES: Final[Mapping[str, tuple[tuple[tuple[str, ...], str], ...]]] = {
    VAULT_SECRET: ((("vaultName",), VAULT),),
    KEY: ((("vaultName",), VAULT),),
    ENCRYPTION: ((("activeKey", "sourceVault", "id"), VAULT),),
    CLUSTER: ((("diskEncryptionSetID",), ENCRYPTION), _ACTING),
    APPLICATION_GATEWAY: (_ACTING,),
    SERVICE: (_ACTING,),
    FLOW_LOG: (_ACTING,),
    NAMES_OF_ENDPOINT: ((("privateDnsZoneConfigs", "privateDnsZoneId"), ZONE),),
}
"""Fields that say in whose hands something is, by kind, with what they have to name."""

STANDS_AT: Final[Mapping[str, str]] = {
    "Microsoft.KeyVault/vaults/secrets": VAULT,
    "Microsoft.KeyVault/vaults/keys": VAULT,
    "Microsoft.Storage/storageAccounts": ACCOUNT,
    "Microsoft.Compute/diskEncryptionSets": ENCRYPTION,
    "Microsoft.Insights/components": INSIGHTS,
}
"""Types of resources at which roles stand, with the kind by which the program makes them."""


def is_in_our_hands(resource: Resource, stack: "Stack") -> Iterator[Flaw]:
    """N12: who owns what a resource acts with, or is kept in, has it in his hands."""
    for path, kind in REFERENCES[resource.kind]:
        for given in along(resource.props, path):
            if target(stack, resource, path[0], given, kind) is None:
                yield Flaw(
                    message=f"is in the hands of whoever has {given}, which the program does not make ({'.'.join(path)})",
                    fix=f"name the program's own {kind.rpartition(':')[2]}",
                )


def is_held_by_its_layer(assignment: Resource, stack: "Stack") -> Iterator[Flaw]:
    """N12: a role is for the layer of whose task it is a part."""
    known = NARROW.get(last(assignment.at("roleDefinitionId", default="")).lower())
    if known is None:
        return
    for owner in holders_of(assignment, stack):
        strangers = sorted(str(user) for user in _users(stack, owner) if user.kind not in known.of)
        if strangers:
            yield Flaw(
                message=f"gives {known.name} to {', '.join(strangers)}, which has no use for it",
                fix="give each layer an identity of its own",
            )


def _users(stack: "Stack", owner: Resource) -> Iterator[Resource]:
    """Yield what acts with an identity: what has it as its own, or is given it; itself where nothing is."""
    found = [each for each in stack.resources if owner.kind == IDENTITY and _acts_as(each, owner, stack)]
    yield from found or [owner]


def _acts_as(resource: Resource, identity: Resource, stack: "Stack") -> bool:
    if resource.kind == TRUST:
        field, given = "resourceName", [resource.props.get("resourceName")]
    elif resource.kind in REFERENCES:
        field, given = "identity", list(along(resource.props, _ACTING[0]))
    else:
        return False
    return any(meant(stack, resource, field, each, among=(identity,), spelled=speller(stack)) for each in given)


def stands_at_ours(assignment: Resource, stack: "Stack") -> Iterator[Flaw]:
    """N12: a role at somebody else's resource, or at one that its holder does not work with, is a right too much."""
    scope = str(assignment.at("scope", default=""))
    kind, where = type_of(scope), part(scope, "providers")
    if where == "Microsoft.Network" and kind.endswith("/subnets"):
        fine = any(each.is_named(scope) for each in subnets(stack) if each.name.lower() in _worked_in(stack))
    elif kind == "Microsoft.Network/dnsZones":
        zones = {(group_of(each), str(each.at("zoneName", default="")).lower()) for each in stack.of(public.RECORD)}
        fine = (part(scope, "resourceGroups").lower(), last(scope).lower()) in zones
    elif kind in STANDS_AT:
        fine = target(stack, assignment, "scope", scope, STANDS_AT[kind]) is not None or _is_shown(stack, scope)
    else:
        return
    if not fine:
        yield Flaw(message=f"stands at {scope}, with which nothing in the program works", fix="give it at the resource of the task")


def _worked_in(stack: "Stack") -> set[str]:
    """Return the names of the subnets in which AKS has something, in small letters."""
    # Where nothing may come in, the program's subnet for the load balancer that would take it is empty.
    found = set[str]() if stack.intent.doors else {each.name.lower() for each in subnets(stack)}
    for cluster in stack.of(CLUSTER):
        homes = [spec.get("vnetSubnetID") for _, spec in pools(stack, cluster)]
        homes.append(mapping(cluster.at("apiServerAccessProfile", default={})).get("subnetId"))
        found |= {last(home).lower() for home in homes if home}
    return found | {str(each.annotations.get(IN_SUBNET, "")).lower() for each in stack.of("Service")}


def _is_shown(stack: "Stack", scope: str) -> bool:
    """Say whether a secret of somebody's vault is the certificate that the edge shows clients."""
    wanted = f"https://{part(scope, 'vaults')}.vault.azure.net/secrets/{part(scope, 'secrets')}".lower()
    shown = (each for gateway in stack.of(APPLICATION_GATEWAY) for each in gateway.at("sslCertificates", default=[]))
    return any(str(mapping(each).get("keyVaultSecretId")).lower() == wanted for each in shown)


def takes_from_our_vault(resource: Resource, stack: "Stack") -> Iterator[Flaw]:
    """N12: who owns the vault says what API Management shows and to whom it reports."""
    for given in along(resource.props, ("keyVault", "secretIdentifier")):
        if is_unknown(given):
            target(stack, resource, "keyVault", given, VAULT_SECRET)  # raises where it may be of something else
        elif _kept_at(given) not in _secrets(stack):
            yield Flaw(message=f"takes {given}, which the program keeps in no vault of its own", fix="name a secret that the program makes")


def is_encrypted_with_our_key(disks: Resource, stack: "Stack") -> Iterator[Flaw]:
    """N12: whoever has the key takes all disks back that are encrypted with it."""
    for given in along(disks.props, ("activeKey", "keyUrl")):
        if is_unknown(given):
            target(stack, disks, "activeKey", given, KEY)  # raises where it may be of something else
            continue
        match = KEY_URL.fullmatch(str(given))
        if match is None or match[1].lower() not in {name_of(vault).lower() for vault in stack.of(VAULT)}:
            yield Flaw(
                message=f"encrypts disks with {given}, which is in no vault of the program", fix="name a key of the program's own vault"
            )


def shows_our_certificate(gateway: Resource, stack: "Stack") -> Iterator[Flaw]:
    """N12: who owns the vault has the key of what the edge shows clients, and is the edge to whom he likes."""
    for given in along(gateway.props, ("sslCertificates", "keyVaultSecretId")):
        if is_unknown(given):
            target(stack, gateway, "sslCertificates", given, VAULT_SECRET)
        elif (kept := _kept_at(given)) not in _secrets(stack) and (kept is None or kept != _named_for_clients(stack)):
            yield Flaw(
                message=f"shows clients {given}, which the program keeps in no vault of its own, and the stack file does not name",
                fix="name a secret that the program makes, or the certificate in the stack file (publicCertificate)",
            )


def _named_for_clients(stack: "Stack") -> tuple[str, str] | None:
    """Return vault and name of the certificate that the stack file names."""
    own = named(stack, AZURE, "publicCertificate")
    return (last(own["vault"]).lower(), str(own["secret"]).lower()) if own else None


def _kept_at(identifier: Any) -> tuple[str, str] | None:
    """Return vault and name of a secret by its address, in small letters; None for any other address."""
    match = IDENTIFIER.fullmatch(str(identifier))
    return (match[1].lower(), match[2].lower()) if match else None


def _secrets(stack: "Stack") -> set[tuple[str, str] | None]:
    """Return vault and name of the secrets that the program keeps."""
    return {(last(each.at("vaultName")).lower(), str(each.at("secretName", default="")).lower()) for each in stack.of(VAULT_SECRET)}


def is_made_in_our_subscription(provider: Resource, stack: "Stack") -> Iterator[Flaw]:
    """N12: who owns a subscription has all in his hands that is made there."""
    given, wanted = str(provider.at("subscriptionId", default="")), subscription_of(stack)
    if given and AZURE in stack.config and given.lower() not in {each.lower() for each in wanted}:
        said = f"the stack file names {wanted[0]}" if wanted else "the stack file names none"
        yield Flaw(message=f"makes everything in the subscription {given}, and {said}", fix="name one subscription in both")


READERS: Final = (
    Reader(rule="N12", kinds=(PROVIDER,), look=is_made_in_our_subscription),
    Reader(rule="N12", kinds=tuple(REFERENCES), look=is_in_our_hands),
    Reader(rule="N12", kinds=(ASSIGNMENT,), look=is_held_by_its_layer),
    Reader(rule="N12", kinds=(ASSIGNMENT,), look=stands_at_ours),
    Reader(rule="N12", kinds=(HELD, NAMED_VALUE), look=takes_from_our_vault),
    Reader(rule="N12", kinds=(APPLICATION_GATEWAY,), look=shows_our_certificate),
    Reader(rule="N12", kinds=(ENCRYPTION,), look=is_encrypted_with_our_key),
)
