"""Ways to break a good stack in Amazon Web Services."""

import copy
import json
from collections.abc import Callable
from typing import Any

from policies.reading.cloud.aws import kinds
from tests.policies.mutations.mutation import CloudFamily, Mutation, Table
from tests.policies.mutations.plan import MARKER, UNKNOWN, Plan, Record, manifest, name, namespace

NETWORK = Table(CloudFamily.NETWORK)
EDGE = Table(CloudFamily.EDGE)
CLUSTER = Table(CloudFamily.CLUSTER)
EVASION = Table(CloudFamily.EVASION)

EVERYBODY = "0.0.0.0/0"
REGIONAL = "arn:aws:{service}:eu-central-1:123456789012:{rest}"
"""Something in an account, by an ARN that somebody typed."""


def called(record: Record) -> str:
    """Return what the program calls a resource."""
    return record["urn"].rpartition("::")[2]


def found(plan: Plan, kind: str, wanted: str = "") -> Record:
    """Return the first resource of a kind, by its name where one is given."""
    return next(r for r in plan.resources if r["type"] == kind and wanted in {"", called(r)})


def every(plan: Plan, kind: str) -> list[Record]:
    """Return the resources of a kind."""
    return [record for record in plan.resources if record["type"] == kind]


def add(plan: Plan, kind: str, inputs: dict[str, Any], **dependencies: list[Record]) -> Record:
    """Register a resource that depends on others, property by property."""
    plan.add_resource(kind, inputs, f"{MARKER}-{len(plan.resources)}")
    made = plan.resources[-1]
    made["provider"] = found(plan, kinds.VPC)["provider"]
    made["propertyDependencies"] = {key: [other["urn"] for other in others] for key, others in dependencies.items()}
    return made


def group(plan: Plan, wanted: str) -> Record:
    """Return a security group."""
    return found(plan, kinds.GROUP, wanted)


def permit(plan: Plan, wanted: str, source: Record | None = None, **peer: Any) -> None:
    """Let somebody connect to the members of a group, by a rule of its own."""
    inputs = {"securityGroupId": UNKNOWN, "ipProtocol": "tcp", "fromPort": 1, "toPort": 65535, **peer}
    dependencies = {"securityGroupId": [group(plan, wanted)]}
    if source is not None:
        inputs["referencedSecurityGroupId"], dependencies["referencedSecurityGroupId"] = UNKNOWN, [source]
    add(plan, kinds.INGRESS_RULE, inputs, **dependencies)


def depending(plan: Plan, record: Record, key: str, others: list[Record]) -> None:
    """Let a property of a resource depend on others."""
    fresh = plan.options(record)
    fresh["propertyDependencies"] = {**fresh.get("propertyDependencies", {}), key: [other["urn"] for other in others]}


# Public addresses


def _balancer(plan: Plan, kind: str = "network", **inputs: Any) -> Record:
    subnets = [record for record in every(plan, kinds.SUBNET) if called(record).startswith("public")]
    edge = [group(plan, "edge")]
    given = {"loadBalancerType": kind, "internal": False, "subnets": [UNKNOWN] * len(subnets), "securityGroups": [UNKNOWN], **inputs}
    return add(plan, kinds.LOAD_BALANCER, given, subnets=subnets, securityGroups=edge)


@NETWORK.mutation("W02", "a second public load balancer has no web ACL")
def aws_second_balancer(plan: Plan) -> bool:
    _balancer(plan, "application")
    return True


@NETWORK.mutation("W08", "a public load balancer passes connections on")
def aws_network_balancer(plan: Plan) -> bool:
    _balancer(plan)
    return True


@NETWORK.mutation("W08", "a public load balancer of the classic kind")
def aws_classic_balancer(plan: Plan) -> bool:
    add(
        plan,
        kinds.CLASSIC_LOAD_BALANCER,
        {"listeners": [{"lbPort": 80, "lbProtocol": "http", "instancePort": 80, "instanceProtocol": "http"}]},
    )
    return True


@NETWORK.mutation("K04", "a load balancer leads to the mesh ingress, past the gateway")
def aws_balancer_to_ingress(plan: Plan) -> bool:
    balancer = _balancer(plan)
    target = add(plan, kinds.TARGET_GROUP, {"name": "bypass", "port": 8443, "protocol": "TCP", "targetType": "ip", "vpcId": UNKNOWN},
                 vpcId=[found(plan, kinds.VPC)])  # fmt: skip
    add(plan, kinds.LISTENER, {"loadBalancerArn": UNKNOWN, "port": 443, "protocol": "TCP",
        "defaultActions": [{"type": "forward", "targetGroupArn": UNKNOWN}]}, loadBalancerArn=[balancer], defaultActions=[target])  # fmt: skip
    place = namespace(plan.ingress_gateway()["inputs"])  # type: ignore[index] # every system has an ingress
    spec = {"targetGroupName": "bypass", "targetType": "ip", "serviceRef": {"name": "ingress", "port": 443}}
    plan.add(manifest("elbv2.k8s.aws/v1beta1", kinds.TARGET_BINDING, MARKER, place, spec=spec))
    return True


