"""Everything that the lab is made of, built or found in the cache."""

import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from lab import builder, charts, images, packages
from lab.issuer import Issuer
from lab.oci import Image
from lab.parts import BUILDS
from lab.progress import Progress
from lab.rule_set import rule_set
from lab.settings import CACHE

TOOLS: Final = ("kubectl", "helm", "fortio")
"""Programs that are used from outside the cluster."""
PACKAGE_SECONDS: Final = {"wheels": 10, "debian": 20}
"""What fetching took when it was last measured."""


@dataclass(frozen=True, kw_only=True)
class Ingredients:
    """What was built, and where."""

    debian: Path
    etcd: Path
    programs: Mapping[str, Path]
    charts: Mapping[str, Path]
    images: tuple[Image, ...]
    tools: Path
    """A folder with the programs of `TOOLS`, and no others."""


def make(progress: Progress) -> Ingredients:
    """Get, build and put together what is not there yet.

    Raises:
        LabError: something cannot be had or built.
    """
    progress.expect(list(PACKAGE_SECONDS.items()))
    with progress.step("wheels"):
        wheels = packages.wheels()
    progress.expect([(build.name, build.seconds) for build in BUILDS if not builder.built(build, wheels).is_dir()])
    with progress.step("debian"):
        debian = packages.debian()
    programs: dict[str, Path] = {}
    for build in BUILDS:
        folder = builder.built(build, wheels)
        if not folder.is_dir():
            with progress.step(build.name) as step:
                builder.make(build, wheels, step)
        programs.update({name: folder / name for name in build.programs})
    issuer = Issuer()
    issuer.prepare()
    packed = charts.pack(wheels, programs["helm"])
    sources = images.Sources(
        debian=debian,
        wheels=wheels,
        programs=programs,
        bootstrap=charts.bootstrap(wheels),
        rules=rule_set(wheels),
        trust=images.trust(debian, issuer.ca),
    )
    wanted = tuple(images.images(sources))
    images.forget_all_but(wanted)
    return Ingredients(debian=debian, etcd=packages.etcd(wheels), programs=programs, charts=packed, images=wanted, tools=_tools(programs))


def present() -> dict[str, Path]:
    """Return the programs that are there already, by name; nothing is fetched or built.

    Raises:
        LabError: uv is missing, or this is no machine for the lab.
    """
    wheels = packages.wheels_folder()
    built = {name: builder.built(build, wheels) / name for build in BUILDS for name in build.programs}
    return {name: path for name, path in {**built, "etcd": packages.etcd(wheels)}.items() if path.is_file()}


def forget() -> None:
    """Remove everything that was built or fetched."""
    for path in CACHE.rglob("*"):  # Go writes its module cache read-only
        if path.is_dir() and not path.is_symlink():
            path.chmod(0o755)
    shutil.rmtree(CACHE, ignore_errors=True)


def _tools(programs: Mapping[str, Path]) -> Path:
    folder = CACHE / "tools"
    folder.mkdir(parents=True, exist_ok=True)
    for name in TOOLS:
        link = folder / f".{name}"
        link.unlink(missing_ok=True)
        os.symlink(programs[name], link)
        link.rename(folder / name)
    return folder
