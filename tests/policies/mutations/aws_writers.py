"""Who writes logs in a good stack in Amazon Web Services may do so on conditions that nobody meets, elsewhere, or to nobody who is reached."""

import json
from collections.abc import Callable
from typing import Any

from policies.reading.cloud.aws import kinds
from tests.policies.mutations.aws import depending, found
from tests.policies.mutations.aws_rights import STRANGER, Statement, account, rewrite
from tests.policies.mutations.mutation import CloudFamily, Mutation, Table
from tests.policies.mutations.plan import Plan, Record

EDGE = Table(CloudFamily.EDGE)
CLUSTER = Table(CloudFamily.CLUSTER)
EVASION = Table(CloudFamily.EVASION)

COLLECTOR = "fluent-bit"
OF_STRANGER = {"StringEquals": {"aws:SourceAccount": STRANGER}}
LATER = {"DateGreaterThan": {"aws:CurrentTime": "2099-01-01T00:00:00Z"}}

PLACES: dict[str, tuple[str, str, str, str, int]] = {
    "bucket": ("W04", kinds.BUCKET_POLICY, "access-logs", "policy", 0),
    "firewall-log": ("W04", kinds.LOG_POLICY, "waf-logs", "policyDocument", 0),
    "flow-log-role": ("N09", kinds.ROLE, "role-flow-logs", "assumeRolePolicy", 0),
    "flow-log-rights": ("N09", kinds.ROLE_POLICY, "flow-logs-rights", "policy", 0),
    "key-of-logs": ("N09", kinds.KEY, "key-logs", "policy", 1),
    "collector-role": ("N09", kinds.ROLE, "role-container-logs", "assumeRolePolicy", 0),
    "collector-rights": ("N09", kinds.ROLE_POLICY, "container-logs-rights", "policy", 0),
}
"""Rights without which a log stays empty: rule, kind, name, field, and which statement gives them."""
CONDITIONS: dict[str, dict[str, Any]] = {
    "another-account": OF_STRANGER,
    "another-source": {"ArnLike": {"aws:SourceArn": f"arn:aws:logs:eu-central-1:{STRANGER}:*"}},
    "a-day-to-come": LATER,
    "an-organisation": {"StringEquals": {"aws:PrincipalOrgID": "o-0123456789"}},
    "what-may-be-absent": {"ForAnyValue:StringEquals": {"aws:CalledVia": "logs.amazonaws.com"}},
}


def _demand(place: str, wanted: str) -> None:
    rule, kind, name, field, index = PLACES[place]

    def demand(said: list[Statement]) -> None:
        own = said[index].get("Condition", {})
        said[index]["Condition"] = {how: {**own.get(how, {}), **CONDITIONS[wanted].get(how, {})} for how in own | CONDITIONS[wanted]}

    def change(plan: Plan) -> bool:
        rewrite(plan, found(plan, kind, name), demand, field)
        return True

    change.__name__ = f"aws_{place}_for_{wanted}".replace("-", "_")
    (EDGE if rule == "W04" else CLUSTER).mutation(rule, f"the right that {place} gives demands {wanted}")(change)


for _place in PLACES:
    for _wanted in CONDITIONS:
        _demand(_place, _wanted)


@EDGE.mutation("W04", "the load balancer is denied the folder in which its log is")
def aws_bucket_denies_the_folder(plan: Plan) -> bool:
    def change(said: list[Statement]) -> None:
        folder = said[0]["Resource"][0].removesuffix("*") + "elasticloadbalancing/*"
        said.append({"Effect": "Deny", "Principal": "*", "Action": "s3:PutObject", "Resource": folder})

    rewrite(plan, found(plan, kinds.BUCKET_POLICY), change)
    return True


@EDGE.mutation("W04", "the load balancer may write one of its logs")
def aws_bucket_takes_one_log(plan: Plan) -> bool:
    rewrite(plan, found(plan, kinds.BUCKET_POLICY), lambda said: said[0].update(Resource=[said[0]["Resource"][0].replace("/*", "/sample")]))
    return True


@CLUSTER.mutation("N09", "the key of logs serves log groups of another name")
def aws_key_of_other_groups(plan: Plan) -> bool:
    def change(said: list[Statement]) -> None:
        key, arn = next(iter(said[1]["Condition"]["ArnLike"].items()))
        said[1]["Condition"]["ArnLike"] = {key: arn.replace("log-group:*", "log-group:other-*")}

    rewrite(plan, found(plan, kinds.KEY, "key-logs"), change)
    return True


