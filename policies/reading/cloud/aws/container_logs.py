"""What containers say: whether Fluent Bit, as an add-on of EKS, sends all of it to a log group of the program."""

import re
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, Final

from policies.reading.cloud.addresses import addresses
from policies.reading.cloud.aws.cni import configuration
from policies.reading.cloud.aws.documents import account_of, region_of
from policies.reading.cloud.aws.eks import COLLECTOR, belongs
from policies.reading.cloud.aws.kinds import ADDON, LOG_GROUP, NODE_GROUP, POD_IDENTITY
from policies.reading.cloud.aws.log_endpoints import ON_THE_NODE, cloudwatch, passes
from policies.reading.cloud.aws.permissions import OVER_TLS, Request
from policies.reading.cloud.aws.roles import POD, PODS, WRITING
from policies.reading.cloud.aws.writers import may_write, roles_of
from policies.reading.cloud.egress import Egress
from policies.reading.cloud.flaws import Flaw
from policies.reading.fluent_bit import Section, UnreadLineError, sections
from policies.reading.resource import Resource
from policies.reading.values import UnknownValueError, mapping, sequence

if TYPE_CHECKING:
    from policies.reading.stack import Stack

EVERYWHERE: Final = "/var/log/containers/*.log"
"""Where the kubelet links the output of every container of a node."""
OF_THE_ADDON: Final = frozenset({"config", "resources", "tolerations"})
"""Values of the add-on that are read here, or that leave no node out (github.com/fluent/helm-charts, `charts/fluent-bit/values.yaml`)."""
OF_ITS_CONFIG: Final = frozenset({"inputs", "filters", "outputs"})
LABELS: Final = {"app.kubernetes.io/name": COLLECTOR}
"""Of its pods, by which a NetworkPolicy selects them (ditto, `templates/_helpers.tpl`)."""

READS: Final[Mapping[str, str]] = {
    "name": "tail",
    "path": re.escape(EVERYWHERE),
    "multiline.parser": "(docker, ?)?cri",
    "tag": r"[\w.*-]+",
    "db": ".+",
    **dict.fromkeys(("mem_buf_limit", "refresh_interval", "rotate_wait"), r"\d+[kmg]?b?"),
    **dict.fromkeys(("read_from_head", "skip_long_lines"), "on|true|yes"),
}
"""Settings of an input that takes everything, with the values that leave nothing out (docs.fluentbit.io, `pipeline/inputs/tail`)."""
SENDS: Final[Mapping[str, str]] = {
    "name": "cloudwatch_logs",
    "match": r"\*",
    **dict.fromkeys(("region", "log_group_name", "log_stream_prefix"), ".+"),
    "log_key": "log",
    "auto_create_group": "off|false|no",
    "retry_limit": "no_limits|false",
    "workers": r"\d+",
}
"""Settings of an output that sends everything to a log group of this account (docs.fluentbit.io, `pipeline/outputs/cloudwatch`)."""
ASKED: Final = ("name", "match")
"""Settings without which a section does something else, or nothing."""

TAKING_ON: Final = ("sts:AssumeRole", "sts:TagSession")
"""What Pod Identity does to give pods a role (EKS User Guide, `pod-id-role`)."""
NAME_SERVICE: Final = {"k8s-app": "kube-dns"}
"""Labels of CoreDNS, an add-on too (EKS User Guide, `managing-coredns`), in the namespace `kube-system`."""
GIVING: Final = "eks-pod-identity-agent"
"""The add-on that gives pods their role, on every node (EKS User Guide, `pod-id-agent-setup`)."""
AGENT: Final = "169.254.170.23/32"
"""Where pods ask which role they have (EKS User Guide, `pod-id-how-it-works`)."""

FIX: Final = "write `config` as components/cluster/eks/container_logs.py does"


def are_collected(cluster: Resource, stack: "Stack") -> Iterator[Flaw]:
    """Check that something takes what every container says, and may write it where it is kept."""
    own = [addon for addon in stack.of(ADDON) if addon.at("addonName", default="") == COLLECTOR and belongs(stack, addon, cluster)]
    if not own:
        yield Flaw(message=f"{ON_THE_NODE}: nothing collects it", fix=f"add the add-on {COLLECTOR} with a log group of the program")
    elif not any(addon.at("addonName", default="") == GIVING and belongs(stack, addon, cluster) for addon in stack.of(ADDON)):
        yield Flaw(message=f"{ON_THE_NODE}: nothing gives the pods of {COLLECTOR} their role", fix=f"add the add-on {GIVING}")
    yield from passes(stack) if own else ()
    for addon in own:
        values = configuration(addon)
        config = mapping(values.get("config"))
        for key in sorted((values.keys() - OF_THE_ADDON) | {f"config.{key}" for key in config.keys() - OF_ITS_CONFIG}):
            message = f"sets {key} of {COLLECTOR}, and what that changes is not known"
            yield Flaw(message=message, fix="remove it", resource=addon, undecided=True)
        if _leaves_out_nodes(values, cluster, stack):
            message = f"does not run on nodes with a taint: {ON_THE_NODE} there"
            yield Flaw(message=message, fix="give it the toleration `operator: Exists`", resource=addon)
        yield from _inputs(addon, config)
        yield from _filters(addon, config)
        yield from _outputs(addon, config, cluster, stack)
        yield from _calls(addon, stack)


