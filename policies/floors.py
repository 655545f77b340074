"""The oldest version of each product on the request path that has no known way past the boundary, with the source.

This is the one place where versions are held against advisories. A line that is not listed gets no fixes any more.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, kw_only=True)
class Floor:
    """What is known of one product."""

    product: str
    lines: Mapping[str, str]
    """Release line and the first version on it with every fix that matters here. Lines newer than all of these pass."""
    source: str


FLOORS: Final[Mapping[str, Floor]] = {
    floor.product: floor
    for floor in (
        Floor(
            product="Istio",
            # 1.30.4: ISTIO-SECURITY-2026-006, RBAC bypasses CVE-2026-73552 and CVE-2026-73553, plaintext GHSA-qm8v-g4f9-qhjx.
            # 1.31.1: GHSA-qm8v-g4f9-qhjx, JWKS fetches from metadata addresses, annotations injected into pods.
            # 1.29 ended on 2026-10-15 (its last version is 1.29.9); `trustDomains` of AuthorizationPolicy needs 1.30.
            lines={"1.30": "1.30.4", "1.31": "1.31.1"},
            source="https://istio.io/latest/news/security/istio-security-2026-006/, https://istio.io/latest/news/releases/1.31.x/announcing-1.31.1/",
        ),
        Floor(
            product="Envoy Gateway",
            # 1.8.1: xDS authentication bypass in GatewayNamespace mode (GHSA-22xc-xg2r-9j7v), ReferenceGrant bypass (GHSA-fcrp-7gc2-93g7).
            # 1.9.1: EnvoyProxy could drop the proxies' security context (GHSA-w42f-28h3-998w).
            lines={"1.8": "1.8.1", "1.9": "1.9.1"},
            source="https://github.com/envoyproxy/gateway/blob/main/release-notes/v1.9.1.yaml, v1.8.1.yaml",
        ),
        Floor(
            product="Kong",
            # 3.9 is the last line with free images; 3.9.1 is its first patch release, lines before it are at their end of life.
            lines={"3.9": "3.9.1"},
            source="https://github.com/Kong/kong/blob/master/CHANGELOG.md, https://endoflife.date/kong-gateway",
        ),
        Floor(
            product="OWASP CRS",
            # 4.28.0: attack rules passed over XML attributes (GHSA-6jp8-c2w2-x7wr). 4.25 is the long-term line, into whose point releases
            # security fixes are put back until 2027. Both have the fix of CVE-2026-21876 (multipart, 4.22.0); 3.3 ended in 2026.
            lines={"4.25": "4.25.1", "4.28": "4.28.0"},
            source="https://github.com/coreruleset/coreruleset/releases/tag/v4.28.0, https://github.com/coreruleset/coreruleset/blob/main/SECURITY.md",
        ),
        Floor(
            product="cert-manager",
            # 1.19.3: denial of service GHSA-gx3x-vq4p-mhhv. 1.21.2: answers of issuers copied into Events, credentials of namespaced issuers.
            lines={"1.19": "1.19.4", "1.20": "1.20.1", "1.21": "1.21.2"},
            source="https://github.com/cert-manager/cert-manager/releases/tag/v1.21.2, https://github.com/cert-manager/cert-manager/security/advisories/GHSA-gx3x-vq4p-mhhv",
        ),
    )
}
"""Floors by product."""

_VERSION = re.compile(r"^v?(?P<numbers>\d+\.\d+(?:\.\d+)?)(?P<suffix>[-+].*)?$")
_PRERELEASE = re.compile(r"^-(alpha|beta|rc|dev|pre)\b", re.IGNORECASE)


class UnreadableVersionError(ValueError):
    """A version that does not say which release it is: a range, a moving tag, a line without patch."""


def below_floor(product: str, version: str) -> str | None:
    """Return why a version is too old, or None where it is not.

    Raises:
        UnreadableVersionError: if the version does not name one release.
    """
    floor = FLOORS[product]
    given = _numbers(version)
    line = ".".join(map(str, given[:2]))
    first = floor.lines.get(line)
    if first is None:
        if given[:2] > max(_numbers(newest)[:2] for newest in floor.lines.values()):
            return None
        return f"{product} {version}: the line {line} gets no fixes any more; the lines that do are {', '.join(sorted(floor.lines))}"
    prerelease = _PRERELEASE.match(_suffix(version)) is not None
    if given < _numbers(first) or (prerelease and given == _numbers(first)):
        return f"{product} {version} is older than {first}, the first version on its line with all fixes"
    return None


def _match(version: str) -> re.Match[str]:
    match = _VERSION.match(version)
    if match is None or match["numbers"].count(".") < 2:
        raise UnreadableVersionError(f'"{version}" does not name one release')
    return match


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(number) for number in _match(version)["numbers"].split("."))


def _suffix(version: str) -> str:
    return _match(version)["suffix"] or ""
