"""Ways to give somebody more rights in an account of AWS than the system needs."""

import json
from collections.abc import Callable
from typing import Any

from policies.reading.cloud.aws import kinds
from tests.policies.mutations.aws import add, every, found
from tests.policies.mutations.mutation import CloudFamily, Table
from tests.policies.mutations.plan import MARKER, UNKNOWN, Plan, Record

TABLE = Table(CloudFamily.RIGHTS)

STRANGER = "999999999999"
RIGHTS = "load-balancer-rights"
"""The policy of the role that has one of the program's own."""

Statement = dict[str, Any]


def rewrite(plan: Plan, record: Record, change: Callable[[list[Statement]], None], field: str = "policy") -> None:
    """Change the statements of a document."""
    inputs = plan.edit(record)
    document = json.loads(inputs[field])
    change(document["Statement"])
    inputs[field] = json.dumps(document)


def allow(plan: Plan, action: str, thing: str = "*", **more: Any) -> bool:
    said = {"Effect": "Allow", "Action": action, "Resource": thing, **more}
    rewrite(plan, found(plan, kinds.ROLE_POLICY, RIGHTS), lambda statements: statements.append(said))
    return True


def account(plan: Plan) -> str:
    """Return the account of a plan."""
    return str(found(plan, kinds.ACCESS_ENTRY)["inputs"]["principalArn"]).split(":")[4]


def may(table: Table, action: str, thing: str, what: str) -> None:
    """Add the mutation that gives the load balancer controller a right to one thing; `{account}` in it is the plan's."""
    words = action.lower().replace("*", "any").replace(":", " ")

    def change(plan: Plan) -> bool:
        return allow(plan, action, thing.format(account=account(plan)))

    change.__name__ = f"aws_may_{words.replace(' ', '_')}"
    table.mutation("N12", f"the controller may do {words}, to one thing, {what}")(change)


# What a role may do


@TABLE.mutation("N12", "a role may do everything")
def role_may_do_everything(plan: Plan) -> bool:
    return allow(plan, "*")


@TABLE.mutation("N12", "a role may do a whole service to one thing")
def role_may_do_a_service(plan: Plan) -> bool:
    return allow(plan, "eks:*", "arn:aws:eks:eu-central-1:000000000000:cluster/abc-dev")


@TABLE.mutation("N12", "a role may do everything but one action")
def role_may_do_all_but_one(plan: Plan) -> bool:
    said = {"Effect": "Allow", "NotAction": "iam:DeleteUser", "Resource": "*"}
    rewrite(plan, found(plan, kinds.ROLE_POLICY, RIGHTS), lambda statements: statements.append(said))
    return True


@TABLE.mutation("N12", "a role may open security groups")
def role_may_open_groups(plan: Plan) -> bool:
    return allow(plan, "ec2:AuthorizeSecurityGroupIngress")


@TABLE.mutation("N12", "a role may open whatever is of a kind")
def role_may_open_a_kind(plan: Plan) -> bool:
    return allow(plan, "ec2:AuthorizeSecurityGroupIngress", "arn:aws:ec2:*:*:security-group/?*")


@TABLE.mutation("N12", "a role may read every secret of the account")
def role_may_read_secrets(plan: Plan) -> bool:
    return allow(plan, "secretsmanager:GetSecretValue", "arn:aws:secretsmanager:eu-central-1:000000000000:secret:*")


@TABLE.mutation("N12", "a role may pass any role on")
def role_may_pass_roles(plan: Plan) -> bool:
    return allow(plan, "iam:PassRole")


@TABLE.mutation("N12", "a role may pass on any role whose name begins as ours do")
def role_may_pass_our_roles(plan: Plan) -> bool:
    return allow(plan, "iam:passrole", f"arn:aws:iam::{account(plan)}:role/abc-*")


@TABLE.mutation("N12", "a role may write its own policy, which is one thing only")
def role_may_write_policies(plan: Plan) -> bool:
    return allow(plan, "iam:PutRolePolicy", f"arn:aws:iam::{account(plan)}:role/abc-dev-load-balancer")


