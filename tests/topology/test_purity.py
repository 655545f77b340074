"""The model is pure: no clock, no environment, no network, no files but in one module; and the policies' shared part stays tiny."""

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOM = Path(__file__).parents[2] / "topology"
MODULES = sorted(path.relative_to(ROOM).as_posix() for path in ROOM.rglob("*.py"))

THIRD_PARTY = {"pydantic", "pydantic_core"}
ALSO = {"load.py": {"yaml"}}
IMPURE = {"os", "time", "random", "secrets", "socket", "subprocess", "urllib", "http", "logging", "tempfile", "shutil", "uuid", "threading"}
FILES = {"load.py": {"pathlib"}}


def imports(module: str) -> Iterator[str]:
    for node in ast.walk(ast.parse((ROOM / module).read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (name.name.split(".")[0] for name in node.names)
        if isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{module} imports relatively"
            yield (node.module or "").split(".")[0]


@pytest.mark.parametrize("module", MODULES)
def test_a_module_imports_the_standard_library_pydantic_and_this_room_only(module: str) -> None:
    allowed = (
        set(sys.stdlib_module_names) - IMPURE - {"pathlib"}
        | THIRD_PARTY
        | {"topology"}
        | ALSO.get(module, set())
        | FILES.get(module, set())
    )
    assert set(imports(module)) <= allowed, set(imports(module)) - allowed


@pytest.mark.parametrize("module", MODULES)
def test_a_module_opens_no_file_and_asks_no_clock(module: str) -> None:
    tree = ast.parse((ROOM / module).read_text(encoding="utf-8"))
    called = {
        node.func.id if isinstance(node.func, ast.Name) else node.func.attr
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name | ast.Attribute)
    }
    assert not called & {"open", "print", "input", "today", "now", "getenv", "eval", "exec", "write_text", "write_bytes"}


def test_what_the_judge_shares_with_the_generators_is_the_model_its_file_its_meaning_and_its_paths() -> None:
    """`edges` imports neither the laws nor anything derived: a mistake there cannot hide in the meaning."""
    for module in ("edges.py", "paths.py"):
        for node in ast.walk(ast.parse((ROOM / module).read_text(encoding="utf-8"))):
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("topology"):
                assert node.module == "topology.paths" or (node.module or "").startswith("topology.model")
