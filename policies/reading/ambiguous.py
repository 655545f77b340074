"""Paths of which programs make different things."""

from collections.abc import Mapping
from typing import Final

AMBIGUOUS: Final[Mapping[str, tuple[str, ...]]] = {
    "escaped slashes": ("/a%2Fb", "/a%2fb", "/a%5Cb", "/a%5cb"),
    "backslashes": ("/a\\b",),
    "escaped dots": ("/a/%2e%2e/b", "/a/%2E/b", "/a/.%2e/b"),
    "dot segments": ("/a/../b", "/a/./b", "/a/..", "/a/..;x/b"),
    "empty segments": ("//a", "/a//b"),
    "control characters": ("/a%00", "/a%0d%0ab", "/a%7f", "/a%7F"),
    "what is escaped twice": ("/a%252fb", "/a%252e%252e/b"),
    "bytes that are no text": ("/a%c0%afb", "/a%C0%AEb", "/a%e0%80%afb"),
    "bytes outside of ASCII": ("/a\u00e9",),
    "fragments": ("/a#b",),
}
"""Paths of which proxies, frameworks and rules make different things (RFC 3986, 6.2; Istio's notes on normalization), by kind."""
