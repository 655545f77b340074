"""Every rule there is. A rule lives in a module of `policies.rules`; putting the file there registers it."""

import inspect
import pkgutil
from functools import cache
from importlib import import_module

import policies.rules
from policies.rule import Rule


@cache
def rules() -> tuple[Rule, ...]:
    """Return one instance of every rule, sorted by id.

    Raises:
        ValueError: if two rules have the same id.
    """
    found: dict[str, Rule] = {}
    for module_info in pkgutil.iter_modules(policies.rules.__path__, f"{policies.rules.__name__}."):
        module = import_module(module_info.name)
        for member in vars(module).values():
            if not (inspect.isclass(member) and issubclass(member, Rule)) or inspect.isabstract(member):
                continue
            if member.__module__ != module.__name__:
                continue
            if member.id in found:
                raise ValueError(f"{module.__name__}: rule id {member.id} is already {type(found[member.id]).__name__}. Choose a free id.")
            found[member.id] = member()
    return tuple(found[key] for key in sorted(found))