@CLUSTER.mutation("N09", "the key of logs serves CloudWatch in another region")
def aws_key_of_another_region(plan: Plan) -> bool:
    rewrite(plan, found(plan, kinds.KEY, "key-logs"), lambda said: said[1].update(Principal={"Service": "logs.us-east-1.amazonaws.com"}))
    return True


@CLUSTER.mutation("N09", "pods of another cluster take on the collector's role")
def aws_collector_of_another_cluster(plan: Plan) -> bool:
    def change(said: list[Statement]) -> None:
        said[0]["Condition"]["StringEquals"]["aws:RequestTag/eks-cluster-name"] = "other"

    rewrite(plan, found(plan, kinds.ROLE, "role-container-logs"), change, "assumeRolePolicy")
    return True


# Where the firewall's log goes


def _log_to(plan: Plan, arn: str, *sources: Record) -> bool:
    plan.edit(found(plan, kinds.WEB_ACL_LOGGING))["logDestinationConfigs"] = [arn]
    depending(plan, found(plan, kinds.WEB_ACL_LOGGING), "logDestinationConfigs", list(sources))
    return True


@EDGE.mutation("W04", "the firewall's log is a group of another region, under the name of the program's own")
def aws_firewall_log_of_another_region(plan: Plan) -> bool:
    (own,) = found(plan, kinds.WEB_ACL_LOGGING)["inputs"]["logDestinationConfigs"]
    return _log_to(plan, own.replace(":eu-central-1:", ":us-east-1:"), found(plan, kinds.LOG_GROUP, "waf-logs"))


@EDGE.mutation("W04", "the firewall's log is a group that has the name of something else of the program's")
def aws_firewall_log_by_another_name(plan: Plan) -> bool:
    cluster = found(plan, kinds.CLUSTER)
    return _log_to(plan, f"arn:aws:logs:eu-central-1:{account(plan)}:log-group:{cluster['inputs']['name']}", cluster)


@EDGE.mutation("W04", "the firewall's log is a bucket of somebody else")
def aws_firewall_log_in_a_strangers_bucket(plan: Plan) -> bool:
    return _log_to(plan, "arn:aws:s3:::aws-waf-logs-of-a-stranger", found(plan, kinds.BUCKET))


@EDGE.mutation("W04", "the firewall's log is a bucket into which it may not write")
def aws_firewall_log_in_a_shut_bucket(plan: Plan) -> bool:
    bucket = found(plan, kinds.BUCKET)
    return _log_to(plan, f"arn:aws:s3:::{bucket['inputs']['bucket']}", bucket)


@EDGE.mutation("W04", "the firewall's log is a bucket into which it may write for another account")
def aws_firewall_log_in_a_bucket_for_another_account(plan: Plan) -> bool:
    deliver(plan, SourceAccount=STRANGER)
    return True


def deliver(plan: Plan, **said: str) -> None:
    """Let the firewall write its log into the program's bucket, as AWS says how (WAF Developer Guide, `logging-s3`)."""
    bucket, own = found(plan, kinds.BUCKET), account(plan)
    arn = f"arn:aws:s3:::{bucket['inputs']['bucket']}"
    source = {"aws:SourceAccount": said.get("SourceAccount", own)}
    like = {"aws:SourceArn": f"arn:aws:logs:eu-central-1:{own}:*"}
    writer = {"Effect": "Allow", "Principal": {"Service": "delivery.logs.amazonaws.com"}}
    look = {"Action": "s3:GetBucketAcl", "Resource": arn, "Condition": {"StringEquals": source, "ArnLike": like}}
    owned = {"StringEquals": {**source, "s3:x-amz-acl": "bucket-owner-full-control"}, "ArnLike": like}
    write = {"Action": "s3:PutObject", "Resource": f"{arn}/AWSLogs/{own}/*", "Condition": owned}
    rewrite(plan, found(plan, kinds.BUCKET_POLICY), lambda statements: statements.extend([{**writer, **look}, {**writer, **write}]))
    _log_to(plan, arn, bucket)


# Whom the collector reaches


def _fence(plan: Plan, port: int, change: Callable[[dict[str, Any]], object]) -> bool:
    policy = next(r for r in plan.resources if r["urn"].endswith(f"::kube-system/{COLLECTOR}"))
    rules = plan.edit(policy)["spec"]["egress"]
    change(next(rule for rule in rules if rule["ports"][0]["port"] == port))
    return True


