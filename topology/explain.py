"""What pydantic found, in the words of this product."""

import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import date
from types import UnionType
from typing import Annotated, Any, Final, Union, cast, get_args, get_origin

from pydantic import BaseModel, Tag, ValidationError
from pydantic_core import ErrorDetails

from topology.findings import Faults, Finding, KeyPath, did_you_mean, nearest
from topology.forms import example, fits, form, texts
from topology.hints import NAMED, hint, keys_of
from topology.model.base import NO_MEMBER
from topology.model.cors import NOT_AN_ORIGIN
from topology.model.system import Topology
from topology.model.text import NOT_THIS_TEXT, Text
from topology.paths import ANY_SEGMENT, PARAMETER
from topology.standins import bare, typed

MISSING = "is missing"

WORDING: Mapping[str, str] = {
    "missing": MISSING,
    "extra_forbidden": "is not a known key",
    NOT_THIS_TEXT: "{message}",
    NO_MEMBER: "{message}",
    "path": "{message}",
    NOT_AN_ORIGIN: "{message}",
    "string_type": "must be a text",
    "int_type": "must be a whole number",
    "int_from_float": "must be a whole number",
    "float_type": "must be a number",
    "finite_number": "must be a finite number",
    "bool_type": "must be true or false",
    "int_parsing": "must be a whole number",
    "int_parsing_size": "must be a whole number of fewer digits",
    "float_parsing": "must be a number",
    "bool_parsing": "must be true or false",
    "mapping_type": "must be a mapping",
    "dict_type": "must be a mapping",
    "model_type": "must be a mapping",
    "model_attributes_type": "must be a mapping",
    "tuple_type": "must be a list",
    "too_short": "must hold at least {min_length}, not {actual_length}",
    "greater_than": "must be more than {gt}",
    "greater_than_equal": "must be at least {ge}",
    "less_than_equal": "must be at most {le}",
    "literal_error": "must be {expected}",
    "enum": "must be {expected}",
}
"""The kinds of error that this model, or the one of a stack file, can make. A test fails when one of them makes another."""


def explain(error: ValidationError, model: type[BaseModel] = Topology) -> list[Finding]:
    """Return a finding for each error of a model, without those that only follow from others."""
    found: dict[tuple[KeyPath, str], Finding] = {}
    empty: set[tuple[KeyPath, str]] = set()
    for item in error.errors(include_url=False):
        for finding in _findings(item, locate(item["loc"], model)):
            if item["type"] == "too_short":
                empty.add((finding.path, finding.reason))
            found.setdefault((finding.path, finding.reason), finding)
    return [
        finding for key, finding in found.items() if not (_misspelled(finding, found) or (key in empty and _reported_inside(key[0], found)))
    ]


def _reported_inside(path: KeyPath, found: Mapping[tuple[KeyPath, str], Finding]) -> bool:
    """Say whether an item of a list is reported itself: then it was not forgotten, and the list is not too short."""
    return any(other[: len(path)] == path and len(other) > len(path) for other, _ in found)


def _misspelled(finding: Finding, found: Mapping[tuple[KeyPath, str], Finding]) -> bool:
    """Say whether a missing key is there under a name that is close to it, which is reported itself."""
    return finding.reason == MISSING and any(
        other.path[:-1] == finding.path[:-1] and other.suggestion == did_you_mean(str(finding.path[-1]), [str(finding.path[-1])])
        for other in found.values()
    )


@dataclass(frozen=True, kw_only=True)
class Place:
    """Where an error is: its path in the file, and the model that the last key of the path was to belong to."""

    path: KeyPath
    owner: type[BaseModel] | None
    rivals: frozenset[str]
    """Keys of the other members of a union, of which only one can be."""
    type: Any
    """The type of the value there, with its metadata."""


def _findings(item: ErrorDetails, place: Place) -> Iterator[Finding]:
    """Yield what one error says: what a validator found together is told apart."""
    raised = item.get("ctx", {}).get("error")
    if isinstance(raised, Faults):
        yield from (Finding(path=place.path, given=None, reason=fault) for fault in raised.faults)
    else:
        yield _finding(item, place)


