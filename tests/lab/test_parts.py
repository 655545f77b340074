import re
from dataclasses import replace
from pathlib import Path

import pytest

from components.versions import CHARTS as PINNED_CHARTS
from components.versions import IMAGES as PINNED_IMAGES
from components.versions import ISTIO_VERSION
from lab import charts, images
from lab.builder import built
from lab.images import Sources
from lab.oci import Image
from lab.parts import BUILDS, ISTIO, KUBERNETES, Build, Copy, Module
from lab.settings import SOURCES

NOT_HERE = {
    "kong": "no registry at hand has Kong",
    "kong-ingress-controller": "the same",
    "aws-load-balancer-controller": "of EKS only",
    "istio": "a prefix: its images are asked for one by one below",
}


def _nothing_is_loaded(*_: object) -> dict[str, Path]:
    return {}


@pytest.fixture
def all_images(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[Image]:
    """The table with contents of no size: what loads what is not asked here."""
    monkeypatch.setattr(images, "_libraries", _nothing_is_loaded)
    (tmp_path / "usr/lib/x86_64-linux-gnu/xtables").mkdir(parents=True)
    programs = {name: tmp_path / name for build in BUILDS for name in build.programs}
    return images.images(Sources(debian=tmp_path, wheels=tmp_path, programs=programs, bootstrap=tmp_path, rules=tmp_path, trust=tmp_path))


@pytest.mark.parametrize("build", BUILDS, ids=lambda build: build.name)
def test_every_build_is_a_module_with_pinned_checksums(build: Build) -> None:
    folder = SOURCES / build.name
    assert (folder / "go.mod").is_file()
    assert (folder / "go.sum").is_file()


@pytest.mark.parametrize("build", BUILDS, ids=lambda build: build.name)
def test_every_program_is_ours_or_a_tool_of_its_module(build: Build) -> None:
    text = (SOURCES / build.name / "go.mod").read_text()
    tools = set(re.findall(r"^(?:tool |\t)(\S+/\S+)$", text, re.MULTILINE))
    for package in build.programs.values():
        assert package in tools or (package.startswith(".") and (SOURCES / build.name / package).is_dir()), package


def test_every_module_is_built() -> None:
    assert {folder.name for folder in SOURCES.iterdir()} == {build.name for build in BUILDS}


def test_the_name_of_a_build_changes_with_what_it_is_made_from(tmp_path: Path) -> None:
    build = BUILDS[0]
    other = Build(name=build.name, programs=build.programs, seconds=build.seconds, variables={"main.version": "2"}, why=build.why)
    names = {built(build, tmp_path / "go-1"), built(build, tmp_path / "go-2"), built(other, tmp_path / "go-1")}
    assert len(names) == 3
    assert built(build, tmp_path / "go-1") == built(build, tmp_path / "go-1")


def test_the_name_of_a_build_changes_with_the_copy_that_it_is_made_from(tmp_path: Path) -> None:
    module = Module(name="example.org/m", version="v1", sum="h1:a")
    copies = [
        None,
        Copy(source=module, replaced={}),
        Copy(source=module, replaced={"a": "b"}),
        Copy(source=replace(module, name="example.org/n"), replaced={}),
        Copy(source=replace(module, version="v2"), replaced={}),
        Copy(source=replace(module, sum="h1:b"), replaced={}),
    ]
    assert len({built(replace(BUILDS[0], copy=copy), tmp_path / "go") for copy in copies}) == len(copies)


def test_versions_agree_with_the_modules() -> None:
    assert f"k8s.io/kubernetes {KUBERNETES}" in (SOURCES / "kubernetes/go.mod").read_text()
    assert ISTIO == ISTIO_VERSION


def test_every_pinned_image_is_in_the_lab(all_images: list[Image]) -> None:
    names = {name for image in all_images for name in image.names}
    wanted = {
        key: name.replace("docker.io/redis:", "docker.io/library/redis:") for key, name in PINNED_IMAGES.items() if key not in NOT_HERE
    }
    assert {key: name for key, name in wanted.items() if name not in names} == {}
    hub = PINNED_IMAGES["istio"]
    assert {f"{hub}/pilot:{ISTIO_VERSION}", f"{hub}/proxyv2:{ISTIO_VERSION}"} <= names


def test_no_two_images_have_a_name_in_common(all_images: list[Image]) -> None:
    names = [name for image in all_images for name in image.names]
    assert len(names) == len(set(names))


def test_images_that_differ_have_different_keys(all_images: list[Image]) -> None:
    assert len({images.key(image) for image in all_images}) == len(all_images)


def test_every_pinned_chart_has_a_mirror_of_the_same_version() -> None:
    mirrored = {chart.key: (chart.reference, chart.version) for chart in charts.CHARTS}
    assert mirrored == {key: (chart.chart, chart.version) for key, chart in PINNED_CHARTS.items() if key not in NOT_HERE}
