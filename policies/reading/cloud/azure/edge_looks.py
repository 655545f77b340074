"""What an Application Gateway and its firewall tell the rules of the edge: prevention, whole rules, logs, TLS, limits."""

import math
import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Final

from policies.reading.ambiguous import AMBIGUOUS
from policies.reading.cloud.azure import firewall
from policies.reading.cloud.azure.apis import API, KEY_HEADER
from policies.reading.cloud.azure.application_gateway import KIND, WAF, Gateway, Routed
from policies.reading.cloud.azure.doors import doors_at
from policies.reading.cloud.azure.firewall_samples import longest_body_at
from policies.reading.cloud.azure.ids import last, speller
from policies.reading.cloud.flaws import Flaw, Reader
from policies.reading.cloud.references import meant
from policies.reading.resource import Resource
from policies.reading.spoken_headers import CREDENTIALS
from policies.reading.tiers import largest_body, most_for_all, sustained, tiers_at
from policies.reading.values import UnknownValueError, mapping, sequence

if TYPE_CHECKING:
    from policies.reading.stack import Stack

RULE_SETS: Final = {"Microsoft_DefaultRuleSet": (2, 1), "Microsoft_BotManagerRuleSet": (1, 0)}
"""Rule sets that make a firewall whole, with the oldest version that is kept up (Learn, `waf-engine`, `application-gateway-crs-rulegroups-rules`)."""

MODERN: Final = frozenset({"AppGwSslPolicy20220101", "AppGwSslPolicy20220101S"})
"""Predefined policies without TLS 1.0 and 1.1 and without ciphers of CBC (Learn, `application-gateway-ssl-policy-overview`)."""
VERSIONS: Final = frozenset({"TLSv1_2", "TLSv1_3"})
CIPHERS: Final = re.compile(r"^TLS_(ECDHE_(ECDSA|RSA)_WITH_)?AES_(128|256)_GCM_SHA(256|384)$")

LOGS: Final = frozenset({"ApplicationGatewayFirewallLog", "ApplicationGatewayAccessLog"})
ALL_LOGS: Final = frozenset({"allLogs", "audit"})
DIAGNOSTICS: Final = "azure-native:monitor:DiagnosticSetting"

LEAST_LIMIT: Final = 8 * 1024
"""The shortest length of bodies, in bytes, that a policy can be told to refuse more than (REST, `PolicySettings.maxRequestBodySizeInKb`)."""
WINDOWS: Final = {"OneMin": 60, "FiveMins": 300}
NOBODY: Final = frozenset({"255.255.255.255/32"})
"""An address that no client has: all but it are everybody."""
BY_DEFAULT: Final = 128
"""KiB of a body that are read and taken where nothing is said."""
LARGEST_FILE: Final = 100
"""MB of a file that pass where nothing is said."""
MEBIBYTE: Final = 1024**2
LONGEST_INSPECTED: Final = 2000 * 1024
"""Bytes of a body that the firewall reads at most (Learn, `application-gateway-waf-request-size-limits`)."""


def prevents(policy: Resource, stack: "Stack") -> Iterator[Flaw]:
    """W01."""
    del stack
    state, mode = policy.at("policySettings", "state", default=None), policy.at("policySettings", "mode", default=None)
    if state != "Enabled":
        yield Flaw(message=f"its state is {state or 'not given'}: it looks at nothing", fix="write `policySettings: {state: Enabled}`")
    if mode != "Prevention":
        given = mode or "not given, which is Detection"
        yield Flaw(message=f"its mode is {given}: what it finds is let through", fix="write `policySettings: {mode: Prevention}`")


