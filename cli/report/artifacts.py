"""Files as SARIF names them."""

from pathlib import Path
from typing import Any

from cli.problems import nearby


def location(file: Path, line: int = 0) -> dict[str, Any]:
    """Return a physical location: relative to the folder that the command runs in, as code scanning wants it, where the file lies below."""
    near = Path(nearby(file))
    artifact = {"uri": near.as_uri()} if near.is_absolute() else {"uri": near.as_posix(), "uriBaseId": "%SRCROOT%"}
    return {"artifactLocation": artifact, **({"region": {"startLine": line}} if line else {})}
