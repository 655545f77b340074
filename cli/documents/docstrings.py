"""Docstrings of fields and of members of enumerations, which Python does not keep."""

import ast
import inspect
import textwrap
from collections.abc import Iterator
from enum import Enum
from itertools import pairwise

from pydantic import BaseModel


def docstrings(cls: type[BaseModel] | type[Enum]) -> dict[str, str]:
    """Return the docstring below each field or member of a class, on one line, by its name in Python; those of its bases among them."""
    found: dict[str, str] = {}
    for each in reversed(cls.__mro__):
        if issubclass(each, BaseModel | Enum) and not each.__module__.startswith(("pydantic", "enum")):
            found.update(_own(each))
    return found


def first_sentence(cls: type) -> str:
    """Return the first sentence of a class's docstring."""
    text = " ".join((inspect.getdoc(cls) or "").split())
    end = text.find(". ")
    return text if end < 0 else text[: end + 1]


def _own(cls: type) -> Iterator[tuple[str, str]]:
    tree = ast.parse(textwrap.dedent(inspect.getsource(cls)))
    (body,) = (node.body for node in tree.body if isinstance(node, ast.ClassDef))
    for statement, following in pairwise(body):
        if isinstance(following, ast.Expr) and isinstance(following.value, ast.Constant) and isinstance(following.value.value, str):
            target = statement.target if isinstance(statement, ast.AnnAssign) else None
            if isinstance(statement, ast.Assign):
                (target,) = statement.targets
            if isinstance(target, ast.Name):
                yield target.id, " ".join(following.value.value.split())
