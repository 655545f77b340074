"""Vocabulary: the words a topology file is written in, each a type that says what it is and what it is not."""

import re
from collections.abc import Mapping
from datetime import date, datetime
from typing import Annotated, Any, Final, Literal, cast

from pydantic import BaseModel, BeforeValidator, ConfigDict, Discriminator, Field
from pydantic.alias_generators import to_camel
from pydantic_core import PydanticCustomError

from topology.model.text import NOT_THIS_TEXT, Most, Text


class Model(BaseModel):
    """Base of every part of a topology: frozen, strict about unknown keys, camelCase in the file.

    Nothing is converted in silence: a number is not a text, a text is not a number, `yes` is not `1`.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", alias_generator=to_camel, use_attribute_docstrings=True)


UNITS: Final = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0}


def seconds(duration: str) -> float:
    """Return a `Duration` in seconds."""
    number = duration.rstrip("hms")
    return int(number) * UNITS[duration.removeprefix(number)]


BYTES: Final = {"": 1, "k": 1000, "M": 1000**2, "Ki": 1024, "Mi": 1024**2}


def size_in_bytes(size: str) -> int:
    """Return a `Size` in bytes."""
    number = size.rstrip("kKMi")
    return int(number) * BYTES[size.removeprefix(number)]


DNS_LABEL: Final = r"^[a-z]([-a-z0-9]*[a-z0-9])?$"
_LABEL: Final = r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?"
_LABELS: Final = rf"^{_LABEL}(\.{_LABEL})*$"
_TOP_LABEL: Final = r"[a-z]([-a-z0-9]{0,61}[a-z0-9])?"  # begins with a letter, so that an address is not a host name

Name = Annotated[
    str,
    Text(
        pattern=DNS_LABEL,
        max_length=53,
        must="a name of lower-case letters, digits and inner '-', beginning with a letter, at most 53 characters",
        examples=("orders", "order-history"),
    ),
]
"""A DNS label (RFC 1035). At most 53 characters, so that a Helm release or a version suffix still fits."""

ServiceName = Name
"""Name of a service: also of its Kubernetes Service and of its ServiceAccount. Not a host name."""

VersionName = Annotated[
    str,
    Text(
        pattern=_LABELS,
        max_length=20,
        must="a version of lower-case letters, digits and inner '-' or '.', at most 20 characters",
        examples=("v1", "v2.0"),
    ),
]
"""Name of a deployed version of a service (`v1`) or of an API (`v2.0`)."""

HostName = Annotated[
    str,
    Text(
        pattern=rf"^({_LABEL}\.)+{_TOP_LABEL}$",
        max_length=253,
        must="a fully qualified host name in lower case, without wildcard, scheme or port",
        examples=("api.shop.example",),
    ),
]
"""A fully qualified DNS name. Not an address, not a wildcard, not a URL."""

TrustDomain = Annotated[
    str,
    Text(
        pattern=_LABELS,
        max_length=253,
        must="a trust domain of lower-case letters, digits and inner '-' or '.'",
        examples=("shop.example",),
    ),
]
"""A SPIFFE trust domain: the name space of one certificate authority. Not a DNS zone."""

Port = Annotated[int, Field(strict=True, ge=1, le=65535)]
"""A TCP port."""

MOST: Final = 10_000_000
"""The greatest count.

