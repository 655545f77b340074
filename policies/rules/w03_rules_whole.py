"""W03: the WAF's rule set is whole, and sees the whole request."""

import re
from collections.abc import Iterator, Mapping
from typing import Final

from policies.edge_rule import EdgeRule
from policies.reading.core_rule_set import METHODS
from policies.reading.modsecurity import Action, Directive, value_of
from policies.reading.outside_methods import methods_from_outside
from policies.reading.stack import Stack
from policies.reading.waf import Front, Passage
from policies.reading.waf_bodies import BINARY, CONTENT_TYPES, DEFAULT_TYPES, ERRORS, processors, reads_types, refused_errors, unread
from policies.rule import Finding, Severity

REMOVALS: Final[Mapping[str, str]] = {
    "secruleremovebyid": "removes rules",
    "secruleremovebytag": "removes rules",
    "secruleremovebymsg": "removes rules",
    "secruleupdatetargetbyid": "changes what rules look at",
    "secruleupdatetargetbytag": "changes what rules look at",
    "secruleupdatetargetbymsg": "changes what rules look at",
    "secruleupdateactionbyid": "changes what rules do",
}
"""Directives that take something away from the rule set, in small letters: ModSecurity does not tell case."""

CONTROLS: Final = re.compile(r"^(ruleRemove(Target)?By(Id|Tag|Msg)|requestBodyAccess=Off)", re.IGNORECASE)
"""What the action `ctl` may do to the same effect for some requests."""

SETTINGS: Final[Mapping[str, tuple[int, int]]] = {
    "tx.inbound_anomaly_score_threshold": (1, 5),
    "tx.outbound_anomaly_score_threshold": (1, 4),
    "tx.critical_anomaly_score": (5, 1000),
    "tx.error_anomaly_score": (4, 1000),
    "tx.warning_anomaly_score": (3, 1000),
    "tx.notice_anomaly_score": (2, 1000),
    "tx.paranoia_level": (1, 4),
    "tx.blocking_paranoia_level": (1, 4),
    "tx.detection_paranoia_level": (1, 4),
    "tx.sampling_percentage": (100, 100),
}
"""Settings of the core rule set and the values (lowest, highest) with which it protects (crs-setup.conf.example, 4.x)."""

WORDS: Final[Mapping[str, frozenset[str]]] = {
    "tx.allowed_http_versions": frozenset({"HTTP/1.0", "HTTP/1.1", "HTTP/2", "HTTP/2.0"}),
    CONTENT_TYPES: frozenset(
        {*DEFAULT_TYPES, *BINARY, "application/merge-patch+json", "application/json-patch+json", "application/problem+json"}
    ),
}
"""Settings that list words, and the words that may stand there."""

HARMLESS: Final = re.compile(r"^tx\.(crs_setup_version|crs_validate_utf8_encoding|enforce_bodyproc_urlencoded)=[1-9]\d*$")
"""Settings that take nothing away."""

ACTIONS: Final = frozenset(
    {
        *("id", "phase", "t", "rev", "ver", "maturity", "accuracy", "msg", "logdata", "severity", "tag", "status", "chain", "capture"),
        *("pass", "deny", "drop", "block", "log", "nolog", "auditlog", "multimatch", "ctl", "setvar", "allow", "skip", "skipafter"),
    }
)
"""Actions that this rule reads, or that take nothing away."""

KEPT: Final = re.compile(r"^(ruleEngine|auditEngine)=", re.IGNORECASE)
"""What `ctl` may set that W01 and W04 judge."""

WAIVER: Final = "remove it, or exempt this finding with a reason, an owner and an expiry"

SKIPS: Final[Mapping[str, str]] = {
    "allow": "`allow` lets requests pass all other rules",
    "skip": "`skip` lets requests pass the rules that follow",
    "skipafter": "`skipAfter` lets requests pass the rules up to a marker",
}
"""Actions that lead past other rules."""

SPELLINGS: Final[Mapping[str, str]] = {"SecArgumentSeparator": "&", "SecCookieFormat": "0"}
"""How requests are taken apart before rules see them: libmodsecurity's own values, which are the web's."""

_SETVAR = re.compile(r"^(tx\.[a-z_]+)=(-?\d+)$")


