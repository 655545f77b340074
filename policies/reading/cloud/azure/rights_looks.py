"""Rights of identities in Azure, and whom vaults and storage accounts answer."""

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from policies.reading.cloud.azure import public
from policies.reading.cloud.azure.cluster import CLUSTER
from policies.reading.cloud.azure.ids import NETWORK, group_of, last, target, tenant_of
from policies.reading.cloud.azure.roles import ASSIGNMENT, NARROW, OURS, WIDE, holders_of
from policies.reading.cloud.flaws import Flaw, Reader
from policies.reading.cloud.references import names
from policies.reading.resource import Resource
from policies.reading.values import mapping

if TYPE_CHECKING:
    from policies.reading.stack import Stack

VAULT: Final = "azure-native:keyvault:Vault"
ACCOUNT: Final = "azure-native:storage:StorageAccount"
ENDPOINT: Final = f"{NETWORK}PrivateEndpoint"
CONNECTED: Final = (VAULT, ACCOUNT)
"""What private endpoints of the program lead to."""
TRUST: Final = "azure-native:managedidentity:FederatedIdentityCredential"
SUBJECT: Final = re.compile(r"system:serviceaccount:([a-z0-9-]+):([a-z0-9.-]+)")
CERT_MANAGER: Final = "chart cert-manager"
RESOURCE_GROUP: Final = "azure-native:resources:ResourceGroup"
GROUP_ID: Final = re.compile("/subscriptions/[^/]+/resourceGroups/([^/]+)")


def is_narrow(assignment: Resource, stack: "Stack") -> Iterator[Flaw]:
    """Check that a role is narrow, at one resource of its type, and of an identity of the program."""
    role, scope = last(assignment.at("roleDefinitionId", default="")).lower(), str(assignment.at("scope", default=""))
    known = NARROW.get(role)
    where = type_of(scope)
    if role in WIDE:
        yield Flaw(
            message=f"makes an identity {WIDE[role]} of {scope or 'the subscription'}", fix="give the role of its task, at one resource"
        )
    elif known is None:
        yield Flaw(
            message=f"gives the role {role or '(none)'}, of which nothing is known", fix="add it to roles.py after review", undecided=True
        )
    elif where not in known.at and not _is_group_of(stack, scope, known.group_of):
        what = f"a {where}" if where else "more than one resource"
        yield Flaw(message=f"gives {known.name} at {what} ({scope})", fix=f"give it at one {' or '.join(sorted(known.at))}")
    if not holders_of(assignment, stack):
        yield Flaw(message="gives it to an identity that the program does not make", fix="name an identity of the program")


def is_lent_to_cert_manager(trust: Resource, stack: "Stack") -> Iterator[Flaw]:
    """Check that pods which take on an identity are cert-manager's, known by the program's own cluster."""
    account = SUBJECT.fullmatch(str(trust.at("subject", default="")))
    pods = [pod for pod in stack.pods if account and (pod.namespace, pod.service_account) == account.groups()]
    if not pods or any(pod.maker != CERT_MANAGER for pod in pods):
        yield Flaw(
            message=f"lends an identity of the system to {trust.at('subject', default='') or 'anybody'}, which is not cert-manager alone",
            fix="name the ServiceAccount of cert-manager's controller, and run nothing else as it",
        )
    if not any(names(trust, "issuer", cluster) for cluster in stack.of(CLUSTER)):
        yield Flaw(message="believes the tokens of another cluster", fix="take the issuer from the program's own cluster")


def _is_group_of(stack: "Stack", scope: str, kind: str) -> bool:
    """Say whether a scope is a group of the program's in which it has resources of one kind alone, none in use by others of Azure.

    Whoever may change the address of a gateway of Azure's own takes it over.

    Raises:
        UnknownValueError: if it is not known of a resource in which group it is.
    """
    group = GROUP_ID.fullmatch(scope)
    if group is None or not kind:
        return False
    inside = [each for each in stack.resources if each.kind.startswith(OURS) and group_of(each) == group[1].lower()]
    own = [each for each in inside if each.kind == RESOURCE_GROUP]
    others = [each for each in inside if each not in own]
    return len(own) == 1 and bool(others) and all(each.kind == kind and not public.holders(stack, each) for each in others)