Kubernetes and Istio count instances and connections in 32 bits with a sign, Envoy's token bucket in 32 bits without one
(https://www.envoyproxy.io/docs/envoy/latest/api-v3/type/v3/token_bucket.proto). A rate with a burst is also written for the next longer
unit, sixty times as much (`components/gateway/limits.py`), and still fits into either.
"""

Count = Annotated[int, Field(strict=True, ge=1, le=MOST)]
"""How many, at least one."""

CountOrZero = Annotated[int, Field(strict=True, ge=0, le=MOST)]
"""How many, zero included."""

WholePercent = Annotated[int, Field(strict=True, ge=1, le=100)]
"""A share in whole percent."""

Percent = Annotated[float, Field(strict=True, gt=0, le=100, allow_inf_nan=False)]
"""A share of requests in percent."""

Flag = Annotated[bool, Field(strict=True)]
"""True or false."""


def _length(most: str, *examples: str) -> Text:
    return Text(
        pattern=r"^[1-9][0-9]{0,5}(ms|s|m|h)$",
        must="a length of time with one unit (ms, s, m or h), longer than none",
        examples=examples,
        most=Most(text=most, measure=seconds),
    )


Duration = Annotated[str, _length("24h", "5s", "250ms", "1m", "24h")]
"""A length of time. Zero has no spelling: to most proxies it means for ever.

At most a day, which is what Application Gateway waits for an answer at most (`requestTimeout`, 1 to 86400 seconds:
https://learn.microsoft.com/rest/api/application-gateway/application-gateways/get). Where a layer carries less (an Application Load
Balancer 4000 seconds, API Management 240), the stack says so.
"""

Lifetime = Annotated[str, _length("8760h", "1m", "12h", "720h")]
"""How long something is kept: at most a year, which is all that a cache can use (RFC 9111 has no bound, RFC 2616 had a year)."""

Size = Annotated[
    str,
    Text(
        pattern=r"^[1-9][0-9]{0,8}(k|M|Ki|Mi)?$",
        must="a number of bytes with or without a unit (k, M, Ki or Mi), more than none",
        examples=("1Mi", "8Ki", "512"),
        most=Most(text="1024Mi", measure=size_in_bytes),
    ),
]
"""A number of bytes. Zero has no spelling: to most proxies it means without limit.

At most a gibibyte. Envoy's buffer filter counts in 32 bits, and ModSecurity holds what it inspects to a gibibyte (`SecRequestBodyLimit`,
"hard limit": https://github.com/owasp-modsecurity/ModSecurity/wiki/Reference-Manual-%28v2.x%29#secrequestbodylimit). Both keep a body in
memory, which the layers are given as much of as the largest body needs.
"""

Cpu = Annotated[
    str,
    Text(pattern=r"^([1-9][0-9]{0,4}m|[1-9][0-9]?)$", must="a share of processors, in thousandths (m) or whole", examples=("250m", "2")),
]
"""Processor time, as Kubernetes writes it: `1000m` is one processor."""

Memory = Annotated[str, Text(pattern=r"^[1-9][0-9]{0,4}(Mi|Gi)$", must="an amount of memory in Mi or Gi", examples=("512Mi", "2Gi"))]
"""Memory, as Kubernetes writes it."""

HttpMethod = Literal["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]
"""An HTTP method a service may be called with; GET does not imply HEAD. CONNECT and TRACE have no spelling: they are never allowed."""

HeaderName = Annotated[
    str, Text(pattern=r"^[a-z0-9-]+$", max_length=100, must="a header name in lower case", examples=("x-canary", "accept-language"))
]
"""A header name, lower case. No underscore: servers that fold `_` into `-` would read another header."""

HeaderValue = Annotated[
    str,
    Text(pattern=r"^[\x20-\x7e]+$", max_length=1000, must="a header value of visible ASCII characters, on one line", examples=("true",)),
]
"""A header value: visible ASCII, no line breaks."""

HttpsUrl = Annotated[
    str,
    Text(
        pattern=rf"^https://({_LABEL}\.)*{_LABEL}(:[0-9]{{1,5}})?(/[A-Za-z0-9._~!$&'()*+,;=:@%/-]*)?$",
        must="an https URL without query or fragment",
        examples=("https://login.shop.example/keys",),
    ),
]
"""An https URL without query or fragment."""

Claim = Annotated[str, Text(pattern=r"^[\w-]+$", must="the name of a top-level claim", examples=("role", "tier"))]
"""A top-level claim of a token. Not a path into one."""

NonEmpty = Annotated[
    str, Text(pattern=r"^[!-~]([ -~]*[!-~])?$", must="a text of visible ASCII characters, on one line", examples=("shop-api",))
]
"""A text on one line, not empty, without space around it."""

Reason = Annotated[
    str,
    Text(
        pattern=r"^[\s\S]{10,}$",
        must="a reason that people can judge, of at least 10 characters",
        examples=("The catalogue is advertising; it holds no customer data.",),
    ),
]
"""Why something unusual is right."""

Image = Annotated[
    str,
    Text(
        pattern=r"^[a-z0-9][a-z0-9._:/-]*(:[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}|@sha256:[0-9a-f]{64})$",
        must="a container image with a tag or a digest",
        examples=("docker.io/istio/examples-bookinfo-details-v1:1.20.3",),
    ),
]
"""A container image with tag or digest. Without one it would be another image tomorrow."""

Directory = Annotated[
    str, Text(pattern=r"^(/[A-Za-z0-9_-][A-Za-z0-9._-]*)+$", must="an absolute path of a directory", examples=("/var/cache/app",))
]
"""An absolute directory inside a container, without dot segments."""

Variable = Annotated[
    str, Text(pattern=r"^[A-Z_][A-Z0-9_]*$", must="the name of an environment variable in upper case", examples=("LOG_DIR",))
]
"""Name of an environment variable."""

Rpc = Annotated[
    str,
    Text(
        pattern=r"^[A-Za-z_][\w.]*/([A-Za-z_]\w*|\*)$",
        must="a gRPC method: package.Service/Method, or package.Service/*",
        examples=("shop.ledger.v1.Ledger/GetBalance", "shop.ledger.v1.Ledger/*"),
    ),
]
"""A gRPC method, or every method of one gRPC service."""

SecretName = Annotated[
    str,
    Text(
        pattern=rf"^({_LABEL}\.)*{_LABEL}$",
        max_length=253,
        must="the name of a Secret: letters, digits, '-' and '.', lower case",
        examples=("orders-database",),
    ),
]
"""Name of a Kubernetes Secret."""

DataKey = Annotated[
    str, Text(pattern=r"^[-._a-zA-Z0-9]{1,253}$", must="a key of a Secret: letters, digits, '-', '_' and '.'", examples=("password",))
]
"""A key of a Kubernetes Secret (https://kubernetes.io/docs/concepts/configuration/secret/#restriction-names-data)."""

PathPrefix = Annotated[
    str, Text(pattern=r"^/([A-Za-z0-9._~-]+/)*$", must="a path prefix that begins and ends with '/'", examples=("/partners/", "/"))
]
"""The beginning of a path, up to and including a `/`."""

JsonKey = Annotated[str, Text(pattern=r"^[A-Za-z][\w-]*$", must="a key that begins with a letter", examples=("orders",))]
"""A key of a JSON answer."""

NOT_A_DAY: Final = "must be a day of the calendar, as in 2027-01-31"


def _day(value: object) -> object:
    """Refuse what pydantic would take for a date: a number of seconds, a time."""
    if isinstance(value, date) and not isinstance(value, datetime):
        return value
    if isinstance(value, str) and re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", value):
        try:
            return date.fromisoformat(value)
        except ValueError:
            pass
    raise PydanticCustomError(NOT_THIS_TEXT, NOT_A_DAY)


Day = Annotated[date, BeforeValidator(_day)]
"""A day of the calendar. Not a time."""

NO_MEMBER: Final = "no_member"
"""The error type of a mapping that is none of the members of a union."""


def by_key(**tags: str) -> Discriminator:
    """Return a discriminator that chooses the member of a union by the key that only it has: `by_key(jwt="jwt")`."""

    def choose(value: object) -> str | None:
        keys: Mapping[Any, Any] = {}
        if isinstance(value, Mapping):
            keys = cast(Mapping[Any, Any], value)
        elif isinstance(value, BaseModel):
            keys = type(value).model_fields
        return next((tag for key, tag in tags.items() if key in keys or to_camel(key) in keys), None)

    spelled = " or ".join(f"`{to_camel(key)}`" for key in tags)
    return Discriminator(choose, custom_error_type=NO_MEMBER, custom_error_message=f"must be a mapping with the key {spelled}")