class W03(EdgeRule):
    """The WAF has a whole managed rule set, and sees the whole request.

    Forbids:
        - rules without the OWASP core rule set;
        - rules removed or narrowed: `SecRuleRemoveBy...`, `SecRuleUpdate...`, `ctl:ruleRemove...`, the actions `allow` and `skip`;
        - an anomaly threshold above 5, a paranoia level of 0, sampling: the same, said with a number; methods or types of content
          beyond those of the doors; any other setting or action of which it is not known that it takes nothing away;
        - request bodies that are not read (`SecRequestBodyAccess Off`), that pass unread when they are long
          (`SecRequestBodyLimitAction ProcessPartial`), when nobody says how to take them apart (JSON, XML), or when that failed;
          arguments and cookies that are taken apart as nobody else does (`SecArgumentSeparator`, `SecCookieFormat`);
        - in a cloud: a firewall without its maker's rule set in a version that is kept up (on Azure those about bots, too), rules of
          it that are overridden or excluded, own rules that let requests pass the others or ask a script (`JSChallenge`),
          bodies of which only the beginning is read; on AWS rules without those against SQL injection, own rules that spare requests by
          what a client may write into any of them.

    Why:
        An exclusion is made in a hurry for one client and stays for all. Excluding `ARGS` from the injection rules, or raising
        the threshold to 1000, leaves a WAF that is on, in prevention mode, and refuses nothing.

    Instead:
        Load all rules, and read every body or refuse it::

            SecRequestBodyAccess On
            SecRequestBodyLimitAction Reject
            SecRule REQUEST_HEADERS:Content-Type "@rx ^application/(?:[a-z0-9.-]+[+])?json" "id:1,phase:1,t:lowercase,pass,nolog,ctl:requestBodyProcessor=JSON"
            SecRule REQBODY_ERROR "!@eq 0" "id:2,phase:2,deny,status:400"
            Include /etc/waf/crs-setup.conf
            Include /opt/owasp-crs/rules/*.conf

        A rule that is wrong for one door is exempted by name in `policies/exemptions.yaml`, with an end.
    """

    id = "W03"
    name = "waf-rules-are-whole"
    severity = Severity.HIGH
    frameworks = ("WAF.10", "CKV_AZURE_175", "CKV_AWS_342")

    def check(self, front: Front, stack: Stack) -> Iterator[Finding]:
        """Check the rules at every place where requests are sent on."""
        for passage in front.passages:
            if passage.is_inspected and passage.rules:
                yield from self._passage(front, passage, stack)

    def _passage(self, front: Front, passage: Passage, stack: Stack) -> Iterator[Finding]:
        if not passage.has_core_rule_set:
            yield self.broken(
                front.resource, "the WAF's rules do not include the OWASP core rule set", "write `Include /opt/owasp-crs/rules/*.conf`"
            )
        methods = methods_from_outside(stack)
        for rule in passage.rules:
            yield from self._exclusions(front, rule, methods)
        for kind in unread(passage.rules):
            yield self.broken(
                front.resource,
                f"bodies of type {kind} are not taken apart, so escapes in them hide an attack from every rule",
                "choose a processor by the type (`ctl:requestBodyProcessor=JSON`), or do not allow the type",
            )
        for error in sorted(set(ERRORS) - refused_errors(passage.rules)):
            yield self.broken(
                front.resource,
                f"a body {ERRORS[error]} is passed on, though rules have not seen it",
                f'write `SecRule {error.upper()} "!@eq 0" "phase:2,deny,status:400,..."`',
            )
        for name, wanted in SPELLINGS.items():
            found = value_of(name, passage.rules)
            if found is not None and found.arguments != (wanted,):
                yield self.broken(
                    front.resource, f"{found.place}: `{found}`: rules see other arguments than programs do", f"write `{name} {wanted}`"
                )
        for name, wanted in (("SecRequestBodyAccess", "On"), ("SecRequestBodyLimitAction", "Reject")):
            found = value_of(name, passage.rules)
            if found is None or found.arguments != (wanted,):
                written = f"{found.place}: `{found}`" if found else f"{name} is not set"
                yield self.broken(front.resource, f"{written}: a body, or its end, reaches the gateway unread", f"write `{name} {wanted}`")

    def _exclusions(self, front: Front, rule: Directive, methods: frozenset[str]) -> Iterator[Finding]:
        if effect := REMOVALS.get(rule.key):
            yield self.broken(front.resource, f"{rule.place}: `{rule}` {effect}", WAIVER)
        for action in rule.actions:
            if action.name in SKIPS:
                yield self.broken(front.resource, f"{rule.place}: {SKIPS[action.name]}", WAIVER)
            if action.name == "ctl":
                yield from self._control(front, rule, action)
            if action.name == "setvar":
                yield from self._setting(front, rule, action, methods)
            if action.name not in ACTIONS:
                yield self.undecided(front.resource, f"{rule.place}: `{action}`: an action of which it is not known what it does", WAIVER)

    def _control(self, front: Front, rule: Directive, action: Action) -> Iterator[Finding]:
        if CONTROLS.match(action.value):
            yield self.broken(front.resource, f"{rule.place}: `{action}` takes rules away from some requests", WAIVER)
        elif not KEPT.match(action.value) and not (reads_types(rule) and {*processors(rule)} <= {"JSON", "XML"} and [*processors(rule)]):
            yield self.undecided(
                front.resource, f"{rule.place}: `{action}` changes how requests are read, and what comes of it cannot be told", WAIVER
            )

    def _listed(self, front: Front, rule: Directive, action: Action, known: frozenset[str]) -> Iterator[Finding]:
        given = [word.strip("|") for word in action.value.partition("=")[2].split()]
        if more := sorted(set(given) - known):
            yield self.broken(front.resource, f"{rule.place}: `{action.value.partition('=')[0]}` lets {', '.join(more)} through", WAIVER)

    def _setting(self, front: Front, rule: Directive, action: Action, methods: frozenset[str]) -> Iterator[Finding]:
        name = action.value.partition("=")[0].lower()
        if (words := {**WORDS, METHODS: methods}.get(name)) is not None:
            yield from self._listed(front, rule, action, words)
            return
        setting = _SETVAR.match(action.value.lower())
        lowest, highest = SETTINGS.get(setting[1], (None, None)) if setting else (None, None)
        if setting and lowest is not None and highest is not None:
            if not lowest <= int(setting[2]) <= highest:
                bounds = f"{lowest}" if lowest == highest else f"{lowest} to {highest}"
                yield self.broken(front.resource, f"{rule.place}: `{action}`: with anything but {bounds} attacks pass", WAIVER)
        elif not HARMLESS.match(action.value.lower()):
            yield self.undecided(
                front.resource, f"{rule.place}: `{action}` changes how the rules decide, and what comes of it cannot be read", WAIVER
            )