@NETWORK.mutation("K04", "the edge's target group gets the pods of a service")
def aws_binding_of_a_service(plan: Plan) -> bool:
    service = plan.some_service()
    assert service is not None
    place, wanted = namespace(service["inputs"]), found(plan, kinds.TARGET_GROUP)["inputs"]["name"]
    spec = {"targetGroupName": wanted, "targetType": "ip", "serviceRef": {"name": name(service["inputs"]), "port": 80}}
    plan.add(manifest("elbv2.k8s.aws/v1beta1", kinds.TARGET_BINDING, MARKER, place, spec=spec))
    return True


@NETWORK.mutation("K04", "a TargetGroupBinding names a target group of somebody else")
def aws_foreign_target_group(plan: Plan) -> bool:
    binding = plan.first(kinds.TARGET_BINDING)
    assert binding is not None
    spec = plan.edit(binding)["spec"]
    spec.pop("targetGroupName", None)
    spec["targetGroupARN"] = REGIONAL.format(service="elasticloadbalancing", rest="targetgroup/other/1")
    return True


@NETWORK.mutation("A02", "the load balancer controller opens security groups itself")
def aws_binding_opens_groups(plan: Plan) -> bool:
    binding = plan.first(kinds.TARGET_BINDING)
    assert binding is not None
    peers = [{"ipBlock": {"cidr": EVERYBODY}}]
    plan.edit(binding)["spec"]["networking"] = {"ingress": [{"from": peers, "ports": [{"protocol": "TCP"}]}]}
    return True


@NETWORK.mutation("W09", "an address is put into the edge's target group by hand")
def aws_target_by_hand(plan: Plan) -> bool:
    target = found(plan, kinds.TARGET_GROUP)
    add(plan, kinds.TARGET_ATTACHMENT, {"targetGroupArn": UNKNOWN, "targetId": "10.70.1.1", "port": 8080}, targetGroupArn=[target])
    return True


@NETWORK.mutation("W09", "the edge's targets are nodes, by their ports")
def aws_targets_are_instances(plan: Plan) -> bool:
    plan.edit(found(plan, kinds.TARGET_GROUP))["targetType"] = "instance"
    return True


@NETWORK.mutation("W11", "a listener sends every host on")
def aws_every_host(plan: Plan) -> bool:
    conditions = plan.edit(found(plan, kinds.LISTENER_RULE))["conditions"]
    conditions[:] = [each for each in conditions if "hostHeader" not in each]
    return True


@NETWORK.mutation("W11", "a listener sends every path on")
def aws_every_path(plan: Plan) -> bool:
    for each in plan.edit(found(plan, kinds.LISTENER_RULE))["conditions"]:
        if "pathPattern" in each:
            each["pathPattern"]["values"] = ["/*"]
    return True


@NETWORK.mutation("W11", "what no rule takes is sent on")
def aws_default_forwards(plan: Plan) -> bool:
    plan.edit(found(plan, kinds.LISTENER))["defaultActions"] = [{"type": "forward", "targetGroupArn": UNKNOWN}]
    listener = found(plan, kinds.LISTENER)
    depending(plan, listener, "defaultActions", [found(plan, kinds.TARGET_GROUP)])
    return True


@NETWORK.mutation("N03", "whatever starts in the nodes' subnet gets a public address")
def aws_public_subnet(plan: Plan) -> bool:
    plan.edit(found(plan, kinds.SUBNET, "private-a"))["mapPublicIpOnLaunch"] = True
    return True


@NETWORK.mutation("W08", "nodes ask for public addresses")
def aws_public_nodes(plan: Plan) -> bool:
    plan.edit(found(plan, kinds.LAUNCH_TEMPLATE))["networkInterfaces"] = [{"deviceIndex": 0, "associatePublicIpAddress": "true"}]
    return True


@NETWORK.mutation("N03", "the nodes' subnet is routed to an internet gateway")
def aws_nodes_routed(plan: Plan) -> bool:
    route = found(plan, kinds.ROUTE, "private-a-outside")
    inputs = plan.edit(route)
    inputs.pop("natGatewayId")
    inputs["gatewayId"] = UNKNOWN
    depending(plan, found(plan, kinds.ROUTE, "private-a-outside"), "gatewayId", [found(plan, kinds.INTERNET_GATEWAY)])
    return True


@NETWORK.mutation("N03", "nodes are in the edge's subnets")
def aws_nodes_in_public_subnets(plan: Plan) -> bool:
    subnets = [record for record in every(plan, kinds.SUBNET) if called(record).startswith("public")]
    node_group = found(plan, kinds.NODE_GROUP)
    plan.edit(node_group)["subnetIds"] = [UNKNOWN] * len(subnets)
    depending(plan, found(plan, kinds.NODE_GROUP), "subnetIds", subnets)
    return True


@NETWORK.mutation("N03", "nodes take logins over SSH")
def aws_ssh(plan: Plan) -> bool:
    plan.edit(found(plan, kinds.NODE_GROUP))["remoteAccess"] = {"ec2SshKey": "somebody"}
    return True


@NETWORK.mutation("N10", "an elastic address is attached to an interface")
def aws_address_on_interface(plan: Plan) -> bool:
    add(plan, kinds.EIP, {"domain": "vpc", "networkInterface": "eni-0123456789abcdef0"})
    return True


@NETWORK.mutation("N10", "the NAT gateway's address is attached to an instance as well")
def aws_address_associated(plan: Plan) -> bool:
    address = found(plan, kinds.EIP)
    add(plan, kinds.EIP_ASSOCIATION, {"allocationId": UNKNOWN, "instanceId": "i-0123456789abcdef0"}, allocationId=[address])
    return True


