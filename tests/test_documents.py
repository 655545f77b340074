"""Documents that follow from code are up to date, and what documents show is run."""

import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from itertools import chain
from pathlib import Path

import pytest
import typer
import yaml
from pydantic import BaseModel

from cli.commands import lab
from cli.documents.docstrings import docstrings
from cli.documents.markdown import MADE
from cli.documents.models import default, parts_below
from cli.documents.pages import pages
from cli.documents.topology import EXAMPLE, slices
from cli.main import app
from components.binding import Binding
from policies import exemptions
from policies.documentation import index, page
from policies.registry import rules
from policies.rule import Finding, Verdict
from tests.systems import ROOT, plan
from topology.model.system import Topology
from topology.paths import regex
from topology.schema import schema_text

DOCS = ROOT / "docs"
DOCUMENTS = [*ROOT.glob("*.md"), *DOCS.rglob("*.md")]
NOT_WRAPPED = {DOCS / "performance.md", *(DOCS / "rules").glob("*.md"), ROOT / "CHANGELOG.md"}
"""Made by other programs, which break lines in their own way; and a list of which each line is an entry."""
FIRST_BUILD = "20 to 40 minutes on two cores"
LONGEST_LINE = 200


def text_of(*path: str) -> str:
    return ROOT.joinpath(*path).read_text(encoding="utf-8")


def examples(document: Path, language: str) -> list[str]:
    """Return the code blocks of a document."""
    return re.findall(rf"^```{language}\n(.*?)^```", document.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)


def check(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", "from cli.main import main; main()", "check", *arguments]
    return subprocess.run(command, capture_output=True, text=True, cwd=folder, check=False, timeout=300)


def test_the_schema_of_topology_files_is_up_to_date() -> None:
    assert text_of("docs", "topology.schema.json") == schema_text(), "run `make docs`"


@pytest.mark.parametrize("rule", rules(), ids=lambda rule: rule.id)
def test_the_page_of_each_rule_is_up_to_date(rule) -> None:  # typed by the registry
    assert text_of("docs", "rules", f"{rule.id}.md") == page(rule), "run `make docs`"


def test_the_index_of_rules_is_up_to_date() -> None:
    assert text_of("docs", "rules", "README.md") == index(rules()), "run `make docs`"


@pytest.mark.parametrize(
    ("file", "made"), pages(DOCS).items(), ids=lambda each: str(each.relative_to(ROOT)) if isinstance(each, Path) else ""
)
def test_the_made_part_of_each_document_is_up_to_date(file: Path, made: str) -> None:
    assert file.read_text(encoding="utf-8") == made, "run `make docs`"


MODELS = [part for top in (Topology, Binding) for part in (top, *parts_below(top))]


@pytest.mark.parametrize("part", MODELS, ids=lambda part: part.__name__)
def test_every_key_and_every_value_of_an_enumeration_says_what_it_means(part) -> None:  # a model or an enumeration
    names = part.model_fields if issubclass(part, BaseModel) else part.__members__
    assert [name for name in names if name not in docstrings(part)] == []


def test_a_default_is_shown_as_a_file_would_spell_it() -> None:
    fields = Topology.model_fields | Binding.model_fields
    shown = {key: default(fields[key]) for key in ("system", "description", "tiers", "rotation", "api_server_ports", "replicas", "edge")}
    assert shown == {
        "system": "required",
        "description": "–",
        "tiers": "`{}`",
        "rotation": "`'1'`",
        "api_server_ports": "`[443, 6443]`",
        "replicas": "`{}`",
        "edge": "`nginx`",
    }


def test_the_example_has_every_section_and_its_boundary_is_kept() -> None:
    assert slices((DOCS / EXAMPLE).read_text(encoding="utf-8")).keys() == Topology.model_fields.keys()
    run = check(ROOT, "local", "--topology", str(DOCS / EXAMPLE))
    assert "KEPT" in run.stdout, run.stdout + run.stderr


def test_the_topology_in_the_readme_is_whole_and_kept_as_it_stands(tmp_path: Path) -> None:
    (written,) = examples(ROOT / "README.md", "yaml")
    file = tmp_path / "abc.topology.yaml"
    file.write_text(written, encoding="utf-8")
    run = check(ROOT, "local", "--topology", str(file))
    assert "KEPT" in run.stdout, run.stdout + run.stderr


@pytest.mark.parametrize("document", [ROOT / "README.md", DOCS / "own-system.md"], ids=lambda file: file.name)
def test_the_way_to_a_system_of_ones_own_ends_in_a_verdict(document: Path, tmp_path: Path) -> None:
    (way,) = (block for block in examples(document, "sh") if "cp stacks/abc" in block)
    steps = [line for line in way.splitlines() if line.startswith(("cp ", "sed "))]
    for name in ("__main__.py", "Pulumi.yaml", "stacks", "policies", "components", "topology"):
        copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copy
        copy(ROOT / name, tmp_path / name)
    for step in steps:
        subprocess.run(["bash", "-c", step], cwd=tmp_path, check=True)
    *_, last = way.strip().splitlines()
    assert shlex.split(last)[1] == "check"
    run = check(tmp_path, *shlex.split(last)[2:])
    assert "KEPT" in run.stdout, run.stdout + run.stderr


def test_the_example_of_an_exemption_is_one(tmp_path: Path) -> None:
    (written,) = examples(DOCS / "exemptions.md", "yaml")
    file = tmp_path / "exemptions.yaml"
    file.write_text(written, encoding="utf-8")
    (read,) = exemptions.load(file)
    table = re.findall(r"^\| `(\w+)` \|", (DOCS / "exemptions.md").read_text(encoding="utf-8"), flags=re.MULTILINE)
    assert table == [*type(read).model_fields]
    urns = [resource["urn"].replace(":local::", ":shop::") for resource in plan("abc").resources]
    meant = [urn for urn in urns if exemptions.matching(Finding(rule="P02", verdict=Verdict.UNDECIDED, message="", urn=urn), [read])]
    assert [urn.rpartition("/")[2] for urn in meant] == ["istiod-main"]


def test_path_patterns_match_what_their_table_says() -> None:
    rows = re.findall(r"^\| `(/[^`]*)` \| (`/.*?) \| (.*) \|$", (DOCS / "topology.md").read_text(encoding="utf-8"), flags=re.MULTILINE)
    assert len(rows) == 4
    for pattern, matched, others in rows:
        for path in re.findall("`([^`]+)`", matched):
            assert re.fullmatch(regex(pattern), path), (pattern, path)
        for path in re.findall("`([^`]+)`", others):
            assert not re.fullmatch(regex(pattern), path), (pattern, path)


def test_the_workflow_for_ci_is_yaml_and_checks() -> None:
    (workflow,) = (block for block in examples(DOCS / "own-system.md", "yaml") if "jobs:" in block)
    steps = yaml.safe_load(workflow)["jobs"]["check"]["steps"]
    assert any("perimeter check" in step.get("run", "") for step in steps)


def test_the_first_build_takes_the_same_time_in_every_document() -> None:
    helped = lab.start.__doc__ or ""
    assert all(FIRST_BUILD in text for text in (text_of("README.md"), text_of("docs", "lab.md"), helped))


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda file: str(file.relative_to(ROOT)))
def test_every_link_of_a_document_leads_somewhere(document: Path) -> None:
    text = document.read_text(encoding="utf-8")
    targets = [target for target in re.findall(r"\]\(([^)\s]+)[^)]*\)", text) if "://" not in target]
    assert [target for target in targets if not _leads(document, target)] == []


