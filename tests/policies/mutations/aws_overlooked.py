"""Edits of a good stack in Amazon Web Services that nobody noticed until somebody made six hundred of them."""

import json
import re
from collections.abc import Mapping
from typing import Any

from policies.reading.ambiguous import AMBIGUOUS
from policies.reading.cloud.aws import kinds
from tests.policies.mutations.aws import add, depending, found, group, permit
from tests.policies.mutations.aws_rights import account, may, rewrite
from tests.policies.mutations.mutation import CloudFamily, Mutation, Table
from tests.policies.mutations.plan import UNKNOWN, Plan, name, namespace

NETWORK = Table(CloudFamily.NETWORK)
EDGE = Table(CloudFamily.EDGE)
CLUSTER = Table(CloudFamily.CLUSTER)
RIGHTS = Table(CloudFamily.RIGHTS)
EVASION = Table(CloudFamily.EVASION)

STRANGER = "999999999999"
CONNECTED = "192.168.0.0/16"
"""A private range that the stack file does not name: of a network that somebody connects to this one."""

Statement = dict[str, Any]


def _role(plan: Plan, wanted: str) -> str:
    return f"arn:aws:iam::{account(plan)}:role/{found(plan, kinds.ROLE, wanted)['inputs']['name']}"


# What the plan builds on is somebody else's


@EVASION.mutation("N02", "nodes join a cluster that the program does not make")
def aws_nodes_of_another_cluster(plan: Plan) -> bool:
    plan.edit(found(plan, kinds.NODE_GROUP))["clusterName"] = "other"
    return True


@EVASION.mutation("N02", "the cluster is somebody else's, and only its parts are in the program")
def aws_cluster_of_somebody_else(plan: Plan) -> bool:
    plan.remove(found(plan, kinds.CLUSTER))
    return True


@EVASION.mutation("N09", "the network is somebody else's, and only its subnets are in the program")
def aws_network_of_somebody_else(plan: Plan) -> bool:
    plan.remove(found(plan, kinds.VPC))
    return True


@EVASION.mutation("N03", "nodes start as an earlier version of their launch template says")
def aws_template_of_yesterday(plan: Plan) -> bool:
    plan.edit(found(plan, kinds.NODE_GROUP))["launchTemplate"]["version"] = "1"
    return True


@EVASION.mutation("N03", "nodes start as the default version of their launch template says, which nothing renews")
def aws_template_by_default(plan: Plan) -> bool:
    plan.edit(found(plan, kinds.NODE_GROUP))["launchTemplate"]["version"] = "$Default"
    plan.edit(found(plan, kinds.LAUNCH_TEMPLATE))["updateDefaultVersion"] = False
    return True


@EVASION.mutation("K04", "a TargetGroupBinding says two target groups, of which the other one counts")
def aws_binding_of_two_groups(plan: Plan) -> bool:
    binding = plan.first(kinds.TARGET_BINDING)
    assert binding is not None
    plan.edit(binding)["spec"]["targetGroupARN"] = f"arn:aws:elasticloadbalancing:eu-central-1:{STRANGER}:targetgroup/other/1"
    return True


@NETWORK.mutation("N10", "an instance of the account gets a public address that somebody else has")
def aws_address_of_somebody_else(plan: Plan) -> bool:
    add(plan, kinds.EIP_ASSOCIATION, {"allocationId": "eipalloc-0123456789abcdef0", "instanceId": "i-0123456789abcdef0"})
    return True


# Security groups


@NETWORK.mutation("N05", "nodes take logins from a connected network")
def aws_nodes_of_a_connected_network(plan: Plan) -> bool:
    permit(plan, "nodes", cidrIpv4=CONNECTED, fromPort=22, toPort=22)
    return True


@NETWORK.mutation("N05", "kubelets take a group of nobody's")
def aws_nodes_of_another_group(plan: Plan) -> bool:
    other = add(plan, kinds.GROUP, {"name": "other", "vpcId": UNKNOWN}, vpcId=[found(plan, kinds.VPC)])
    permit(plan, "nodes", other, fromPort=10250, toPort=10250)
    return True


