"""W12: the program that stands at the public address is the one that was reviewed."""

import re
from collections.abc import Iterator
from typing import Final

from policies.edge_rule import EdgeRule
from policies.floors import UnreadableVersionError, below_floor
from policies.reading.edge_container import INJECTED
from policies.reading.stack import Stack
from policies.reading.waf import Front
from policies.rule import Finding, Severity

IMAGES: Final = ("docker.io/owasp/modsecurity-crs", "owasp/modsecurity-crs", "ghcr.io/coreruleset/modsecurity-crs")
"""Where the makers of the core rule set publish nginx, ModSecurity and the rules in one image."""

_TAG: Final = re.compile(r"^(?P<version>\d+\.\d+\.\d+)-nginx\b")


class W12(EdgeRule):
    """The WAF's image is the one that its makers publish, in a version with all fixes.

    Forbids:
        - an image of a public nginx from another place than where the makers of the core rule set publish it, whatever its name;
        - a tag that names no version (`latest`, `nginx-alpine`), or another server than nginx;
        - a version of the core rule set with a known way around it (the floor in `policies/floors.py`).

    Why:
        The plan shows nginx's configuration and ModSecurity's, and not the rules themselves: those come with the image. The same
        name in another registry may hold anything, and a rule set of some years ago does not know the ways around it that are
        published since.

    Instead:
        Name registry and version, and the digest as well where it may not change::

            image: docker.io/owasp/modsecurity-crs:4.28.0-nginx-alpine-202607160307

        A mirror is exempted by name, with a reason, an owner and a date.
    """

    id = "W12"
    name = "waf-image-is-reviewed"
    severity = Severity.HIGH
    frameworks = ("GHSA-36fv-25j3-r2c5", "CVE-2026-21876")

    def check(self, front: Front, stack: Stack) -> Iterator[Finding]:
        """Check the images of the pods."""
        pod = front.nginx.pod
        images = [container.get("image") for container in pod.containers if container.get("name") not in INJECTED]
        yield from self.over([pod.resource], lambda _: (finding for image in images for finding in self._image(front, str(image))))

    def _image(self, front: Front, image: str) -> Iterator[Finding]:
        pod = front.nginx.pod
        name = image.partition("@")[0]
        repository, _, tag = name.partition(":") if ":" in name.rpartition("/")[2] else (name, "", "")
        if repository not in IMAGES:
            yield self.undecided(
                pod.resource,
                f"whether the image {image} holds ModSecurity and the core rule set is not known",
                f"take it from {IMAGES[0]}, or exempt the mirror with owner and expiry",
            )
            return
        found = _TAG.match(tag)
        if found is None:
            yield self.undecided(
                pod.resource, f"the image {image} does not say which version of the core rule set it holds", "name a version"
            )
            return
        try:
            old = below_floor("OWASP CRS", found["version"])
        except UnreadableVersionError as error:
            yield self.undecided(pod.resource, f"{image}: {error}", "name a version")
            return
        if old:
            yield self.broken(pod.resource, f"{image}: {old}", "take a newer image")
