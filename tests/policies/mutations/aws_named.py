"""Names of somebody else in a good plan of Amazon Web Services; waits of its edge; keys, and what they encrypt."""

import json
from typing import Any

from policies.reading.cloud.aws import kinds
from tests.policies.mutations.aws import EVERYBODY, add, depending, every, found
from tests.policies.mutations.aws_rights import Statement, account, rewrite
from tests.policies.mutations.aws_writers import deliver
from tests.policies.mutations.mutation import CloudFamily, Mutation, Table
from tests.policies.mutations.plan import UNKNOWN, Plan

NETWORK = Table(CloudFamily.NETWORK)
EDGE = Table(CloudFamily.EDGE)
CLUSTER = Table(CloudFamily.CLUSTER)
RIGHTS = Table(CloudFamily.RIGHTS)

OF_A_STRANGER = "arn:aws:kms:eu-central-1:999999999999:key/1"
OWN = "aws-waf-logs-own"
DELIVERY = "delivery.logs.amazonaws.com"


@NETWORK.mutation("N10", "what leaves goes through a stranger's address, and nothing has the program's own")
def aws_nat_at_a_strangers_address(plan: Plan) -> bool:
    plan.edit(found(plan, kinds.NAT_GATEWAY))["allocationId"] = "eipalloc-0123456789abcdef0"
    return True


@NETWORK.mutation("N10", "something gets a stranger's address, by what depends on the program's own")
def aws_address_of_a_stranger_given(plan: Plan) -> bool:
    given = {"allocationId": "eipalloc-0123456789abcdef0", "networkInterfaceId": "eni-0123456789abcdef0"}
    add(plan, kinds.EIP_ASSOCIATION, given, allocationId=[found(plan, kinds.EIP)])
    return True


@NETWORK.mutation("N04", "packets of the nodes leave by a stranger's gateway, though that depends on the program's own")
def aws_nodes_leave_by_a_strangers_gateway(plan: Plan) -> bool:
    plan.edit(next(each for each in every(plan, kinds.ROUTE) if "natGatewayId" in each["inputs"]))["natGatewayId"] = "nat-0123456789abcdef0"
    return True


@NETWORK.mutation("N04", "answers of the edge leave by a stranger's gateway")
def aws_edge_answers_by_a_strangers_gateway(plan: Plan) -> bool:
    plan.edit(found(plan, kinds.ROUTE, "public-internet"))["gatewayId"] = "vgw-0123456789abcdef0"
    return True


@NETWORK.mutation("N04", "the network's main table leads to a stranger's gateway")
def aws_main_table_leads_elsewhere(plan: Plan) -> bool:
    table = found(plan, kinds.DEFAULT_ROUTE_TABLE)
    plan.edit(table)["routes"] = [{"cidrBlock": EVERYBODY, "gatewayId": "igw-0123456789abcdef0"}]
    return True


@NETWORK.mutation("N04", "packets of the nodes leave by a gateway in a stranger's network")
def aws_nat_in_a_strangers_network(plan: Plan) -> bool:
    plan.edit(found(plan, kinds.NAT_GATEWAY))["subnetId"] = "subnet-0123456789abcdef0"
    return True


# Keys and disks


@CLUSTER.mutation("N07", "the key of Secrets is never renewed")
def aws_key_for_ever(plan: Plan) -> bool:
    del plan.edit(found(plan, kinds.KEY, "key-secrets"))["enableKeyRotation"]
    return True


@CLUSTER.mutation("N07", "the key of Secrets is renewed once in seven years")
def aws_key_for_years(plan: Plan) -> bool:
    plan.edit(found(plan, kinds.KEY, "key-secrets"))["rotationPeriodInDays"] = 2560
    return True


@CLUSTER.mutation("N07", "a disk is encrypted that nodes do not start from")
def aws_another_disk_encrypted(plan: Plan) -> bool:
    plan.edit(found(plan, kinds.LAUNCH_TEMPLATE))["blockDeviceMappings"][0]["deviceName"] = "/dev/sdf"
    return True


@CLUSTER.mutation("N07", "nodes start from an image whose data are on a disk that nobody encrypts")
def aws_data_disk_of_another_image(plan: Plan) -> bool:
    plan.edit(found(plan, kinds.NODE_GROUP))["amiType"] = "BOTTLEROCKET_x86_64"
    return True


# What containers say


def _logs(plan: Plan) -> dict[str, Any]:
    """Return the endpoint by which CloudWatch Logs answers in the network."""
    return plan.edit(found(plan, kinds.VPC_ENDPOINT, "endpoint-logs"))


@CLUSTER.mutation("N09", "nothing gives the collector its role")
def aws_collector_without_its_role(plan: Plan) -> bool:
    plan.remove(next(each for each in every(plan, kinds.ADDON) if each["inputs"]["addonName"] == "eks-pod-identity-agent"))
    return True


@CLUSTER.mutation("N09", "nobody is let in where CloudWatch answers")
def aws_endpoint_shut(plan: Plan) -> bool:
    plan.remove(found(plan, kinds.INGRESS_RULE, "in-endpoints-aws"))
    return True


@CLUSTER.mutation("N09", "where CloudWatch answers, the network's default group holds")
def aws_endpoint_in_the_default_group(plan: Plan) -> bool:
    del _logs(plan)["securityGroupIds"]
    return True