@NETWORK.mutation("N10", "an address waits for whoever takes it")
def aws_address_of_nobody(plan: Plan) -> bool:
    add(plan, kinds.EIP, {"domain": "vpc"})
    return True


# Records of public hosts


def _host(plan: Plan) -> Record | None:
    """Return the record of a public host; none where the zone is not given."""
    return next((each for each in every(plan, kinds.RECORD) if "aliases" in each["inputs"]), None)


@NETWORK.mutation("N10", "a host has the address of somebody else")
def aws_host_elsewhere(plan: Plan) -> bool:
    if (record := _host(plan)) is None:
        return False
    inputs = plan.edit(record)
    del inputs["aliases"]
    inputs.update({"ttl": 60, "records": ["198.51.100.7"]})
    return True


@NETWORK.mutation("N10", "a host is an alias of a load balancer of somebody else")
def aws_host_of_another_balancer(plan: Plan) -> bool:
    if (record := _host(plan)) is None:
        return False
    plan.edit(record)["aliases"] = [{"name": "other.eu-central-1.elb.amazonaws.com", "zoneId": "Z215JYRZR1TBD5"}]
    return True


@NETWORK.mutation("N10", "a host is an alias of a load balancer that passes connections on")
def aws_host_past_the_firewall(plan: Plan) -> bool:
    if (record := _host(plan)) is None:
        return False
    other = _balancer(plan)
    depending(plan, record, "aliases", [other])
    return True


@NETWORK.mutation("N10", "a second record has a host's IPv6 address")
def aws_second_record(plan: Plan) -> bool:
    if (record := _host(plan)) is None:
        return False
    given = {**record["inputs"], "type": "AAAA", "ttl": 60, "records": ["2001:db8::7"]}
    del given["aliases"]
    add(plan, kinds.RECORD, given)
    return True


@NETWORK.mutation("N10", "the proof of a certificate holds an address")
def aws_proof_is_an_address(plan: Plan) -> bool:
    proof = next((each for each in every(plan, kinds.RECORD) if "records" in each["inputs"]), None)
    if proof is None:
        return False
    plan.edit(proof)["records"] = ["198.51.100.7"]
    return True


# Security groups


@NETWORK.mutation("N05", "the Kubernetes API in the network takes more than private operators")
def aws_api_open_inside(plan: Plan) -> bool:
    permit(plan, "api", cidrIpv4="8.0.0.0/6", fromPort=443, toPort=443)
    return True


@NETWORK.mutation("N05", "nodes take everybody, by a rule of its own")
def aws_nodes_open(plan: Plan) -> bool:
    permit(plan, "nodes", cidrIpv4=EVERYBODY)
    return True


@NETWORK.mutation("N05", "nodes take everybody with an IPv6 address")
def aws_nodes_open_to_ipv6(plan: Plan) -> bool:
    permit(plan, "nodes", cidrIpv6="::/0")
    return True


@NETWORK.mutation("N05", "nodes take half of everybody")
def aws_nodes_open_to_half(plan: Plan) -> bool:
    permit(plan, "nodes", cidrIpv4="128.0.0.0/1")
    return True


@NETWORK.mutation("N05", "nodes take everybody, by a rule of the older type")
def aws_nodes_open_by_older_rule(plan: Plan) -> bool:
    inputs = {"type": "ingress", "protocol": "-1", "fromPort": 0, "toPort": 0, "cidrBlocks": [EVERYBODY], "securityGroupId": UNKNOWN}
    add(plan, kinds.GROUP_RULE, inputs, securityGroupId=[group(plan, "nodes")])
    return True


@NETWORK.mutation("N05", "nodes take everybody, by a rule inside their group")
def aws_nodes_open_inside(plan: Plan) -> bool:
    plan.edit(group(plan, "nodes"))["ingress"] = [{"protocol": "tcp", "fromPort": 0, "toPort": 65535, "cidrBlocks": [EVERYBODY]}]
    return True


@NETWORK.mutation("N05", "nodes take the addresses of a prefix list")
def aws_nodes_open_to_prefix_list(plan: Plan) -> bool:
    permit(plan, "nodes", prefixListId="pl-a3a144ca")
    return True


@NETWORK.mutation("N05", "the network's default group is open")
def aws_default_group_open(plan: Plan) -> bool:
    plan.edit(found(plan, kinds.DEFAULT_GROUP))["ingress"] = [{"protocol": "-1", "fromPort": 0, "toPort": 0, "cidrBlocks": [EVERYBODY]}]
    return True


@NETWORK.mutation("N05", "every port of the edge is open")
def aws_edge_open(plan: Plan) -> bool:
    permit(plan, "edge", cidrIpv4=EVERYBODY)
    return True


@NETWORK.mutation("N05", "nodes are members of the edge's group")
def aws_nodes_in_edge_group(plan: Plan) -> bool:
    template = found(plan, kinds.LAUNCH_TEMPLATE)
    plan.edit(template)["vpcSecurityGroupIds"] = [UNKNOWN, UNKNOWN]
    depending(plan, found(plan, kinds.LAUNCH_TEMPLATE), "vpcSecurityGroupIds", [group(plan, "nodes"), group(plan, "edge")])
    return True


@NETWORK.mutation("A02", "the gateway's port takes another group than the edge's")
def aws_gateway_takes_endpoints(plan: Plan) -> bool:
    permit(plan, "nodes", group(plan, "endpoints"))
    return True