def is_inspected(resource: Resource, stack: "Stack") -> Iterator[Flaw]:
    """W02."""
    gateway, tier = Gateway(resource=resource), resource.at("sku", "tier", default="")
    if tier != "WAF_v2":
        yield Flaw(message=f"its SKU is {tier or 'not given'}, which has no firewall", fix="write `sku: {name: WAF_v2, tier: WAF_v2}`")
    for routed in gateway.routes:
        if gateway.firewall(stack, routed) is None and _sends(gateway, routed):
            yield Flaw(
                message=f"{routed}: sends requests on that no WAF has seen: no firewall policy is linked", fix="link `firewallPolicy`"
            )


def is_whole(policy: Resource, stack: "Stack") -> Iterator[Flaw]:
    """W03."""
    waiver = "remove it, or exempt this finding with a reason, an owner and an expiry"
    sets = [mapping(each) for each in policy.at("managedRules", "managedRuleSets", default=[])]
    versions = {str(each.get("ruleSetType")): str(each.get("ruleSetVersion")) for each in sets}
    if strange := [str(each.get("ruleSetType")) for each in sets if str(each.get("ruleSetType")) not in RULE_SETS] or [
        name for name in versions if sum(str(each.get("ruleSetType")) == name for each in sets) > 1
    ]:
        yield Flaw(message=f"has {strange[0]} beside its rule sets: which of them holds is not known", fix=waiver, undecided=True)
    for name, oldest in RULE_SETS.items():
        given = versions.get(name)
        if given is None or tuple(map(int, given.split("."))) < oldest:
            wanted = ".".join(map(str, oldest))
            yield Flaw(message=f"has {name} {given or '(not at all)'}, not {wanted} or later", fix=f"add the rule set {name} {wanted}")
    for each in sets:
        for group in sequence(each.get("ruleGroupOverrides")):
            for rule in sequence(mapping(group).get("rules")) or [{}]:
                if mapping(rule).get("state") != "Enabled" or mapping(rule).get("action") not in {None, "AnomalyScoring", "Block"}:
                    what = f"rule {mapping(rule).get('ruleId')}" if rule else f"group {mapping(group).get('ruleGroupName')}"
                    yield Flaw(message=f"{each.get('ruleSetType')}: {what} is overridden, so what it finds passes", fix=waiver)
    for exclusion in policy.at("managedRules", "exclusions", default=[]):
        said = " ".join(str(exclusion.get(key)) for key in ("matchVariable", "selectorMatchOperator", "selector"))
        yield Flaw(message=f"excludes {said} from its rules", fix=waiver)
    for rule in firewall.custom_rules(policy):
        if rule.action != "Block":
            yield Flaw(message=f"its rule {rule.name} ({rule.action}) does not refuse what it finds", fix=waiver)
    yield from _bodies(policy, stack)


def _bodies(policy: Resource, stack: "Stack") -> Iterator[Flaw]:
    if policy.at("policySettings", "requestBodyCheck", default=False) is not True:
        yield Flaw(message="bodies of requests are not looked at (requestBodyCheck)", fix="write `requestBodyCheck: true`")
    settings = mapping(policy.at("policySettings", default={}))
    inspected, most = (int(settings.get(key) or BY_DEFAULT) for key in ("requestBodyInspectLimitInKB", "maxRequestBodySizeInKb"))
    enforced = settings.get("requestBodyEnforcement") is not False
    if inspected < most:
        yield Flaw(message=f"looks at {inspected} KiB of a body and lets {most} KiB pass", fix="let both limits be the same")
    if enforced:
        return
    for resource in stack.of(KIND):
        gateway = Gateway(resource=resource)
        for routed in gateway.routes:
            if gateway.firewall(stack, routed) is policy and _sends(gateway, routed) and not _asks_for_long_bodies(routed, stack):
                yield Flaw(
                    message=f"lets bodies of any length pass unread (requestBodyEnforcement), also at {routed} of {resource}, "
                    f"where no door of the topology takes more than {LONGEST_INSPECTED} bytes",
                    fix="write `requestBodyEnforcement: true`, and bind another policy to the paths of doors with long bodies",
                )


