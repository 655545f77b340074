"""What is wrong with a topology: where, what was given, why it cannot be, what to do. All findings at once."""

import difflib
import re
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache

KeyPath = tuple[str | int, ...]
"""Keys and list positions from the top of the file."""


class Verbatim(str):
    """A given value as its file spells it, to be shown without quotes: `2.0`, `yes`, `0x1F90`."""

    __slots__ = ()


@dataclass(frozen=True, kw_only=True)
class Finding:
    """One mistake. `path` leads to the value from the top of the file; `line` counts from 1, 0 where unknown."""

    path: KeyPath
    given: object
    reason: str
    suggestion: str = ""
    file: str = ""
    line: int = 0

    def __str__(self) -> str:
        """Render as `file:line: path: given reason (suggestion)`."""
        place = f"{self.file}:{self.line}: " if self.line else f"{self.file}: " if self.file else ""
        return f"{place}{spell(self.path)}: {self.said}{f' ({self.suggestion})' if self.suggestion else ''}"

    @property
    def said(self) -> str:
        """Return what was given and why it cannot be."""
        return f"{_quoted(self.given)} {self.reason}" if self.given is not None else self.reason


class TopologyError(Exception):
    """A topology that cannot be; `findings` says everything that is wrong with it."""

    def __init__(self, findings: Iterable[Finding]) -> None:
        """Keep all findings."""
        self.findings: tuple[Finding, ...] = tuple(findings)
        super().__init__("\n".join(str(finding) for finding in self.findings))


class Faults(ValueError):
    """Several mistakes of one part of a model, which its validator raises together; each is a finding of its own."""

    def __init__(self, faults: Iterable[str]) -> None:
        """Keep all of them."""
        self.faults: tuple[str, ...] = tuple(faults)
        super().__init__("; ".join(self.faults))


def spell(path: KeyPath) -> str:
    """Return a path as people write it: `services.cart.calls[1]`; keys that are not plain words are quoted."""
    text = ""
    for part in path:
        if isinstance(part, int):
            text += f"[{part}]"
        elif not re.fullmatch(r"[\w-]+", part):
            text += f'["{part}"]'
        else:
            text += f".{part}" if text else part
    return text or "(top)"


def nearest(given: str, known: Iterable[str], *, likeness: float = 0.6) -> str | None:
    """Return the known name that was probably meant, whatever its case; `likeness`, up to 1, is how near it must be."""
    return _nearest(given, frozenset(known), likeness)


@lru_cache(maxsize=4096)  # the laws of a file whose form is broken ask the same at every turn
def _nearest(given: str, known: frozenset[str], likeness: float) -> str | None:
    by_case = {name.casefold(): name for name in sorted(known)}
    near = difflib.get_close_matches(given.casefold(), by_case, n=1, cutoff=likeness)
    return by_case[near[0]] if near else None


MOST_NAMES = 30
"""More names than this are not read. No part of the model has more keys, which a test holds."""


def did_you_mean(given: str, known: Collection[str]) -> str:
    """Return a suggestion: the nearest known name, or the list of them."""
    if (near := nearest(given, known)) is not None:
        return f'did you mean "{near}"?'
    names: Sequence[str] = sorted(known)
    if not names:
        return "none is defined"
    return f"known: {', '.join(names[:MOST_NAMES])}{', ...' if len(names) > MOST_NAMES else ''}"


def _quoted(value: object) -> str:
    text = f'"{value}"' if isinstance(value, str) and not isinstance(value, Verbatim) else str(value)
    text = text.replace("\n", "\\n")
    return text if len(text) <= 80 else f"{text[:77]}..."
