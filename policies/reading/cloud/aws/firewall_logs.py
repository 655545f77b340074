"""What web ACLs (AWS WAF) write down, and what of it nobody may see."""

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, Final

from policies.reading.cloud.aws.acl_conditions import HOST
from policies.reading.cloud.aws.kinds import WEB_ACL, WEB_ACL_LOGGING
from policies.reading.cloud.aws.log_places import kept_here
from policies.reading.cloud.aws.statements import rules_of
from policies.reading.cloud.flaws import Flaw
from policies.reading.cloud.references import one
from policies.reading.key_headers import key_headers
from policies.reading.resource import Resource
from policies.reading.spoken_headers import CREDENTIALS
from policies.reading.values import is_unknown, mapping, sequence

if TYPE_CHECKING:
    from policies.reading.stack import Stack

WHAT_WAS_ASKED: Final = frozenset({"method", "uriPath"})
"""Parts of a request without which nobody can tell what was refused."""


def logs(acl: Resource, stack: "Stack") -> Iterator[Flaw]:
    """Check that everything a web ACL decides is written down, without credentials."""
    found = [each for each in stack.of(WEB_ACL_LOGGING) if one(stack, each, "resourceArn", kinds=(WEB_ACL,)) is acl]
    if not found:
        yield Flaw(message="what it refuses leaves no trace", fix="add aws:wafv2:WebAclLoggingConfiguration")
    for each in found:
        if each.props.get("loggingFilter") is not None:
            yield Flaw(
                message="writes down some of what its web ACL decides only (loggingFilter)", fix="remove loggingFilter", resource=each
            )
        fields = list(map(mapping, sequence(each.props.get("redactedFields"))))
        redacted = {str(mapping(entry.get("singleHeader")).get("name", "")).lower() for entry in fields}
        parts = {key for entry in fields for key, value in entry.items() if value is not None}
        if hidden := sorted(parts & WHAT_WAS_ASKED | redacted & {HOST}):
            yield Flaw(
                message=f"does not write down what was asked for ({', '.join(hidden)})", fix="remove it from redactedFields", resource=each
            )
        if "queryString" not in parts:
            yield Flaw(
                message="writes down query strings, in which credentials are", fix="add queryString to redactedFields", resource=each
            )
        shown = sorted((CREDENTIALS | key_headers(stack)) - redacted)
        if shown:
            yield Flaw(
                message=f"writes down what clients prove themselves with: the header{'s' if len(shown) > 1 else ''} {', '.join(shown)}",
                fix="name them in redactedFields",
                resource=each,
            )
        destinations = sequence(each.props.get("logDestinationConfigs"))
        if not destinations:
            yield Flaw(message="writes nowhere", fix="name a log group in logDestinationConfigs", resource=each)
        for destination in destinations:
            if not kept_here(stack, each, "logDestinationConfigs", destination):
                yield Flaw(
                    message=f"writes to {'a place' if is_unknown(destination) else destination}, of which it is not known who reads there",
                    fix="write to a log group of the program",
                    resource=each,
                    undecided=True,
                )


def samples_hide_credentials(acl: Resource, stack: "Stack") -> Iterator[Flaw]:
    """Check that the requests which AWS keeps as samples, for everybody who may look at a web ACL, hold no credentials.

    https://docs.aws.amazon.com/waf/latest/developerguide/data-protection-masking.html
    """
    seen = [mapping(each.get("visibilityConfig")) for each in ({"visibilityConfig": acl.props.get("visibilityConfig")}, *rules_of(acl))]
    if not any(each.get("sampledRequestsEnabled") for each in seen):
        return
    hidden: set[str] = set()
    for each in map(mapping, sequence(acl.at("dataProtectionConfig", "dataProtections", default=[]))):
        field = mapping(each.get("field"))
        if field.get("fieldType") == "SINGLE_HEADER" and each.get("action") in {"SUBSTITUTION", "HASH"} and not _spares_some(each):
            hidden |= {str(name).lower() for name in sequence(field.get("fieldKeys"))}
    if shown := sorted((CREDENTIALS | key_headers(stack)) - hidden):
        yield Flaw(
            message=f"its samples of requests show what clients prove themselves with ({', '.join(shown)})",
            fix="name them in dataProtectionConfig, or set sampledRequestsEnabled: false everywhere",
        )


def _spares_some(protection: Mapping[str, Any]) -> bool:
    return any(protection.get(key) not in {None, False} for key in ("excludeRateBasedDetails", "excludeRuleMatchDetails"))