def _asks_for_long_bodies(routed: Routed, stack: "Stack") -> bool:
    longest = max((door.longest for door in doors_at(stack, routed)), default=0)
    return longest > LONGEST_INSPECTED


def is_logged(resource: Resource, stack: "Stack") -> Iterator[Flaw]:
    """W04."""
    kept = categories_kept(resource, stack, LOGS)
    for missing in sorted(LOGS - kept):
        yield Flaw(
            message=f"{missing} is kept nowhere: what the WAF refuses is written down by nobody", fix="add a DiagnosticSetting with it"
        )


def categories_kept(resource: Resource, stack: "Stack", whole: frozenset[str]) -> set[str]:
    """Return the categories of a resource's logs that some diagnostic setting keeps; `whole` stands for a group of all of them."""
    kept: set[str] = set()
    for setting in stack.of(DIAGNOSTICS):
        if not is_about(setting, resource, stack):
            continue
        if not any(setting.props.get(field) is not None for field in ("workspaceId", "storageAccountId", "eventHubAuthorizationRuleId")):
            continue
        for log in setting.at("logs", default=[]):
            if log.get("enabled") is True:
                kept |= whole if log.get("categoryGroup") in ALL_LOGS else {str(log.get("category"))}
    return kept


def is_about(setting: Resource, resource: Resource, stack: "Stack") -> bool:
    """Say whether a diagnostic setting is a resource's, and no other's of its kind."""
    given = setting.props.get("resourceUri")
    return meant(stack, setting, "resourceUri", given, among=stack.of(resource.kind), spelled=speller(stack)) == (resource,)


def logs_no_credentials(policy: Resource, stack: "Stack") -> Iterator[Flaw]:
    """W04: what a rule finds stands in the log with its value, unless that is scrubbed; no more than credentials is."""
    scrubbing = mapping(policy.at("policySettings", "logScrubbing", default={}))
    rules = [
        tuple(str(rule.get(field)) for field in ("matchVariable", "selectorMatchOperator", "selector"))
        for rule in map(mapping, sequence(scrubbing.get("scrubbingRules")))
        if str(rule.get("state", "Enabled")) == "Enabled"
    ]
    hidden = {selector.lower() for variable, operator, selector in rules if (variable, operator) == ("RequestHeaderNames", "Equals")}
    keys = {api.at("subscriptionKeyParameterNames", "header", default=KEY_HEADER).lower() for api in stack.of(API)}
    wanted = {*CREDENTIALS, *keys} if stack.intent.doors else set[str]()
    kept = sorted(wanted - hidden) if scrubbing.get("state") == "Enabled" else sorted(wanted)
    if kept:
        yield Flaw(message=f"writes a client's {kept[0]} into its log", fix="scrub the header by a rule of `logScrubbing`")
    for said in rules if stack.intent.doors else ():
        if said[:2] != ("RequestHeaderNames", "Equals") or said[2].lower() not in {*CREDENTIALS, *keys}:
            yield Flaw(
                message=f"hides {' '.join(said)} in its log: what it refused, and whom, is not to be told any more",
                fix="scrub credentials alone",
            )


def is_https(resource: Resource, stack: "Stack") -> Iterator[Flaw]:
    """W05."""
    del stack
    gateway = Gateway(resource=resource)
    for routed in gateway.routes:
        listener = routed.listener
        if listener.public and not listener.tls and not (routed.redirect and _leads_to_tls(gateway, routed.redirect)):
            yield Flaw(
                message=f"listener {listener.name} hears port {listener.port} without TLS, and {routed} does more than redirect to https",
                fix="write `protocol: Https`, or redirect to the listener with TLS",
            )


def _leads_to_tls(gateway: Gateway, name: str) -> bool:
    redirect = gateway.part("redirectConfigurations", name)
    if listener := last(redirect.get("targetListener")):
        return any(each.name == listener and each.tls for each in gateway.listeners)
    return str(redirect.get("targetUrl") or "").startswith("https://")


