"""Credentials that stand in clear where everybody who reads a plan reads them."""

import re
from base64 import b64decode
from binascii import Error
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any, Final

from policies.reading.values import is_known, mapping, sequence, values_in

_SHAPES: Final[Mapping[str, re.Pattern[str]]] = {
    "a private key": re.compile(r"-----BEGIN (?:[A-Z0-9]+ )*PRIVATE KEY(?: BLOCK)?-----"),
    "an access key of AWS": re.compile(r"\b(?:AKIA|ASIA)[0-9A-Z]{16}\b"),
    "a token of GitHub": re.compile(r"\b(?:gh[pousr]_[A-Za-z0-9]{36}|github_pat_\w{22,})"),
    "a token of Slack": re.compile(r"\bxox[abposr]-[A-Za-z0-9-]{10,}"),
    "a signed token": re.compile(r"\beyJ[\w-]{8,}\.eyJ[\w-]{8,}\.[\w-]{16,}"),
    "a password in a URL": re.compile(r"\b[a-z][a-z0-9+.-]*://[^\s/:@$%{}]+:[^\s/:@$%{}]+@"),
    "the key of a storage account": re.compile(r"\bAccountKey=[A-Za-z0-9+/=]{40,}"),
}
"""Credentials that are known by their shape."""

_NAMED: Final = re.compile(r"(?i).*(password|passwd|passphrase|secret|api[_-]?key|private[_-]?key|access[_-]?key|token|credential)s?")
"""Names under which people keep credentials in variables."""

_POINTERS: Final = re.compile(r"(?i).*(file|path|dir|name|url|uri|header|ttl|expiry|issuer|audience|enabled)")
"""Names that say where a credential is, or how long it lives."""

_BASE64: Final = re.compile(r"[A-Za-z0-9+/\r\n]{40,}={0,2}")


def credentials(value: Any) -> Iterator[tuple[str, str]]:
    """Yield path and kind of every credential inside a value that is known by its shape, also behind base64."""
    if any(type(each) is str and _kinds(each) for each in values_in(value)):
        yield from _at(value, "")


def _at(value: Any, path: str) -> Iterator[tuple[str, str]]:
    if is_known(value, dict):
        for key, inner in mapping(value).items():
            yield from _at(inner, f"{path}.{key}" if path else str(key))
    elif is_known(value, list):
        for position, inner in enumerate(sequence(value)):
            yield from _at(inner, f"{path}[{position}]")
    elif is_known(value, str):
        yield from ((path, kind) for kind in _kinds(value))


@lru_cache(maxsize=2**16)
def _kinds(text: str) -> tuple[str, ...]:
    """Return which credentials are in a text: the objects of a plan say few things that others do not."""
    decoded = _decoded(text)
    return tuple(kind for kind, shape in _SHAPES.items() if shape.search(text) or (decoded and shape.search(decoded)))


def is_credential(variable: str, value: Any) -> bool:
    """Say whether a variable is given a credential in clear, by its name."""
    return bool(value) and _NAMED.fullmatch(variable) is not None and _POINTERS.fullmatch(variable) is None


def _decoded(text: str) -> str:
    """Return what base64 says; empty for anything else."""
    if not _BASE64.fullmatch(text):
        return ""
    try:
        return b64decode(text).decode("latin-1")
    except (Error, ValueError):
        return ""
