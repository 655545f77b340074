"""Rules of security groups as resources of their own: whoever adds one must say so in the plan."""

from collections.abc import Iterable, Mapping

import pulumi
from pulumi_aws import ec2, vpc

from components.aws.flows import Flow, Group, Rule, rules
from components.aws.names import Names

Groups = Mapping[Group, ec2.SecurityGroup]


def allow(flows: Iterable[Flow], groups: Groups, names: Names, *, parent: pulumi.Resource) -> list[pulumi.Resource]:
    """Register the rules of flows at the groups on both of their ends."""
    return [_rule(rule, groups, names, parent) for rule in rules(flows)]


def _rule(rule: Rule, groups: Groups, names: Names, parent: pulumi.Resource) -> pulumi.Resource:
    flow, options = rule.flow, pulumi.ResourceOptions(parent=parent)
    group, peer = groups[rule.group].id, rule.peer
    other = groups[peer].id if isinstance(peer, Group) else None
    addresses = None if isinstance(peer, Group) else peer
    args = vpc.SecurityGroupIngressRuleArgs if rule.inbound else vpc.SecurityGroupEgressRuleArgs
    given = args(
        security_group_id=group,
        ip_protocol=flow.transport,
        from_port=flow.port,
        to_port=flow.last_port or flow.port,
        referenced_security_group_id=other,
        cidr_ipv4=addresses,
        description=flow.why,
        tags=names.tags(rule.name),
    )
    if isinstance(given, vpc.SecurityGroupIngressRuleArgs):
        return vpc.SecurityGroupIngressRule(rule.name, given, opts=options)
    return vpc.SecurityGroupEgressRule(rule.name, given, opts=options)
