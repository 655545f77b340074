"""Write a container image as an OCI archive: one layer, nothing pulled."""

import hashlib
import io
import json
import tarfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

_MANIFEST: Final = "application/vnd.oci.image.manifest.v1+json"
_CONFIG: Final = "application/vnd.oci.image.config.v1+json"
_LAYER: Final = "application/vnd.oci.image.layer.v1.tar"
_PATH: Final = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
_MERGED: Final = ("bin", "sbin", "lib", "lib64")
"""Folders that Debian keeps under /usr, with links in their old places."""
_WRITABLE: Final = ("run", "var", "var/log", "var/lib", "var/cache")


@dataclass(frozen=True, kw_only=True)
class Image:
    """What is in an image and how it starts. Paths in the image are absolute."""

    names: tuple[str, ...]
    entrypoint: tuple[str, ...] = ()
    user: str = ""
    workdir: str = "/"
    files: Mapping[str, Path] = field(default_factory=dict[str, Path])
    texts: Mapping[str, str] = field(default_factory=dict[str, str])
    links: Mapping[str, str] = field(default_factory=dict[str, str])
    folders: tuple[str, ...] = ()
    """Empty folders that anybody may write to."""
    stop_signal: str = "SIGTERM"
    """What whoever runs it sends to have it end."""

    def key_parts(self) -> list[str]:
        """Return what tells this image from others: files count by where they are, for they are in folders named by their content."""
        plain = (self.names, self.entrypoint, self.user, self.workdir, self.folders, self.stop_signal)
        members = (
            sorted((path, str(source)) for path, source in self.files.items()),
            sorted(self.texts.items()),
            sorted(self.links.items()),
        )
        return [repr(plain), repr(members)]


def write(image: Image, target: Path) -> None:
    """Write an image as an archive that `ctr images import` reads."""
    layer = target.with_suffix(".layer")
    with tarfile.open(layer, "w") as tar:
        _fill(tar, image)
    diff = _digest(layer)
    configuration = {
        "Entrypoint": list(image.entrypoint),
        "User": image.user,
        "WorkingDir": image.workdir,
        "Env": [_PATH],
        "StopSignal": image.stop_signal,
    }
    config = _json(
        {"architecture": "amd64", "os": "linux", "config": configuration, "rootfs": {"type": "layers", "diff_ids": [f"sha256:{diff}"]}}
    )
    layers = [{"mediaType": _LAYER, "digest": f"sha256:{diff}", "size": layer.stat().st_size}]
    manifest = _json({"schemaVersion": 2, "mediaType": _MANIFEST, "config": _descriptor(config, _CONFIG), "layers": layers})
    entries = [{**_descriptor(manifest, _MANIFEST), "annotations": {"io.containerd.image.name": name}} for name in image.names]
    blobs = {f"blobs/sha256/{hashlib.sha256(blob).hexdigest()}": blob for blob in (config, manifest)}
    with tarfile.open(target, "w") as tar:
        for name, content in {
            "oci-layout": _json({"imageLayoutVersion": "1.0.0"}),
            "index.json": _json({"schemaVersion": 2, "manifests": entries}),
            **blobs,
        }.items():
            _add(tar, name, content, 0o644)
        _add_file(tar, f"blobs/sha256/{diff}", layer, 0o644)
    layer.unlink()


def _fill(tar: tarfile.TarFile, image: Image) -> None:
    for name in _MERGED:
        tar.addfile(_entry(f"usr/{name}", tarfile.DIRTYPE, 0o755))
        _link(tar, name, f"usr/{name}")
    for name in ("tmp", *(folder.lstrip("/") for folder in image.folders)):
        tar.addfile(_entry(name, tarfile.DIRTYPE, 0o1777))
    for name in _WRITABLE:
        tar.addfile(_entry(name, tarfile.DIRTYPE, 0o777))
    for path, text in image.texts.items():
        _add(tar, path.lstrip("/"), text.encode(), 0o644)
    for path, source in image.files.items():
        _add_file(tar, merged(path).lstrip("/"), source, 0o755 if source.stat().st_mode & 0o111 or ".so" in source.name else 0o644)
    for path, to in image.links.items():
        _link(tar, path.lstrip("/"), to)


def merged(path: str) -> str:
    """Return where a path of the old layout really is."""
    first = path.lstrip("/").split("/", 1)[0]
    return f"/usr{path}" if first in _MERGED and path.count("/") > 1 else path


def _add(tar: tarfile.TarFile, name: str, content: bytes, mode: int) -> None:
    entry = _entry(name, tarfile.REGTYPE, mode)
    entry.size = len(content)
    tar.addfile(entry, io.BytesIO(content))


def _add_file(tar: tarfile.TarFile, name: str, source: Path, mode: int) -> None:
    entry = _entry(name, tarfile.REGTYPE, mode)
    entry.size = source.stat().st_size
    with source.open("rb") as content:
        tar.addfile(entry, content)


def _link(tar: tarfile.TarFile, name: str, to: str) -> None:
    entry = _entry(name, tarfile.SYMTYPE, 0o777)
    entry.linkname = to
    tar.addfile(entry)


def _entry(name: str, kind: bytes, mode: int) -> tarfile.TarInfo:
    entry = tarfile.TarInfo(name)
    entry.type, entry.mode = kind, mode
    return entry


def _digest(file: Path) -> str:
    with file.open("rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest()


def _json(document: Mapping[str, Any] | Sequence[Any]) -> bytes:
    return json.dumps(document).encode()


def _descriptor(blob: bytes, media_type: str) -> dict[str, Any]:
    return {"mediaType": media_type, "digest": f"sha256:{hashlib.sha256(blob).hexdigest()}", "size": len(blob)}
