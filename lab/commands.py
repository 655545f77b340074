"""Run a program to its end."""

import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from lab.errors import LabError

SHOWN: Final = 2000
"""How much of what a failed program wrote is repeated in the message."""


def run(  # noqa: PLR0913 # what a program is started with
    part: str,
    command: Sequence[str | Path],
    *,
    given: str | None = None,
    cwd: Path | None = None,
    environment: Mapping[str, str] | None = None,
    log: Path | None = None,
) -> str:
    """Run a command and return what it wrote to standard output.

    Args:
        part: for whom, for the message.
        command: the program and its arguments.
        given: standard input.
        cwd: working folder.
        environment: the whole environment; default: ours.
        log: file that takes both outputs in place of the return value.

    Raises:
        LabError: it cannot be started or ends with another status than 0.
    """
    words = [str(word) for word in command]
    try:
        if log is None:
            done = subprocess.run(words, input=given, capture_output=True, text=True, check=False, cwd=cwd, env=environment)
            wrote = done.stderr or done.stdout
        else:
            log.parent.mkdir(parents=True, exist_ok=True)
            with log.open("w") as file:
                done = subprocess.run(
                    words, input=given, stdout=file, stderr=subprocess.STDOUT, text=True, check=False, cwd=cwd, env=environment
                )
            wrote = log.read_text(errors="replace") if done.returncode else ""
    except OSError as error:
        raise LabError(part, f"{words[0]} cannot be started: {error.strerror}") from error
    if done.returncode:
        raise LabError(
            part, f"`{' '.join(words[:6])}{' …' if len(words) > 6 else ''}` ended with {done.returncode}: {wrote.strip()[-SHOWN:]}", log=log
        )
    return done.stdout or ""