def speaks_modern_tls(resource: Resource, stack: "Stack") -> Iterator[Flaw]:
    """W06."""
    del stack
    fix = "write `sslPolicy: {policyType: Predefined, policyName: AppGwSslPolicy20220101S}`"
    policy = mapping(resource.at("sslPolicy", default={}))
    match policy.get("policyType"):
        case "Predefined":
            if policy.get("policyName") not in MODERN:
                yield Flaw(message=f"its TLS policy {policy.get('policyName')} accepts withdrawn versions or weak ciphers", fix=fix)
        case "Custom" | "CustomV2":
            if policy.get("minProtocolVersion") not in VERSIONS:
                yield Flaw(message=f"accepts TLS from {policy.get('minProtocolVersion') or 'any version'}", fix=fix)
            if weak := [cipher for cipher in sequence(policy.get("cipherSuites")) if not CIPHERS.match(str(cipher))]:
                yield Flaw(message=f"accepts ciphers that protect little: {', '.join(weak)}", fix=fix)
        case _:
            yield Flaw(message="has no TLS policy, so Azure's default of the day decides", fix=fix)


def reads_one_way(policy: Resource, stack: "Stack") -> Iterator[Flaw]:
    """W07."""
    del stack
    passed = [kind for kind, paths in AMBIGUOUS.items() if not all(_is_refused(policy, path) for path in paths)]
    if passed:
        yield Flaw(
            message=f"lets paths with {', '.join(passed)} pass, which layers read differently",
            fix="refuse them by a rule of the policy, with expressions on RequestUri",
        )


def _is_refused(policy: Resource, path: str) -> bool:
    for condition in firewall.refusing(policy, "RequestUri"):
        if condition.operator == firewall.REGEX and not condition.negated and not condition.transforms:
            try:
                if any(re.search(value, path) for value in condition.values):
                    return True
            except re.error as error:
                raise UnknownValueError(f"{policy}: {error.pattern!r}", f"an expression that is not read ({error})") from error
    return False


def is_limited(policy: Resource, stack: "Stack") -> Iterator[Flaw]:
    """W10."""
    tiers = stack.intent.tiers.values()
    own = tiers_at(
        stack.intent, {host for each in stack.of(KIND) for routed in Gateway(resource=each).routes for host in routed.listener.hosts}
    )
    limits = [rule for rule in firewall.custom_rules(policy) if rule.enabled and rule.kind == "RateLimitRule" and rule.action == "Block"]
    whole = [rule for rule in limits if _counts_everybody(rule)]
    if not whole:
        yield Flaw(
            message="limits nobody by address, or only some: one address may ask as often as it likes",
            fix="add a RateLimitRule by ClientAddr",
        )
    for rule in whole:
        threshold, window = int(rule.spec["rateLimitThreshold"]), str(rule.spec.get("rateLimitDuration"))
        if window not in WINDOWS:
            yield Flaw(message=f"rule {rule.name}: how long {window} is is not known", fix="write OneMin or FiveMins", undecided=True)
        elif threshold > (most := most_for_all(tiers, WINDOWS[window])):
            yield Flaw(
                message=f"rule {rule.name} lets one address ask {threshold} times in {window}; that stops no flood",
                fix=f"at most {most}",
            )
        elif threshold < (least := sustained(own, WINDOWS[window])):
            yield Flaw(
                message=f"rule {rule.name} lets one address ask {threshold} times in {window}; a client of the fastest tier may {least} times",
                fix="give a limit that no tier's clients meet",
            )
    yield from _length(policy, largest_body(stack.intent))
    yield from _short(policy, longest_body_at(policy, stack))


