"""Rights of managed identities: one built-in role at one resource each, the narrowest that does."""

import uuid
from enum import StrEnum

import pulumi
import pulumi_azure_native.authorization as azure_authorization

from components.azure.ids import Place


class Role(StrEnum):
    """Built-in roles by their ids (Learn, `role-based-access-control/built-in-roles`)."""

    NETWORK_CONTRIBUTOR = "4d97b98b-1d4f-4787-a291-c67834d212e7"
    """At a subnet: AKS joins nodes and load balancers to it. At a group of addresses: it puts one in front of a load balancer."""
    READER = "acdd72a7-3385-48ef-bd42-f606fba81ae7"
    """At a disk encryption set: AKS finds the key of its nodes' disks."""
    KEY_VAULT_SECRETS_USER = "4633458b-17de-408a-b874-0445c86b69e6"
    """At a secret: reads it."""
    DNS_ZONE_CONTRIBUTOR = "befefa01-2a29-4197-83a8-272ff33ce314"
    """At a zone: writes its records."""
    STORAGE_BLOB_DATA_CONTRIBUTOR = "ba92f5b4-2d11-453d-a403-e96b0029c9fe"
    """At a storage account: writes its blobs."""
    MONITORING_METRICS_PUBLISHER = "3913510d-42f4-4e42-8a64-420c390055eb"
    """At an Application Insights component: writes to it."""
    KEY_VAULT_CRYPTO_SERVICE_ENCRYPTION_USER = "e147488a-f6f5-4113-8e2d-b22465e65bf6"
    """At a key: wraps and unwraps with it."""


def grant(  # noqa: PLR0913 # the parts of an assignment
    where: Place, role: Role, *, name: str, scope: pulumi.Input[str], scope_id: str, to: pulumi.Input[str], parent: pulumi.Resource
) -> azure_authorization.RoleAssignment:
    """Give an identity a role.

    Args:
        where: the environment.
        role: what it may do.
        name: Pulumi name, which with the scope also makes the assignment's own name.
        scope: where it may; an output of the resource, so that the assignment comes after it.
        scope_id: the same as plain text.
        to: principal id of the identity, which Azure makes.
        parent: the component that owns the assignment.
    """
    return azure_authorization.RoleAssignment(
        name,
        azure_authorization.RoleAssignmentArgs(
            role_assignment_name=str(uuid.uuid5(uuid.NAMESPACE_URL, f"{scope_id}/{role}/{name}")),
            scope=scope,
            role_definition_id=f"/subscriptions/{where.subscription}/providers/Microsoft.Authorization/roleDefinitions/{role}",
            principal_id=to,
            principal_type=azure_authorization.PrincipalType.SERVICE_PRINCIPAL,
        ),
        opts=pulumi.ResourceOptions(parent=parent),
    )