@CLUSTER.mutation("N09", "the collector asks pods for names that know none")
def aws_collector_asks_other_pods(plan: Plan) -> bool:
    return _fence(plan, 53, lambda rule: rule["to"][0]["podSelector"]["matchLabels"].update({"k8s-app": "other"}))


@CLUSTER.mutation("N09", "the collector asks for names in another namespace")
def aws_collector_asks_elsewhere(plan: Plan) -> bool:
    selector = {"matchLabels": {"kubernetes.io/metadata.name": "default"}}
    return _fence(plan, 53, lambda rule: rule["to"][0].update(namespaceSelector=selector))


@CLUSTER.mutation("N09", "the collector asks for names over TCP alone")
def aws_collector_asks_over_tcp(plan: Plan) -> bool:
    return _fence(plan, 53, lambda rule: rule.update(ports=[{"port": 53, "protocol": "TCP"}]))


@CLUSTER.mutation("N09", "the collector reaches another address in the place of the agent that knows its role")
def aws_collector_without_agent(plan: Plan) -> bool:
    return _fence(plan, 80, lambda rule: rule.update(to=[{"ipBlock": {"cidr": "169.254.169.254/32"}}]))


@CLUSTER.mutation("N09", "the collector reaches CloudWatch in one zone")
def aws_collector_in_one_zone(plan: Plan) -> bool:
    return _fence(plan, 443, lambda rule: rule.update(to=rule["to"][:1]))


@CLUSTER.mutation("N09", "the collector reaches everybody but CloudWatch")
def aws_collector_but_not_there(plan: Plan) -> bool:
    def change(rule: dict[str, Any]) -> None:
        rule["to"] = [{"ipBlock": {"cidr": "0.0.0.0/0", "except": [rule["to"][0]["ipBlock"]["cidr"]]}}]

    return _fence(plan, 443, change)


@CLUSTER.mutation("N09", "the collector's way out is a policy for what comes in")
def aws_collector_without_egress(plan: Plan) -> bool:
    policy = next(r for r in plan.resources if r["urn"].endswith(f"::kube-system/{COLLECTOR}"))
    plan.edit(policy)["spec"]["policyTypes"] = ["Ingress"]
    return True


# Whom the program vouches for, in the words of its own component


def _vouch(plan: Plan, **said: list[str]) -> None:
    component = found(plan, "perimeter:cluster:EksCluster")
    plan.edit(component).update(said)
    plan.options(found(plan, component["type"]))["outputs"] = said


@CLUSTER.mutation("N02", "the program opens the Kubernetes API to somebody, and says that the stack file names him")
def aws_program_names_its_operators(plan: Plan) -> bool:
    stranger = ["198.51.100.66/32"]
    plan.edit(found(plan, kinds.CLUSTER))["vpcConfig"].update(
        endpointPublicAccess=True, endpointPrivateAccess=True, publicAccessCidrs=stranger
    )
    _vouch(plan, operators=stranger)
    return True


@CLUSTER.mutation("N08", "the program lets somebody administer the cluster, and says that the stack file names him")
def aws_program_names_its_administrators(plan: Plan) -> bool:
    stranger = f"arn:aws:iam::{account(plan)}:role/somebody"
    for kind in (kinds.ACCESS_ENTRY, kinds.ACCESS_POLICY):
        plan.edit(found(plan, kind))["principalArn"] = stranger
    _vouch(plan, administrators=[stranger])
    return True


def _elsewhere(plan: Plan, old: str, new: str) -> bool:
    for record in list(plan.resources):
        text = json.dumps(record["inputs"])
        if old in text:
            plan.options(record)["inputs"] = json.loads(text.replace(old, new))
    return True


@EVASION.mutation("N12", "all of it is made in the account of somebody else")
def aws_program_names_its_account(plan: Plan) -> bool:
    return _elsewhere(plan, account(plan), STRANGER)


@EVASION.mutation("N09", "all of it is made in another region")
def aws_program_names_its_region(plan: Plan) -> bool:
    return _elsewhere(plan, "eu-central-1", "us-east-1")


MUTATIONS: tuple[Mutation, ...] = tuple(mutation for table in (EDGE, CLUSTER, EVASION) for mutation in table.mutations)