def type_of(scope: str) -> str:
    """Return the type of the resource that an id names; nothing for a group of them or a subscription."""
    provider, *path = scope.partition("/providers/")[2].split("/")
    return "/".join([provider, *path[::2]]) if path and "/resourceGroups/" in scope.partition("/providers/")[0] else ""


def vault_is_closed(vault: Resource, stack: "Stack") -> Iterator[Flaw]:
    """Check that roles say who reads a vault, and that it answers inside the network alone."""
    del stack
    if vault.at("properties", "enableRbacAuthorization", default=False) is not True or vault.at("properties", "accessPolicies", default=[]):
        yield Flaw(
            message="is read by whom its access policies name, beside all roles",
            fix="write `enableRbacAuthorization: true`, and assign roles at its secrets",
        )
    yield from _is_closed(vault.at("properties", "publicNetworkAccess", default="Enabled"), mapping(vault.at("properties", "networkAcls")))


def vault_is_of_the_tenant(vault: Resource, stack: "Stack") -> Iterator[Flaw]:
    """Check that users of the program's own tenant alone are asked for by a vault: another one's owner makes whom he likes."""
    given = vault.at("properties", "tenantId", default=None)
    if given is not None and given.lower() != (own := tenant_of(stack)):
        yield Flaw(message=f"answers users of the tenant {given}, which is not the program's ({own})", fix="name the program's tenant")


def leads_home(endpoint: Resource, stack: "Stack") -> Iterator[Flaw]:
    """Check that a private endpoint leads to what the program makes: behind any other, somebody else takes what the network sends."""
    for each in endpoint.at("privateLinkServiceConnections", default=[]):
        given = mapping(each).get("privateLinkServiceId")
        if target(stack, endpoint, "privateLinkServiceConnections", given, *CONNECTED) is None:
            yield Flaw(message=f"leads to {given}, which the program does not make", fix="connect it to the program's own vault")


def account_is_closed(account: Resource, stack: "Stack") -> Iterator[Flaw]:
    """Check that a storage account answers inside the network alone, and identities only."""
    del stack
    yield from _is_closed(account.at("publicNetworkAccess", default="Enabled"), mapping(account.at("networkRuleSet")))
    if account.at("allowBlobPublicAccess", default=True) is not False:
        yield Flaw(message="may answer whoever does not say who he is", fix="write `allowBlobPublicAccess: false`")
    if account.at("allowSharedKeyAccess", default=True) is not False:
        yield Flaw(message="answers whoever has one of its keys, which are nobody's", fix="write `allowSharedKeyAccess: false`")


def _is_closed(public: str, rules: dict[str, str]) -> Iterator[Flaw]:
    if public != "Disabled" or rules.get("defaultAction", "Allow") != "Deny":
        said = f"publicNetworkAccess {public}, defaultAction {rules.get('defaultAction', 'Allow')}"
        yield Flaw(message=f"answers the internet ({said})", fix="write `publicNetworkAccess: Disabled` and `defaultAction: Deny`")


READERS: Final = (
    Reader(rule="N12", kinds=(ASSIGNMENT,), look=is_narrow),
    Reader(rule="N12", kinds=(TRUST,), look=is_lent_to_cert_manager),
    Reader(rule="N12", kinds=(VAULT,), look=vault_is_closed),
    Reader(rule="N12", kinds=(VAULT,), look=vault_is_of_the_tenant),
    Reader(rule="N12", kinds=(ENDPOINT,), look=leads_home),
    Reader(rule="N12", kinds=(ACCOUNT,), look=account_is_closed),
)