@NETWORK.mutation("A02", "the gateway's port takes the whole network")
def aws_gateway_takes_network(plan: Plan) -> bool:
    permit(plan, "nodes", cidrIpv4=found(plan, kinds.VPC)["inputs"]["cidrBlock"])
    return True


@NETWORK.mutation("A02", "the NetworkPolicy of the pods behind the load balancer takes the whole network")
def aws_policy_takes_network(plan: Plan) -> bool:
    binding = plan.first(kinds.TARGET_BINDING)
    assert binding is not None
    policy = plan.first(
        "NetworkPolicy", where=lambda i: namespace(i) == namespace(binding["inputs"]) and "ipBlock" in str(i["spec"].get("ingress"))
    )
    assert policy is not None
    plan.edit(policy)["spec"]["ingress"][0]["from"] = [{"ipBlock": {"cidr": found(plan, kinds.VPC)["inputs"]["cidrBlock"]}}]
    return True


def _from_edge(plan: Plan) -> Record:
    """Return the rule by which nodes take the load balancer."""
    return next(record for record in every(plan, kinds.INGRESS_RULE) if called(record).startswith("in-nodes-edge-to-"))


@NETWORK.mutation("B01", "no group lets the edge reach its targets")
def aws_targets_closed(plan: Plan) -> bool:
    plan.remove(_from_edge(plan))
    return True


@NETWORK.mutation("W09", "the edge may connect to everybody")
def aws_edge_sends_everywhere(plan: Plan) -> bool:
    inputs = {"securityGroupId": UNKNOWN, "ipProtocol": "-1", "cidrIpv4": EVERYBODY}
    add(plan, kinds.EGRESS_RULE, inputs, securityGroupId=[group(plan, "edge")])
    return True


@NETWORK.mutation("W09", "the edge reaches every port of the nodes")
def aws_edge_reaches_all_ports(plan: Plan) -> bool:
    plan.edit(_from_edge(plan))["fromPort"] = 1
    return True


@NETWORK.mutation("N03", "nodes start as somebody else's launch template says")
def aws_foreign_template(plan: Plan) -> bool:
    plan.edit(found(plan, kinds.NODE_GROUP))["launchTemplate"]["id"] = "lt-0123456789abcdef0"
    return True


@NETWORK.mutation("W08", "the edge's subnets are not of the program")
def aws_foreign_subnets(plan: Plan) -> bool:
    plan.edit(found(plan, kinds.LOAD_BALANCER))["subnets"] = ["subnet-0123456789abcdef0"]
    return True


# The Kubernetes API and nodes


def _access(plan: Plan, **changes: Any) -> bool:
    config = plan.edit(found(plan, kinds.CLUSTER))["vpcConfig"]
    for key in ("endpointPrivateAccess", "endpointPublicAccess", "publicAccessCidrs"):
        config.pop(key, None)
    config.update(changes)
    return True


@NETWORK.mutation("N02", "nothing is said of who reaches the Kubernetes API")
def aws_api_by_default(plan: Plan) -> bool:
    return _access(plan)


@NETWORK.mutation("N02", "everybody reaches the Kubernetes API")
def aws_api_public(plan: Plan) -> bool:
    return _access(plan, endpointPublicAccess=True, endpointPrivateAccess=True, publicAccessCidrs=[EVERYBODY])


@NETWORK.mutation("N02", "everybody reaches the Kubernetes API, in two halves")
def aws_api_public_in_halves(plan: Plan) -> bool:
    return _access(plan, endpointPublicAccess=True, endpointPrivateAccess=True, publicAccessCidrs=["0.0.0.0/1", "128.0.0.0/1"])


def _cni(plan: Plan, change: Callable[[dict[str, Any]], Any]) -> bool:
    inputs = plan.edit(found(plan, kinds.ADDON, "vpc-cni"))
    values = json.loads(inputs["configurationValues"])
    change(values)
    inputs["configurationValues"] = json.dumps(values)
    return True


@CLUSTER.mutation("N06", "NetworkPolicies are not enforced")
def aws_policies_off(plan: Plan) -> bool:
    return _cni(plan, lambda values: values.update(enableNetworkPolicy="false"))


@CLUSTER.mutation("N06", "nothing says that NetworkPolicies are enforced")
def aws_policies_unsaid(plan: Plan) -> bool:
    plan.edit(found(plan, kinds.ADDON, "vpc-cni")).pop("configurationValues")
    return True


@CLUSTER.mutation("N06", "the network plugin is somebody else's")
def aws_no_cni(plan: Plan) -> bool:
    plan.remove(found(plan, kinds.ADDON, "vpc-cni"))
    return True


@CLUSTER.mutation("N06", "pods get security groups of their own, which no rule reads")
def aws_groups_for_pods(plan: Plan) -> bool:
    return _cni(plan, lambda values: values.setdefault("env", {}).update(ENABLE_POD_ENI="true"))


@CLUSTER.mutation("N07", "Secrets are not encrypted")
def aws_secrets_plain(plan: Plan) -> bool:
    plan.edit(found(plan, kinds.CLUSTER)).pop("encryptionConfig")
    return True


@CLUSTER.mutation("N08", "a ConfigMap says who administers the cluster")
def aws_access_by_config_map(plan: Plan) -> bool:
    plan.edit(found(plan, kinds.CLUSTER))["accessConfig"]["authenticationMode"] = "API_AND_CONFIG_MAP"
    return True


