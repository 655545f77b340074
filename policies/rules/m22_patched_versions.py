"""M22: nothing on the request path has a known hole."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from policies.floors import FLOORS, UnreadableVersionError, below_floor
from policies.reading.charts import chart_name
from policies.reading.pods import TEMPLATES, pod_of
from policies.reading.resource import Resource
from policies.reading.stack import Stack
from policies.rule import Finding, Rule, Severity

CHARTS: Final[Mapping[str, str]] = {
    "base": "Istio",
    "istiod": "Istio",
    "gateway": "Istio",
    "cni": "Istio",
    "ztunnel": "Istio",
    "gateway-helm": "Envoy Gateway",
    "gateway-crds-helm": "Envoy Gateway",
    "cert-manager": "cert-manager",
}
"""Charts that bear the version of what they install. Kong's do not: its version is that of its image."""

TAGS: Final[Mapping[str, tuple[tuple[str, ...], ...]]] = {
    "istiod": (("global", "tag"), ("tag",)),
    "gateway": (("global", "tag"),),
    "cert-manager": (("image", "tag"), ("webhook", "image", "tag"), ("cainjector", "image", "tag")),
    "kong": (("image", "tag"),),
}
"""Where a chart's values choose another version than the chart's own."""

IMAGES: Final[Mapping[str, str]] = {
    "istio/pilot": "Istio",
    "istio/proxyv2": "Istio",
    "envoyproxy/gateway": "Envoy Gateway",
    "jetstack/cert-manager-controller": "cert-manager",
    "kong": "Kong",
    "library/kong": "Kong",
    "kong/kong": "Kong",
}
"""Images, without registry, by product."""

VARIANTS: Final = ("-distroless", "-debug", "-ubuntu", "-rhel")


class M22(Rule):
    """Istio, Envoy Gateway, Kong and cert-manager run at least the patched version of their line.

    Forbids:
        A chart or image of these products below the floors in `policies/floors.py`, or of a line that gets no fixes any more;
        a chart without version, or with a range or a moving tag.

    Why:
        The boundary is only as good as the programs that draw it. Among the fixes below the floors are ways past Envoy's RBAC
        (CVE-2026-26308, CVE-2026-73552, CVE-2026-73553), tokens accepted when the issuer does not answer (CVE-2026-31837),
        ServiceAccount rules that match other accounts (CVE-2026-39350), and plaintext to a backend whose CA cannot be found
        (GHSA-qm8v-g4f9-qhjx). A version that is not pinned is whatever is newest at deploy time, which nobody judged.

    Instead:
        Pin exact versions, in `components/versions.py`, and raise the floor when an advisory appears.
    """

    id = "M22"
    name = "no-known-holes"
    severity = Severity.HIGH
    frameworks = ("ISTIO-SECURITY-2026-001", "ISTIO-SECURITY-2026-003", "ISTIO-SECURITY-2026-006", "GHSA-w42f-28h3-998w")

    def judge(self, stack: Stack) -> Iterator[Finding]:
        """Check releases, then images of the program's own workloads."""
        yield from self.over(stack.releases, self._release)
        yield from self.over(stack.of(*TEMPLATES), self._workload)

    def _release(self, release: Resource) -> Iterator[Finding]:
        name = chart_name(release)
        if name in CHARTS:
            version: str = release.at("version", default="")
            if not version:
                yield self.undecided(
                    release, f"the chart {name} has no version: what is installed is whatever is newest", "pin the chart's version"
                )
            else:
                yield from self._version(release, CHARTS[name], version, f"chart {name}")
        for path in TAGS.get(name, ()):
            if tag := release.at("values", *path, default=""):
                yield from self._version(release, CHARTS.get(name, "Kong"), str(tag), f"values.{'.'.join(path)}")
        if name == "gateway-helm" and (image := release.at("values", "global", "images", "envoyGateway", "image", default="")):
            yield from self._image(release, image, "values.global.images.envoyGateway.image")
        if name == "kong" and not release.at("values", "image", "tag", default=""):
            yield self.undecided(release, "the chart kong does not say here which Kong it installs", "pin image.tag")

    def _workload(self, resource: Resource) -> Iterator[Finding]:
        pod = pod_of(resource)
        for container in pod.all_containers if pod else ():
            yield from self._image(resource, str(container.get("image", "")), f"container {container.get('name', '')}")

    def _image(self, resource: Resource, image: str, where: str) -> Iterator[Finding]:
        reference = image.partition("@")[0]
        repository, colon, tag = reference.rpartition(":")
        if not colon or "/" in tag:
            repository, tag = reference, ""
        parts = repository.split("/")
        short = "/".join(parts[1:] if "." in parts[0] or ":" in parts[0] else parts)
        if product := IMAGES.get(short):
            yield from self._version(resource, product, tag or "latest", where)

    def _version(self, resource: Resource, product: str, version: str, where: str) -> Iterator[Finding]:
        plain: Any = version
        for variant in VARIANTS:
            plain = plain.removesuffix(variant)
        try:
            reason = below_floor(product, plain)
        except UnreadableVersionError as error:
            yield self.undecided(resource, f"{where}: {error} of {product}", "pin an exact version")
            return
        if reason:
            lowest = ", ".join(FLOORS[product].lines.values())
            yield self.broken(resource, f"{where}: {reason}", f"use {lowest} or newer ({FLOORS[product].source})")
