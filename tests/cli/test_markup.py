"""Texts of others stay texts in Markdown, whatever they hold."""

import pytest

from cli.report.markup import code, escaped, table


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("a | b", r"a \| b"),
        ("two\nlines", "two lines"),
        ("<script>alert(1)</script>", r"\<script\>alert(1)\</script\>"),
        ("![x](https://x.example)", r"!\[x\](https://x.example)"),
        ("**bold** `code` &#42; ~~x~~ $x$", r"\*\*bold\*\* \`code\` \&\#42; \~\~x\~\~ \$x\$"),
        (r"back\slash", r"back\\slash"),
        ("- no item", r"\- no item"),
    ],
)
def test_nothing_of_a_text_is_markup(text: str, written: str) -> None:
    assert escaped(text) == written


@pytest.mark.parametrize(
    ("text", "written"), [("/a/*", "`/a/*`"), ("a|b", r"`a\|b`"), ("a`b``c", "``` a`b``c ```"), ("", ""), ("a\nb", "`a b`")]
)
def test_a_code_span_ends_where_its_text_does(text: str, written: str) -> None:
    assert code(text) == written


def test_a_table_without_rows_is_nothing() -> None:
    assert table(("a", "b"), []) == []
    assert table(("a", "b"), [("1", "2")]) == ["| a | b |", "| --- | --- |", "| 1 | 2 |", ""]
