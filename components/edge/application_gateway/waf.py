"""The web application firewall: Microsoft's rules in full, and rules of ours that follow from the topology."""

import math
from collections.abc import Iterator
from typing import Final

import pulumi
import pulumi_azure_native.network as net

from components.azure.land import AzureLand
from components.edge.ambiguous import AMBIGUOUS
from components.edge.application_gateway.headers import REFUSED
from components.edge.methods import taken
from components.edge.rates import address_limit
from components.known import known
from components.versions import WAF_RULES
from topology.derive import names
from topology.model.base import size_in_bytes
from topology.model.door import Door
from topology.model.system import Topology

INSPECTED: Final = 2000
"""KiB of a body that the firewall reads, at most (Learn, `application-gateway-waf-request-size-limits`)."""
LEAST_LIMIT: Final = 8
"""KiB: the smallest limit that can be said."""
SECRETS: Final = ("authorization", names.API_KEY_HEADER, "cookie")
"""Headers that its logs leave out."""
NOBODY: Final = "255.255.255.255/32"
"""No client's address: a condition that it is not this one holds for all (Learn, `rate-limiting-configure`)."""
MOST_VALUES: Final = 10
"""Texts with which one condition compares, at most (Learn, `application-gateway-limits`)."""
SMALL: Final = "waf"
LARGE: Final = "waf-large"


def kibibytes(door: Door) -> int:
    """Return the size of the largest body that a door takes, in KiB."""
    return math.ceil(size_in_bytes(door.max_body) / 1024)


def is_large(door: Door) -> bool:
    """Say whether a door takes bodies that the firewall cannot read to their end."""
    return kibibytes(door) > INSPECTED


def policy(name: str, t: Topology, land: AzureLand, *, parent: pulumi.Resource) -> pulumi.Output[str]:
    """Register a policy and return its id.

    Args:
        name: `SMALL`, for everything, or `LARGE`, for the paths of doors that take large bodies: of those it reads the beginning, and
            refuses by the length that the request says; the gateway refuses a request that says none.
        t: the system.
        land: where it is registered.
        parent: the component that owns it.
    """
    limits = [kibibytes(door) for door in t.doors.values() if is_large(door) is (name == LARGE)] or [LEAST_LIMIT]
    limit = max(LEAST_LIMIT, *limits)
    where = land.place
    made = net.WebApplicationFirewallPolicy(
        name,
        net.WebApplicationFirewallPolicyArgs(
            policy_name=where.of(name),
            resource_group_name=where.group,
            location=where.location,
            policy_settings=_settings(limit, enforced=name == SMALL),
            managed_rules=net.ManagedRulesDefinitionArgs(
                managed_rule_sets=[
                    net.ManagedRuleSetArgs(rule_set_type=kind, rule_set_version=version) for kind, version in WAF_RULES.items()
                ]
            ),
            custom_rules=[*_rules(t, limit)],
        ),
        opts=pulumi.ResourceOptions(parent=parent),
    )
    return known(where.id("Microsoft.Network/ApplicationGatewayWebApplicationFirewallPolicies", where.of(name)), made)


def _settings(limit: int, *, enforced: bool) -> net.PolicySettingsArgs:
    hidden = [
        net.WebApplicationFirewallScrubbingRulesArgs(
            match_variable=net.ScrubbingRuleEntryMatchVariable.REQUEST_HEADER_NAMES,
            selector_match_operator=net.ScrubbingRuleEntryMatchOperator.EQUALS,
            selector=header,
            state=net.ScrubbingRuleEntryState.ENABLED,
        )
        for header in SECRETS
    ]
    return net.PolicySettingsArgs(
        state=net.WebApplicationFirewallEnabledState.ENABLED,
        mode=net.WebApplicationFirewallMode.PREVENTION,
        request_body_check=True,
        request_body_enforcement=enforced,
        request_body_inspect_limit_in_kb=min(limit, INSPECTED),
        max_request_body_size_in_kb=min(limit, INSPECTED),
        file_upload_enforcement=True,
        file_upload_limit_in_mb=math.ceil(limit / 1024),
        log_scrubbing=net.PolicySettingsLogScrubbingArgs(state=net.WebApplicationFirewallScrubbingState.ENABLED, scrubbing_rules=hidden),
    )


