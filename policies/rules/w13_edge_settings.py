"""W13: the edge's settings hold for slow, long and many requests, and leave browsers their protection."""

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Final

from policies.checks import attempt
from policies.door_routes import answered
from policies.edge_rule import EdgeRule
from policies.header_edits import ANSWERS, edits_of
from policies.reading.door_headers import wrong_in_answers
from policies.reading.gateway_fields import SPARED_RESPONSE_HEADER
from policies.reading.gateways import ApiGateway, Listener
from policies.reading.hsts import HSTS, is_remembered
from policies.reading.nginx import Directive
from policies.reading.nginx_units import size, time
from policies.reading.pods import Pod
from policies.reading.slack import SLACK
from policies.reading.stack import Stack
from policies.reading.values import UnknownValueError, sequence
from policies.reading.waf import Front
from policies.rule import Finding, Severity
from topology.model.base import seconds

Check = Callable[[Directive], str]
"""Returns what is wrong with a directive; empty for nothing. Raises UnknownValueError where that cannot be told."""


def _waits(most: float) -> Check:
    def check(directive: Directive) -> str:
        length = time(directive.args[0])
        if not length:
            raise UnknownValueError(_written(directive), "no length of time")
        return f"waits longer than {most:g} seconds" if length > most else ""

    return check


def _counts(most: int) -> Check:
    return lambda directive: "" if directive.args[0].isdigit() and int(directive.args[0]) <= most else f"is more than {most}"


def _holds(most: int) -> Check:
    def check(directive: Directive) -> str:
        number, each = ("1", *directive.args) if len(directive.args) == 1 else directive.args[:2]
        length = size(each)
        if length is None or not number.isdigit():
            raise UnknownValueError(_written(directive), "no size")
        return f"holds more than {most} bytes for one connection" if int(number) * length > most else ""

    return check


def _tls(directive: Directive) -> str:
    return "" if set(directive.args) <= {"TLSv1.2", "TLSv1.3"} else "speaks a version of TLS that is broken"


def _level(directive: Directive) -> str:
    return "writes headers of requests down" if "debug" in directive.args[1:] else ""


def _hides(directive: Directive) -> str:
    return "" if re.fullmatch(SPARED_RESPONSE_HEADER, directive.args[0]) else "takes a header out of answers that may protect their readers"


def _adds(directive: Directive) -> str:
    name = directive.args[0].lower()
    if name.startswith("access-control-"):
        return "lets scripts of other origins read answers"
    if name == HSTS and not is_remembered(directive.args[1]):
        return "lets browsers speak without TLS again"
    return ""


SETTINGS: Final[Mapping[str, Check]] = {
    **dict.fromkeys(("client_header_timeout", "client_body_timeout", "send_timeout"), _waits(60)),
    "keepalive_timeout": _waits(120),
    "http2_max_concurrent_streams": _counts(128),
    "large_client_header_buffers": _holds(128 * 1024),
    "client_header_buffer_size": _holds(16 * 1024),
    "client_body_buffer_size": _holds(1024**2),
    "proxy_ssl_protocols": _tls,
    "grpc_ssl_protocols": _tls,
    "error_log": _level,
    "proxy_hide_header": _hides,
    "grpc_hide_header": _hides,
    "add_header": _adds,
}
"""Directives of nginx, and what is wrong with a value of them. nginx's own values, where nothing is written, are within the bounds."""

WAITS: Final = ("proxy_read_timeout", "proxy_send_timeout", "grpc_read_timeout", "grpc_send_timeout")
SILENCE: Final = 300.0
"""Seconds that a stream may be silent, however short the timeout of its door."""

TRUST: Final = ("proxy_ssl_trusted_certificate", "grpc_ssl_trusted_certificate")


