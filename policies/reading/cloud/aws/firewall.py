"""Web ACLs (AWS WAF): whether they refuse what they find, see whole requests, count, and stand before what is public."""

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, Final

from policies.reading.cloud.aws.acl_conditions import chosen
from policies.reading.cloud.aws.balancers import is_application, is_public
from policies.reading.cloud.aws.kinds import LOAD_BALANCER, WEB_ACL, WEB_ACL_ASSOCIATION
from policies.reading.cloud.aws.statements import (
    CORE,
    INSPECTED,
    LONG_BODY,
    Sample,
    action_of,
    answer_of,
    counts_only,
    managed_of,
    overrides_of,
    rules_of,
)
from policies.reading.cloud.flaws import Flaw
from policies.reading.cloud.references import one
from policies.reading.door_samples import sample_path
from policies.reading.resource import Resource
from policies.reading.tiers import CLIENTS_PER_ADDRESS, most_for_all, sustained
from policies.reading.values import UnknownValueError, mapping, sequence
from topology.model.base import size_in_bytes
from topology.paths import covers

if TYPE_CHECKING:
    from policies.reading.stack import Stack

WANTED: Final = (CORE, "AWSManagedRulesKnownBadInputsRuleSet", "AWSManagedRulesSQLiRuleSet")
"""Managed groups that every web ACL has: together the counterpart of OWASP's core rule set, of its rules for Log4Shell and the like, and of
those against SQL injection, which AWS's core rules do not look for.

https://docs.aws.amazon.com/waf/latest/developerguide/aws-managed-rule-groups-baseline.html, `aws-managed-rule-groups-use-case.html`
"""
AMAZON: Final = "AWS"

READ: Final = frozenset({"name", "vendorName", "ruleActionOverrides", "scopeDownStatement"})
"""What is said of a managed group and is read. `version` takes it off the one that AWS renews, `managedRuleGroupConfigs` configures it."""

REFUSING: Final = frozenset({"block"})
"""Actions of one's own rules that refuse. `captcha` and `challenge` ask a browser, and APIs have none."""

REFUSAL: Final = 400
"""The first status by which a server says that it did not do what it was asked (RFC 9110, 15.5)."""


# Where firewalls stand


def acl_of(stack: "Stack", balancer: Resource) -> Resource | None:
    """Return the web ACL of a load balancer, or None.

    Raises:
        UnknownValueError: if an association names something that is not of the program.
    """
    found = [each for each in stack.of(WEB_ACL_ASSOCIATION) if one(stack, each, "resourceArn", kinds=(LOAD_BALANCER,)) is balancer]
    if len(found) > 1:
        raise UnknownValueError(f"{balancer}: web ACL", f"whichever of {len(found)} associations is made last")
    return one(stack, found[0], "webAclArn", kinds=(WEB_ACL,)) if found else None


def stands_before(balancer: Resource, stack: "Stack") -> Iterator[Flaw]:
    """Check that a public load balancer has a firewall, which lets nothing pass when it fails itself."""
    if not is_public(balancer):
        return
    if not is_application(balancer):
        yield Flaw(
            message="is public and passes connections on: no firewall reads what is in them",
            fix="use an application load balancer with a web ACL, or make it internal",
        )
    elif acl_of(stack, balancer) is None:
        yield Flaw(message="is public, and no web ACL is associated with it", fix="associate a web ACL (aws:wafv2:WebAclAssociation)")
    elif balancer.at("enableWafFailOpen", default=False) is not False:
        yield Flaw(
            message="passes requests on unread when its firewall does not answer (enableWafFailOpen)", fix="remove enableWafFailOpen"
        )


# What they do


def refuses(acl: Resource, stack: "Stack") -> Iterator[Flaw]:
    """Check that a web ACL refuses what its rules find."""
    del stack
    for rule in rules_of(acl):
        name, action = rule.get("name"), action_of(rule)
        if counts_only(rule):
            yield Flaw(
                message=f"rule `{name}` counts what it finds and lets it pass (overrideAction count)", fix="set overrideAction: {none: {}}"
            )
        elif action == "count" and not sequence(rule.get("ruleLabels")):
            yield Flaw(message=f"rule `{name}` counts what it finds and lets it pass", fix="set action: {block: {}}")
        elif action not in {"", "count", "allow", *REFUSING}:
            yield Flaw(message=f"rule `{name}` asks for a {action}, which clients of an API cannot answer", fix="set action: {block: {}}")


def answers_plainly(acl: Resource, stack: "Stack") -> Iterator[Flaw]:
    """Check that what a web ACL answers itself is a refusal, without a header by which it says more."""
    del stack
    for rule in rules_of(acl):
        said = mapping(mapping(mapping(rule.get("action")).get("block")).get("customResponse"))
        if said and (int(said["responseCode"]) < REFUSAL or said.get("responseHeaders") or said.get("customResponseBodyKey")):
            yield Flaw(
                message=f"rule `{rule.get('name')}` answers clients itself, in the place of a door",
                fix="answer with a responseCode of 4xx, without headers and body",
            )


