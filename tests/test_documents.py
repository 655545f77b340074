"""Documents that follow from code are up to date, and documents that can be run are run."""

import re
from pathlib import Path

import pytest

from policies.documentation import index, page
from policies.registry import rules
from tests.systems import ROOT
from topology.schema import schema_text

DOCUMENTS = [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")]


def test_the_schema_of_topology_files_is_up_to_date() -> None:
    assert (ROOT / "docs" / "topology.schema.json").read_text(encoding="utf-8") == schema_text(), "run `make docs`"


@pytest.mark.parametrize("rule", rules(), ids=lambda rule: rule.id)
def test_the_page_of_each_rule_is_up_to_date(rule) -> None:  # typed by the registry
    assert (ROOT / "docs" / "rules" / f"{rule.id}.md").read_text(encoding="utf-8") == page(rule), "run `make docs`"


def test_the_index_of_rules_is_up_to_date() -> None:
    assert (ROOT / "docs" / "rules" / "README.md").read_text(encoding="utf-8") == index(rules()), "run `make docs`"


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda file: str(file.relative_to(ROOT)))
def test_every_link_of_a_document_leads_somewhere(document: Path) -> None:
    text = document.read_text(encoding="utf-8")
    targets = [target for target in re.findall(r"\]\(([^)#\s]+)[^)]*\)", text) if "://" not in target]
    assert [target for target in targets if not (document.parent / target).exists()] == []


def test_every_make_target_that_the_documents_name_exists() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    targets = set(re.findall(r"^([a-z0-9-]+):", makefile, flags=re.MULTILINE))
    named = {
        target
        for document in DOCUMENTS
        for target in re.findall(r"make ([a-z0-9-]+)", document.read_text(encoding="utf-8"))
        if f"make {target}" in re.findall(r"`(make [a-z0-9-]+)", document.read_text(encoding="utf-8"))
    }
    assert named <= targets, named - targets
