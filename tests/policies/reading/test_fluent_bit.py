"""Fluent Bit's configuration is read as Fluent Bit reads it, or not at all."""

import pytest

from policies.reading.fluent_bit import Section, UnreadLineError, sections


def test_sections_have_their_settings_by_names_in_small_letters() -> None:
    text = "# logs\n[INPUT]\n    Name  tail\n\n    Path /a b\n[OUTPUT]\n    Match *\n"
    assert list(sections(text)) == [
        Section(kind="INPUT", settings={"name": "tail", "path": "/a b"}),
        Section(kind="OUTPUT", settings={"match": "*"}),
    ]


def test_nothing_is_no_section() -> None:
    assert list(sections("\n# nothing\n")) == []


@pytest.mark.parametrize(
    "line",
    [
        "Name tail",
        "[INPUT]\nName",
        "[INPUT]\nName a\nname b",
        "@INCLUDE a",
        "[INPUT]\n@INCLUDE a",
        "[INPUT]\nPath ${A}",
        "[INPUT]\nPath {{ .a }}",
    ],
)
def test_what_is_said_twice_in_part_or_elsewhere_is_not_read(line: str) -> None:
    with pytest.raises(UnreadLineError):
        list(sections(line))
