"""W04: the edge keeps a record."""

from collections.abc import Iterator

from policies.edge_rule import EdgeRule
from policies.reading.modsecurity import value_of
from policies.reading.stack import Stack
from policies.reading.waf import Front, Passage
from policies.rule import Finding, Severity


class W04(EdgeRule):
    """The WAF's audit log and the edge's access log are on.

    Forbids:
        `SecAuditEngine Off` or none, an audit log that goes nowhere, rules that switch it off (`ctl:auditEngine=Off`), and
        `access_log off` where a public nginx sends requests on.

    Why:
        What was refused, and why, is known only here: the layers behind never see it. Without the record a false alarm cannot
        be told from an attack, and an attack that got through cannot be traced back.

    Instead:
        Write both to the container's output, where the cluster's log collection finds them::

            SecAuditEngine RelevantOnly
            SecAuditLog /dev/stdout

        Leave bodies and headers out of `SecAuditLogParts`: that is where credentials are.
    """

    id = "W04"
    name = "waf-logs"
    severity = Severity.MEDIUM
    frameworks = ("WAF.11", "CKV2_AWS_31")

    def check(self, front: Front, stack: Stack) -> Iterator[Finding]:
        """Check both logs at every place where requests are sent on."""
        for passage in front.passages:
            yield from self._access(front, passage)
            if passage.is_inspected and passage.rules:
                yield from self._audit(front, passage)

    def _access(self, front: Front, passage: Passage) -> Iterator[Finding]:
        logs = passage.every("access_log")
        if any(log.args[0] in {"off", "/dev/null"} for log in logs):
            where = f"{logs[0].file}:{logs[0].line}"
            yield self.broken(
                front.resource,
                f"{where}: `access_log {' '.join(logs[0].args)}`: requests leave no trace",
                "write `access_log /dev/stdout;`",
            )

    def _audit(self, front: Front, passage: Passage) -> Iterator[Finding]:
        engine, log = value_of("SecAuditEngine", passage.rules), value_of("SecAuditLog", passage.rules)
        fix = "write `SecAuditEngine RelevantOnly` and `SecAuditLog /dev/stdout`"
        if engine is None or engine.arguments not in {("On",), ("RelevantOnly",)}:
            written = f"{engine.place}: `{engine}`" if engine else "SecAuditEngine is not set"
            yield self.broken(front.resource, f"{written}: what the WAF refuses leaves no trace", fix)
        elif log is None or log.arguments in {(), ("/dev/null",)}:
            written = f"{log.place}: `{log}`" if log else "SecAuditLog is not set"
            yield self.broken(front.resource, f"{written}: the audit log goes nowhere", fix)
        for rule in passage.rules:
            for action in rule.actions:
                if action.name == "ctl" and action.value.lower() == "auditengine=off":
                    yield self.broken(
                        front.resource,
                        f"{rule.place}: `{action}` leaves no trace of the requests that this rule matches",
                        "remove the action",
                    )