class W13(EdgeRule):
    """The edge's settings bound what one connection takes, trust the boundary's authority alone, and leave browsers their protection.

    Forbids:
        In a public nginx: waits for slow clients of more than a minute, or for answers longer than the slowest door (five minutes
        are left to streams); more than 128 streams, or 128 KiB of headers, for one connection; authorities for the gateway's
        certificate that come from the image and not from a Secret; TLS 1.0 and 1.1 towards it; `error_log ... debug`;
        `proxy_hide_header` of headers that protect the reader of an answer, `add_header Access-Control-...`, and
        places where it sends requests on without `Strict-Transport-Security` for their answers, or with an age below half a year.

        Of an Application Gateway and the API Management behind it: rewrite rules that take headers out of answers that protect their
        reader, or write ones of which the topology says nothing (`Access-Control-...`, `Location`); policies that do the same; answers without `Strict-Transport-Security`; and answers that keep a header which the
        topology's door takes out (`responseHeaders.remove`). `Server` only the Application Gateway can take out. A wait for answers of the API
        gateway (`requestTimeout`) of which nothing is said, or that is longer than that of the slowest door behind it, and five seconds, or
        shorter than it.

        Of a load balancer of AWS: answers without `Strict-Transport-Security`, or with an age below half a year; an `idleTimeout` that is
        longer than the timeout of the slowest door, or the five minutes for which a stream may be silent, and five seconds; or shorter than
        that door's.

        Of Envoy Gateway and Kong: a route that does not change the headers of answers as its door says (`responseHeaders`), announces the
        end of a deprecated API version otherwise than the topology does (`Deprecation`, `Sunset`, `Link`), or writes other headers.
        At a door with `cors`, also of API Management: answers that do not say that they differ by `Origin` (`Vary`; Kong says it by itself).

    Why:
        Some thousand connections that each send a byte a minute take every worker, below any limit of requests. An authority of
        the image is anybody's who sells certificates. Headers of answers are rules for browsers: the edge speaks for every service
        at once, and one line there takes the protection from all of them. `add_header` in an inner block is such a line: it takes
        the place of all those around it.

    Instead:
        Keep waits short::

            client_header_timeout 10s;
            client_body_timeout 10s;
            proxy_read_timeout 16s;   # of the door, and a second
            add_header Strict-Transport-Security "max-age=31536000" always;
    """

    id = "W13"
    name = "edge-settings-are-bounded"
    severity = Severity.MEDIUM
    frameworks = ("OWASP API4:2023", "CWE-400")

    def judge(self, stack: Stack) -> Iterator[Finding]:
        """Check every public nginx, then what gateways change in answers."""
        yield from super().judge(stack)
        for gateway in stack.gateways:
            for listener in gateway.listeners:
                yield from attempt(self, gateway.gateway, self._answers(stack, gateway, listener))

    def _answers(self, stack: Stack, gateway: ApiGateway, listener: Listener) -> Iterator[Finding]:
        for each in answered(stack, gateway, listener):
            for published in each.by:
                for wrong in wrong_in_answers(stack.intent, each.door, edits_of(published, ANSWERS), varies=published.is_kong):
                    yield self.broken(
                        published.route,
                        f"{published}: of answers of the door {each.name}, {wrong}",
                        "change the headers that the door's `responseHeaders` and its API's version name, and no others",
                    )

    def check(self, front: Front, stack: Stack) -> Iterator[Finding]:
        """Check every setting of the table, wherever it stands."""
        longest = max((seconds(door.timeout) for door in stack.intent.doors.values()), default=0.0) + SLACK
        settings = {**SETTINGS, **dict.fromkeys(WAITS, _waits(max(SILENCE, longest)))}
        if front.balancer is not None:
            # Connections are a load balancer's, which closes unused ones itself, and must be the first to.
            del settings["keepalive_timeout"]
        for passage in front.passages:
            if not any(added.args[0].lower() == HSTS for added in passage.every("add_header")):
                yield self.broken(
                    front.resource,
                    f"{passage}: answers without Strict-Transport-Security: a browser's next request may come without TLS",
                    'write `add_header Strict-Transport-Security "max-age=31536000" always;` beside every other add_header',
                )
        for directive in front.nginx.main.walk():
            if check := settings.get(directive.name):
                yield from attempt(self, front.resource, self._setting(front, directive, check))
            if directive.name in TRUST and not _is_secret(front.nginx.pod, directive.args[0]):
                yield self.broken(
                    front.resource,
                    f"{directive.file}:{directive.line}: `{_written(directive)}`: whose authorities stand there the plan does not show",
                    "trust the ca.crt of a Secret that the pods mount",
                )

    def _setting(self, front: Front, directive: Directive, check: Check) -> Iterator[Finding]:
        if wrong := check(directive):
            where = f"{directive.file}:{directive.line}: `{_written(directive)}`"
            yield self.broken(front.resource, f"{where}: {wrong}", "write a value within the bounds, or leave it out")


def _written(directive: Directive) -> str:
    return " ".join((directive.name, *directive.args))


def _is_secret(pod: Pod, path: str) -> bool:
    """Say whether a file of a pod's containers comes from a Secret."""
    secrets = {volume.get("name") for volume in pod.volumes if volume.get("secret")}
    mounts = [mount for container in pod.containers for mount in sequence(container.get("volumeMounts"))]
    inside = [mount for mount in mounts if path.startswith(f"{mount['mountPath'].rstrip('/')}/")]
    return bool(inside) and max(inside, key=lambda mount: len(mount["mountPath"]))["name"] in secrets