def _finding(item: ErrorDetails, place: Place) -> Finding:
    kind: str = item["type"]
    given: object = item["input"]
    context = {key: f"{bound:g}" if isinstance(bound, float) else bound for key, bound in item.get("ctx", {}).items()}
    context["message"] = item["msg"]
    reason = WORDING[kind].format(**context) if kind in WORDING else item["msg"]
    if given is None and kind not in {"missing", "extra_forbidden"}:
        reason = f"is empty, and {reason}"
    if kind == "string_type" and (must := _must(given, place.type)):
        reason = f"must be {must}"
    suggestion = SUGGESTIONS[kind](given, context, place.type) if kind in SUGGESTIONS else ""
    if kind == "string_type" and isinstance(cast("Any", given), Mapping) and place.path:
        suggestion = NAMED.get(place.owner, {}).get(str(place.path[-1]), suggestion) if place.owner else suggestion
    if kind == "missing" and place.path:
        suggestion = f"as in {place.path[-1]}: {form(place.type)}"
    if kind == "extra_forbidden":
        key = str(place.path[-1])
        if key in place.rivals:
            reason, suggestion = "cannot stand beside the other keys", f"keep either `{key}` or {_spelled(place.owner)}"
        else:
            suggestion = hint(place.owner, key) or did_you_mean(key, keys_of(place.owner))
    told = kind not in {"missing", "extra_forbidden"} and isinstance(given, str | int | float | date)
    return Finding(path=place.path, given=given if told else None, reason=reason, suggestion=suggestion)


def _in_quotes(given: object) -> str | None:
    """Return what a value would say in quotes: as Python spells it, but `true`. None where quotes are not what is missing."""
    if isinstance(given, bool):
        return str(given).lower()
    return str(given) if isinstance(given, int | float | date) else None


def _must(given: object, here: Any) -> str:
    """Return what a text must be, where quotes alone would not make it one."""
    quoted = _in_quotes(given)
    if quoted is None or fits(here, quoted):
        return ""
    return next((item.must for item in bare(here)[1] if isinstance(item, Text)), "")


def _a_text(given: object, context: Mapping[str, Any], here: Any) -> str:
    quoted = _in_quotes(given)
    if quoted is None:
        return ""
    if fits(here, quoted):
        return "write it in quotes"
    # `60` for `60s`: of the units that examples have, the first that makes it a value.
    units = [found[1] for text in texts(here) if (found := re.fullmatch(r"[0-9]+([A-Za-z]+)", text))]
    whole = next((f"{given}{unit}" for unit in units if isinstance(given, int) and fits(here, f"{given}{unit}")), None)
    return f"write {whole}" if whole else f"as in {example(here)}"


def _a_number(given: object, context: Mapping[str, Any], here: Any) -> str:
    return "write it without quotes" if isinstance(given, str) and re.fullmatch(r"[0-9]+", given) else ""


def _a_list(given: object, context: Mapping[str, Any], here: Any) -> str:
    return f"write [{given}]" if isinstance(given, str) and fits(here, [given]) else _a_form(given, context, here)


def _a_form(given: object, context: Mapping[str, Any], here: Any) -> str:
    return f"as in {form(here)}"


def _an_example(given: object, context: Mapping[str, Any], here: Any) -> str:
    return f"as in {context['example']}" if "example" in context else ""


def _a_path(given: object, context: Mapping[str, Any], here: Any) -> str:
    """Return the pattern that was meant with a router's parameters, as in `/orders/{id}`, or without the first `/`."""
    segments = str(given).removeprefix("/").split("/")
    meant = "".join(f"/{ANY_SEGMENT if PARAMETER.fullmatch(segment) else segment}" for segment in segments)
    return f"write {meant}" if meant != given and fits(here, meant) else ""


DEVIATING: Final = frozenset("ßς\u200c\u200d")
"""Characters that Python and browsers write differently in Punycode (UTS #46, 7, deviations)."""


