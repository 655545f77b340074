"""The pages of the rules: made from their docstrings, so every docstring must be a page."""

import re

import pytest
import yaml

from policies.documentation import LAYERS, SECTIONS, index, page, sections
from policies.registry import rules
from policies.rule import Rule

WITHOUT_FRAMEWORK = frozenset({"A02", "A10", "A13", "K10", "K11", "M07", "M15", "M16", "W09"})
"""Rules that boundary-rules.md calls its own. The others, but for those of the plan and the proof, name who else says the same."""


@pytest.mark.parametrize("rule", [pytest.param(rule, id=rule.id) for rule in rules()])
class TestEveryRule:
    def test_its_docstring_says_what_it_forbids_why_and_what_to_do_instead(self, rule: Rule) -> None:
        parts = sections(rule)
        assert tuple(parts) == ("", *SECTIONS)

    def test_it_has_a_summary_of_one_sentence(self, rule: Rule) -> None:
        summary = sections(rule)[""].splitlines()[0]
        assert summary.endswith("."), summary

    def test_it_is_named_in_words_and_belongs_to_a_layer(self, rule: Rule) -> None:
        assert rule.id[0] in LAYERS
        assert rule.name == rule.name.lower()
        assert " " not in rule.name

    def test_it_names_the_frameworks_that_say_the_same(self, rule: Rule) -> None:
        if rule.id not in WITHOUT_FRAMEWORK and rule.id[0] in "WAKM":
            assert rule.frameworks, f"{rule.id} has no frameworks; boundary-rules.md names some"

    def test_its_page_begins_with_its_id_and_holds_each_section(self, rule: Rule) -> None:
        text = page(rule)
        assert text.startswith(f"# {rule.id} {rule.name}\n")
        assert [line for line in text.splitlines() if line.startswith("## ")] == ["## Forbids", "## Why", "## Instead"]
        assert text.count("```") % 2 == 0, "an example is not closed"

    def test_its_examples_in_yaml_can_be_read(self, rule: Rule) -> None:
        for example in re.findall(r"```yaml\n(.*?)```", page(rule), re.DOTALL):
            documents = list(yaml.safe_load_all(example))
            assert all(isinstance(document, dict) for document in documents), example


def test_the_index_names_every_rule_once() -> None:
    text = index(rules())
    for rule in rules():
        assert text.count(f"]({rule.id}.md)") == 1


class OutOfOrder(Rule):
    """A rule whose page is out of order.

    Why:
        Because.

    Forbids:
        Nothing.

    Instead:
        Nothing.
    """

    id = "X01"
    name = "out-of-order"

    def judge(self, stack):  # type: ignore[no-untyped-def] # never called
        yield from ()


class WithoutAdvice(Rule):
    """A rule that says no and nothing else.

    Forbids:
        Everything.

    Why:
        Because.
    """

    id = "X02"
    name = "without-advice"

    def judge(self, stack):  # type: ignore[no-untyped-def] # never called
        yield from ()


def test_sections_out_of_order_are_refused() -> None:
    with pytest.raises(ValueError, match=r"X01.*in this order"):
        sections(OutOfOrder())


def test_a_missing_section_is_refused() -> None:
    with pytest.raises(ValueError, match=r"X02: the docstring has no section Instead:"):
        sections(WithoutAdvice())
