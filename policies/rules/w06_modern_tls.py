"""W06: clients speak TLS 1.2 or newer."""

import re
from collections.abc import Iterator
from typing import Final

from policies.cloud_rule import in_clouds
from policies.reading.resource import Resource
from policies.reading.stack import Stack
from policies.reading.waf import Front, fronts
from policies.rule import Finding, Rule, Severity

MODERN: Final = frozenset({"TLSv1.2", "TLSv1.3"})
BROKEN_CIPHERS: Final = ("aNULL", "eNULL", "NULL", "EXPORT", "RC4", "DES", "3DES", "MD5", "ALL", "COMPLEMENTOFALL", "LOW")
"""Parts of an OpenSSL cipher list that stand for ciphers without secrecy or without authentication (RFC 9325, 4.1)."""

KNOWN_CIPHERS: Final = re.compile(
    r"^(![A-Za-z0-9+]+|HIGH|(EECDH|ECDHE)\+(AESGCM|CHACHA20)|TLS_[A-Z0-9_]+|(ECDHE|DHE)-(ECDSA|RSA)-(AES(128|256)-GCM-SHA(256|384)|CHACHA20-POLY1305))$"
)
"""Parts of a cipher list that hold (RFC 9325, 4.2), and `HIGH`, which is nginx's own."""


class W06(Rule):
    """Clients speak TLS 1.2 or newer, with ciphers that hold.

    Forbids:
        `ssl_protocols` with anything but TLSv1.2 and TLSv1.3 in a public server, or none at all; broken ciphers in
        `ssl_ciphers`, or ones of which it is not known that they hold; session tickets, which are on where nothing is said of
        `ssl_session_tickets`; a ClientTrafficPolicy whose `tls.minVersion` is below 1.2;
        a TLS policy of a cloud's gateway or load balancer that accepts older versions, or none; a certificate of another account of AWS.

    Why:
        TLS 1.0 and 1.1 are broken and withdrawn (RFC 8996). nginx's own default has contained them until 1.27: what is not
        written depends on the image. The oldest version that the default server of a port accepts holds for all of them. A session
        ticket is the session's key, sealed by one key of the server: in TLS 1.2, whoever gets hold of that one reads every recorded
        connection, however good the ciphers were (RFC 9325, 3.4).

    Instead:
        Write the versions out, once for all servers::

            http {
              ssl_protocols TLSv1.2 TLSv1.3;
              ssl_session_tickets off;
            }
    """

    id = "W06"
    name = "modern-tls"
    severity = Severity.HIGH
    frameworks = ("CKV_AZURE_218", "CKV2_AWS_74", "ELB.17", "RFC 8996")

    def judge(self, stack: Stack) -> Iterator[Finding]:
        """Check public servers, then what Gateways accept."""
        for front in fronts(stack):
            yield from self.over([front.resource], lambda _, front=front: self._front(front))
        yield from self.over(stack.of("ClientTrafficPolicy"), self._policy)
        yield from in_clouds(self, stack)

    def _front(self, front: Front) -> Iterator[Finding]:
        fix = "write `ssl_protocols TLSv1.2 TLSv1.3;` in the http block"
        for server in front.servers:
            name = f"server {' '.join(server.names) or '(without name)'}"
            if not any(listen.tls for listen in server.listens):
                continue
            protocols, ciphers = server.get("ssl_protocols"), server.get("ssl_ciphers")
            if protocols is None:
                yield self.broken(front.resource, f"{name}: has no ssl_protocols, so the image's default decides", fix)
            elif old := [version for version in protocols.args if version not in MODERN]:
                yield self.broken(front.resource, f"{protocols.file}:{protocols.line}: {name}: accepts {', '.join(old)}", fix)
            tickets = server.get("ssl_session_tickets")
            if tickets is None or tickets.args != ("off",):
                where = f"{tickets.file}:{tickets.line}: {name}" if tickets else f"{name}: says nothing of ssl_session_tickets, so it"
                yield self.broken(
                    front.resource,
                    f"{where} seals every session with one key, and whoever gets that reads recorded connections",
                    "write `ssl_session_tickets off;` in the http block",
                )
            if ciphers is not None and (
                weak := [part for part in ciphers.args[0].split(":") if part.upper() in {c.upper() for c in BROKEN_CIPHERS}]
            ):
                yield self.broken(
                    front.resource,
                    f"{ciphers.file}:{ciphers.line}: {name}: accepts ciphers that protect nothing: {', '.join(weak)}",
                    "name ciphers with ECDHE and AES-GCM or ChaCha20, or leave nginx's own list",
                )
            elif ciphers is not None and (unknown := [part for part in ciphers.args[0].split(":") if not KNOWN_CIPHERS.match(part)]):
                yield self.undecided(
                    front.resource,
                    f"{ciphers.file}:{ciphers.line}: {name}: accepts {', '.join(unknown)}, which is not known to protect anything",
                    "name ciphers with ECDHE and AES-GCM or ChaCha20, or leave nginx's own list",
                )

    def _policy(self, policy: Resource) -> Iterator[Finding]:
        version = policy.at("spec", "tls", "minVersion", default="1.2")
        if version not in {"1.2", "1.3"}:
            yield self.broken(
                policy, f"tls.minVersion is {version}: the gateway accepts withdrawn versions of TLS", "write `minVersion: '1.2'`"
            )
