"""W01: the WAF refuses what its rules find."""

from collections.abc import Iterator

from policies.edge_rule import EdgeRule
from policies.reading.modsecurity import Directive, value_of
from policies.reading.stack import Stack
from policies.reading.waf import Front
from policies.rule import Finding, Severity


class W01(EdgeRule):
    """The WAF is in prevention mode: what its rules find is refused.

    Forbids:
        `SecRuleEngine` with any value but `On` where a public nginx sends requests on, a configuration that does not set it,
        and rules that change it for some requests (`ctl:ruleEngine=Off`, `ctl:ruleEngine=DetectionOnly`). In a cloud: a firewall
        policy of Azure that is not Enabled or not in Prevention, a rule
        or rule group of a web ACL of AWS that counts what it finds, or asks for a captcha.

    Why:
        A WAF in detection mode writes the attack down and lets it through. It looks the same as one that works: same logs,
        same dashboards, and nobody notices the difference before somebody makes use of it.

    Instead:
        Switch the engine on for everything, and exempt single rules where they are wrong (see W03)::

            kind: ConfigMap
            data:
              modsecurity.conf: |
                SecRuleEngine On
    """

    id = "W01"
    name = "waf-prevents"
    severity = Severity.CRITICAL
    frameworks = ("PSRule AppGwWAF.PreventionMode", "CKV_AZURE_122", "AzPolicy 12430be1")

    def check(self, front: Front, stack: Stack) -> Iterator[Finding]:
        """Check the engine at every place where requests are sent on."""
        for passage in front.passages:
            if passage.is_inspected:
                yield from self._engine(front, passage.rules)

    def _engine(self, front: Front, rules: tuple[Directive, ...]) -> Iterator[Finding]:
        engine = value_of("SecRuleEngine", rules)
        fix = "write `SecRuleEngine On`"
        if engine is None:
            yield self.broken(front.resource, "the WAF's rules do not set SecRuleEngine, so nothing is refused", fix)
        elif engine.arguments != ("On",):
            yield self.broken(front.resource, f"{engine.place}: `{engine}`: what the WAF finds is let through", fix)
        for rule in rules:
            for action in rule.actions:
                if action.name == "ctl" and action.value.lower().startswith("ruleengine=") and action.value.lower() != "ruleengine=on":
                    yield self.broken(
                        front.resource,
                        f"{rule.place}: `{action}` switches the WAF off for the requests that this rule matches",
                        "remove the rule; exempt the rule that is wrong, by its id and for one path",
                    )
