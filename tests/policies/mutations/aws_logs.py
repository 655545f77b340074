"""What containers say in a good stack in Amazon Web Services gets lost, or somebody else reads it."""

import json
from collections.abc import Callable
from typing import Any

from policies.reading.cloud.aws import kinds
from tests.policies.mutations.aws import found
from tests.policies.mutations.aws_rights import rewrite
from tests.policies.mutations.mutation import CloudFamily, Mutation, Table
from tests.policies.mutations.plan import UNKNOWN, Plan

TABLE = Table(CloudFamily.CLUSTER)

COLLECTOR = "fluent-bit"
OWN = "container-logs"

Config = dict[str, str]


def _configure(plan: Plan, change: Callable[[Config], object], **more: Any) -> bool:
    """Change `config` of the add-on; `more` are values beside it."""
    inputs = plan.edit(found(plan, kinds.ADDON, COLLECTOR))
    values = json.loads(inputs["configurationValues"]) | more
    change(values["config"])
    inputs["configurationValues"] = json.dumps(values)
    return True


def _say(plan: Plan, key: str, old: str, new: str) -> bool:
    """Write something else into a part of the configuration."""

    def change(config: Config) -> None:
        assert old in config[key]
        config[key] = config[key].replace(old, new)

    return _configure(plan, change)


def _add(plan: Plan, key: str, line: str) -> bool:
    return _configure(plan, lambda config: config.update({key: f"{config[key]}{line}\n"}))


@TABLE.mutation("N09", "nothing collects what containers say")
def aws_no_collector(plan: Plan) -> bool:
    plan.remove(found(plan, kinds.ADDON, COLLECTOR))
    return True


@TABLE.mutation("N09", "the collector is installed as it comes, and sends nothing to CloudWatch")
def aws_collector_as_it_comes(plan: Plan) -> bool:
    del plan.edit(found(plan, kinds.ADDON, COLLECTOR))["configurationValues"]
    return True


@TABLE.mutation("N09", "the collector has no output")
def aws_collector_sends_nothing(plan: Plan) -> bool:
    return _configure(plan, lambda config: config.update(outputs=""))


@TABLE.mutation("N09", "the collector prints what containers say")
def aws_collector_prints(plan: Plan) -> bool:
    return _say(plan, "outputs", "Name cloudwatch_logs", "Name stdout")


@TABLE.mutation("N09", "the collector sends logs to somebody else as well")
def aws_collector_sends_elsewhere_too(plan: Plan) -> bool:
    return _add(plan, "outputs", "[OUTPUT]\n    Name http\n    Match *\n    Host logs.example")


@TABLE.mutation("N09", "the collector writes with the role of another account")
def aws_collector_as_a_stranger(plan: Plan) -> bool:
    return _add(plan, "outputs", "    role_arn arn:aws:iam::999999999999:role/logs")


@TABLE.mutation("N09", "the collector sends logs to an address that somebody typed")
def aws_collector_to_an_endpoint(plan: Plan) -> bool:
    return _add(plan, "outputs", "    endpoint logs.example")


@TABLE.mutation("N09", "the collector writes to a log group that the program does not make")
def aws_collector_to_another_group(plan: Plan) -> bool:
    return _say(plan, "outputs", "/aws/containerinsights/", "/elsewhere/")


@TABLE.mutation("N09", "the collector writes to a log group in another region")
def aws_collector_to_another_region(plan: Plan) -> bool:
    return _say(plan, "outputs", "region eu-central-1", "region us-east-1")


@TABLE.mutation("N09", "the collector sends some of what containers say")
def aws_collector_sends_some(plan: Plan) -> bool:
    return _say(plan, "outputs", "Match *", "Match kube.*-system_*")


@TABLE.mutation("N09", "the collector reads the containers of one namespace")
def aws_collector_reads_some(plan: Plan) -> bool:
    return _say(plan, "inputs", "/containers/*.log", "/containers/*_kube-system_*.log")


@TABLE.mutation("N09", "the collector leaves the gateway out")
def aws_collector_leaves_out(plan: Plan) -> bool:
    return _add(plan, "inputs", "    Exclude_Path /var/log/containers/*_gateway_*.log")


@TABLE.mutation("N09", "the collector drops lines that somebody chose")
def aws_collector_filters(plan: Plan) -> bool:
    return _configure(plan, lambda config: config.update(filters="[FILTER]\n    Name grep\n    Match *\n    Exclude log 403\n"))


@TABLE.mutation("N09", "pods leave themselves out of the logs")
def aws_pods_leave_themselves_out(plan: Plan) -> bool:
    return _configure(plan, lambda config: config.pop("filters"))


