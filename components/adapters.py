"""Adapters are imported when they are bound: the SDK of a cloud takes seconds, and most stacks have none."""

from importlib import import_module
from typing import Any


def adapter(reference: str) -> Any:
    """Return the class or function that a table names as `module:name`."""
    module, _, name = reference.partition(":")
    return getattr(import_module(module), name)
