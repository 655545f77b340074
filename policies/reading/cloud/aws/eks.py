"""EKS: who reaches the Kubernetes API, what nodes are members of, what is encrypted and logged."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from policies.reading.cloud.addresses import OUTSIDE, addresses
from policies.reading.cloud.aws.groups import Groups, groups_named, members
from policies.reading.cloud.aws.kinds import CLUSTER, KEY, LAUNCH_TEMPLATE, NODE_GROUP
from policies.reading.cloud.aws.vpc import subnets_named, way_in, within
from policies.reading.cloud.flaws import Flaw
from policies.reading.cloud.model import Place
from policies.reading.cloud.operators import is_named
from policies.reading.cloud.references import names, one
from policies.reading.resource import Resource
from policies.reading.stack_file import AWS, listed
from policies.reading.values import UnknownValueError, mapping, sequence

if TYPE_CHECKING:
    from policies.reading.stack import Stack

CNI: Final = "vpc-cni"
FEW: Final = 256
"""Addresses that a list of operators may hold in each range; a wider one is a provider, not a person."""

AUDIT: Final = frozenset({"api", "audit", "authenticator"})
"""Logs of the control plane that say who asked the Kubernetes API for what (EKS.8, CIS EKS 2.1.1)."""


# Places


def nodes_of(stack: "Stack", groups: Groups) -> Place | None:
    """Return where the cluster's pods have their addresses: with Amazon's CNI, the nodes' own subnets and security groups.

    Raises:
        UnknownValueError: if a subnet or group is not known.
    """
    found = list(stack.of(NODE_GROUP))
    if not found:
        return None
    subnets = dict.fromkeys(subnet for group in found for subnet in subnets_named(stack, group, "subnetIds"))
    security = tuple(dict.fromkeys(each for group in found for each in groups_of_nodes(stack, group)))
    return Place(
        name="the nodes of the cluster",
        resource=found[0],
        addresses=within(subnets) | members(security),
        filters=(groups.around(security),),
    )


def groups_of_nodes(stack: "Stack", node_group: Resource) -> tuple[Resource, ...]:
    """Return the security groups of nodes: of their launch template; where it names none, the cluster's own.

    https://docs.aws.amazon.com/eks/latest/userguide/launch-templates.html

    Raises:
        UnknownValueError: if they are not known.
    """
    if template := template_of(stack, node_group):
        own = [*groups_named(stack, template, "vpcSecurityGroupIds"), *groups_named(stack, template, "networkInterfaces", "securityGroups")]
        if own:
            return tuple(own)
    clusters = [cluster for cluster in stack.of(CLUSTER) if belongs(stack, node_group, cluster)]
    if len(clusters) != 1:
        raise UnknownValueError(f"{node_group}: clusterName", "not a cluster of the program")
    return tuple(clusters)


def template_of(stack: "Stack", node_group: Resource) -> Resource | None:
    """Return the launch template of nodes, or None where EKS makes one.

    Raises:
        UnknownValueError: if it is not one of the program.
    """
    if not node_group.props.get("launchTemplate"):
        return None
    found = one(stack, node_group, "launchTemplate", "id", kinds=(LAUNCH_TEMPLATE,))
    if found is None:
        raise UnknownValueError(f"{node_group}: launchTemplate", "not to be followed: it names no id")
    return found


# The Kubernetes API


def api_is_private(cluster: Resource, stack: "Stack") -> Iterator[Flaw]:
    """Check who may connect to the Kubernetes API. Without a word about it, EKS opens it to everybody."""
    config = mapping(cluster.at("vpcConfig", default={}))
    public = config.get("endpointPublicAccess")
    if public is False:
        if config.get("endpointPrivateAccess") is not True:
            yield Flaw(message="its Kubernetes API is reached by nobody: neither endpoint is on", fix="set endpointPrivateAccess: true")
        return
    ranges = [str(each) for each in sequence(config.get("publicAccessCidrs"))]
    fix = "set endpointPublicAccess: false, or name the addresses of operators in publicAccessCidrs"
    if public is not True or not ranges:
        yield Flaw(message="its Kubernetes API is open to the Internet: `publicAccessCidrs` names no addresses", fix=fix)
        return
    for block in ranges:
        if sum(network.num_addresses for network in (addresses(block) & OUTSIDE).networks) > FEW:
            yield Flaw(message=f"its Kubernetes API is open to {block}, which holds more than operators", fix=fix)
        elif not is_named(block, listed(stack, AWS, "operators")):
            yield Flaw(message=f"its Kubernetes API is open to {block}, which the stack file does not name", fix=fix)


def api_is_inside(cluster: Resource, stack: "Stack") -> Iterator[Flaw]:
    """Check that the API's interfaces in the network stand where no route leads in from the Internet."""
    for subnet in subnets_named(stack, cluster, "vpcConfig", "subnetIds"):
        if way := way_in(stack, subnet):
            yield Flaw(
                message=f"its Kubernetes API has interfaces in {subnet}, which {way} connects with an internet gateway",
                fix="put them into subnets without a way out",
            )


def api_logs(cluster: Resource, stack: "Stack") -> Iterator[Flaw]:
    """Check that the control plane writes down who did what."""
    del stack
    missing = sorted(AUDIT - {str(each) for each in sequence(cluster.at("enabledClusterLogTypes", default=[]))})
    if missing:
        yield Flaw(
            message=f"its control plane does not log {', '.join(missing)}", fix=f"add {', '.join(missing)} to enabledClusterLogTypes"
        )


