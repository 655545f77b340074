"""Build our Go modules with the toolchain of the lock file, once for each content."""

import json
import os
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from lab.commands import run
from lab.digests import digest, folder_digest
from lab.errors import LabError
from lab.parts import Build, Copy, Module
from lab.progress import Step
from lab.settings import BUILD_LOGS, CACHE, SOURCES

MINIMUM_DISK: Final = 16 << 30
"""Bytes that a first build takes: sources, object files and programs (docs/lab.md)."""


def built(build: Build, toolchain: Path) -> Path:
    """Return the folder in which the programs of a build are, or will be: its name says what they were made from."""
    about = (
        build.name,
        repr(sorted(build.programs.items())),
        repr(sorted(build.variables.items())),
        repr(build.copy),
        toolchain.name,
        *filter(None, (build.experiments,)),
    )
    return CACHE / "bin" / f"{build.name}-{digest((*about, folder_digest(SOURCES / build.name)))}"


def make(build: Build, toolchain: Path, step: Step) -> Path:
    """Build what is not built yet, and return the folder of the programs.

    Raises:
        LabError: the compiler fails, a checksum is wrong, or the disk is full.
    """
    target = built(build, toolchain)
    if target.is_dir():
        return target
    if (free := shutil.disk_usage(_existing(CACHE)).free) < MINIMUM_DISK // 4:
        raise LabError(build.name, f"{CACHE} has {free >> 30} GiB left", todo=f"Make room: a first build takes {MINIMUM_DISK >> 30} GiB")
    work = CACHE / "work" / build.name
    shutil.rmtree(work, ignore_errors=True)
    shutil.copytree(SOURCES / build.name, work)
    if build.copy is not None:
        _copy(build, build.copy, toolchain, work)
    draft = target.with_name(f".{target.name}")
    shutil.rmtree(draft, ignore_errors=True)
    draft.mkdir(parents=True)
    _compile(build, toolchain, work, draft, step)
    _forget_former(target)
    draft.rename(target)
    shutil.rmtree(work, ignore_errors=True)
    return target


def go_environment(toolchain: Path) -> dict[str, str]:
    """Return the environment of the Go toolchain: ours, with its caches in the lab's and no toolchain but the pinned one."""
    folder = CACHE / "go"
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith("GO") or name in ("GOPROXY", "GOSUMDB", "GONOSUMDB", "GOMODCACHE")
    }
    own = {
        "GOROOT": str(toolchain / "go"), "GOTOOLCHAIN": "local", "GOFLAGS": "-mod=readonly", "GOENV": "off", "GOWORK": "off", "CGO_ENABLED": "0",
        "GOPATH": str(folder), "GOCACHE": str(folder / "build"), "GOTELEMETRY": "off", "HOME": str(folder),
    }  # fmt: skip
    return {"GOMODCACHE": str(folder / "mod"), **kept, **own}


def go(toolchain: Path) -> Path:
    """Return the `go` command of a toolchain."""
    return toolchain / "go" / "bin" / "go"


def _copy(build: Build, copy: Copy, toolchain: Path, work: Path) -> None:
    folder = download(build.name, copy.source, toolchain)
    target = work / copy.source.name.rsplit("/", 1)[-1]
    shutil.copytree(folder, target, copy_function=shutil.copyfile)
    for theirs, ours in copy.replaced.items():
        shutil.rmtree(target / theirs)
        shutil.move(work / ours, target / theirs)


def download(part: str, module: Module, toolchain: Path) -> Path:
    """Return the folder of a published Go module.

    Args:
        part: for whom, for messages.
        module: what to get.
        toolchain: folder of the toolchain.

    Raises:
        LabError: it is not in the proxy, or is not what its checksum says.
    """
    name = f"{module.name}@{module.version}"
    text = run(part, (go(toolchain), "mod", "download", "-json", name), environment=go_environment(toolchain), cwd=_existing(CACHE))
    found: dict[str, str] = json.loads(text)
    if found["Sum"] != module.sum:
        raise LabError(part, f"{name} has the checksum {found['Sum']}, not {module.sum}", todo="Do not build it: find out who changed it")
    return Path(found["Dir"])


def _compile(build: Build, toolchain: Path, work: Path, target: Path, step: Step) -> None:
    environment = {**go_environment(toolchain), "GOEXPERIMENT": build.experiments}
    values = " ".join(f"-X {name}={value}" for name, value in build.variables.items())
    packages = len(run(build.name, (go(toolchain), "list", "-deps", *build.programs.values()), cwd=work, environment=environment).split())
    log = BUILD_LOGS / f"{build.name}.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    for names in _groups(build.programs):
        output = target if len(names) > 1 else target / names[0]
        command = [
            str(go(toolchain)),
            "build",
            "-v",
            "-trimpath",
            f"-ldflags=-s -w {values}",
            "-o",
            str(output),
            *(build.programs[name] for name in names),
        ]
        with log.open("w") as file, subprocess.Popen(command, cwd=work, env=environment, stderr=subprocess.PIPE, text=True) as process:
            assert process.stderr is not None  # noqa: S101 # it was asked for
            for number, line in enumerate(process.stderr, 1):
                file.write(line)
                step.advance(min(0.95, number / packages), line.strip().rsplit("/", 1)[-1][:24])
        if process.returncode:
            said = log.read_text(errors="replace").strip().splitlines()[-6:]
            raise LabError(build.name, f"`go build` ended with {process.returncode}: {' / '.join(said)}", log=log)


def _groups(programs: Mapping[str, str]) -> list[list[str]]:
    """Return which programs one call builds: all whose name is that of their package, else each alone."""
    plain = [name for name, package in programs.items() if package.rsplit("/", 1)[-1] == name]
    return ([plain] if plain else []) + [[name] for name in programs if name not in plain]


def _forget_former(target: Path) -> None:
    stem = target.name.rsplit("-", 1)[0]
    for former in target.parent.glob(f"{stem}-*"):
        if former.name.rsplit("-", 1)[0] == stem:
            shutil.rmtree(former)


def _existing(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    return folder
