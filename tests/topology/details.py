"""What random systems say of their services, doors and clients besides who may talk to whom: options that change no edge."""

from collections.abc import Mapping
from typing import Any, Final

from hypothesis import strategies as st

Document = dict[str, Any]

OF_SERVICES: Final[tuple[Mapping[str, Any], ...]] = (
    {"availability": {"replicas": 2, "maxReplicas": 5, "cpuTarget": 50, "spread": "nodes"}},
    {"availability": {"replicas": 0}},
    {"resources": {"cpu": "200m", "memory": "128Mi"}},
    {
        "resilience": {
            "timeout": "45s",
            "ejection": None,
            "connections": {"maxConnections": 5, "maxPending": 2, "maxRequestsPerConnection": 10},
        }
    },
    {"resilience": {"ejection": {"consecutiveErrors": 2, "interval": "1s", "duration": "2s", "maxPercent": 100}}},
)

OF_VERSIONS: Final[tuple[Mapping[str, Any], ...]] = (
    {"image": "images.random.example/some:1"},
    {"image": "images.random.example/some@sha256:" + "a1" * 32, "command": ["serve", "--port", "$(PORT)"]},
    {"env": {"LEVEL": "debug"}, "secrets": {"TOKEN": {"secret": "tokens", "key": "token"}}, "scratch": ["/var/cache"]},
)

OF_HTTP: Final[tuple[Mapping[str, Any], ...]] = (
    {"health": "/health"},
    {"limit": {"requests": 7, "per": "minute", "scope": "global"}},
    {"limit": {"requests": 1000, "per": "hour"}},
    {"faults": [{"percent": 1, "delay": "2s"}]},
)

OF_DOORS: Final[tuple[Mapping[str, Any], ...]] = (
    {"requestHeaders": {"set": {"x-kind": "some"}, "remove": ["x-old"]}},
    {"responseHeaders": {"set": {"x-answer": "some: thing"}, "remove": ["server"]}},
    {"maxBody": "4Ki"},
    {"maxBody": "10Mi"},
    {"timeout": "500ms"},
    {"timeout": "90s"},
    {"description": "What clients use it for."},
)

LIMITS: Final[tuple[list[Mapping[str, Any]], ...]] = (
    [{"requests": 1, "per": "hour"}],
    [{"requests": 100_000, "per": "hour", "burst": 20_000}],
    [{"requests": 600, "per": "minute"}, {"requests": 5, "per": "second", "burst": 1_000}],
    [{"requests": 7, "per": "minute", "burst": 900}],
)
"""In the place of a tier's own, sometimes: windows and bursts that are far apart."""

OF_ISSUERS: Final[tuple[Mapping[str, Any], ...]] = (
    {"audiences": ["random", "other"]},
    {"requiredClaims": {"scope": ["read", "write"], "kind": ["person"]}},
    {"keyCache": "1h", "fetchTimeout": "3s"},
)

OF_POLICIES: Final[tuple[Mapping[str, Any], ...]] = (
    {"headers": ["content-type", "x-kind"], "expose": ["x-request-id"]},
    {"origins": ["https://one.random.example", "https://two.random.example:8443"], "maxAge": "1h"},
)


def detail(draw: st.DrawFn, document: Document) -> None:
    """Add some options to every part of a system that has doors and clients already."""
    for service in document["services"].values():
        _some(draw, service, OF_SERVICES)
        if draw(st.sampled_from((False, False, True))):
            service["namespace"] = f"apart-{service.get('mesh', 'main')}"  # a namespace belongs to one mesh
        for version in service.get("versions", {}).values():
            _some(draw, version, OF_VERSIONS)
        if service["protocol"] == "http":
            _some(draw, service, OF_HTTP)
    for door in document.get("doors", {}).values():
        _some(draw, door, OF_DOORS)
    for issuer in document.get("issuers", {}).values():
        _some(draw, issuer, OF_ISSUERS)
    for policy in document.get("cors", {}).values():
        _some(draw, policy, OF_POLICIES)
    for tier in document.get("tiers", {}).values():
        tier["scope"] = draw(st.sampled_from(("local", "local", "global")))
        tier["limits"] = draw(st.sampled_from((tier["limits"], *LIMITS)))


def _some(draw: st.DrawFn, entry: Document, options: tuple[Mapping[str, Any], ...]) -> None:
    """Add none, one or two of some options to an entry, whose own words stay."""
    for option in draw(st.lists(st.sampled_from(options), max_size=2)):
        for key, value in option.items():
            entry.setdefault(key, value)
