"""Policies of API Management that are accepted: those that rules read, with the attributes that they read, and those that open nothing.

Most elements have attributes that switch them off or round (`increment-count`, `follow-redirects`), and some hold others that act
(`limit-concurrency`): https://learn.microsoft.com/azure/api-management/limit-concurrency-policy, .../rate-limit-by-key-policy,
.../forward-request-policy, .../retry-policy, .../cache-lookup-policy, .../return-response-policy.
"""

from collections.abc import Iterator
from typing import Any, Final
from xml.etree import ElementTree

from policies.reading.allowed_values import ANY, Table, all_of, unaccepted, under
from policies.reading.cloud.azure.policy import Document
from policies.reading.resource import Resource

NUMBER: Final = "[1-9][0-9]*"
PLAIN: Final = r"(?![\s\S]*(@[({]|\{\{))[\s\S]*"
"""A text that is no expression, and takes no named value."""
REFUSAL: Final = "[45][0-9][0-9]"

_BASE: Final = {"base.": ANY}
_HEADER: Final = under("set-header", {"@name": PLAIN, "@exists-action": "override|append|skip|delete", "*.value.text": ANY})
_STATUS: Final = under("set-status", {"@code": REFUSAL, "@reason": PLAIN})
_REFUSED: Final = under("return-response.*", _STATUS)
_LIMIT: Final = {
    path: value
    for name in ("rate-limit-by-key", "quota-by-key")
    for path, value in under(name, {"@calls": NUMBER, "@renewal-period": NUMBER, "@counter-key": ANY}).items()
}
_TOKEN: Final = under(
    "validate-jwt",
    {
        **all_of("@header-name @clock-skew @require-expiration-time @require-signed-tokens @output-token-variable-name"),
        **all_of("@token-value @query-parameter-name *.issuer-signing-keys.*"),  # of which A06 says what they open
        "@require-scheme": "Bearer",
        "@failed-validation-httpcode": ANY,
        "@failed-validation-error-message": PLAIN,
        **all_of("*.openid-config.@url *.audiences.*.audience.text *.issuers.*.issuer.text", PLAIN),
        **under("*.required-claims.*.claim", {"@name": PLAIN, "@match": "any|all", "*.value.text": PLAIN}),
    },
)
_CACHE: Final = under(
    "cache-lookup",
    {
        **all_of("@vary-by-developer @vary-by-developer-groups", "false"),
        "@downstream-caching-type": "none",
        "@allow-private-response-caching": "true|false",
        "*.vary-by-header.text": PLAIN,
    },
)
_FORWARD: Final = under("forward-request", {"@timeout": NUMBER, "@follow-redirects": "false"})
_AGAIN: Final = under(
    "retry",
    {
        "@condition": r"@\(context\.Response\.StatusCode == 503\)",
        **all_of("@count @interval", "1"),
        "@first-fast-retry": "true|false",
        **under("*", _FORWARD),
    },
)
_CORS: Final = under(
    "cors",
    {
        "@allow-credentials": "true|false",
        "@terminate-unmatched-request": "true|false",
        "*.allowed-methods.@preflight-result-max-age": NUMBER,
        **all_of("*.allowed-origins.*.origin.text *.allowed-methods.*.method.text", PLAIN),
        **all_of("*.allowed-headers.*.header.text *.expose-headers.*.header.text", PLAIN),
    },
)
"""A15 reads it."""
_USED_UP: Final = r'@\(context\.LastError\.Reason == "QuotaExceeded"\)'

ACCEPTED: Final[Table] = {
    **{f"{section}.": ANY for section in ("inbound", "backend", "outbound", "on-error")},
    **under(
        "inbound.*",
        {
            **_BASE,
            **_HEADER,
            **_TOKEN,
            **_LIMIT,
            **_CACHE,
            **_CORS,
            **_REFUSED,
            **under("choose.*", {"when.@condition": ANY, "otherwise.": ANY}),
            **under("choose.*.when.*", {**_REFUSED, **_LIMIT}),
            **under("choose.*.otherwise.*", _REFUSED),
            **all_of("set-backend-service.@backend-id set-backend-service.@base-url authentication-certificate.@certificate-id", PLAIN),
        },
    ),
    **under("backend.*", {**_BASE, **_FORWARD, **_AGAIN}),
    **under("outbound.*", {**_BASE, **_HEADER, "cache-store.@duration": NUMBER}),
    **under("on-error.*", {**_BASE, **_HEADER, "choose.*.when.@condition": _USED_UP, **under("choose.*.when.*", _STATUS)}),
}
"""By section. Attributes are spelled `@name`, the text of an element `text`, and what is inside by its position."""


def unreviewed(policies: Resource) -> Iterator[tuple[str, str]]:
    """Yield what policies do that nobody reviewed: path, and the value where another one would be accepted.

    Raises:
        UnknownValueError: if they cannot be read.
    """
    for section in Document(resource=policies).root:
        yield from unaccepted({section.tag: _spelled(section)}, ACCEPTED, empty=True)


def _spelled(node: ElementTree.Element) -> dict[str, Any]:
    texts = [text.strip() for text in (node.text, *(child.tail for child in node)) if text and text.strip()]
    return {
        **{f"@{name}": value for name, value in node.attrib.items()},
        **({"text": "".join(texts)} if texts else {}),
        **{str(position): {child.tag: _spelled(child)} for position, child in enumerate(node)},
    }
