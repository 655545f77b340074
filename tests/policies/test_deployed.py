"""A stack that is deployed is judged as on the day before: as an export, and as `pulumi preview` shows it to the pack.

Then ids are known, outputs hold what nobody gave, and in the pack secrets have lost their marks.
"""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import cache
from typing import Any

import pytest
from pulumi_policy import PolicyCustomTimeouts, PolicyResource, PolicyResourceOptions

from planner.wire import plain
from policies.pack import judged
from policies.reading.cloud.aws import kinds
from policies.reading.cloud.azure.names import RECORD
from policies.reading.normalise import PROVIDER
from policies.reading.running import SECRET, exported, running
from policies.rule import Verdict
from tests.policies import engine
from tests.policies.answers import deployed
from tests.policies.checked import checked
from tests.policies.mutations.aws import EVERYBODY, add, found
from tests.policies.mutations.held import hold_clean
from tests.policies.mutations.plan import Plan, Record
from tests.systems import topology

pytestmark = pytest.mark.xdist_group("deployed")

STACKS = (("aws-dev", "abc"), ("aws-prod", "payments"), ("azure-dev", "imaging"), ("azure-prod", "abc"), ("azure-nginx", "brokerage"))
"""Both clouds with either edge; keys of callers, and the connection that Azure makes for traces, in a vault."""


Pack = Callable[[str], str]
"""Where a pack listens that has a stack's configuration."""


@pytest.fixture(scope="module")
def pack() -> Iterator[Pack]:
    with ExitStack() as running:
        yield cache(lambda stack: running.enter_context(engine.pack(engine.said_of_cloud(stack))))


@pytest.mark.parametrize(("stack", "system"), STACKS)
def test_an_export_keeps_the_boundary_in_what_was_said_and_in_what_was_answered(stack: str, system: str) -> None:
    records = list(exported(deployed(stack, system)))
    hold_clean(records, topology(system))
    hold_clean(list(running(records)), topology(system))


@pytest.mark.parametrize(("stack", "system"), STACKS)
def test_what_providers_fill_in_is_reviewed(stack: str, system: str) -> None:
    hold_clean([checked(record) for record in exported(deployed(stack, system))], topology(system))


@pytest.mark.parametrize(("stack", "system"), STACKS)
def test_the_pack_passes_a_second_preview(pack: Pack, stack: str, system: str) -> None:
    assert [found.message for found in engine.said(pack(stack), map(checked, deployed(stack, system)))] == []


# What the program changes in a stack that is deployed: outputs are those of before


def given(key: str, value: Any, kind: str, name: str = "") -> Callable[[Plan], None]:
    """Return a change: a resource gets a value of its own in the place of one from another resource."""

    def change(plan: Plan) -> None:
        fresh = plan.options(found(plan, kind, name))
        fresh["inputs"][key] = value
        fresh["propertyDependencies"][key] = []

    return change


def opened(plan: Plan) -> None:
    plan.edit(found(plan, kinds.GROUP, "nodes"))["ingress"] = [
        {"protocol": "tcp", "fromPort": 0, "toPort": 65535, "cidrBlocks": [EVERYBODY]}
    ]


def opened_by_a_rule(plan: Plan) -> None:
    nodes = found(plan, kinds.GROUP, "nodes")
    port = {"ipProtocol": "tcp", "fromPort": 1, "toPort": 65535}
    add(plan, kinds.INGRESS_RULE, {"securityGroupId": nodes["id"], "cidrIpv4": EVERYBODY, **port}, securityGroupId=[nodes])


def another_cluster(plan: Plan) -> None:
    inputs = plan.edit(found(plan, PROVIDER, "cluster-system"))
    inputs["kubeconfig"] = inputs["kubeconfig"].replace("endpoint.", "elsewhere.")


def typed_secret(plan: Plan) -> None:
    secret = plan.options(next(each for each in plan.resources if each["type"] == SECRET and "data" in each["outputs"]))
    for side in ("inputs", "outputs"):
        secret[side] = {**{key: secret[side][key] for key in ("apiVersion", "kind", "metadata")}, "data": {"acme": "c2VjcmV0"}}
    secret["propertyDependencies"] = {}


def another_gateway(plan: Plan) -> None:
    plan.edit(found(plan, RECORD, "apim.gateway"))["aRecords"] = [{"ipv4Address": "10.60.9.9"}]


CONNECTION = ("azure-native:keyvault:Secret", "insights-connection")