@CLUSTER.mutation("N09", "the control plane keeps no audit log")
def aws_no_audit(plan: Plan) -> bool:
    plan.edit(found(plan, kinds.CLUSTER))["enabledClusterLogTypes"].remove("audit")
    return True


@CLUSTER.mutation("N03", "pods reach the instance's metadata")
def aws_metadata_two_hops(plan: Plan) -> bool:
    plan.edit(found(plan, kinds.LAUNCH_TEMPLATE))["metadataOptions"]["httpPutResponseHopLimit"] = 2
    return True


@CLUSTER.mutation("N03", "the instance's metadata asks for no token")
def aws_metadata_without_token(plan: Plan) -> bool:
    plan.edit(found(plan, kinds.LAUNCH_TEMPLATE))["metadataOptions"]["httpTokens"] = "optional"
    return True


@CLUSTER.mutation("P07", "whoever made the cluster administers it for ever")
def aws_creator_is_administrator(plan: Plan) -> bool:
    plan.edit(found(plan, kinds.CLUSTER))["accessConfig"]["bootstrapClusterCreatorAdminPermissions"] = True
    return True


@CLUSTER.mutation("P07", "EKS runs nodes of its own besides")
def aws_auto_mode(plan: Plan) -> bool:
    plan.edit(found(plan, kinds.CLUSTER))["computeConfig"] = {"enabled": True, "nodePools": ["general-purpose"]}
    return True


@CLUSTER.mutation("N06", "a new pod is open until its policies are there")
def aws_policies_later(plan: Plan) -> bool:
    return _cni(plan, lambda values: values["env"].pop("NETWORK_POLICY_ENFORCING_MODE"))


@CLUSTER.mutation("N06", "a version of the network plugin that enforces nothing")
def aws_old_cni(plan: Plan) -> bool:
    plan.edit(found(plan, kinds.ADDON, "vpc-cni"))["addonVersion"] = "v1.12.6-eksbuild.2"
    return True


@CLUSTER.mutation("N08", "nothing says that whoever made the cluster is no administrator")
def aws_creator_by_default(plan: Plan) -> bool:
    plan.edit(found(plan, kinds.CLUSTER))["accessConfig"].pop("bootstrapClusterCreatorAdminPermissions")
    return True


@CLUSTER.mutation("P07", "the disks of nodes are not encrypted")
def aws_plain_disks(plan: Plan) -> bool:
    plan.edit(found(plan, kinds.LAUNCH_TEMPLATE))["blockDeviceMappings"][0]["ebs"]["encrypted"] = "false"
    return True


# The firewall


def _rules(plan: Plan) -> list[dict[str, Any]]:
    return plan.edit(found(plan, kinds.WEB_ACL))["rules"]


def _rule(plan: Plan, wanted: str) -> dict[str, Any]:
    return next(rule for rule in _rules(plan) if rule["name"] == wanted)


def _without(plan: Plan, wanted: str) -> bool:
    rules = _rules(plan)
    before = len(rules)
    rules[:] = [rule for rule in rules if rule["name"] != wanted]
    return len(rules) < before


CORE = "AWSManagedRulesCommonRuleSet"


def _managed(plan: Plan) -> dict[str, Any]:
    return _rule(plan, CORE)["statement"]["managedRuleGroupStatement"]


@EDGE.mutation("W02", "the edge's web ACL is no longer associated")
def aws_no_association(plan: Plan) -> bool:
    plan.remove(found(plan, kinds.WEB_ACL_ASSOCIATION))
    return True


@EDGE.mutation("W02", "the edge has a web ACL that nobody reads")
def aws_foreign_acl(plan: Plan) -> bool:
    association = found(plan, kinds.WEB_ACL_ASSOCIATION)
    plan.edit(association)["webAclArn"] = REGIONAL.format(service="wafv2", rest="regional/webacl/other/1")
    depending(plan, found(plan, kinds.WEB_ACL_ASSOCIATION), "webAclArn", [])
    return True


@EDGE.mutation("W02", "requests pass unread while the firewall does not answer")
def aws_fail_open(plan: Plan) -> bool:
    plan.edit(found(plan, kinds.LOAD_BALANCER))["enableWafFailOpen"] = True
    return True


@EDGE.mutation("W01", "the core rules count what they find")
def aws_core_counts(plan: Plan) -> bool:
    _rule(plan, CORE)["overrideAction"] = {"count": {}}
    return True


@EDGE.mutation("W01", "a rule of ours counts what it finds")
def aws_methods_counted(plan: Plan) -> bool:
    _rule(plan, "other-methods")["action"] = {"count": {}}
    return True


@EDGE.mutation("W03", "the core rules are gone")
def aws_no_core(plan: Plan) -> bool:
    return _without(plan, CORE)


@EDGE.mutation("W03", "a rule of the core set counts")
def aws_core_rule_counts(plan: Plan) -> bool:
    overrides = _managed(plan).setdefault("ruleActionOverrides", [])
    overrides.append({"name": "CrossSiteScripting_QUERYARGUMENTS", "actionToUse": {"count": {}}})
    return True


@EDGE.mutation("W03", "a rule of the core set lets long bodies pass all others")
def aws_core_rule_allows(plan: Plan) -> bool:
    _managed(plan)["ruleActionOverrides"] = [{"name": "SizeRestrictions_BODY", "actionToUse": {"allow": {}}}]
    return True


