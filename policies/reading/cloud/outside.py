"""Ports on the internet that a system asks for, by its topology."""

from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from policies.reading.stack import Stack

HTTPS: Final = 443


def ports_of_issuers(stack: "Stack") -> frozenset[int]:
    """Return the ports at which issuers publish how their tokens are verified."""
    urls = (str(url) for issuer in stack.intent.issuers.values() for url in (issuer.issuer, issuer.jwks_uri))
    return frozenset(urlsplit(url).port or HTTPS for url in urls)