@NETWORK.mutation("N05", "the Kubernetes API takes the load balancer")
def aws_api_takes_the_edge(plan: Plan) -> bool:
    permit(plan, "api", group(plan, "edge"), fromPort=443, toPort=443)
    return True


@NETWORK.mutation("N05", "the Kubernetes API takes a connected network, by the group that EKS makes for it")
def aws_api_by_the_group_of_eks(plan: Plan) -> bool:
    inputs = {"securityGroupId": UNKNOWN, "ipProtocol": "tcp", "fromPort": 443, "toPort": 443, "cidrIpv4": CONNECTED}
    add(plan, kinds.INGRESS_RULE, inputs, securityGroupId=[found(plan, kinds.CLUSTER)])
    return True


@NETWORK.mutation("N05", "nodes connect to everybody, by the group that EKS makes for the cluster")
def aws_nodes_in_the_group_of_eks(plan: Plan) -> bool:
    plan.edit(found(plan, kinds.LAUNCH_TEMPLATE))["vpcSecurityGroupIds"] = [UNKNOWN, UNKNOWN]
    members = [group(plan, "nodes"), found(plan, kinds.CLUSTER)]
    depending(plan, found(plan, kinds.LAUNCH_TEMPLATE), "vpcSecurityGroupIds", members)
    return True


@NETWORK.mutation("N05", "an endpoint of AWS is a member of the edge's group")
def aws_endpoint_in_the_edges_group(plan: Plan) -> bool:
    depending(plan, found(plan, kinds.VPC_ENDPOINT, "endpoint-sts"), "securityGroupIds", [group(plan, "edge")])
    return True


@NETWORK.mutation("W09", "the edge may connect to the Kubernetes API")
def aws_edge_reaches_the_api(plan: Plan) -> bool:
    inputs = {"securityGroupId": UNKNOWN, "ipProtocol": "tcp", "fromPort": 443, "toPort": 443, "referencedSecurityGroupId": UNKNOWN}
    add(plan, kinds.EGRESS_RULE, inputs, securityGroupId=[group(plan, "edge")], referencedSecurityGroupId=[group(plan, "api")])
    return True


# Load balancers that the cluster makes


def _balanced(plan: Plan, annotation: str, value: str) -> bool:
    binding = plan.first(kinds.TARGET_BINDING)
    assert binding is not None
    place, wanted = namespace(binding["inputs"]), binding["inputs"]["spec"]["serviceRef"]["name"]
    service = plan.first("Service", where=lambda i: (namespace(i), name(i)) == (place, wanted))
    if service is None:
        return False
    inputs = plan.edit(service)
    inputs["metadata"].setdefault("annotations", {})[annotation] = value
    inputs["spec"] |= {"type": "LoadBalancer", "loadBalancerSourceRanges": ["10.0.0.0/8"]}
    return True


@EDGE.mutation("W08", "a load balancer is internal in the words of another cloud, and public in this one")
def aws_internal_elsewhere(plan: Plan) -> bool:
    return _balanced(plan, "service.beta.kubernetes.io/azure-load-balancer-internal", "true")


@EDGE.mutation("W08", "a load balancer is internal in words that EKS's own controller does not read")
def aws_internal_for_another_controller(plan: Plan) -> bool:
    return _balanced(plan, "service.beta.kubernetes.io/aws-load-balancer-scheme", "internal")


# The firewall


def _rule(plan: Plan, wanted: str) -> dict[str, Any]:
    return next(rule for rule in plan.edit(found(plan, kinds.WEB_ACL))["rules"] if rule["name"] == wanted)


def _match(field: Mapping[str, Any], text: str) -> dict[str, Any]:
    said = {"positionalConstraint": "STARTS_WITH", "searchString": text, "textTransformations": [{"priority": 0, "type": "NONE"}]}
    return {"byteMatchStatement": {"fieldToMatch": field, **said}}


OF_CLIENTS = {
    "header": _match({"singleHeader": {"name": "user-agent"}}, "monitor"),
    "query": _match({"queryString": {}}, "debug"),
    "label": {"labelMatchStatement": {"scope": "LABEL", "key": "friend"}},
}
"""What clients may write into a request so that a rule spares it."""