def _leads(document: Path, target: str) -> bool:
    path, _, anchor = target.partition("#")
    file = document.parent / path if path else document
    return file.exists() and (not anchor or anchor in _anchors(file))


def _anchors(file: Path) -> set[str]:
    """Return the anchors of a document's headings, as GitHub makes them."""
    headings = re.findall(r"^#+ (.*)$", file.read_text(encoding="utf-8"), flags=re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("document", sorted({*DOCUMENTS} - NOT_WRAPPED), ids=lambda file: str(file.relative_to(ROOT)))
def test_lines_that_people_write_are_not_long(document: Path) -> None:
    written, _, _ = document.read_text(encoding="utf-8").partition(MADE)
    prose = re.sub(r"^```.*?^```", "", written, flags=re.MULTILINE | re.DOTALL)
    lines = [line for line in prose.splitlines() if not line.lstrip().startswith("|")]
    assert [line for line in lines if len(line) > LONGEST_LINE] == []


def test_every_make_target_that_the_documents_name_exists() -> None:
    makefile = text_of("Makefile")
    targets = set(re.findall(r"^([a-z0-9-]+):", makefile, flags=re.MULTILINE))
    named = {
        target
        for document in DOCUMENTS
        for target in re.findall(r"make ([a-z0-9-]+)", document.read_text(encoding="utf-8"))
        if f"make {target}" in re.findall(r"`(make [a-z0-9-]+)", document.read_text(encoding="utf-8"))
    }
    assert named <= targets, named - targets


def test_every_command_that_the_documents_name_exists() -> None:
    command = typer.main.get_command(app)
    known = {*getattr(command, "commands", {})}
    assert {*chain.from_iterable(_commands(document) for document in DOCUMENTS)} <= known


def _commands(document: Path) -> Iterator[str]:
    """Yield the commands of `perimeter` in a document's code."""
    text = document.read_text(encoding="utf-8")
    blocks = "\n".join([*examples(document, "sh"), *examples(document, "yaml")])
    yield from re.findall(r"`perimeter ([a-z]+)", text)
    yield from re.findall(r"(?:^|/bin/|\| )perimeter ([a-z]+)", blocks, flags=re.MULTILINE)