def is_whole(acl: Resource, stack: "Stack") -> Iterator[Flaw]:
    """Check that the managed rules are there, all of them, for every request, and that they see its body."""
    rules = rules_of(acl)
    managed = {str(group.get("name")): group for rule in rules if (group := managed_of(rule)) and group.get("vendorName") == AMAZON}
    for name in WANTED:
        if name not in managed:
            yield Flaw(message=f"its rules do not include {name}", fix=f"add the managed rule group {name}")
    for rule in rules:
        yield from _exclusions(rule)
    yield from _unread_bodies(acl, stack)


def _exclusions(rule: Mapping[str, Any]) -> Iterator[Flaw]:
    waiver = "remove it, or exempt this finding with a reason, an owner and an expiry"
    group = managed_of(rule)
    name = group.get("name")
    for key in sorted(key for key, value in group.items() if value is not None and key not in READ):
        yield Flaw(message=f"{name} says {key}, and what its rules are then is not known", fix=f"remove {key}", undecided=True)
    if group.get("scopeDownStatement") is not None:
        yield Flaw(message=f"{name} looks at some requests only (scopeDownStatement)", fix=waiver)
    for key, value in sorted(overrides_of(group).items()):
        if (name, key, value) != (CORE, LONG_BODY, "count") and value != "block":
            yield Flaw(message=f"rule {key} of {name} is told to {value or 'do nothing'}", fix=waiver)
    if action_of(rule) in REFUSING and (free := sorted(set(chosen(mapping(rule.get("statement")))))):
        yield Flaw(message=f"rule `{rule.get('name')}` spares requests by {', '.join(free)}, whatever they ask for", fix=waiver)
    if action_of(rule) == "allow":
        yield Flaw(message=f"rule `{rule.get('name')}` lets requests pass all rules that follow (allow)", fix=waiver)
    if mapping(rule.get("statement")).get("ruleGroupReferenceStatement") is not None:
        yield Flaw(
            message=f"rule `{rule.get('name')}` refers to rules that stand elsewhere", fix="write them into the web ACL", undecided=True
        )


def _unread_bodies(acl: Resource, stack: "Stack") -> Iterator[Flaw]:
    """Check that a body whose end the firewall has not seen goes to doors alone that take one."""
    fix = f"let {LONG_BODY} block, or block by its label at every path but those of doors with larger bodies"
    t, doors = stack.intent, stack.intent.doors.values()
    longer = {(t.host_of(door), path) for door in doors if size_in_bytes(door.max_body) > INSPECTED for path in door.paths}
    samples: list[Sample] = []
    for door in doors:
        host = t.host_of(door)
        # What another door with longer bodies covers passes, for the firewall's word is of paths: the gateway keeps this one's.
        short = (path for path in door.paths if not any(host == at and covers(wide, path) for at, wide in longer))
        for path in ("/no/door/of/the/topology", *map(sample_path, short)):
            samples += [Sample(method=method, host=host, path=path, body=INSPECTED + 1) for method in door.methods]
    for sample in dict.fromkeys(samples):
        if not answer_of(acl, sample).blocked:
            yield Flaw(
                message=f"a body over {INSPECTED} bytes, of which it sees the beginning alone, passes at {sample.host}{sample.path}",
                fix=fix,
            )


def counts_addresses(acl: Resource, stack: "Stack") -> Iterator[Flaw]:
    """Check that one address cannot ask as often as it likes."""
    tiers = stack.intent.tiers.values()
    found = False
    for rule in rules_of(acl):
        rate = mapping(mapping(rule.get("statement")).get("rateBasedStatement"))
        if not rate:
            continue
        name = rule.get("name")
        if action_of(rule) not in REFUSING:
            yield Flaw(message=f"rule `{name}` counts requests of an address and refuses none", fix="set action: {block: {}}")
        elif (
            rate.get("aggregateKeyType") != "IP" or rate.get("scopeDownStatement") is not None or rate.get("forwardedIpConfig") is not None
        ):
            yield Flaw(
                message=f"rule `{name}` counts by something else than the address of a client, or some requests only", fix=_BY_ADDRESS
            )
        else:
            found = True
            limit, window = int(rate["limit"]), int(rate.get("evaluationWindowSec") or 300)
            if limit > (most := most_for_all(tiers, window)):
                yield Flaw(
                    message=f"rule `{name}` lets an address ask {limit} times in {window} s; "
                    f"{CLIENTS_PER_ADDRESS} clients of the fastest tier need {most} at most",
                    fix="give a lower limit",
                )
            elif limit < (least := sustained(tiers, window)):
                yield Flaw(
                    message=f"rule `{name}` lets an address ask {limit} times in {window} s; a client of the fastest tier may {least} times",
                    fix="give a higher limit",
                )
    if not found:
        yield Flaw(message="no rule bounds how often one address may ask", fix=_BY_ADDRESS)


_BY_ADDRESS: Final = "add a rateBasedStatement with aggregateKeyType IP and action block"
