"""Files that a command writes."""

from pathlib import Path

from cli.errors import UsageError


def write_file(file: Path, text: str) -> None:
    """Write a file, and the folders that it lies in.

    Raises:
        UsageError: where that cannot be.
    """
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
    except OSError as error:
        raise UsageError(f"{file}: cannot be written: {_why(error, file)}. Name another place.") from error


def _why(error: OSError, file: Path) -> str:
    """Return the reason in the system's words, with the folder that stands in the way where it is not the file itself."""
    if isinstance(error, FileExistsError | NotADirectoryError):
        return f"{next((each for each in reversed(file.parents) if each.exists() and not each.is_dir()), file.parent)} is no folder"
    blamed = f" ({error.filename})" if error.filename and Path(error.filename) != file else ""
    return f"{error.strerror or error}{blamed}"
