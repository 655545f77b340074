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

CREDENTIALS: Final = re.compile(
    r"(http_(authorization|cookie|proxy_authorization|x_api_key)|cookie_.*|request_body|remote_user"
    r"|(sent|upstream)_http_set_cookie|upstream_cookie_.*)"
)
"""Variables of nginx that hold what a client shows, or is given, to prove who it is."""

QUERIES: Final = re.compile(r"(request|request_uri|args|query_string|arg_.*|http_referer|(sent|upstream)_http_location)")
"""Variables of nginx that hold query strings: of the request, of the page before it, of the one that the answer sends to."""

COMBINED: Final = '$remote_addr - $remote_user [$time_local] "$request" $status $body_bytes_sent "$http_referer" "$http_user_agent"'
"""nginx's own format, which holds where none is named (https://nginx.org/en/docs/http/ngx_http_log_module.html#log_format)."""


class W04(EdgeRule):
    """The WAF's audit log and the edge's access log are on.

    Forbids:
        `SecAuditEngine Off` or none, an audit log that goes nowhere, rules that switch it off (`ctl:auditEngine=Off`), and
        `access_log off` where a public nginx sends requests on; logs that are sent elsewhere than to the container's output;
        headers, bodies or credentials in them; query strings in the access log, as nginx's own format has, which holds where none is
        named; conditions (`if=`) that leave requests out of it. In a cloud: a firewall whose log is kept nowhere, in part, or by
        somebody else, or which hides more than credentials (`logScrubbing`); a load balancer without access log. On AWS the same
        where whoever writes it may not, or on conditions of which it is not known that they hold, path, method or host left out of it, query
        strings in it, and credentials in the samples of requests that AWS keeps.

    Why:
        What was refused, and why, is known only here: the layers behind never see it. Without the record a false alarm cannot
        be told from an attack, and an attack that got through cannot be traced back.

    Instead:
        Write both to the container's output, where the cluster's log collection finds them::

            log_format requests escape=json '{"client":"$remote_addr","path":"$uri","status":"$status"}';
            access_log /dev/stdout requests;

            SecAuditEngine RelevantOnly
            SecAuditLog /dev/stdout
            SecAuditLogParts AHZ

        Bodies, headers and query strings are where credentials are, so they stay out.
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
        if not logs:
            yield self.broken(
                front.resource,
                f"{passage}: has no access_log, so requests are written to a file of the image, query strings with them",
                "write `access_log /dev/stdout` with a format of your own in the http block",
            )
        for log in logs:
            written = f"{log.file}:{log.line}: `access_log {' '.join(log.args)}`"
            if log.args[0] in {"off", "/dev/null"}:
                yield self.broken(front.resource, f"{written}: requests leave no trace", "write `access_log /dev/stdout` with a format")
                continue
            if condition := next((each for each in log.args[2:] if each.startswith("if=")), ""):
                yield self.broken(front.resource, f"{written}: some requests leave no trace", f"remove `{condition}`")
            yield from self._format(front, passage, log, written)
        for log in (*logs, *passage.every("error_log")):
            target = log.args[0]
            if target not in {*OUTPUTS, "off", "/dev/null"}:
                yield self.undecided(
                    front.resource,
                    f"{log.file}:{log.line}: `{log.name} {' '.join(log.args)}`: who reads the log there is not known",
                    "write it to /dev/stdout or /dev/stderr",
                )

    def _format(self, front: Front, passage: Passage, log: NginxDirective, written: str) -> Iterator[Finding]:
        """Check what a log writes down of each request."""
        formats = {each.args[0]: " ".join(each.args[1:]) for each in passage.server.http.all("log_format")}
        name = log.args[1] if len(log.args) > 1 else "combined"
        text = formats.get(name, COMBINED if name == "combined" else None)
        if text is None:
            yield self.undecided(front.resource, f"{written}: {name} is no log_format of this configuration", "write the format there")
            return
        origins = sorted(Variables(server=passage.server, location=passage.location).origins(text))
        if shown := next((each for each in origins if CREDENTIALS.fullmatch(each)), ""):
            yield self.broken(front.resource, f"{written}: writes ${shown} down", "leave it out of the format")
        if shown := next((each for each in origins if QUERIES.fullmatch(each)), ""):
            yield self.broken(
                front.resource,
                f"{written}: writes ${shown} down, and with it query strings, where tokens are",
                "write the path alone: `$uri`, or what stands before the question mark of $request_uri, by a map",
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