@TABLE.mutation("N12", "a role may take on a role of another account")
def role_may_take_on_others(plan: Plan) -> bool:
    return allow(plan, "sts:AssumeRole", f"arn:aws:iam::{STRANGER}:role/their")


@TABLE.mutation("N12", "nodes have all rights of an administrator")
def nodes_administer(plan: Plan) -> bool:
    plan.edit(found(plan, kinds.ROLE_ATTACHMENT, "nodes-AmazonEKSWorkerNodePolicy"))["policyArn"] = (
        "arn:aws:iam::aws:policy/AdministratorAccess"
    )
    return True


@TABLE.mutation("N12", "nodes have a policy of which only the account knows what it says")
def nodes_have_somebodys_policy(plan: Plan) -> bool:
    record = found(plan, kinds.ROLE_ATTACHMENT, "nodes-AmazonEKSWorkerNodePolicy")
    add(plan, kinds.ROLE_ATTACHMENT, {**record["inputs"], "policyArn": f"arn:aws:iam::{account(plan)}:policy/legacy"})
    return True


@TABLE.mutation("N12", "a policy of the program, attached to nodes, lets them do everything")
def nodes_have_a_wide_policy(plan: Plan) -> bool:
    document = json.dumps({"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "ec2:*", "Resource": "*"}})
    policy = add(plan, kinds.POLICY, {"name": "wide", "policy": document})
    role = found(plan, kinds.ROLE_ATTACHMENT, "nodes-AmazonEKSWorkerNodePolicy")["inputs"]["role"]
    add(plan, kinds.ROLE_ATTACHMENT, {"role": role, "policyArn": UNKNOWN}, policyArn=[policy])
    return True


@TABLE.mutation("N12", "nodes have all rights of an administrator, and depend on a policy of the program")
def nodes_administer_in_disguise(plan: Plan) -> bool:
    document = json.dumps({"Version": "2012-10-17", "Statement": []})
    policy = add(plan, kinds.POLICY, {"name": "harmless", "policy": document})
    given = {**found(plan, kinds.ROLE_ATTACHMENT, "nodes-AmazonEKSWorkerNodePolicy")["inputs"]}
    add(plan, kinds.ROLE_ATTACHMENT, {**given, "policyArn": "arn:aws:iam::aws:policy/AdministratorAccess"}, policyArn=[policy])
    return True


@TABLE.mutation("P07", "a role has its rights inside")
def role_with_rights_inside(plan: Plan) -> bool:
    document = json.dumps({"Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]})
    plan.edit(found(plan, kinds.ROLE, "role-nodes"))["inlinePolicies"] = [{"name": "wide", "policy": document}]
    return True


@TABLE.mutation("N12", "nodes take on a role of which nothing is in the plan")
def nodes_take_on_a_strange_role(plan: Plan) -> bool:
    plan.edit(found(plan, kinds.NODE_GROUP))["nodeRoleArn"] = f"arn:aws:iam::{account(plan)}:role/legacy-nodes"
    return True


@TABLE.mutation("N12", "nodes take on a role of our name in another account")
def nodes_take_on_a_namesake(plan: Plan) -> bool:
    inputs = plan.edit(found(plan, kinds.NODE_GROUP))
    inputs["nodeRoleArn"] = str(inputs["nodeRoleArn"]).replace(account(plan), STRANGER)
    return True


@TABLE.mutation("N12", "a statement says twice what it does, which one reader takes for the one and another for the other")
def statement_of_two_readings(plan: Plan) -> bool:
    record = found(plan, kinds.ROLE_POLICY, RIGHTS)
    inputs = plan.edit(record)
    inputs["policy"] = inputs["policy"].replace('"Effect": "Allow"', '"Effect": "Allow", "Effect": "Deny"', 1)
    return True


@TABLE.mutation("N12", "pods of an add-on take on a role of which nothing is in the plan")
def addon_takes_on_a_strange_role(plan: Plan) -> bool:
    plan.edit(found(plan, kinds.ADDON, "vpc-cni"))["serviceAccountRoleArn"] = UNKNOWN
    return True


# Who takes a role on


def _trust(plan: Plan, wanted: str, change: Callable[[Statement], object]) -> bool:
    def each(statements: list[Statement]) -> None:
        for said in statements:
            change(said)

    rewrite(plan, found(plan, kinds.ROLE, wanted), each, "assumeRolePolicy")
    return True


@TABLE.mutation("N12", "everybody in AWS takes a role on")
def role_of_everybody(plan: Plan) -> bool:
    return _trust(plan, "role-load-balancer", lambda said: said.update(Principal="*"))


@TABLE.mutation("N12", "another account takes a role on, beside its service")
def role_of_a_stranger(plan: Plan) -> bool:
    return _trust(plan, "role-nodes", lambda said: said["Principal"].update(AWS=[f"arn:aws:iam::{STRANGER}:root"]))


@TABLE.mutation("N12", "whoever in the account may take on roles takes this one on")
def role_of_the_account(plan: Plan) -> bool:
    return _trust(plan, "role-nodes", lambda said: said["Principal"].update(AWS=account(plan)))


@TABLE.mutation("N12", "a service takes a role on for any account")
def role_without_account(plan: Plan) -> bool:
    return _trust(plan, "role-flow-logs", lambda said: said.pop("Condition"))


@TABLE.mutation("N12", "a service takes a role on for any account, by a condition that holds where there is none")
def role_with_an_idle_condition(plan: Plan) -> bool:
    return _trust(plan, "role-cluster", lambda said: said.update(Condition={"StringEqualsIfExists": said["Condition"]["StringEquals"]}))


@TABLE.mutation("N12", "pods of every service take the controller's role on")
def role_of_any_pod(plan: Plan) -> bool:
    tag = "aws:RequestTag/kubernetes-service-account"
    return _trust(plan, "role-load-balancer", lambda said: said["Condition"]["StringEquals"].pop(tag))


@TABLE.mutation("N12", "whom somebody else vouches for takes a role on")
def role_of_a_provider(plan: Plan) -> bool:
    provider = {"Federated": f"arn:aws:iam::{account(plan)}:oidc-provider/token.example"}
    return _trust(plan, "role-load-balancer", lambda said: said.update(Principal=provider, Action="sts:AssumeRoleWithWebIdentity"))


# Keys, secrets, buckets, logs


def _answer(plan: Plan, record: Record, field: str = "policy", **said: Any) -> bool:
    rewrite(plan, record, lambda statements: statements.append({"Effect": "Allow", "Resource": "*", **said}), field)
    return True


@TABLE.mutation("N12", "everybody may decrypt with the key of Secrets")
def key_of_everybody(plan: Plan) -> bool:
    return _answer(plan, found(plan, kinds.KEY, "key-secrets"), Principal={"AWS": "*"}, Action="kms:Decrypt")


@TABLE.mutation("N12", "another account may do everything with the key of Secrets")
def key_of_a_stranger(plan: Plan) -> bool:
    return _answer(plan, found(plan, kinds.KEY, "key-secrets"), Principal={"AWS": STRANGER}, Action="kms:*")


@TABLE.mutation("N12", "logs of any account are encrypted with our key")
def key_of_any_log(plan: Plan) -> bool:
    def change(statements: list[Statement]) -> None:
        next(each for each in statements if each["Sid"] == "Logs").pop("Condition")

    rewrite(plan, found(plan, kinds.KEY, "key-logs"), change)
    return True


@TABLE.mutation("N12", "everybody reads the edge's logs")
def bucket_of_everybody(plan: Plan) -> bool:
    return _answer(plan, found(plan, kinds.BUCKET_POLICY), Principal="*", Action="s3:GetObject")


@TABLE.mutation("N12", "everybody but one reads the edge's logs")
def bucket_of_everybody_but_one(plan: Plan) -> bool:
    return _answer(plan, found(plan, kinds.BUCKET_POLICY), NotPrincipal={"AWS": STRANGER}, Action="s3:GetObject")


@TABLE.mutation("N12", "a bucket may be opened to everybody")
def bucket_to_be_opened(plan: Plan) -> bool:
    del plan.edit(found(plan, kinds.BUCKET_BLOCK))["restrictPublicBuckets"]
    return True


@TABLE.mutation("N12", "another account reads the API keys")
def secret_of_a_stranger(plan: Plan) -> bool:
    secrets = every(plan, kinds.SECRET)
    reading = {
        "Effect": "Allow",
        "Principal": {"AWS": f"arn:aws:iam::{STRANGER}:role/reader"},
        "Action": "secretsmanager:*",
        "Resource": "*",
    }
    document = json.dumps({"Version": "2012-10-17", "Statement": [reading]})
    add(plan, kinds.SECRET_POLICY, {"secretArn": UNKNOWN, "policy": document}, secretArn=secrets[:1])
    return True


@TABLE.mutation("N12", "another account writes into the log of the firewall")
def log_of_a_stranger(plan: Plan) -> bool:
    return _answer(plan, found(plan, kinds.LOG_POLICY), "policyDocument", Principal={"AWS": STRANGER}, Action="logs:PutLogEvents")


@TABLE.mutation("N12", "whom a key answers is not known")
def key_of_nobody_knows_whom(plan: Plan) -> bool:
    plan.edit(found(plan, kinds.KEY, "key-secrets"))["policy"] = UNKNOWN
    return True


@TABLE.mutation("N12", "pods reach the service of another account with what they took from it")
def endpoint_of_any_account(plan: Plan) -> bool:
    rewrite(plan, found(plan, kinds.VPC_ENDPOINT, "endpoint-sts"), lambda statements: statements[0].pop("Condition"))
    return True


@TABLE.mutation("N12", "every bucket of AWS is reached from the nodes")
def endpoint_without_policy(plan: Plan) -> bool:
    del plan.edit(found(plan, kinds.VPC_ENDPOINT, "endpoint-s3"))["policy"]
    return True


# Who enters the cluster


def _enter(plan: Plan, principal: str) -> bool:
    entry, policy = found(plan, kinds.ACCESS_ENTRY), found(plan, kinds.ACCESS_POLICY)
    for record in (entry, policy):
        add(plan, record["type"], {**record["inputs"], "principalArn": principal})
    return True


@TABLE.mutation("N08", "an administrator whom the stack file does not name")
def another_administrator(plan: Plan) -> bool:
    return _enter(plan, f"arn:aws:iam::{account(plan)}:role/{MARKER}")


@TABLE.mutation("N08", "an administrator of another account")
def strange_administrator(plan: Plan) -> bool:
    return _enter(plan, f"arn:aws:iam::{STRANGER}:role/perimeter-admin")


@TABLE.mutation("N08", "the nodes' role administers the cluster")
def nodes_enter(plan: Plan) -> bool:
    return _enter(plan, f"arn:aws:iam::{account(plan)}:role/{found(plan, kinds.ROLE, 'role-nodes')['inputs']['name']}")


@TABLE.mutation("N08", "the account's root administers the cluster")
def root_enters(plan: Plan) -> bool:
    return _enter(plan, f"arn:aws:iam::{account(plan)}:root")


@TABLE.mutation("N08", "who gets a policy of the cluster is not known")
def nobody_knows_who_enters(plan: Plan) -> bool:
    plan.edit(found(plan, kinds.ACCESS_POLICY))["principalArn"] = UNKNOWN
    return True


@TABLE.mutation("P07", "an administrator is of a group to which RBAC gives rights")
def administrator_of_a_group(plan: Plan) -> bool:
    plan.edit(found(plan, kinds.ACCESS_ENTRY))["kubernetesGroups"] = ["deployers"]
    return True


MUTATIONS = tuple(TABLE.mutations)
