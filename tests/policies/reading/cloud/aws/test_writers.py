"""Who writes logs: what AWS says how to let them write is kept."""

from policies.harness import findings_of
from policies.reading.cloud.aws import kinds
from tests.components.aws.systems import resources, system
from tests.policies.mutations.aws import found
from tests.policies.mutations.aws_named import encrypt, lend
from tests.policies.mutations.aws_rights import account, rewrite
from tests.policies.mutations.aws_writers import deliver
from tests.policies.mutations.held import RULES, read
from tests.policies.mutations.plan import UNKNOWN, Plan


def said(plan: Plan, *rules: str) -> list[str]:
    stack = read(plan.resources, system("abc"))
    return [f"{each.rule} {each.resource}: {each.message}" for rule in rules for each in findings_of(RULES[rule], stack)]


def test_a_firewall_writes_its_log_into_the_programs_own_bucket() -> None:
    plan = Plan(list(resources("aws-dev", "abc")))
    deliver(plan)
    assert said(plan, "W04", "N12") == []


def test_a_firewall_writes_its_log_with_a_key_of_the_program_that_it_may_use() -> None:
    plan = Plan(list(resources("aws-dev", "abc")))
    encrypt(plan, UNKNOWN)
    lend(plan)
    assert said(plan, "W04", "N07", "N12") == []


def test_a_role_may_be_taken_on_for_one_flow_log_of_the_account() -> None:
    plan = Plan(list(resources("aws-dev", "abc")))
    own = {"ArnLike": {"aws:SourceArn": f"arn:aws:ec2:eu-central-1:{account(plan)}:vpc-flow-log/*"}}
    rewrite(plan, found(plan, kinds.ROLE, "role-flow-logs"), lambda each: each[0]["Condition"].update(own), "assumeRolePolicy")
    assert said(plan, "N09", "N12") == []