def typed_connection(plan: Plan) -> None:
    """Type a secret that keeps what it depends on."""
    plan.edit(found(plan, *CONNECTION))["properties"]["value"] = "hush"


def given_connection(plan: Plan) -> None:
    """Type a secret into the resource that it is taken from."""
    maker = plan.options(found(plan, "azure-native:applicationinsights:Component"))
    for side in ("inputs", "outputs"):
        maker[side]["flowType"] = "hush"
    typed_connection(plan)


STRANGER = "arn:aws:wafv2:eu-central-1:000000000000:regional/webacl/other/1"

CHANGES = [
    pytest.param("aws-dev", "abc", "W02", given("webAclArn", STRANGER, kinds.WEB_ACL_ASSOCIATION), id="web ACL typed by hand"),
    pytest.param("aws-dev", "abc", "B01", given("securityGroups", ["sg-1"], kinds.LOAD_BALANCER), id="security group typed by hand"),
    pytest.param("aws-dev", "abc", "P02", another_cluster, id="kubeconfig of another cluster"),
    pytest.param("aws-dev", "abc", "N05", opened, id="nodes opened in their group"),
    pytest.param("aws-dev", "abc", "N05", opened_by_a_rule, id="nodes opened by a new rule"),
    pytest.param("aws-prod", "payments", "P08", given("secretString", "hush", kinds.SECRET_VERSION), id="key typed into the vault"),
    pytest.param("aws-prod", "payments", "P08", typed_secret, id="key typed into a Secret"),
    pytest.param("azure-prod", "abc", "P08", typed_connection, id="connection typed into the vault"),
    pytest.param("azure-prod", "abc", "P08", given_connection, id="connection that another resource was given"),
    pytest.param("azure-dev", "imaging", "W09", another_gateway, id="address of another gateway"),
]


@pytest.mark.parametrize(("stack", "system", "rule", "change"), CHANGES)
def test_the_pack_judges_what_a_program_gives_now(pack: Pack, stack: str, system: str, rule: str, change: Callable[[Plan], None]) -> None:
    plan = Plan(list(deployed(stack, system)))
    change(plan)
    said = [diagnostic.message.splitlines()[1] for diagnostic in engine.said(pack(stack), map(checked, plan.resources))]
    assert rule in {line.partition(" ")[0] for line in said}, said


def shown(records: tuple[Record, ...]) -> list[PolicyResource]:
    """Return resources as the SDK hands them to a stack policy."""
    options = PolicyResourceOptions(False, [], None, [], PolicyCustomTimeouts(0, 0, 0), [])
    made: dict[str, PolicyResource] = {}
    for record in records:
        outputs: Any = plain(dict(record.get("outputs") or {}))
        others = {key: [made[urn] for urn in urns] for key, urns in (record.get("propertyDependencies") or {}).items()}
        provider: Any = made.get(record.get("provider", "").rpartition("::")[0])  # the judge reads its urn alone
        parent = made.get(record.get("parent", ""))
        dependencies = [made[urn] for urn in record.get("dependencies", ())]
        urn = record["urn"]
        made[urn] = PolicyResource(record["type"], outputs, urn, urn.rpartition("::")[2], options, provider, parent, dependencies, others)
    return list(made.values())


def test_without_the_inputs_that_the_engine_shows_nothing_passes() -> None:
    records = deployed("aws-dev", "abc")
    inputs: dict[str, Any] = {record["urn"]: plain(record["inputs"]) for record in records if "inputs" in record}
    assert judged(shown(records), inputs, engine.said_of_cloud("aws-dev")).verdict is Verdict.KEPT
    assert judged(shown(records), {}, engine.said_of_cloud("aws-dev")).verdict is not Verdict.KEPT


def test_what_a_refresh_shows_and_the_program_has_no_longer_is_not_judged() -> None:
    plan = Plan(list(deployed("aws-dev", "abc")))
    before = {record["urn"] for record in plan.resources}
    opened_by_a_rule(plan)
    inputs: dict[str, Any] = {record["urn"]: plain(record["inputs"]) for record in plan.resources if "inputs" in record}
    kept = {urn: given for urn, given in inputs.items() if urn in before}
    assert judged(shown(tuple(plan.resources)), kept, engine.said_of_cloud("aws-dev")).verdict is Verdict.KEPT
    assert judged(shown(tuple(plan.resources)), inputs, engine.said_of_cloud("aws-dev")).verdict is Verdict.BROKEN