def _spare(wanted: str, by: str) -> None:
    def change(plan: Plan) -> bool:
        rule = _rule(plan, wanted)
        rule["statement"] = {"andStatement": {"statements": [rule["statement"], {"notStatement": {"statement": OF_CLIENTS[by]}}]}}
        return True

    change.__name__ = f"aws_{wanted.replace('-', '_')}_but_for_a_{by}"
    EDGE.mutation("W03", f"the rule {wanted} spares whom a {by} names")(change)


for _wanted in ("other-methods", "forged-headers", "ambiguous-paths"):
    for _by in OF_CLIENTS:
        _spare(_wanted, _by)


def _somewhere(plan: Plan, wanted: str) -> bool:
    """Let a rule hold at one place only, which samples may happen to ask for."""
    condition = next(each for each in found(plan, kinds.LISTENER_RULE)["inputs"]["conditions"] if "pathPattern" in each)
    path = condition["pathPattern"]["values"][0].partition("*")[0]
    rule = _rule(plan, wanted)
    rule["statement"] = {"andStatement": {"statements": [rule["statement"], _match({"uriPath": {}}, path)]}}
    return True


@EDGE.mutation("A07", "headers that say who the client is are refused at one door alone")
def aws_forged_headers_at_other_doors(plan: Plan) -> bool:
    return _somewhere(plan, "forged-headers")


@EDGE.mutation("W11", "methods that no door has are refused at one door alone")
def aws_methods_at_other_doors(plan: Plan) -> bool:
    return _somewhere(plan, "other-methods")


@EDGE.mutation("W07", "some ambiguous paths are refused, and their likes pass")
def aws_some_ambiguous_paths(plan: Plan) -> bool:
    samples = "|".join(re.escape(path) for paths in AMBIGUOUS.values() for path in paths)
    match: dict[str, Any] = {
        "regexString": f"^(?:{samples})$",
        "fieldToMatch": {"uriPath": {}},
        "textTransformations": [{"priority": 0, "type": "NONE"}],
    }
    _rule(plan, "ambiguous-paths")["statement"] = {"regexMatchStatement": match}
    return True


@EDGE.mutation("W11", "requests for every host pass the firewall")
def aws_every_host_at_the_firewall(plan: Plan) -> bool:
    rules = plan.edit(found(plan, kinds.WEB_ACL))["rules"]
    rules[:] = [rule for rule in rules if rule["name"] != "other-hosts"]
    return True


@EDGE.mutation("W11", "requests for hosts that end as ours do pass the firewall")
def aws_hosts_that_end_as_ours(plan: Plan) -> bool:
    match = _rule(plan, "other-hosts")["statement"]["notStatement"]["statement"]["regexMatchStatement"]
    match["regexString"] = match["regexString"].removeprefix("^")
    return True


@EDGE.mutation("W11", "methods of WebDAV pass")
def aws_methods_of_webdav(plan: Plan) -> bool:
    match = _rule(plan, "other-methods")["statement"]["notStatement"]["statement"]["regexMatchStatement"]
    match["regexString"] = match["regexString"].removesuffix(")$") + "|LOCK|MKCOL)$"
    return True


@EDGE.mutation("W11", "whom the firewall refuses, it sends to another host")
def aws_refused_elsewhere(plan: Plan) -> bool:
    answer = {"responseCode": 302, "responseHeaders": [{"name": "Location", "value": "https://attacker.example"}]}
    _rule(plan, "ambiguous-paths")["action"] = {"block": {"customResponse": answer}}
    return True


@EDGE.mutation("W03", "nobody looks for SQL in requests")
def aws_no_rules_about_sql(plan: Plan) -> bool:
    rules = plan.edit(found(plan, kinds.WEB_ACL))["rules"]
    rules[:] = [rule for rule in rules if rule["name"] != "AWSManagedRulesSQLiRuleSet"]
    return True


@EDGE.mutation("W13", "browsers forget that hosts speak TLS")
def aws_tls_forgotten(plan: Plan) -> bool:
    plan.edit(found(plan, kinds.LISTENER))["routingHttpResponseStrictTransportSecurityHeaderValue"] = "max-age=0"
    return True