def _length(policy: Resource, most: int) -> Iterator[Flaw]:
    bounds = [
        int(value)
        for condition in firewall.refusing(policy, "RequestHeaders", "content-length")
        if condition.operator in {"GreaterThan", "GreaterThanOrEqual"} and not condition.negated
        for value in condition.values
    ]
    enforced: Any = policy.at("policySettings", "requestBodyEnforcement", default=True)
    yield from _uploads(policy, most)
    if enforced is True:
        bounds.append(int(policy.at("policySettings", "maxRequestBodySizeInKb", default=BY_DEFAULT)) * 1024)
    if not bounds:
        yield Flaw(message="a request may be of any size", fix="write `requestBodyEnforcement: true` or refuse long Content-Length")
    elif most and max(most, LEAST_LIMIT) < min(bounds):  # without a door nothing passes, however short
        yield Flaw(message=f"lets {min(bounds)} bytes pass; no door takes more than {most}", fix="give the size of the door")


def _short(policy: Resource, longest: int) -> Iterator[Flaw]:
    """Tell of bodies that a door behind the policy takes, and that it refuses for their length."""
    settings = mapping(policy.at("policySettings", default={}))
    bounds: dict[str, int] = {}
    if settings.get("requestBodyEnforcement", True) is True:
        bounds["maxRequestBodySizeInKb"] = int(settings.get("maxRequestBodySizeInKb") or BY_DEFAULT) * 1024
    if settings.get("fileUploadEnforcement", True) is True:
        given = settings.get("fileUploadLimitInMb")
        bounds["fileUploadLimitInMb"] = (LARGEST_FILE if given is None else int(given)) * MEBIBYTE
    for name, bound in bounds.items():
        if bound < longest:
            yield Flaw(message=f"refuses bodies over {bound} bytes; a door takes {longest} ({name})", fix="give the size of the door")


def _uploads(policy: Resource, most: int) -> Iterator[Flaw]:
    """Tell of files, which the limit of bodies does not count (Learn, `application-gateway-waf-request-size-limits`)."""
    if policy.at("policySettings", "fileUploadEnforcement", default=True) is not True:
        yield Flaw(message="files of any size pass (fileUploadEnforcement)", fix="write `fileUploadEnforcement: true`")
        return
    given = int(policy.at("policySettings", "fileUploadLimitInMb", default=LARGEST_FILE))
    if 0 < math.ceil(most / MEBIBYTE) < given:
        yield Flaw(
            message=f"lets files of {given} MB pass; no door takes more than {most} bytes",
            fix="give the size of the door (fileUploadLimitInMb)",
        )


def _counts_everybody(rule: firewall.CustomRule) -> bool:
    groups = [
        str(mapping(each).get("variableName"))
        for session in sequence(rule.spec.get("groupByUserSession"))
        for each in sequence(mapping(session).get("groupByVariables"))
    ]
    everybody = all(
        condition.operator == "IPMatch"
        and condition.variables == (("RemoteAddr", ""),)
        and (frozenset(condition.values) <= NOBODY if condition.negated else "0.0.0.0/0" in condition.values)
        for condition in rule.conditions
    )
    return groups == ["ClientAddr"] and everybody


def _sends(gateway: Gateway, routed: Routed) -> bool:
    return bool(routed.pool and not routed.redirect and gateway.targets(routed.pool))


READERS: Final = (
    Reader(rule="W01", kinds=(WAF,), look=prevents),
    Reader(rule="W02", kinds=(KIND,), look=is_inspected),
    Reader(rule="W03", kinds=(WAF,), look=is_whole),
    Reader(rule="W04", kinds=(KIND,), look=is_logged),
    Reader(rule="W04", kinds=(WAF,), look=logs_no_credentials),
    Reader(rule="W05", kinds=(KIND,), look=is_https),
    Reader(rule="W06", kinds=(KIND,), look=speaks_modern_tls),
    Reader(rule="W07", kinds=(WAF,), look=reads_one_way),
    Reader(rule="W10", kinds=(WAF,), look=is_limited),
)