def _leaves_out_nodes(values: Mapping[str, Any], cluster: Resource, stack: "Stack") -> bool:
    """Say whether some nodes have a taint, and not every taint is tolerated."""
    tainted = any(group.at("taints", default=[]) for group in stack.of(NODE_GROUP) if belongs(stack, group, cluster))
    return tainted and {"operator": "Exists"} not in sequence(values.get("tolerations"))


def _inputs(addon: Resource, config: Mapping[str, Any]) -> Iterator[Flaw]:
    found = _sections(addon, config, "inputs")
    for each in found:
        yield from _settings(addon, "INPUT", each, READS)
    if not any(each.settings.get("path") == EVERYWHERE for each in found):
        yield Flaw(message=f"{ON_THE_NODE}: no input is said to read {EVERYWHERE}", fix=FIX, resource=addon)


def _filters(addon: Resource, config: Mapping[str, Any]) -> Iterator[Flaw]:
    """Check that nothing stands between: by the filter of the add-on's own a pod leaves itself out (`K8S-Logging.Exclude`)."""
    fix = 'set config.filters: ""'
    if config.get("filters") is None:
        message = f"{ON_THE_NODE} where a pod asks for it: its filters are those that {COLLECTOR} brings"
        yield Flaw(message=message, fix=fix, resource=addon)
    for each in _sections(addon, config, "filters"):
        message = f"what containers say passes {each.kind} {each.settings.get('name', '')}, and what that leaves out is not known"
        yield Flaw(message=message, fix=fix, resource=addon, undecided=True)


def _outputs(addon: Resource, config: Mapping[str, Any], cluster: Resource, stack: "Stack") -> Iterator[Flaw]:
    found = _sections(addon, config, "outputs")
    if not found:
        yield Flaw(message=f"{ON_THE_NODE}: no output sends it", fix=FIX, resource=addon)
    for each in found:
        yield from _settings(addon, "OUTPUT", each, SENDS)
        region, name = each.settings.get("region", ""), each.settings.get("log_group_name", "")
        groups = [group for group in stack.of(LOG_GROUP) if region == region_of(stack) and group.at("name", default="") == name]
        if not groups:
            yield Flaw(
                message=f"sends what containers say to {name or 'no group'} in {region or 'no region'}, and who reads there is not known",
                fix="name a log group of the program and its region (log_group_name, region)",
                resource=addon,
                undecided=True,
            )
        elif not _may_write(addon, cluster, stack, groups[0]):
            yield Flaw(
                message=f"{ON_THE_NODE}: the pods of {COLLECTOR} may not write to {name}",
                fix=f"give their service account a role with {' and '.join(sorted(WRITING))} to it, by a PodIdentityAssociation",
                resource=addon,
            )


def _settings(addon: Resource, kind: str, section: Section, accepted: Mapping[str, str]) -> Iterator[Flaw]:
    """Yield the settings of a section by which something may be left out, or go elsewhere."""
    said = section.settings
    strange = [f"{key} {value}" for key, value in said.items() if not re.fullmatch(accepted.get(key, "(?!)"), value, re.IGNORECASE)]
    strange += [f"no {key}" for key in ASKED if key in accepted and key not in said]
    for each in [f"[{section.kind}]"] if section.kind != kind else strange:
        message = f"collects what containers say by {kind} `{each}`, and what that leaves out, or to whom it goes, is not known"
        yield Flaw(message=message, fix=FIX, resource=addon, undecided=True)


def _calls(addon: Resource, stack: "Stack") -> Iterator[Flaw]:
    """Check that NetworkPolicies let it out to everybody whom it asks before a line is kept."""
    egress = Egress(_place(addon), LABELS, stack)
    called = {
        "the name service": egress.reaches_pods("kube-system", NAME_SERVICE, 53, "UDP"),
        "the agent that knows its role": egress.reaches(addresses(AGENT), 80),
        "CloudWatch": egress.reaches(cloudwatch(stack), 443),
    }
    if shut := [who for who, reached in called.items() if not reached]:
        yield Flaw(
            message=f"{ON_THE_NODE}: no NetworkPolicy lets {COLLECTOR} reach {', '.join(shut)}",
            fix=f"add one for its pods in {_place(addon)}",
            resource=addon,
        )


def _may_write(addon: Resource, cluster: Resource, stack: "Stack", group: Resource) -> bool:
    """Say whether the pods of the add-on get a role by which they may write to a log group."""
    wanted = (_place(addon), COLLECTOR)
    account, name = account_of(stack), str(cluster.at("name"))
    facts = {
        **OVER_TLS,
        "aws:sourceaccount": account,
        "aws:sourcearn": f"arn:aws:eks:{region_of(stack)}:{account}:cluster/{name}",
        **{tag.lower(): value for tag, value in zip(POD, (name, *wanted), strict=True)},
    }
    taking = [Request(action=action, service=PODS, facts=facts) for action in TAKING_ON]
    return any(
        may_write(stack, role, taking, group)
        for each in stack.of(POD_IDENTITY)
        if belongs(stack, each, cluster) and (each.at("namespace", default=""), each.at("serviceAccount", default="")) == wanted
        for role in roles_of(stack, each, "roleArn")
    )


def _place(addon: Resource) -> str:
    """Return the namespace of the add-on: of its own name where none is said (EKS User Guide, `community-addons`)."""
    return str(mapping(addon.at("namespaceConfig", default={})).get("namespace") or COLLECTOR)


def _sections(addon: Resource, config: Mapping[str, Any], key: str) -> list[Section]:
    try:
        return list(sections(str(config.get(key) or "")))
    except UnreadLineError as line:
        raise UnknownValueError(f"{addon}: configurationValues", f"config.{key} has a line that is not read: {line}") from line