@EDGE.mutation("W13", "nothing tells browsers to come back over TLS")
def aws_tls_unsaid(plan: Plan) -> bool:
    plan.edit(found(plan, kinds.LISTENER)).pop("routingHttpResponseStrictTransportSecurityHeaderValue")
    return True


@EDGE.mutation("W06", "clients of one name are shown the certificate of another account")
def aws_second_certificate_of_a_stranger(plan: Plan) -> bool:
    arn = f"arn:aws:acm:eu-central-1:{STRANGER}:certificate/1"
    add(plan, kinds.LISTENER_CERTIFICATE, {"listenerArn": UNKNOWN, "certificateArn": arn}, listenerArn=[found(plan, kinds.LISTENER)])
    return True


# Logs


@EDGE.mutation("W04", "the firewall does not write down which path was asked for")
def aws_paths_hidden(plan: Plan) -> bool:
    plan.edit(found(plan, kinds.WEB_ACL_LOGGING))["redactedFields"].append({"uriPath": {}})
    return True


@EDGE.mutation("W04", "the firewall writes down query strings")
def aws_queries_shown(plan: Plan) -> bool:
    inputs = plan.edit(found(plan, kinds.WEB_ACL_LOGGING))
    inputs["redactedFields"] = [each for each in inputs["redactedFields"] if "queryString" not in each]
    return True


@EDGE.mutation("W04", "samples of requests show credentials")
def aws_samples_with_credentials(plan: Plan) -> bool:
    plan.edit(found(plan, kinds.WEB_ACL)).pop("dataProtectionConfig")
    return True


@EDGE.mutation("W04", "nobody may write into the bucket of the load balancer's log")
def aws_bucket_of_no_writer(plan: Plan) -> bool:
    plan.remove(found(plan, kinds.BUCKET_POLICY))
    return True


@EDGE.mutation("W04", "the load balancer is denied to write its log")
def aws_bucket_denies_its_writer(plan: Plan) -> bool:
    denied = {"Effect": "Deny", "Principal": "*", "Action": "s3:Put*", "Resource": "*"}
    rewrite(plan, found(plan, kinds.BUCKET_POLICY), lambda statements: statements.append(denied))
    return True


@EDGE.mutation("W04", "the load balancer's log is encrypted in a way in which it cannot write")
def aws_bucket_with_a_key(plan: Plan) -> bool:
    plan.edit(found(plan, kinds.BUCKET_ENCRYPTION))["rules"] = [{"applyServerSideEncryptionByDefault": {"sseAlgorithm": "aws:kms"}}]
    return True


@EDGE.mutation("W04", "nobody may write into the firewall's log")
def aws_firewall_log_of_no_writer(plan: Plan) -> bool:
    plan.remove(found(plan, kinds.LOG_POLICY))
    return True


@NETWORK.mutation("N09", "the role of the flow log may write nothing")
def aws_flow_log_of_no_writer(plan: Plan) -> bool:
    plan.remove(found(plan, kinds.ROLE_POLICY, "flow-logs-rights"))
    return True


@NETWORK.mutation("N09", "the flow log says in which network somebody connected to somebody, and nothing else")
def aws_flow_log_of_nothing(plan: Plan) -> bool:
    plan.edit(found(plan, kinds.FLOW_LOG))["logFormat"] = "${vpc-id}"
    return True


@CLUSTER.mutation("N09", "CloudWatch may not use the key of the logs")
def aws_log_key_of_nobody(plan: Plan) -> bool:
    def without(statements: list[Statement]) -> None:
        statements[:] = [each for each in statements if each["Sid"] != "Logs"]

    rewrite(plan, found(plan, kinds.KEY, "key-logs"), without)
    return True


@CLUSTER.mutation("P07", "a log is of a class that keeps lines for two days")
def aws_log_of_another_class(plan: Plan) -> bool:
    plan.edit(found(plan, kinds.LOG_GROUP))["logGroupClass"] = "DELIVERY"
    return True


