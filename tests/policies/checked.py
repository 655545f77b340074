"""Inputs as a provider's Check leaves them: what the engine shows resource policies, and what an export holds.

Pulumi's providers for Terraform fill in defaults at any depth and list their names beside them (`applyDefaults` in pkg/tfbridge/schema.go of
pulumi/pulumi-terraform-bridge). Schemas are not at hand here, but their SDK says in docstrings what most defaults are. That of AWS says besides
which tags a resource has in all (`applyTags` in provider/tags.go of pulumi/pulumi-aws). That of Azure adds the place, the version of Azure's
API, and a mark where it made up a name (`applyDefaults` in provider/pkg/provider/provider.go of pulumi/pulumi-azure-native).
"""

import importlib
import inspect
import re
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from types import ModuleType
from typing import Any, Final

from planner.wire import SIGNATURE

Record = dict[str, Any]

_DEFAULT: Final = re.compile(r"[Dd]efaults?(?: value)?(?: is| to|:)* `([^`]+)`")
_SIMPLE: Final = re.compile(r"(?:Output|Optional)\[(?:typing\.Optional\[)?(bool|int|str)\]")
_NESTED: Final = re.compile(r"'outputs\.(\w+)'")
_BOOLEANS: Final = {"true": True, "false": False}


@dataclass(frozen=True, kw_only=True)
class Property:
    """What an SDK says of a property.

    Attributes:
        name: as plans spell it.
        kind: `bool`, `int`, `str`, or empty for any other.
        nested: the class of what is in it; empty for none.
        given: whether a program may give it.
        default: what its provider takes where the program gives nothing, as far as the documentation says so.
    """

    name: str
    kind: str
    nested: str
    given: bool
    default: bool | int | str | None


def checked(record: Mapping[str, Any]) -> Record:
    """Return a resource with inputs as its provider's Check leaves them."""
    check = _CHECKS.get(record["type"].partition(":")[0]) if record["custom"] else None
    return {**record, "inputs": check(record)} if check else dict(record)


def _aws(record: Mapping[str, Any]) -> Mapping[str, Any]:
    module = _module(record["type"])
    return _filled({"tagsAll": record["inputs"].get("tags", {}), **record["inputs"]}, properties(record["type"]), module)


def _azure(record: Mapping[str, Any]) -> Mapping[str, Any]:
    return {"location": "westeurope", **record["inputs"], "azureApiVersion": "2025-01-01", "__createBeforeDelete": True}


_CHECKS: Final = {"aws": _aws, "azure-native": _azure}


def _filled(value: Any, known: tuple[Property, ...], module: ModuleType) -> Any:
    """Return a value with documented defaults, and their names, in each of its mappings."""
    if isinstance(value, list):
        return [_filled(item, known, module) for item in value]
    if not isinstance(value, dict) or SIGNATURE in value:
        return value
    nested = {each.name: _within(module, each.nested) for each in known}
    defaults = {each.name: each.default for each in known if each.default is not None and each.name not in value}
    inner = {key: _filled(item, nested.get(key, ()), module) for key, item in value.items()}
    return {**inner, **defaults, "__defaults": sorted(defaults)}


def properties(token: str) -> tuple[Property, ...]:
    """Return the properties of a resource of AWS."""
    return _properties(getattr(_module(token), token.rpartition(":")[2]))


def _within(module: ModuleType, name: str) -> tuple[Property, ...]:
    return _properties(getattr(module.outputs, name)) if name else ()


def _module(token: str) -> ModuleType:
    """Return the module of a type: `pulumi_aws.lb` of `aws:lb/listener:Listener`."""
    name = f"pulumi_aws.{token.split(':')[1].partition('/')[0]}"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # said of classes that nobody here uses
        importlib.import_module(f"{name}.outputs")  # loads the other as well, which by itself waits until it is asked
        return importlib.import_module(name)


@cache
def _properties(described: type) -> tuple[Property, ...]:
    init = getattr(described, "_internal_init", described.__init__)
    parameters = inspect.signature(init).parameters
    return tuple(_described(name, each, given=name in parameters) for name, each in vars(described).items() if isinstance(each, property))


def _described(name: str, described: property, *, given: bool) -> Property:
    annotation = str(inspect.signature(described.fget).return_annotation)
    simple, nested = _SIMPLE.search(annotation), _NESTED.search(annotation)
    kind = simple[1] if simple else ""
    return Property(
        name=getattr(described.fget, "_pulumi_name", name),
        kind=kind,
        nested=nested[1] if nested else "",
        given=given,
        default=_default(kind, described.fget.__doc__ or "") if given else None,
    )


def _default(kind: str, documentation: str) -> bool | int | str | None:
    found = _DEFAULT.search(documentation)
    text = found[1].strip('"') if found else ""
    match kind:
        case "bool":
            return _BOOLEANS.get(text)
        case "int":
            return int(text) if text.isdigit() else None
        case "str":
            return text or None
        case _:
            return None
