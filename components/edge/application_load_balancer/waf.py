"""The web application firewall: AWS's rules in full, and rules of ours that follow from the topology."""

import re
from collections.abc import Iterable, Iterator
from typing import Final

import pulumi
from pulumi_aws import cloudwatch, wafv2

from components.aws.land import AwsLand
from components.aws.logs import log_group
from components.aws.rights import Statement as Right
from components.aws.rights import document
from components.component import Component
from components.edge.ambiguous import AMBIGUOUS
from components.edge.application_load_balancer.statements import (
    HEADER_NAMES,
    METHOD,
    PATH,
    QUERY,
    Change,
    Statement,
    all_of,
    any_of,
    header,
    labelled,
    matches,
    none_of,
)
from components.edge.methods import taken
from components.edge.rates import address_limit
from components.headers import FORGED
from components.known import known
from components.versions import AWS_WAF_RULES
from topology.derive import names
from topology.model.base import HostName, size_in_bytes
from topology.model.door import Door
from topology.model.service import Protocol, Service
from topology.model.system import Topology
from topology.paths import regex

LONGEST_REGEX: Final = 512
"""Characters of an expression, at most (WAF API Reference, `RegexMatchStatement`)."""
INSPECTED: Final = 8192
"""Bytes of a body that the firewall sees behind a load balancer, and no more (ditto, `web-acl-setting-body-inspection-limit`)."""
LARGE_BODY: Final = "SizeRestrictions_BODY"
"""The rule of AWS's core set that refuses longer bodies."""
LARGE_BODY_LABEL: Final = "awswaf:managed:aws:core-rule-set:SizeRestrictions_Body"
"""What it puts on a request where it only counts (ditto, `aws-managed-rule-groups-baseline`)."""
CORE: Final = "AWSManagedRulesCommonRuleSet"
SECRETS: Final = ("authorization", names.API_KEY_HEADER, "cookie")
"""Headers that logs and samples leave out."""
WINDOW: Final = 60
"""Seconds in which requests of one address are counted."""
DELIVERY: Final = "delivery.logs.amazonaws.com"
OURS_BEYOND_PATH: Final = ("not-ascii", "fragment")
"""Ambiguities that are refused in queries too."""


class Firewall(Component, layer="edge"):
    """The web ACL and its logs."""

    arn: pulumi.Output[str]
    logged: pulumi.Resource

    def __init__(self, t: Topology, land: AwsLand, *, parent: pulumi.Resource) -> None:
        """Register the firewall."""
        super().__init__("waf", {"hosts": list(t.public_hosts())}, parent=parent)
        self._land = land
        made = wafv2.WebAcl(
            "waf",
            wafv2.WebAclArgs(
                name=land.names.of("waf"),
                scope="REGIONAL",
                default_action=wafv2.WebAclDefaultActionArgs(allow=wafv2.WebAclDefaultActionAllowArgs()),
                rules=[*_ours(t), *_managed(t)],
                visibility_config=wafv2.WebAclVisibilityConfigArgs(
                    cloudwatch_metrics_enabled=True, sampled_requests_enabled=True, metric_name=land.names.of("waf")
                ),
                data_protection_config=_kept_from_samples(),
                tags=land.names.tags("waf"),
            ),
            opts=pulumi.ResourceOptions(parent=self),
        )
        self.arn = made.arn
        self.logged = self._logs(made)
        self.register_outputs({"name": land.names.of("waf")})

    def _logs(self, acl: wafv2.WebAcl) -> pulumi.Resource:
        """Register the log of every request that the firewall decided on. Its name must begin so (WAF, `logging-cw-logs`)."""
        land = self._land
        log_name = f"aws-waf-logs-{land.names.name}"
        group = log_group("waf-logs", log_name, land.names, key=land.log_key, days=land.sizing.log_days, parent=self)
        write = Right(
            sid="Delivery",
            actions=("logs:CreateLogStream", "logs:PutLogEvents"),
            resources=(f"{land.names.log_group(log_name)}:*",),
            principals={"Service": DELIVERY},
            conditions={"StringEquals": {"aws:SourceAccount": land.names.account}},
        )
        delivery = cloudwatch.LogResourcePolicy(
            "waf-logs",
            cloudwatch.LogResourcePolicyArgs(policy_name=land.names.of("waf-logs"), policy_document=document(write)),
            opts=pulumi.ResourceOptions(parent=self, depends_on=[group]),
        )
        hidden = [
            wafv2.WebAclLoggingConfigurationRedactedFieldArgs(
                single_header=wafv2.WebAclLoggingConfigurationRedactedFieldSingleHeaderArgs(name=secret)
            )
            for secret in SECRETS
        ]
        query = wafv2.WebAclLoggingConfigurationRedactedFieldArgs(
            query_string=wafv2.WebAclLoggingConfigurationRedactedFieldQueryStringArgs()
        )
        return wafv2.WebAclLoggingConfiguration(
            "waf-logs",
            wafv2.WebAclLoggingConfigurationArgs(
                resource_arn=acl.arn,
                log_destination_configs=[known(land.names.log_group(log_name), group)],
                redacted_fields=[*hidden, query],
            ),
            opts=pulumi.ResourceOptions(parent=self, depends_on=[delivery]),
        )


def _kept_from_samples() -> wafv2.WebAclDataProtectionConfigArgs:
    """Return what is replaced before anybody sees it, in the requests that AWS samples too."""
    field = wafv2.WebAclDataProtectionConfigDataProtectionFieldArgs(field_type="SINGLE_HEADER", field_keys=list(SECRETS))
    return wafv2.WebAclDataProtectionConfigArgs(
        data_protections=[wafv2.WebAclDataProtectionConfigDataProtectionArgs(action="SUBSTITUTION", field=field)]
    )