@EDGE.mutation("W03", "the core rules look at some requests only")
def aws_core_scoped_down(plan: Plan) -> bool:
    none = [{"priority": 0, "type": "NONE"}]
    match: dict[str, Any] = {
        "positionalConstraint": "EXACTLY",
        "searchString": "POST",
        "fieldToMatch": {"method": {}},
        "textTransformations": none,
    }
    _managed(plan)["scopeDownStatement"] = {"byteMatchStatement": match}
    return True


@EDGE.mutation("W03", "a header leads past all rules")
def aws_allowed_by_header(plan: Plan) -> bool:
    none = [{"priority": 0, "type": "NONE"}]
    field = {"singleHeader": {"name": "user-agent"}}
    match: dict[str, Any] = {
        "positionalConstraint": "CONTAINS",
        "searchString": "monitor",
        "fieldToMatch": field,
        "textTransformations": none,
    }
    _rules(plan).append({"name": MARKER, "priority": 0, "action": {"allow": {}}, "statement": {"byteMatchStatement": match}})
    return True


@EDGE.mutation("W03", "long bodies pass at every path")
def aws_long_bodies(plan: Plan) -> bool:
    return _without(plan, "large-bodies")


@EDGE.mutation("W03", "a group of rules stands elsewhere")
def aws_foreign_rules(plan: Plan) -> bool:
    statement = {"ruleGroupReferenceStatement": {"arn": REGIONAL.format(service="wafv2", rest="regional/rulegroup/other/1")}}
    _rules(plan).append({"name": MARKER, "priority": 0, "overrideAction": {"none": {}}, "statement": statement})
    return True


@EDGE.mutation("W10", "one address may ask as often as it likes")
def aws_no_rate(plan: Plan) -> bool:
    return _without(plan, "address-limit")


@EDGE.mutation("W10", "one address may ask a million times a minute")
def aws_high_rate(plan: Plan) -> bool:
    _rule(plan, "address-limit")["statement"]["rateBasedStatement"]["limit"] = 1_000_000
    return True


@EDGE.mutation("W10", "addresses are counted by what clients say")
def aws_rate_by_header(plan: Plan) -> bool:
    rate = _rule(plan, "address-limit")["statement"]["rateBasedStatement"]
    rate.update(aggregateKeyType="FORWARDED_IP", forwardedIpConfig={"headerName": "x-forwarded-for", "fallbackBehavior": "NO_MATCH"})
    return True


@EDGE.mutation("W10", "addresses are counted and none is refused")
def aws_rate_counts(plan: Plan) -> bool:
    _rule(plan, "address-limit")["action"] = {"count": {}}
    return True


@EDGE.mutation("W11", "every method passes")
def aws_every_method(plan: Plan) -> bool:
    return _without(plan, "other-methods")


@EDGE.mutation("W11", "the firewall refuses a door")
def aws_door_refused(plan: Plan) -> bool:
    none = [{"priority": 0, "type": "NONE"}]
    match: dict[str, Any] = {"regexString": "^/", "fieldToMatch": {"uriPath": {}}, "textTransformations": none}
    _rules(plan).append({"name": MARKER, "priority": 0, "action": {"block": {}}, "statement": {"regexMatchStatement": match}})
    return True


@EDGE.mutation("B01", "no way leads through the firewall to a door")
def aws_no_way_through_the_firewall(plan: Plan) -> bool:
    return aws_door_refused(plan)


@EDGE.mutation("W11", "no door takes a body longer than the firewall sees")
def aws_bodies_refused(plan: Plan) -> bool:
    if not any(rule["name"] == "large-bodies" for rule in found(plan, kinds.WEB_ACL)["inputs"]["rules"]):
        return False
    methods = next(rule for rule in found(plan, kinds.WEB_ACL)["inputs"]["rules"] if rule["name"] == "other-methods")
    if "POST" not in json.dumps(methods):
        return False
    _managed(plan).pop("ruleActionOverrides")
    return True


@EDGE.mutation("W07", "ambiguous paths pass")
def aws_ambiguous(plan: Plan) -> bool:
    return _without(plan, "ambiguous-paths")


@EDGE.mutation("W07", "paths are decoded before anybody looks for what is ambiguous in them")
def aws_ambiguous_decoded(plan: Plan) -> bool:
    for statement in _rule(plan, "ambiguous-paths")["statement"]["orStatement"]["statements"]:
        statement["regexMatchStatement"]["textTransformations"] = [{"priority": 0, "type": "URL_DECODE"}]
    return True


@EDGE.mutation("A07", "headers that say who the client is pass")
def aws_forged_headers(plan: Plan) -> bool:
    return _without(plan, "forged-headers")


@EDGE.mutation("A07", "one header that says who the client is passes")
def aws_one_forged_header(plan: Plan) -> bool:
    match = _rule(plan, "forged-headers")["statement"]["regexMatchStatement"]
    match["regexString"] = match["regexString"].replace("|x-forwarded-client-cert", "")
    return True


@EDGE.mutation("A07", "headers in capitals that say who the client is pass")
def aws_forged_headers_in_capitals(plan: Plan) -> bool:
    _rule(plan, "forged-headers")["statement"]["regexMatchStatement"]["textTransformations"][0]["type"] = "NONE"
    return True