@TABLE.mutation("N09", "another file says what the collector does")
def aws_collector_includes(plan: Plan) -> bool:
    return _add(plan, "outputs", "@INCLUDE /var/log/more.conf")


@TABLE.mutation("N09", "the collector runs on some nodes")
def aws_collector_on_some_nodes(plan: Plan) -> bool:
    return _configure(plan, lambda config: config, nodeSelector={"logs": "yes"})


@TABLE.mutation("N09", "the collector gets no role")
def aws_collector_without_role(plan: Plan) -> bool:
    plan.remove(found(plan, kinds.POD_IDENTITY, OWN))
    return True


@TABLE.mutation("N09", "the collector's role is given to pods of another name")
def aws_collector_of_another_name(plan: Plan) -> bool:
    plan.edit(found(plan, kinds.POD_IDENTITY, OWN))["serviceAccount"] = "cloudwatch-agent"
    return True


@TABLE.mutation("N09", "the collector may write to another log group")
def aws_collector_may_write_elsewhere(plan: Plan) -> bool:
    rewrite(plan, found(plan, kinds.ROLE_POLICY, f"{OWN}-rights"), lambda said: said[0].update(Resource=[f"{said[0]['Resource'][0]}-old"]))
    return True


@TABLE.mutation("N09", "the collector may not begin a log stream")
def aws_collector_may_begin_no_stream(plan: Plan) -> bool:
    rewrite(plan, found(plan, kinds.ROLE_POLICY, f"{OWN}-rights"), lambda said: said[0].update(Action=["logs:PutLogEvents"]))
    return True


@TABLE.mutation("N09", "no NetworkPolicy lets the collector out")
def aws_collector_fenced_in(plan: Plan) -> bool:
    plan.remove(next(r for r in plan.resources if r["urn"].endswith(f"::kube-system/{COLLECTOR}")))
    return True


@TABLE.mutation("N12", "the collector may delete the log that it writes")
def aws_collector_may_delete(plan: Plan) -> bool:
    rewrite(plan, found(plan, kinds.ROLE_POLICY, f"{OWN}-rights"), lambda said: said[0]["Action"].append("logs:DeleteLogGroup"))
    return True


@TABLE.mutation("N12", "any pod takes on the collector's role")
def aws_collector_for_any_pod(plan: Plan) -> bool:
    def change(said: list[dict[str, Any]]) -> None:
        del said[0]["Condition"]["StringEquals"]["aws:RequestTag/kubernetes-service-account"]

    rewrite(plan, found(plan, kinds.ROLE, f"role-{OWN}"), change, "assumeRolePolicy")
    return True


@TABLE.mutation("P07", "the collector runs in a namespace of somebody's choice")
def aws_collector_elsewhere(plan: Plan) -> bool:
    plan.edit(found(plan, kinds.ADDON, COLLECTOR))["namespaceConfig"] = {"namespace": "default"}
    return True


@TABLE.mutation("P02", "the collector keeps what somebody changed of it")
def aws_collector_keeps_changes(plan: Plan) -> bool:
    plan.edit(found(plan, kinds.ADDON, COLLECTOR))["resolveConflictsOnUpdate"] = "PRESERVE"
    return True


@TABLE.mutation("N09", "the collector throws away what it could not send at once")
def aws_collector_gives_up(plan: Plan) -> bool:
    return _say(plan, "outputs", "no_limits", "1")


@TABLE.mutation("N09", "the collector does not run on nodes with a taint")
def aws_collector_leaves_nodes_out(plan: Plan) -> bool:
    plan.edit(found(plan, kinds.NODE_GROUP))["taints"] = [{"key": "dedicated", "value": "gateway", "effect": "NO_SCHEDULE"}]
    return True


@TABLE.mutation("N09", "pods of the collector may not say who they are, and get no role")
def aws_collector_without_tags(plan: Plan) -> bool:
    role = found(plan, kinds.ROLE, f"role-{OWN}")
    rewrite(plan, role, lambda said: said[0].update(Action=["sts:AssumeRole"]), "assumeRolePolicy")
    return True


@TABLE.mutation("W04", "whether requests are kept as samples is known after the deployment")
def aws_samples_unknown(plan: Plan) -> bool:
    plan.edit(found(plan, kinds.WEB_ACL))["visibilityConfig"]["sampledRequestsEnabled"] = UNKNOWN
    return True


@TABLE.mutation("W04", "the bucket of the edge's access log is known after the deployment")
def aws_bucket_unknown(plan: Plan) -> bool:
    plan.edit(found(plan, kinds.LOAD_BALANCER))["accessLogs"]["bucket"] = UNKNOWN
    return True


MUTATIONS: tuple[Mutation, ...] = tuple(TABLE.mutations)