@EDGE.mutation("N09", "the edge's log of requests is emptied on a day")
def aws_bucket_forgets_on_a_day(plan: Plan) -> bool:
    plan.edit(found(plan, kinds.BUCKET_LIFECYCLE))["rules"][0]["expiration"] = {"date": "2026-12-01T00:00:00Z"}
    return True


@CLUSTER.mutation("N07", "a log is encrypted with the key of another account, which may take it back")
def aws_log_key_of_a_stranger(plan: Plan) -> bool:
    plan.edit(found(plan, kinds.LOG_GROUP))["kmsKeyId"] = f"arn:aws:kms:eu-central-1:{STRANGER}:key/1"
    return True


@CLUSTER.mutation("N07", "nothing says that the disks of nodes are encrypted")
def aws_disks_by_default(plan: Plan) -> bool:
    del plan.edit(found(plan, kinds.LAUNCH_TEMPLATE))["blockDeviceMappings"][0]["ebs"]["encrypted"]
    return True


# Add-ons


@CLUSTER.mutation("P02", "what somebody changed of the name service in the cluster stays")
def aws_name_service_preserved(plan: Plan) -> bool:
    plan.edit(found(plan, kinds.ADDON, "coredns"))["resolveConflictsOnUpdate"] = "PRESERVE"
    return True


@CLUSTER.mutation("N06", "a version of the network plugin that leaves new pods open, whatever it is told")
def aws_cni_before_strictness(plan: Plan) -> bool:
    plan.edit(found(plan, kinds.ADDON, "vpc-cni"))["addonVersion"] = "v1.14.0-eksbuild.3"
    return True


# Rights


def _says(plan: Plan, kind: str, wanted: str = "", **said: Any) -> bool:
    rewrite(plan, found(plan, kind, wanted), lambda statements: statements.append({"Effect": "Allow", "Resource": "*", **said}))
    return True


@RIGHTS.mutation("N12", "nodes may decrypt Secrets, by the key's own policy")
def key_of_nodes(plan: Plan) -> bool:
    return _says(plan, kinds.KEY, "key-secrets", Principal={"AWS": _role(plan, "role-nodes")}, Action="kms:Decrypt")


@RIGHTS.mutation("N12", "whatever runs in the account may decrypt Secrets")
def key_of_everybody_here(plan: Plan) -> bool:
    own = {"StringEquals": {"aws:PrincipalAccount": account(plan)}}
    return _says(plan, kinds.KEY, "key-secrets", Principal="*", Action="kms:Decrypt", Condition=own)


@RIGHTS.mutation("N12", "a service of AWS may use a key for any account that says our log group in its context")
def key_by_a_context(plan: Plan) -> bool:
    said = {"ArnLike": {"kms:EncryptionContext:aws:logs:arn": f"arn:aws:logs:eu-central-1:{account(plan)}:log-group:*"}}
    return _says(plan, kinds.KEY, "key-secrets", Principal={"Service": "lambda.amazonaws.com"}, Action="kms:*", Condition=said)


@RIGHTS.mutation("N12", "nodes read the edge's logs, by the bucket's own policy")
def bucket_of_nodes(plan: Plan) -> bool:
    return _says(plan, kinds.BUCKET_POLICY, Principal={"AWS": _role(plan, "role-nodes")}, Action="s3:GetObject")


@RIGHTS.mutation("N12", "pods of the load balancer controller read API keys, by the secret's own policy")
def secret_of_the_controller(plan: Plan) -> bool:
    secret = add(plan, kinds.SECRET, {"name": "api-key"})
    reading = {"Effect": "Allow", "Principal": {"AWS": _role(plan, "role-load-balancer")}, "Action": "secretsmanager:*", "Resource": "*"}
    add(plan, kinds.SECRET_POLICY, {"secretArn": UNKNOWN, "policy": json.dumps({"Statement": [reading]})}, secretArn=[secret])
    return True


@RIGHTS.mutation("P08", "an API key is put into a secret of another account")
def secret_elsewhere(plan: Plan) -> bool:
    elsewhere = f"arn:aws:secretsmanager:eu-central-1:{STRANGER}:secret:other"
    add(plan, kinds.SECRET_VERSION, {"secretId": elsewhere, "secretString": UNKNOWN})
    return True