@EDGE.mutation("A07", "headers that say who the client is pass behind two hundred others")
def aws_forged_headers_behind_others(plan: Plan) -> bool:
    _rule(plan, "forged-headers")["statement"]["regexMatchStatement"]["fieldToMatch"]["headers"][0]["oversizeHandling"] = "CONTINUE"
    return True


def _first_proxy(plan: Plan) -> Record | None:
    """Return the policy of a gateway that takes requests as clients sent them; None where nginx, which shows a certificate, cleans them."""
    return plan.first("ClientTrafficPolicy", where=lambda i: "clientValidation" not in i["spec"]["tls"])


@EDGE.mutation("A07", "the gateway takes the client's request id")
def aws_request_id_of_client(plan: Plan) -> bool:
    policy = _first_proxy(plan)
    if policy is None:
        return False
    plan.edit(policy)["spec"]["headers"]["requestID"] = "Preserve"
    return True


@EDGE.mutation("A07", "a client's own x-real-ip reaches the mesh")
def aws_real_address(plan: Plan) -> bool:
    policy = _first_proxy(plan)
    if policy is None:
        return False
    plan.edit(policy)["spec"]["headers"]["earlyRequestHeaders"]["remove"].remove("x-real-ip")
    return True


@EDGE.mutation("W04", "the firewall writes nothing down")
def aws_no_log(plan: Plan) -> bool:
    plan.remove(found(plan, kinds.WEB_ACL_LOGGING))
    return True


@EDGE.mutation("W04", "the firewall writes some of its decisions down")
def aws_filtered_log(plan: Plan) -> bool:
    plan.edit(found(plan, kinds.WEB_ACL_LOGGING))["loggingFilter"] = {"defaultBehavior": "DROP", "filters": []}
    return True


@EDGE.mutation("W04", "credentials are written down")
def aws_credentials_logged(plan: Plan) -> bool:
    plan.edit(found(plan, kinds.WEB_ACL_LOGGING)).pop("redactedFields")
    return True


@EDGE.mutation("W04", "the load balancer writes nothing down")
def aws_no_access_log(plan: Plan) -> bool:
    plan.edit(found(plan, kinds.LOAD_BALANCER)).pop("accessLogs")
    return True


@EDGE.mutation("W04", "the firewall writes to somebody else's log")
def aws_foreign_log(plan: Plan) -> bool:
    place = "arn:aws:logs:eu-central-1:999999999999:log-group:aws-waf-logs-other"
    plan.edit(found(plan, kinds.WEB_ACL_LOGGING))["logDestinationConfigs"] = [place]
    return True


@EDGE.mutation("W04", "the load balancer writes to somebody else's bucket")
def aws_foreign_bucket(plan: Plan) -> bool:
    plan.edit(found(plan, kinds.LOAD_BALANCER))["accessLogs"]["bucket"] = "other"
    return True


@EDGE.mutation("W05", "requests are served without TLS")
def aws_plain_listener(plan: Plan) -> bool:
    balancer, target = found(plan, kinds.LOAD_BALANCER), found(plan, kinds.TARGET_GROUP)
    inputs = {
        "loadBalancerArn": UNKNOWN,
        "port": 80,
        "protocol": "HTTP",
        "defaultActions": [{"type": "forward", "targetGroupArn": UNKNOWN}],
    }
    add(plan, kinds.LISTENER, inputs, loadBalancerArn=[balancer], defaultActions=[target])
    return True


@EDGE.mutation("W06", "clients may speak TLS 1.0")
def aws_old_tls(plan: Plan) -> bool:
    plan.edit(found(plan, kinds.LISTENER))["sslPolicy"] = "ELBSecurityPolicy-2016-08"
    return True


@EDGE.mutation("W06", "nothing is said of the versions of TLS")
def aws_default_tls(plan: Plan) -> bool:
    plan.edit(found(plan, kinds.LISTENER)).pop("sslPolicy")
    return True


@EDGE.mutation("W07", "headers that are none pass")
def aws_invalid_headers(plan: Plan) -> bool:
    plan.edit(found(plan, kinds.LOAD_BALANCER))["dropInvalidHeaderFields"] = False
    return True


@EDGE.mutation("W07", "requests of which it is not clear where they end are counted")
def aws_desync(plan: Plan) -> bool:
    plan.edit(found(plan, kinds.LOAD_BALANCER))["desyncMitigationMode"] = "monitor"
    return True


@EDGE.mutation("W07", "clients say their own address")
def aws_client_address(plan: Plan) -> bool:
    plan.edit(found(plan, kinds.LOAD_BALANCER))["xffHeaderProcessingMode"] = "preserve"
    return True


@EDGE.mutation("W09", "the edge speaks to the gateway in clear")
def aws_plain_targets(plan: Plan) -> bool:
    plan.edit(found(plan, kinds.TARGET_GROUP))["protocol"] = "HTTP"
    return True


@EDGE.mutation("P07", "the load balancer writes a header of its own that layers believe")
def aws_header_of_listener(plan: Plan) -> bool:
    plan.edit(found(plan, kinds.LISTENER))["routingHttpRequestXAmznMtlsClientcertSubjectHeaderName"] = "x-perimeter-subject"
    return True


# What hides


@EVASION.mutation("P02", "a rule of the firewall is a resource of its own")
def aws_separate_rule(plan: Plan) -> bool:
    inputs: dict[str, Any] = {"webAclArn": UNKNOWN, "name": "friends", "priority": 0, "action": {"allow": {}}}
    add(plan, "aws:wafv2/webAclRule:WebAclRule", inputs, webAclArn=[found(plan, kinds.WEB_ACL)])
    return True


