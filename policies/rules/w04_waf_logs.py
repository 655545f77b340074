"""W04: the edge keeps a record."""

import re
from collections.abc import Iterator
from typing import Final

from policies.edge_rule import EdgeRule
from policies.reading.modsecurity import value_of
from policies.reading.nginx import Directive as NginxDirective
from policies.reading.nginx_variables import Variables
from policies.reading.stack import Stack
from policies.reading.waf import Front, Passage
from policies.rule import Finding, Severity

OUTPUTS: Final = frozenset({"/dev/stdout", "/dev/stderr", "stderr"})
"""Where the cluster's log collection finds them."""

PARTS: Final = frozenset("AHKZ")
"""Parts of an audit entry without headers and bodies: its beginning, what rules said, which rules, its end."""

CREDENTIALS: Final = re.compile(r"^(http_(authorization|cookie|proxy_authorization|x_api_key)|cookie_.*|request_body|remote_user)$")
"""Variables of nginx that hold what a client shows to prove who it is."""


class W04(EdgeRule):
    """The WAF's audit log and the edge's access log are on.

    Forbids:
        `SecAuditEngine Off` or none, an audit log that goes nowhere, rules that switch it off (`ctl:auditEngine=Off`), and
        `access_log off` where a public nginx sends requests on; logs that are sent elsewhere than to the container's output;
        headers, bodies or credentials in them. In a cloud: a firewall whose log is kept nowhere, in part, or by
        somebody else; a load balancer without access log.

    Why:
        What was refused, and why, is known only here: the layers behind never see it. Without the record a false alarm cannot
        be told from an attack, and an attack that got through cannot be traced back.

    Instead:
        Write both to the container's output, where the cluster's log collection finds them::

            SecAuditEngine RelevantOnly
            SecAuditLog /dev/stdout
            SecAuditLogParts AHZ

        Bodies and headers are where credentials are, so they stay out.
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

        for log in (*logs, *passage.every("error_log")):
            target = log.args[0]
            if target not in {*OUTPUTS, "off", "/dev/null"}:
                yield self.undecided(
                    front.resource,
                    f"{log.file}:{log.line}: `{log.name} {' '.join(log.args)}`: who reads the log there is not known",
                    "write it to /dev/stdout or /dev/stderr",
                )
            if log.name == "access_log" and (shown := _credentials(passage, log)):
                yield self.broken(
                    front.resource,
                    f"{log.file}:{log.line}: `access_log {' '.join(log.args)}`: writes ${shown[0]} down",
                    "leave it out of the format",
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
        elif log.arguments[0] not in OUTPUTS:
            yield self.undecided(front.resource, f"{log.place}: `{log}`: who reads the audit log there is not known", fix)
        parts = value_of("SecAuditLogParts", passage.rules)
        if parts is None or set("".join(parts.arguments)) - PARTS:
            written = f"{parts.place}: `{parts}`" if parts else "SecAuditLogParts is not set"
            yield self.broken(
                front.resource, f"{written}: headers or bodies, and credentials in them, are logged", "write `SecAuditLogParts AHZ`"
            )
        for rule in passage.rules:
            for action in rule.actions:
                if action.name == "ctl" and action.value.lower() == "auditengine=off":
                    yield self.broken(
                        front.resource,
                        f"{rule.place}: `{action}` leaves no trace of the requests that this rule matches",
                        "remove the action",
                    )


def _credentials(passage: Passage, log: NginxDirective) -> list[str]:
    """Return the variables with credentials that a log's format writes down."""
    formats = {each.args[0]: " ".join(each.args[1:]) for each in passage.server.http.all("log_format")}
    text = formats.get(log.args[1], "") if len(log.args) > 1 else ""
    origins = Variables(server=passage.server, location=passage.location).origins(text)
    return sorted(name for name in origins if CREDENTIALS.match(name))
