"""What keeps watch over a good stack in Amazon Web Services is blinded, and doors are left ajar."""

from policies.reading.cloud.aws import kinds
from tests.policies.mutations.aws import EVERYBODY, add, found, group
from tests.policies.mutations.aws_rights import allow
from tests.policies.mutations.mutation import CloudFamily, Mutation, Table
from tests.policies.mutations.plan import UNKNOWN, Plan

NETWORK = Table(CloudFamily.NETWORK)
EDGE = Table(CloudFamily.EDGE)
RIGHTS = Table(CloudFamily.RIGHTS)

STRANGER = "999999999999"


def _account(plan: Plan) -> str:
    return str(found(plan, kinds.ACCESS_ENTRY)["inputs"]["principalArn"]).split(":")[4]


@EDGE.mutation("K04", "the load balancer controller does what objects of every namespace say")
def aws_controller_everywhere(plan: Plan) -> bool:
    release = plan.release("aws-load-balancer-controller")
    assert release is not None
    del plan.edit(release)["values"]["watchNamespace"]
    return True


@EDGE.mutation("N09", "a log forgets after a day")
def aws_log_forgets(plan: Plan) -> bool:
    plan.edit(found(plan, kinds.LOG_GROUP))["retentionInDays"] = 1
    return True


@EDGE.mutation("N09", "the edge's log of requests forgets after a day")
def aws_bucket_forgets(plan: Plan) -> bool:
    plan.edit(found(plan, kinds.BUCKET_LIFECYCLE))["rules"][0]["expiration"]["days"] = 1
    return True


@NETWORK.mutation("N09", "nobody writes down who connected to whom")
def aws_no_flow_log(plan: Plan) -> bool:
    plan.remove(found(plan, kinds.FLOW_LOG))
    return True


@NETWORK.mutation("N09", "the log of connections is a group of another account, under the name of the program's own")
def aws_flow_log_of_a_stranger(plan: Plan) -> bool:
    inputs = plan.edit(found(plan, kinds.FLOW_LOG))
    inputs["logDestination"] = inputs["logDestination"].replace(f":{_account(plan)}:", f":{STRANGER}:")
    return True


@EDGE.mutation("W04", "the firewall's log is a group of another account, under the name of the program's own")
def aws_firewall_log_of_a_stranger(plan: Plan) -> bool:
    inputs = plan.edit(found(plan, kinds.WEB_ACL_LOGGING))
    inputs["logDestinationConfigs"] = [each.replace(f":{_account(plan)}:", f":{STRANGER}:") for each in inputs["logDestinationConfigs"]]
    return True


@NETWORK.mutation("N05", "nodes connect to everybody, by a rule for every port")
def aws_nodes_to_everybody(plan: Plan) -> bool:
    add(
        plan,
        kinds.EGRESS_RULE,
        {"securityGroupId": UNKNOWN, "ipProtocol": "-1", "cidrIpv4": EVERYBODY},
        securityGroupId=[group(plan, "nodes")],
    )
    return True


@RIGHTS.mutation("N12", "the controller may delete a log, by its name")
def aws_may_delete_a_log(plan: Plan) -> bool:
    return allow(plan, "logs:DeleteLogGroup", f"arn:aws:logs:eu-central-1:{_account(plan)}:log-group:abc")


@RIGHTS.mutation("N12", "the controller may read a secret, by its name")
def aws_may_read_a_secret(plan: Plan) -> bool:
    return allow(plan, "secretsmanager:GetSecretValue", f"arn:aws:secretsmanager:eu-central-1:{_account(plan)}:secret:abc-1")


@RIGHTS.mutation("N12", "nothing keeps the bucket of logs from being opened")
def aws_bucket_without_block(plan: Plan) -> bool:
    plan.remove(found(plan, kinds.BUCKET_BLOCK))
    return True


MUTATIONS: tuple[Mutation, ...] = tuple(mutation for table in (NETWORK, EDGE, RIGHTS) for mutation in table.mutations)