def _an_origin(given: object, context: Mapping[str, Any], here: Any) -> str:
    """Return the origin of a page's address, of a host alone, or of one in capitals or outside ASCII."""
    scheme, _, rest = str(given).strip().lower().rpartition("://")
    if given == "null" or scheme not in {"", "http", "https"}:
        return ""
    host = rest.partition("/")[0].removesuffix(":443")
    if not DEVIATING & {*host}:
        with suppress(UnicodeError):
            host = host.encode("idna").decode("ascii")
    meant = f"{'http' if host.partition(':')[0] == 'localhost' and scheme != 'https' else 'https'}://{host}"
    return f"write {meant}" if meant != given and fits(here, meant) else ""


def _a_choice(given: object, context: Mapping[str, Any], here: Any) -> str:
    near = nearest(given, re.findall(r"'([^']*)'", context["expected"])) if isinstance(given, str) else None
    return f'did you mean "{near}"?' if near else ""


def _a_member(given: object, context: Mapping[str, Any], here: Any) -> str:
    keys = re.findall(r"`([^`]*)`", context["message"])
    written = [*cast(Mapping[Any, Any], given)] if isinstance(given, Mapping) else []
    near = (nearest(str(key), keys) for key in written)
    return next((f'did you mean "{key}"?' for key in near if key), f"as in {form(here)}")


SUGGESTIONS: Mapping[str, Callable[[object, Mapping[str, Any], Any], str]] = {
    NOT_THIS_TEXT: _an_example,
    NO_MEMBER: _a_member,
    "path": _a_path,
    NOT_AN_ORIGIN: _an_origin,
    "dict_type": _a_form,
    "model_type": _a_form,
    "model_attributes_type": _a_form,
    "too_short": _a_form,
    "string_type": _a_text,
    "int_type": _a_number,
    "float_type": _a_number,
    "tuple_type": _a_list,
    "literal_error": _a_choice,
    "enum": _a_choice,
}


def _spelled(owner: type[BaseModel] | None) -> str:
    return " and ".join(f"`{key}`" for key in keys_of(owner))


def locate(location: tuple[int | str, ...], model: type[BaseModel] = Topology) -> Place:
    """Return where in the file of a model an error is; pydantic's own location also holds the tags of unions."""
    here: Any = model
    owner: type[BaseModel] | None = model
    rivals: frozenset[str] = frozenset()
    path: list[str | int] = []
    for part in location:
        if part == "[key]":
            break
        members = _members(here)
        if part in members:
            here = members[part]
            rivals = frozenset(key for tag, member in members.items() if tag != part for key in keys_of(member))
            continue
        here = members.get(None, here)
        path.append(part)
        owner = here if isinstance(here, type) and issubclass(here, BaseModel) else None
        here = _inside(here, part)
        if _members(here).keys() - {None}:
            rivals = frozenset()
    return Place(path=tuple(path), owner=owner, rivals=rivals, type=here)


def _members(here: Any) -> dict[Any, Any]:
    """Return the members of a union by tag; the only member of an optional type by None."""
    if get_origin(here) is Annotated:
        here = get_args(here)[0]
    if get_origin(here) not in {Union, UnionType}:
        return {None: here}
    found: dict[Any, Any] = {}
    for member in get_args(here):
        tags = [item.tag for item in get_args(member)[1:] if isinstance(item, Tag)]
        if tags:
            found[tags[0]] = get_args(member)[0]
        elif member is not type(None):
            found[None] = member
    return found


def _inside(here: Any, part: str | int) -> Any:
    """Return the type of what a key or position leads to."""
    if isinstance(here, type) and issubclass(here, BaseModel):
        return next((typed(field) for name, field in here.model_fields.items() if part in {name, field.alias}), None)
    if get_origin(here) is Annotated:
        return _inside(get_args(here)[0], part)
    arguments = [argument for argument in get_args(here) if argument is not Ellipsis]
    return arguments[-1] if arguments else None
