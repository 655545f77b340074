"""Vocabulary: the words a topology file is written in, each a type that says what it is and what it is not."""

from typing import Annotated, Any, Final

from pydantic import BaseModel, ConfigDict, Discriminator, Field, StringConstraints
from pydantic.alias_generators import to_camel


class Model(BaseModel):
    """Base of every part of a topology: frozen, strict about unknown keys, camelCase in the file."""

    model_config = ConfigDict(frozen=True, extra="forbid", alias_generator=to_camel, strict=False)


DNS_LABEL: Final = r"^[a-z]([-a-z0-9]*[a-z0-9])?$"

Name = Annotated[str, StringConstraints(pattern=DNS_LABEL, max_length=53)]
"""A DNS label (RFC 1035). At most 53 characters, so that a Helm release or a version suffix still fits."""

ServiceName = Name
"""Name of a service: also of its Kubernetes Service and of its ServiceAccount. Not a host name."""

VersionName = Annotated[str, StringConstraints(pattern=r"^[a-z0-9]([-.a-z0-9]*[a-z0-9])?$", max_length=20)]
"""Name of a deployed version of a service (`v1`) or of an API (`v2.0`)."""

HostName = Annotated[
    str, StringConstraints(pattern=r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)+$", max_length=253)
]
"""A fully qualified DNS name without wildcard, scheme or port."""

TrustDomain = Annotated[str, StringConstraints(pattern=r"^[a-z0-9]([-.a-z0-9]*[a-z0-9])?$", max_length=253)]
"""A SPIFFE trust domain: the name space of one certificate authority. Not a DNS zone."""

Port = Annotated[int, Field(ge=1, le=65535)]
"""A TCP port."""

Percent = Annotated[float, Field(gt=0, le=100)]
"""A share of requests in percent."""

Duration = Annotated[str, StringConstraints(pattern=r"^[0-9]+(ms|s|m|h)$")]
"""A length of time with one unit: `250ms`, `5s`, `1m`, `24h`."""

Size = Annotated[str, StringConstraints(pattern=r"^[0-9]+(k|m|K|M|Ki|Mi)?$")]
"""A number of bytes: `8Ki`, `1Mi`."""

HttpMethod = Annotated[str, StringConstraints(pattern=r"^(GET|HEAD|POST|PUT|PATCH|DELETE|OPTIONS)$")]
"""An HTTP method a service may be called with. CONNECT and TRACE have no spelling: they are never allowed."""

HeaderName = Annotated[str, StringConstraints(pattern=r"^[a-z0-9-]+$", max_length=100)]
"""A header name, lower case."""

HeaderValue = Annotated[str, StringConstraints(pattern=r"^[\x20-\x7e]+$", max_length=1000)]
"""A header value: visible ASCII, no line breaks."""

HttpsUrl = Annotated[str, StringConstraints(pattern=r"^https://[a-z0-9.-]+(:[0-9]+)?(/[^\s?#]*)?$")]
"""An https URL without query or fragment."""

UNITS: Final = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0}


def seconds(duration: Duration) -> float:
    """Return a duration in seconds."""
    number = duration.rstrip("hms")
    return int(number) * UNITS[duration.removeprefix(number)]


BYTES: Final = {"": 1, "k": 1000, "K": 1000, "m": 1000**2, "M": 1000**2, "Ki": 1024, "Mi": 1024**2}


def size_in_bytes(size: Size) -> int:
    """Return a size in bytes."""
    number = size.rstrip("kmKMi")
    return int(number) * BYTES[size.removeprefix(number)]


def by_key(**tags: str) -> Discriminator:
    """Return a discriminator that chooses the member of a union by the key that only it has: `by_key(jwt="jwt")`."""

    def choose(value: Any) -> str | None:
        keys = value if isinstance(value, dict) else type(value).model_fields
        return next((tag for key, tag in tags.items() if key in keys or to_camel(key) in keys), None)

    spelled = ", ".join(f"`{to_camel(key)}`" for key in tags)
    return Discriminator(
        choose, custom_error_type="no_member", custom_error_message=f"must be a mapping with one of the keys {spelled}"
    )
