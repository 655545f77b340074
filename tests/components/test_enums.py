"""Values of which a provider's SDK has an enumeration are written as its members."""

import ast
import importlib
import inspect
from collections.abc import Iterator
from enum import Enum
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from tests.systems import ROOT

MODULES = sorted(path for path in (ROOT / "components").rglob("*.py") if "pulumi_a" in path.read_text())
"""Modules that register resources of Azure or AWS."""
SDKS = ("pulumi_azure_native", "pulumi_aws")


@cache
def enums_of(arguments: type) -> dict[str, str]:
    """Return the enumerations that inputs of a class of an SDK take, by input."""
    # Resources take their inputs by name, too; the constructor that says so is their inner one.
    inputs = inspect.signature(getattr(arguments, "_internal_init", arguments)).parameters
    said = {name: str(each.annotation) for name, each in inputs.items()}
    known = {name for name, each in vars(importlib.import_module(arguments.__module__.rpartition(".")[0])).items() if _is_enum(each)}
    return {name: enum for name, text in said.items() for enum in known if f"{enum}'" in text or f"{enum}]" in text}


def _is_enum(given: object) -> bool:
    return inspect.isclass(given) and issubclass(given, Enum)


def literals(module: ModuleType, tree: ast.Module) -> Iterator[str]:
    """Yield each plain string of a module that stands where an SDK has an enumeration."""
    for call in ast.walk(tree):
        if isinstance(call, ast.Call) and (arguments := _class(module, call)) is not None:
            enums = enums_of(arguments)
            for keyword in call.keywords:
                for part in _parts(keyword.value) if keyword.arg in enums else ():
                    if (value := _value(module, part)) is not None:
                        yield f"{module.__name__}:{part.lineno}: {keyword.arg}={value!r} is a member of {enums[str(keyword.arg)]}"


def _class(module: ModuleType, call: ast.Call) -> type | None:
    found = _resolve(module, call.func)
    return found if inspect.isclass(found) and found.__module__.startswith(SDKS) else None


def _resolve(module: ModuleType, node: ast.expr) -> Any:
    """Return what a dotted name means in a module; None for a name of a function's own."""
    if isinstance(node, ast.Name):
        return vars(module).get(node.id)
    return getattr(_resolve(module, node.value), node.attr, None) if isinstance(node, ast.Attribute) else None


def _parts(node: ast.expr) -> Iterator[ast.expr]:
    """Yield what an input may become: both sides of a condition, each element of a list."""
    match node:
        case ast.IfExp(body=body, orelse=other):
            yield from (*_parts(body), *_parts(other))
        case ast.List(elts=elements):
            yield from (part for element in elements for part in _parts(element))
        case _:
            yield node


def _value(module: ModuleType, node: ast.expr) -> str | None:
    value = node.value if isinstance(node, ast.Constant) else _resolve(module, node)
    return value if isinstance(value, str) and not isinstance(value, Enum) else None


@pytest.mark.filterwarnings("ignore:s3.BucketV2 has been deprecated:DeprecationWarning")  # by importing the SDK's module
@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_what_the_sdk_enumerates_is_no_plain_string(path: Path) -> None:
    module = importlib.import_module(".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"))
    assert list(literals(module, ast.parse(path.read_text()))) == []


def test_a_plain_string_in_the_place_of_a_member_is_found() -> None:
    module = importlib.import_module("components.edge.application_gateway.edge")
    written = "net.ApplicationGatewaySkuArgs(name='WAF_v2', tier=CLEAN if 1 else net.ApplicationGatewayTier.WA_F_V2, capacity=1)"
    found = [line.partition(": ")[2] for line in literals(module, ast.parse(written))]
    assert found == ["name='WAF_v2' is a member of ApplicationGatewaySkuName", "tier='clean' is a member of ApplicationGatewayTier"]
