"""What is deployed stays what it was."""

from collections.abc import Iterator
from typing import Final

from topology.findings import Finding
from topology.laws.law import Law
from topology.model.system import Topology

MOVES: Final = ":latest"
"""The tag that every registry gives to what was pushed last without one (https://docs.docker.com/reference/cli/docker/image/tag/)."""


def images_stay_the_same(t: Topology) -> Iterator[Finding]:
    """An image is named by a tag that does not move, or by a digest: otherwise instances of one version may run different programs."""
    for name, service in t.services.items():
        for version, about in service.versions.items():
            if about.image is not None and about.image.endswith(MOVES):
                path = ("services", name, "versions", version, "image")
                reason = "names what was pushed last, which tomorrow is another image"
                yield Finding(path=path, given=about.image, reason=reason, suggestion="write a tag that does not move, or a digest")


LAWS: tuple[Law, ...] = (images_stay_the_same,)
