"""The web application firewall: modsecurity.conf and the set-up of the OWASP Core Rule Set, for its versions 3.3 and 4.

Versions differ in names only: 3 reads `paranoia_level`, 4 `blocking_paranoia_level`; both variables are set.
"""

from typing import Final

from components.edge.methods import taken
from components.edge.nginx.headers import OVERRIDING
from topology.derive import names
from topology.model.base import size_in_bytes
from topology.model.service import Protocol, Service
from topology.model.system import Topology

FILE: Final = "modsecurity.conf"
SETUP_FILE: Final = "crs-setup.conf"
RULES: Final = "/opt/owasp-crs/rules/*.conf"
"""Where the image keeps the rules."""

MOST_HEADERS: Final = 100
"""Request headers, at most: so many does Kong look at unless told otherwise, so that none could hide behind them."""

CONTENT_TYPES: Final = (
    "application/x-www-form-urlencoded", "multipart/form-data", "multipart/related", "text/xml", "application/xml",
    "application/soap+xml", "application/json", "application/merge-patch+json", "application/json-patch+json",
    "application/cloudevents+json", "application/cloudevents-batch+json",
)  # fmt: skip
GRPC_TYPES: Final = ("application/grpc", "application/grpc+proto")


def largest_body(t: Topology) -> int:
    """Return the size in bytes of the largest request body that any door takes."""
    return max((size_in_bytes(door.max_body) for door in t.doors.values()), default=1)


def modsecurity_conf(t: Topology, directory: str) -> str:
    """Return modsecurity.conf; `directory` is where both files lie.

    Request bodies are always inspected and a longer one is refused, never passed unseen. The audit log says which rules a refused
    request met, with its URI (whole: libmodsecurity's JSON knows no part without the query string), and leaves out headers and bodies.
    """
    limit = largest_body(t)
    overriding = "|".join(f"REQUEST_HEADERS:{header}" for header in OVERRIDING)
    return f"""\
# Made from the topology. A change here is undone by the next deployment.
SecRuleEngine On
SecRequestBodyAccess On
SecRequestBodyLimit {limit}
SecRequestBodyNoFilesLimit {limit}
SecRequestBodyLimitAction Reject
SecRequestBodyJsonDepthLimit 64
SecResponseBodyAccess Off
SecTmpDir /tmp
SecDataDir /tmp
SecArgumentSeparator &
SecCookieFormat 0
SecAuditEngine RelevantOnly
SecAuditLogRelevantStatus "^(?:400|403)$"
SecAuditLogParts AHZ
SecAuditLogType Serial
SecAuditLogFormat JSON
SecAuditLog /dev/stdout

SecRule REQUEST_HEADERS_NAMES "@contains _" "id:1001,phase:1,t:none,deny,status:400,log,auditlog,msg:'Header name with an underscore'"
SecRule &REQUEST_HEADERS:Authorization "@gt 1" "id:1002,phase:1,t:none,deny,status:400,log,auditlog,msg:'Several Authorization headers'"
SecRule &REQUEST_HEADERS:{names.API_KEY_HEADER} "@gt 1" "id:1003,phase:1,t:none,deny,status:400,log,auditlog,msg:'Several API keys'"
SecRule &REQUEST_HEADERS "@gt {MOST_HEADERS}" "id:1005,phase:1,t:none,deny,status:400,log,auditlog,msg:'Too many headers'"
SecRule {overriding} "@rx ." "id:1004,phase:1,t:none,deny,status:403,log,auditlog,msg:'Method override'"

SecRule REQUEST_HEADERS:Content-Type "@rx ^(?:application(?:/soap\\+|/)|text/)xml" "id:1011,phase:1,t:none,t:lowercase,pass,nolog,ctl:requestBodyProcessor=XML"
SecRule REQUEST_HEADERS:Content-Type "@rx ^application/(?:[a-z0-9.-]+[+])?json" "id:1012,phase:1,t:none,t:lowercase,pass,nolog,ctl:requestBodyProcessor=JSON"
SecRule REQBODY_ERROR "!@eq 0" "id:1013,phase:2,t:none,deny,status:400,log,auditlog,msg:'Request body cannot be parsed',severity:2"
SecRule MULTIPART_STRICT_ERROR "!@eq 0" "id:1014,phase:2,t:none,deny,status:400,log,auditlog,msg:'Multipart body is ambiguous',severity:2"

Include {directory}/{SETUP_FILE}
Include {RULES}
"""


def crs_setup_conf(t: Topology) -> str:
    """Return the set-up of the Core Rule Set: paranoia level 1, its own thresholds, and the methods that doors take."""
    methods = " ".join(taken(t.doors.values()))
    grpc = any(isinstance(w := t.workload(door.service), Service) and w.protocol is Protocol.GRPC for door in t.doors.values())
    types = " ".join(f"|{kind}|" for kind in (*CONTENT_TYPES, *(GRPC_TYPES if grpc else ())))
    return f"""\
# Made from the topology. A change here is undone by the next deployment.
SecDefaultAction "phase:1,log,auditlog,pass"
SecDefaultAction "phase:2,log,auditlog,pass"
SecAction "id:900000,phase:1,nolog,pass,t:none,setvar:tx.paranoia_level=1,setvar:tx.blocking_paranoia_level=1,setvar:tx.detection_paranoia_level=1"
SecAction "id:900110,phase:1,nolog,pass,t:none,setvar:tx.inbound_anomaly_score_threshold=5,setvar:tx.outbound_anomaly_score_threshold=4"
SecAction "id:900200,phase:1,nolog,pass,t:none,setvar:'tx.allowed_methods={methods}'"
SecAction "id:900220,phase:1,nolog,pass,t:none,setvar:'tx.allowed_request_content_type={types}'"
SecAction "id:900230,phase:1,nolog,pass,t:none,setvar:'tx.allowed_http_versions=HTTP/1.1 HTTP/2 HTTP/2.0'"
SecAction "id:900990,phase:1,nolog,pass,t:none,setvar:tx.crs_setup_version=400"
"""
