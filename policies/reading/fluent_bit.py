"""Fluent Bit's configuration in its classic form.

https://docs.fluentbit.io/manual/administration/configuring-fluent-bit/classic-mode/format-schema
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

HEADER: Final = re.compile(r"\[(\w+)\]")
ELSEWHERE: Final = re.compile(r"\$|\{\{|^@")
"""What another file, the environment or a template is to say."""


@dataclass(frozen=True, kw_only=True)
class Section:
    """A part of the pipeline."""

    kind: str
    """`INPUT`, `FILTER`, `OUTPUT`."""
    settings: Mapping[str, str]
    """By names in small letters: Fluent Bit reads them in any."""


class UnreadLineError(Exception):
    """A line is neither a section nor a setting of one, says a setting again, or lets something else say it."""


def sections(text: str) -> Iterator[Section]:
    """Yield the sections of a configuration.

    Raises:
        UnreadLineError: if there is a line of which it is not known what it says.
    """
    kind, settings = "", dict[str, str]()
    for line in filter(None, map(str.strip, text.splitlines())):
        if line.startswith("#"):
            continue
        if header := HEADER.fullmatch(line):
            if kind:
                yield Section(kind=kind, settings=settings)
            kind, settings = header[1], {}
            continue
        name, *value = line.split(maxsplit=1)
        if not kind or not value or ELSEWHERE.search(line) or name.lower() in settings:
            raise UnreadLineError(line)
        settings[name.lower()] = value[0]
    if kind:
        yield Section(kind=kind, settings=settings)