def _ours(t: Topology) -> Iterator[wafv2.WebAclRuleArgs]:
    """Yield the rules of ours, which decide before AWS's."""
    yield _address_limit(t)
    ours = any_of([matches(header("host"), expression, Change.LOWERCASE) for expression in of_hosts(t.public_hosts())])
    yield _block(2, "other-hosts", 421, none_of(ours))
    methods = "|".join(taken(t.doors.values()))
    yield _block(3, "other-methods", 405, none_of(matches(METHOD, f"^(?:{methods})$")))
    yield _block(4, "forged-headers", 400, matches(HEADER_NAMES, f"^(?:{'|'.join(FORGED)})$", Change.LOWERCASE))
    yield _block(5, "ambiguous-paths", 400, any_of([*_ambiguous()]))


def _ambiguous() -> Iterator[Statement]:
    for ambiguity in AMBIGUOUS:
        expression = f"(?i){ambiguity.regex}" if ambiguity.any_case else ambiguity.regex
        yield matches(PATH, expression)
        if ambiguity.reason in OURS_BEYOND_PATH:
            yield matches(QUERY, expression)


def _address_limit(t: Topology) -> wafv2.WebAclRuleArgs:
    limit = address_limit(t)
    counted = wafv2.WebAclRuleStatementRateBasedStatementArgs(
        aggregate_key_type="IP", evaluation_window_sec=WINDOW, limit=max(10, limit.per_second * WINDOW + limit.burst)
    )
    return _block(1, "address-limit", 429, Statement(rate_based_statement=counted))


def _managed(t: Topology) -> Iterator[wafv2.WebAclRuleArgs]:
    """Yield AWS's rules. Each keeps its own action, but for one: bodies are longer than the firewall sees where a door says so."""
    large = sorted({path for door in t.doors.values() if _takes_long_bodies(t, door) for path in door.paths})
    for number, name in enumerate(AWS_WAF_RULES, start=1):
        counted = [LARGE_BODY] if name == CORE and large else []
        yield _group(10 * number, name, counted)
        if counted:
            at_doors = any_of([matches(PATH, expression) for expression in expressions(large)])
            yield _block(10 * number + 1, "large-bodies", 413, all_of([labelled(LARGE_BODY_LABEL), none_of(at_doors)]))


def _takes_long_bodies(t: Topology, door: Door) -> bool:
    """Say whether a door takes longer bodies than the firewall sees: a WebSocket begins without one, and of gRPC it sees none."""
    workload = t.workload(door.service)
    return size_in_bytes(door.max_body) > INSPECTED and (not isinstance(workload, Service) or workload.protocol is Protocol.HTTP)


def expressions(patterns: Iterable[str]) -> list[str]:
    """Return expressions that together match the paths of patterns, and no others."""
    return _either(map(regex, patterns))


def of_hosts(hosts: Iterable[HostName]) -> list[str]:
    """Return expressions that together match hosts as clients name them, with or without the port, and no others."""
    return _either(map(re.escape, hosts), after="(?::443)?")


def _either(parts: Iterable[str], *, after: str = "") -> list[str]:
    """Return expressions, none longer than AWS takes, that together match what is one of the parts and then what may come after."""
    found: list[str] = []
    some: list[str] = []
    for part in parts:
        if some and len(_one_of([*some, part], after)) > LONGEST_REGEX:
            found.append(_one_of(some, after))
            some = []
        some.append(part)
    return [*found, _one_of(some, after)] if some else found


def _one_of(parts: list[str], after: str) -> str:
    return f"^(?:{'|'.join(parts)}){after}$"


def _group(priority: int, name: str, counted: list[str]) -> wafv2.WebAclRuleArgs:
    count = wafv2.WebAclRuleStatementManagedRuleGroupStatementRuleActionOverrideActionToUseArgs(
        count=wafv2.WebAclRuleStatementManagedRuleGroupStatementRuleActionOverrideActionToUseCountArgs()
    )
    group = wafv2.WebAclRuleStatementManagedRuleGroupStatementArgs(
        vendor_name="AWS",
        name=name,
        rule_action_overrides=[
            wafv2.WebAclRuleStatementManagedRuleGroupStatementRuleActionOverrideArgs(name=rule, action_to_use=count) for rule in counted
        ]
        or None,
    )
    return wafv2.WebAclRuleArgs(
        name=name,
        priority=priority,
        statement=Statement(managed_rule_group_statement=group),
        override_action=wafv2.WebAclRuleOverrideActionArgs(none=wafv2.WebAclRuleOverrideActionNoneArgs()),
        visibility_config=_seen(name),
    )


def _block(priority: int, name: str, status: int, statement: Statement) -> wafv2.WebAclRuleArgs:
    answer = wafv2.WebAclRuleActionBlockCustomResponseArgs(response_code=status)
    return wafv2.WebAclRuleArgs(
        name=name,
        priority=priority,
        statement=statement,
        action=wafv2.WebAclRuleActionArgs(block=wafv2.WebAclRuleActionBlockArgs(custom_response=answer)),
        visibility_config=_seen(name),
    )


def _seen(name: str) -> wafv2.WebAclRuleVisibilityConfigArgs:
    return wafv2.WebAclRuleVisibilityConfigArgs(cloudwatch_metrics_enabled=True, sampled_requests_enabled=True, metric_name=name)