@RIGHTS.mutation("N12", "the block that keeps the bucket of logs shut names another bucket")
def bucket_block_elsewhere(plan: Plan) -> bool:
    plan.edit(found(plan, kinds.BUCKET_BLOCK))["bucket"] += "-other"
    return True


@RIGHTS.mutation("N12", "nodes take on the cluster's role")
def role_of_nodes(plan: Plan) -> bool:
    nodes = _role(plan, "role-nodes")
    record = found(plan, kinds.ROLE, "role-cluster")
    rewrite(plan, record, lambda statements: statements[0]["Principal"].update(AWS=nodes), "assumeRolePolicy")
    return True


@RIGHTS.mutation("N12", "pods of another cluster take the controller's role on")
def role_of_another_cluster(plan: Plan) -> bool:
    record, tag = found(plan, kinds.ROLE, "role-load-balancer"), "aws:RequestTag/eks-cluster-name"
    rewrite(plan, record, lambda statements: statements[0]["Condition"]["StringEquals"].pop(tag), "assumeRolePolicy")
    return True


def _attach(plan: Plan, policy: str, wanted: str) -> bool:
    role = found(plan, kinds.ROLE, wanted)
    given = {"role": role["inputs"]["name"], "policyArn": f"arn:aws:iam::aws:policy/{policy}"}
    add(plan, kinds.ROLE_ATTACHMENT, given, role=[role])
    return True


@RIGHTS.mutation("N12", "nodes have the rights of a cluster, which opens security groups")
def nodes_as_a_cluster(plan: Plan) -> bool:
    return _attach(plan, "AmazonEKSClusterPolicy", "role-nodes")


@RIGHTS.mutation("N12", "the load balancer controller has the rights of the network plugin, which changes interfaces of nodes")
def controller_as_the_network(plan: Plan) -> bool:
    return _attach(plan, "AmazonEKS_CNI_Policy", "role-load-balancer")


@RIGHTS.mutation("N12", "the gateway's pods have rights in the account")
def gateway_with_rights(plan: Plan) -> bool:
    binding = plan.first(kinds.TARGET_BINDING)
    assert binding is not None
    place = namespace(binding["inputs"])
    plan.edit(found(plan, kinds.POD_IDENTITY)).update(namespace=place, serviceAccount=place)
    return True


MAY_RUN = {
    "ecr:PutImage": "arn:aws:ecr:eu-central-1:{account}:repository/shop",
    "codebuild:StartBuild": "arn:aws:codebuild:eu-central-1:{account}:project/shop",
    "ram:CreateResourceShare": "arn:aws:ram:eu-central-1:{account}:resource-share/1",
}
"""Rights in services that no table of rights names: to change images, to run something, to share what is here."""


for _action, _thing in MAY_RUN.items():
    may(RIGHTS, _action, _thing, "which is no task of it")


# Records that prove a host to somebody else


PROOFS = {
    "aws_proof_in_capitals": ("_ACME-challenge.{host}", "TXT", "token"),
    "aws_proof_by_escape": (r"\137acme-challenge.{host}", "TXT", "token"),
    "aws_proof_by_wildcard": ("*.{host}", "TXT", "token"),
    "aws_proof_at_the_host": ("{host}", "TXT", "globalsign-domain-verification=1"),
    "aws_proof_by_address": ("{host}", "CAA", '0 contactemail "somebody@attacker.example"'),
}


def _proves(called_: str, where: str, kind: str, said: str) -> None:
    def change(plan: Plan) -> bool:
        given = {"zoneId": "Z00000000000000000000", "ttl": 60, "type": kind, "records": [said]}
        add(plan, kinds.RECORD, {**given, "name": where.format(host="api.abc.example")})
        return True

    change.__name__ = called_
    NETWORK.mutation("N10", f"{called_.removeprefix('aws_').replace('_', ' ')}, to another authority")(change)


for _called, _record in PROOFS.items():
    _proves(_called, *_record)


MUTATIONS: tuple[Mutation, ...] = tuple(mutation for table in (NETWORK, EDGE, CLUSTER, RIGHTS, EVASION) for mutation in table.mutations)