@CLUSTER.mutation("N09", "the endpoint of CloudWatch passes nothing on")
def aws_endpoint_passes_nothing(plan: Plan) -> bool:
    _logs(plan)["policy"] = '{"Version": "2012-10-17", "Statement": []}'
    return True


@CLUSTER.mutation("N09", "the collector is told an address of CloudWatch on the internet, where it may not connect")
def aws_endpoint_of_no_name(plan: Plan) -> bool:
    _logs(plan)["privateDnsEnabled"] = False
    return True


@RIGHTS.mutation("N12", "whoever collects logs says who is behind the edge")
def aws_collector_binds_targets(plan: Plan) -> bool:
    record = found(plan, kinds.ROLE_POLICY, "load-balancer-rights")
    plan.edit(record)["role"] = found(plan, kinds.ROLE, "role-container-logs")["inputs"]["name"]
    depending(plan, found(plan, kinds.ROLE_POLICY, "load-balancer-rights"), "role", [found(plan, kinds.ROLE, "role-container-logs")])
    return True


@RIGHTS.mutation("N12", "the same, though the right depends on the controller's role")
def aws_collector_binds_targets_by_name(plan: Plan) -> bool:
    name = found(plan, kinds.ROLE, "role-container-logs")["inputs"]["name"]
    plan.edit(found(plan, kinds.ROLE_POLICY, "load-balancer-rights"))["role"] = name
    return True


# Waits


@EDGE.mutation("W13", "the edge waits an hour for an answer")
def aws_edge_waits_an_hour(plan: Plan) -> bool:
    plan.edit(found(plan, kinds.LOAD_BALANCER))["idleTimeout"] = 3600
    return True


@EDGE.mutation("W13", "the edge cuts off slow doors")
def aws_edge_waits_a_second(plan: Plan) -> bool:
    plan.edit(found(plan, kinds.LOAD_BALANCER))["idleTimeout"] = 1
    return True


# A firewall's log that is encrypted with a key


def encrypt(plan: Plan, key: object) -> None:
    """Let the firewall write into a bucket of its own, made as the edge's is, and encrypt that with a key of KMS."""
    deliver(plan)
    theirs = str(found(plan, kinds.BUCKET)["inputs"]["bucket"])
    like = [record for record in plan.resources if record["type"].startswith("aws:s3/")]
    plan.resources += json.loads(json.dumps(like).replace(theirs, OWN).replace("::access-logs", f"::{OWN}"))
    record = found(plan, kinds.BUCKET_ENCRYPTION, OWN)
    plan.edit(record)["rules"] = [{"applyServerSideEncryptionByDefault": {"sseAlgorithm": "aws:kms", "kmsMasterKeyId": key}}]
    depending(plan, found(plan, kinds.BUCKET_ENCRYPTION, OWN), "rules", [found(plan, kinds.KEY, "key-logs")])
    plan.edit(found(plan, kinds.WEB_ACL_LOGGING))["logDestinationConfigs"] = [f"arn:aws:s3:::{OWN}"]
    depending(plan, found(plan, kinds.WEB_ACL_LOGGING), "logDestinationConfigs", [found(plan, kinds.BUCKET, OWN)])


def lend(plan: Plan, **more: Any) -> None:
    """Let the firewall use the key of logs, for this account (WAF Developer Guide, `logging-s3`)."""

    def change(said: list[Statement]) -> None:
        own = {"StringEquals": {"aws:SourceAccount": account(plan)}}
        using = {"Action": "kms:GenerateDataKey*", "Resource": "*", "Condition": own}
        said.append({"Effect": "Allow", "Principal": {"Service": DELIVERY}, **using, **more})

    rewrite(plan, found(plan, kinds.KEY, "key-logs"), change)


@EDGE.mutation("W04", "the firewall's log is encrypted with a key that it may not use")
def aws_firewall_log_with_a_key_for_others(plan: Plan) -> bool:
    encrypt(plan, UNKNOWN)
    return True


@EDGE.mutation("W04", "the firewall's log is encrypted with a key that it may look at only")
def aws_firewall_log_with_a_key_to_look_at(plan: Plan) -> bool:
    encrypt(plan, UNKNOWN)
    lend(plan, Action="kms:DescribeKey")
    return True


@EDGE.mutation("N12", "whoever has a firewall uses the key of the firewall's log")
def aws_key_for_every_firewall(plan: Plan) -> bool:
    encrypt(plan, UNKNOWN)
    lend(plan, Condition={})
    return True


@EDGE.mutation("W04", "the firewall's log is encrypted with the key that AWS keeps, with which no firewall writes")
def aws_firewall_log_with_a_key_of_aws(plan: Plan) -> bool:
    encrypt(plan, "alias/aws/s3")
    return True


@EDGE.mutation("N07", "the firewall's log is encrypted with a stranger's key, though that depends on the program's own")
def aws_firewall_log_with_a_strangers_key(plan: Plan) -> bool:
    encrypt(plan, OF_A_STRANGER)
    lend(plan)
    return True


MUTATIONS: tuple[Mutation, ...] = tuple(mutation for table in (NETWORK, EDGE, CLUSTER, RIGHTS) for mutation in table.mutations)