@EVASION.mutation("P02", "a load balancer by the older name of its type")
def aws_older_name(plan: Plan) -> bool:
    add(plan, "aws:alb/loadBalancer:LoadBalancer", {"internal": False})
    return True


OPENERS = (
    "aws:apigatewayv2/api:Api", "aws:cloudfront/distribution:Distribution", "aws:ec2/instance:Instance", "aws:ec2/internetGatewayAttachment:X",
    "aws:ec2/networkAcl:NetworkAcl", "aws:ec2/vpcPeeringConnection:VpcPeeringConnection", "aws:ec2/vpcEndpointService:VpcEndpointService",
    "aws:ec2transitgateway/vpcAttachment:VpcAttachment", "aws:eks/fargateProfile:FargateProfile", "aws:globalaccelerator/accelerator:Accelerator",
    "aws:lambda/functionUrl:FunctionUrl", "aws:vpclattice/service:Service", "aws:ec2/vpnConnection:VpnConnection",
)  # fmt: skip
"""Types that may open a way of which no rule knows."""


@EVASION.mutation("P02", "something else of the cloud that may open a way")
def aws_unknown_types(plan: Plan) -> bool:
    for opener in OPENERS:
        add(plan, opener, {})
    return True


@EVASION.mutation("P02", "an add-on puts into the cluster what no plan shows")
def aws_unknown_addon(plan: Plan) -> bool:
    inputs = {**found(plan, kinds.ADDON, "kube-proxy")["inputs"], "addonName": "adot"}
    add(plan, kinds.ADDON, inputs, clusterName=[found(plan, kinds.CLUSTER)])
    return True


@EVASION.mutation("P02", "the name service answers what somebody configured")
def aws_configured_name_service(plan: Plan) -> bool:
    plan.edit(found(plan, kinds.ADDON, "coredns"))["configurationValues"] = json.dumps({"corefile": ".:53 { forward . 203.0.113.1 }"})
    return True


@EVASION.mutation("P08", "a key stands in the plan in clear")
def aws_key_in_clear(plan: Plan) -> bool:
    add(plan, kinds.SECRET_VERSION, {"secretId": UNKNOWN, "secretString": "sample-key"})
    return True


@EVASION.mutation("W02", "two web ACLs are associated with the edge")
def aws_two_associations(plan: Plan) -> bool:
    other = add(plan, kinds.WEB_ACL, {"scope": "REGIONAL", "defaultAction": {"allow": {}}, "rules": []})
    balancer = found(plan, kinds.LOAD_BALANCER)
    add(plan, kinds.WEB_ACL_ASSOCIATION, {"resourceArn": UNKNOWN, "webAclArn": UNKNOWN}, resourceArn=[balancer], webAclArn=[other])
    return True


@EVASION.mutation("P07", "somebody's role may join nodes to the cluster")
def aws_foreign_nodes(plan: Plan) -> bool:
    plan.edit(found(plan, "aws:eks/accessEntry:AccessEntry"))["type"] = "EC2_LINUX"
    return True


@EVASION.mutation("W08", "whether a load balancer is public is not known")
def aws_unknown_scheme(plan: Plan) -> bool:
    _balancer(plan, internal=UNKNOWN)
    return True


@EVASION.mutation("N05", "whom nodes take is not known")
def aws_unknown_range(plan: Plan) -> bool:
    permit(plan, "nodes", cidrIpv4=UNKNOWN)
    return True


@EVASION.mutation("N05", "nodes are members of a group of somebody else")
def aws_foreign_group(plan: Plan) -> bool:
    template = found(plan, kinds.LAUNCH_TEMPLATE)
    plan.edit(template)["vpcSecurityGroupIds"] = ["sg-0123456789abcdef0"]
    depending(plan, found(plan, kinds.LAUNCH_TEMPLATE), "vpcSecurityGroupIds", [])
    return True


@EVASION.mutation("W03", "the rules of the firewall are text")
def aws_rules_as_text(plan: Plan) -> bool:
    inputs = plan.edit(found(plan, kinds.WEB_ACL))
    inputs["ruleJson"] = json.dumps(inputs.pop("rules"))
    return True


@EVASION.mutation("P07", "AWS is asked somewhere else")
def aws_other_endpoints(plan: Plan) -> bool:
    plan.edit(found(plan, "pulumi:providers:aws"))["endpoints"] = json.dumps([{"eks": "https://eks.attacker.example"}])
    return True


@EVASION.mutation("P05", "the firewall's rules stay as they are, whatever the program says")
def aws_ignored_changes(plan: Plan) -> bool:
    plan.options(found(plan, kinds.WEB_ACL))["ignoreChanges"] = ["rules"]
    return True


@EVASION.mutation("P02", "a second Kubernetes provider leads to another cluster")
def aws_other_cluster(plan: Plan) -> bool:
    other = copy.deepcopy(found(plan, "pulumi:providers:kubernetes", "cluster-system"))
    other["urn"] += MARKER
    other["propertyDependencies"]["kubeconfig"] = []
    other["inputs"]["kubeconfig"] = "apiVersion: v1"
    plan.resources.append(other)
    return True


MUTATIONS: tuple[Mutation, ...] = tuple(mutation for table in (NETWORK, EDGE, CLUSTER, EVASION) for mutation in table.mutations)