def secrets_are_encrypted(cluster: Resource, stack: "Stack") -> Iterator[Flaw]:
    """Check that Secrets are encrypted with a key of the program's own: whoever has another one may close the store, or read a copy of it.

    Raises:
        UnknownValueError: if it is not a key of the program.
    """
    config = mapping(cluster.at("encryptionConfig", default={}))
    if "secrets" not in sequence(config.get("resources")) or mapping(config.get("provider")).get("keyArn") is None:
        yield Flaw(
            message="its Secrets are not encrypted with a KMS key of the account",
            fix="give encryptionConfig: resources [secrets], a keyArn",
        )
    else:
        one(stack, cluster, "encryptionConfig", "provider", "keyArn", kinds=(KEY,))


def local_access(cluster: Resource, stack: "Stack") -> Iterator[Flaw]:
    """Check that access entries alone say who may do what; a ConfigMap that pods may write is another way in."""
    del stack
    config = mapping(cluster.at("accessConfig", default={}))
    if config.get("bootstrapClusterCreatorAdminPermissions", True) is not False:
        yield Flaw(
            message="whoever made it administers it for ever, beside every access entry (bootstrapClusterCreatorAdminPermissions)",
            fix="set bootstrapClusterCreatorAdminPermissions: false",
        )
    mode = config.get("authenticationMode", "CONFIG_MAP")
    if mode != "API":
        yield Flaw(
            message=f"who administers it stands also in the ConfigMap `aws-auth` (authenticationMode {mode}), which whoever writes it extends",
            fix="set accessConfig.authenticationMode: API, and write access entries",
        )


# Nodes


def public_addresses(node_group: Resource, stack: "Stack") -> Iterator[Flaw]:
    """Yield how nodes get public addresses."""
    for subnet in subnets_named(stack, node_group, "subnetIds"):
        if subnet.at("mapPublicIpOnLaunch", default=False) is not False:
            yield Flaw(
                message=f"its nodes get public addresses: {subnet} gives one to whatever starts there", fix="set mapPublicIpOnLaunch: false"
            )
    if (template := template_of(stack, node_group)) is not None:
        for interface in sequence(template.props.get("networkInterfaces")):
            if str(interface.get("associatePublicIpAddress", "false")).lower() != "false":
                yield Flaw(
                    message=f"its nodes get public addresses ({template})", fix="set associatePublicIpAddress: 'false'", resource=template
                )


def nodes_are_private(node_group: Resource, stack: "Stack") -> Iterator[Flaw]:
    """Check that nodes have no public address, are in subnets where none would work, and take no logins."""
    yield from public_addresses(node_group, stack)
    for subnet in subnets_named(stack, node_group, "subnetIds"):
        if way := way_in(stack, subnet):
            yield Flaw(
                message=f"its nodes are in {subnet}, which {way} connects with an internet gateway",
                fix="put nodes into subnets whose way out is a NAT gateway",
            )
    if node_group.props.get("remoteAccess") is not None:
        yield Flaw(message="opens port 22 of its nodes (remoteAccess)", fix="remove remoteAccess; use Systems Manager")


def instance_metadata(node_group: Resource, stack: "Stack") -> Iterator[Flaw]:
    """Check that pods cannot take the node's own role from the instance's metadata service."""
    template = template_of(stack, node_group)
    options = mapping(template.at("metadataOptions", default={})) if template else {}
    if options.get("httpTokens") != "required" or int(options.get("httpPutResponseHopLimit", 2)) != 1:
        yield Flaw(
            message="pods on its nodes reach the instance's metadata, and with it the node's role",
            fix="give a launch template with metadataOptions: httpTokens required, httpPutResponseHopLimit 1",
            resource=template,
        )


def belongs(stack: "Stack", resource: Resource, cluster: Resource) -> bool:
    """Say whether a node group or an add-on is of a cluster."""
    return names(resource, "clusterName", cluster, cluster.props.get("name"))


# What runs in the cluster

COLLECTOR: Final = "fluent-bit"
"""Sends what containers say elsewhere (`container_logs.py`)."""
ADDONS: Final = frozenset({CNI, COLLECTOR, "coredns", "eks-pod-identity-agent", "kube-proxy", "metrics-server"})
"""Add-ons of EKS that open no way as they come.

https://docs.aws.amazon.com/eks/latest/userguide/workloads-add-ons-available-eks.html
"""


def is_known_addon(addon: Resource, stack: "Stack") -> Iterator[Flaw]:
    """Check that an add-on is one of which it is known what it installs, and that it is installed as it comes."""
    del stack
    name = addon.at("addonName", default="")
    if name not in ADDONS:
        yield Flaw(
            message=f"installs the add-on {name}, and what that puts into the cluster is in no plan",
            fix="register its objects in the program, or exempt it with owner and expiry",
            undecided=True,
        )
    elif name != CNI and addon.at("resolveConflictsOnUpdate", default="NONE") == "PRESERVE":
        yield Flaw(
            message=f"keeps what somebody changed of the add-on {name} in the cluster (resolveConflictsOnUpdate PRESERVE)",
            fix="set resolveConflictsOnUpdate: OVERWRITE",
        )
    elif name not in {CNI, COLLECTOR} and addon.props.get("configurationValues"):
        yield Flaw(
            message=f"configures the add-on {name}, and what that changes is not known", fix="remove configurationValues", undecided=True
        )
