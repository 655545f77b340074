"""What a thing was made from, as a short name for it."""

import hashlib
from collections.abc import Iterable
from pathlib import Path
from typing import Final

LENGTH: Final = 16


def digest(parts: Iterable[str | bytes]) -> str:
    """Return a name for a sequence of texts; the same for the same sequence only."""
    state = hashlib.sha256()
    for part in parts:
        data = part.encode() if isinstance(part, str) else part
        state.update(len(data).to_bytes(8, "big"))
        state.update(data)
    return state.hexdigest()[:LENGTH]


def folder_digest(folder: Path) -> str:
    """Return a name for the files of a folder: their paths and contents."""
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return digest(part for path in files for part in (str(path.relative_to(folder)), path.read_bytes()))


def file_digest(path: Path) -> str:
    """Return the SHA-256 of a file, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
