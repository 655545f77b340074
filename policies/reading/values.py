"""Planned values, some of which are not known yet.

Plain dicts, lists and scalars, with an `Unknown` wherever the plan has no value. Every operation on an `Unknown` raises
`UnknownValueError`, `isinstance` included, so that no rule can mistake a missing answer for a harmless one.
"""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final, NoReturn, cast

UNKNOWN_SENTINELS: Final = (
    "04da6b54-80e4-46f7-96ec-b56ff0331ba9",
    "1c4a061d-8072-4f0a-a4cb-0ff528b18fe7",
    "3eeb2bf0-c639-47a8-9e75-3b44932eb421",
    "6a19a0b0-7e62-4c92-b797-7f8e31da9cc2",
    "030794c1-ac77-496b-92df-f27374a8bd58",
    "e48ece36-62e2-4504-bad9-02848725956a",
    "dd056dcd-154b-4c76-9bd3-c8f88648b5ff",
)
"""How Pulumi spells an unknown value: string or any, bool, number, array, asset, archive, object (`pulumi_policy.proxy`)."""

_SHORTEST: Final = min(map(len, UNKNOWN_SENTINELS))

SIGNATURE: Final = "4dabf18193072939515e22adb298388d"
"""The key that marks a special value such as a secret (sdk/go/common/resource/sig/sig.go)."""

SECRET: Final = "1b47061264138c4ac30d75fd1eb44270"  # noqa: S105 # no password but a mark
"""The signature of a secret."""

MARK: Final = "__defaults"
"""A list that providers made from Terraform's keep in every mapping of their inputs: the names of what they filled in themselves
(`applyDefaults` in pkg/tfbridge/schema.go of pulumi/pulumi-terraform-bridge). What they filled in is read like anything else."""


type_of: Final = cast("Callable[[object], object]", type)
"""`type`, of which a type checker concludes nothing: for the loops through which whole plans pass."""


class UnknownValueError(Exception):
    """A rule needed a value that the plan does not know: the rule cannot decide."""

    def __init__(self, path: str, reason: str) -> None:
        """Keep where the value stands and why it is not known."""
        self.path = path
        self.reason = reason
        super().__init__(f"{path} is {reason}")


class Unknown:
    """A value that is not known, or is secret. It can be passed on, but not looked at."""

    __slots__ = ("_path", "_reason")

    def __init__(self, path: str, reason: str) -> None:
        object.__setattr__(self, "_path", path)
        object.__setattr__(self, "_reason", reason)

    def _raise(self, *_: object, **__: object) -> NoReturn:
        raise UnknownValueError(object.__getattribute__(self, "_path"), object.__getattribute__(self, "_reason"))

    def __repr__(self) -> str:
        return f"<unknown {object.__getattribute__(self, '_path')}>"

    def __getattribute__(self, name: str) -> Any:
        if name in {"_raise", "__repr__"}:
            return object.__getattribute__(self, name)
        return object.__getattribute__(self, "_raise")()

    __eq__ = __ne__ = __lt__ = __le__ = __gt__ = __ge__ = _raise  # every operation raises
    __bool__ = __len__ = __iter__ = __contains__ = __getitem__ = __hash__ = __str__ = __int__ = __float__ = _raise
    __add__ = __radd__ = __sub__ = __or__ = __and__ = __format__ = _raise


def is_unknown(value: Any) -> bool:
    """Say whether a value is unknown, the one question that may be asked of it."""
    return type(value) is Unknown


def is_known(value: Any, kind: type) -> bool:
    """Say whether a value is known and of a type; an unknown is of no type."""
    return type(value) is not Unknown and isinstance(value, kind)


def values_in(value: Any) -> list[Any]:
    """Return a value and everything inside it: the quick walk for questions that need no path."""
    found = [value]
    for each in found:  # grows while it is read
        kind = type_of(each)
        if kind is dict:
            found += each.values()
        elif kind is list:
            found += each
    return found


def known(value: Any) -> Any:
    """Return plain data for a value of a plan: unknown and secret parts become `Unknown`, each with its path.

    What is plain already is returned as it is.
    """
    return value if _is_plain(value) else _known(value, "")


_SCALARS: Final = frozenset[object]({int, float, bool, type(None)})
_NAMES: Final = frozenset({str})


def _is_plain(value: Any) -> bool:
    """Say whether a value stays as it is, with all that is inside it. One loop: every value of a plan passes here."""
    found = [value]
    for each in found:  # grows while it is read
        kind = type_of(each)
        if kind is str:
            if len(each) >= _SHORTEST and _stands_for_unknown(each):
                return False
        elif kind is dict:
            if SIGNATURE in each or MARK in each or not _NAMES.issuperset(map(type, each)):
                return False
            found.extend(each.values())
        elif kind is list:
            found.extend(each)
        elif kind not in _SCALARS:
            return False
    return True


def _stands_for_unknown(text: str) -> bool:
    return any(sentinel in text for sentinel in UNKNOWN_SENTINELS)


def _known(value: Any, path: str) -> Any:
    kind = type_of(value)
    if kind is str:
        return Unknown(path, "unknown until it is deployed") if len(value) >= _SHORTEST and _stands_for_unknown(value) else value
    if kind is dict:
        if SIGNATURE in value:
            return Unknown(path, "secret" if value[SIGNATURE] == SECRET else "of a special kind, which is not read")
        given = {key: item for key, item in value.items() if key != MARK or not isinstance(item, list)}
        return {str(key): _known(item, f"{path}.{key}" if path else str(key)) for key, item in given.items()}
    if kind is list:
        return [_known(item, f"{path}[{index}]") for index, item in enumerate(value)]
    if isinstance(value, Mapping):
        return _known(dict(cast("Mapping[str, Any]", value)), path)
    if isinstance(value, Sequence) and not isinstance(value, str | bytes):
        return _known(list(cast("Sequence[Any]", value)), path)
    return value


def unknowns(value: Any) -> Iterator[Unknown]:
    """Yield every unknown inside a value."""
    if is_unknown(value):
        yield value
    elif isinstance(value, dict):
        for item in cast("dict[str, Any]", value).values():
            yield from unknowns(item)
    elif isinstance(value, list):
        for item in cast("list[Any]", value):
            yield from unknowns(item)


def mapping(value: Any) -> dict[str, Any]:
    """Return a mapping as it stands in a plan; an empty one for an absent value.

    Raises:
        UnknownValueError: if the value is unknown, or something else.
    """
    if value is None:
        return {}
    kind = type_of(value)
    if kind is dict:
        return value
    raise _unfit(value, "a mapping")


def sequence(value: Any) -> list[Any]:
    """Return a list as it stands in a plan; an empty one for an absent value.

    Raises:
        UnknownValueError: if the value is unknown, or something else.
    """
    if value is None:
        return []
    kind = type_of(value)
    if kind is list:
        return value
    raise _unfit(value, "a list")


def _unfit(value: Any, wanted: str) -> UnknownValueError:
    if is_unknown(value):
        bool(value)  # raises, with the value's own path
    return UnknownValueError(str(value)[:80], f"not of the expected shape: {type(value).__name__} where {wanted} belongs")


def text(value: Any) -> str:
    """Return compact JSON of a known value.

    Raises:
        UnknownValueError: if any part of it is unknown.
    """
    for unknown in unknowns(value):
        bool(unknown)
    return json.dumps(value, sort_keys=True, separators=(",", ":"))