def _rules(t: Topology, limit: int) -> Iterator[net.WebApplicationFirewallCustomRuleArgs]:
    """Yield the rules of ours, which decide before Microsoft's."""
    hosts = [spelled for host in t.public_hosts() for spelled in (host, f"{host}:443")]
    methods: list[str] = [*taken(t.doors.values())]
    header = net.WebApplicationFirewallMatchVariable.REQUEST_HEADERS
    uri = net.WebApplicationFirewallMatchVariable.REQUEST_URI
    yield _address_limit(t)
    equal = net.WebApplicationFirewallOperator.EQUAL
    # Conditions hold together: none of these hosts, and none of those. A host in capitals is the same host.
    parts = [hosts[start : start + MOST_VALUES] for start in range(0, len(hosts), MOST_VALUES)]
    others = [_match(header, ["Host"], equal, part, negated=True) for part in parts]
    for condition in others:
        condition.transforms = [net.WebApplicationFirewallTransform.LOWERCASE]
    yield _block(2, "otherHosts", *others)
    method = net.WebApplicationFirewallMatchVariable.REQUEST_METHOD
    yield _block(3, "otherMethods", _match(method, [None], equal, methods, negated=True))
    yield _block(4, "overridingHeaders", _match(header, list(REFUSED), net.WebApplicationFirewallOperator.ANY, []))
    found = [f"(?i){ambiguity.regex}" if ambiguity.any_case else ambiguity.regex for ambiguity in AMBIGUOUS]
    yield _block(5, "ambiguousPaths", _match(uri, [None], net.WebApplicationFirewallOperator.REGEX, found))
    longest = [str(limit * 1024)]
    yield _block(6, "longBodies", _match(header, ["Content-Length"], net.WebApplicationFirewallOperator.GREATER_THAN, longest))


def _address_limit(t: Topology) -> net.WebApplicationFirewallCustomRuleArgs:
    limit = address_limit(t)
    variable = net.GroupByVariableArgs(variable_name=net.ApplicationGatewayFirewallUserSessionVariable.CLIENT_ADDR)
    address = net.WebApplicationFirewallMatchVariable.REMOTE_ADDR
    return net.WebApplicationFirewallCustomRuleArgs(
        name="addressLimit",
        priority=1,
        state=net.WebApplicationFirewallState.ENABLED,
        rule_type=net.WebApplicationFirewallRuleType.RATE_LIMIT_RULE,
        rate_limit_duration=net.ApplicationGatewayFirewallRateLimitDuration.ONE_MIN,
        rate_limit_threshold=limit.per_second * 60 + limit.burst,
        group_by_user_session=[net.GroupByUserSessionArgs(group_by_variables=[variable])],
        match_conditions=[_match(address, [None], net.WebApplicationFirewallOperator.IP_MATCH, [NOBODY], negated=True)],
        action=net.WebApplicationFirewallAction.BLOCK,
    )


def _block(priority: int, name: str, *conditions: net.MatchConditionArgs) -> net.WebApplicationFirewallCustomRuleArgs:
    return net.WebApplicationFirewallCustomRuleArgs(
        name=name,
        priority=priority,
        state=net.WebApplicationFirewallState.ENABLED,
        rule_type=net.WebApplicationFirewallRuleType.MATCH_RULE,
        match_conditions=list(conditions),
        action=net.WebApplicationFirewallAction.BLOCK,
    )


def _match(
    variable: net.WebApplicationFirewallMatchVariable,
    selectors: list[str] | list[None],
    operator: net.WebApplicationFirewallOperator,
    values: list[str],
    *,
    negated: bool = False,
) -> net.MatchConditionArgs:
    return net.MatchConditionArgs(
        match_variables=[net.MatchVariableArgs(variable_name=variable, selector=selector) for selector in selectors],
        operator=operator,
        match_values=values,
        negation_conditon=negated,
    )
