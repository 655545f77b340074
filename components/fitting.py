"""Parts of a stack file whose values must also fit together, and what can be said of that where some of them cannot be read."""

from abc import abstractmethod
from collections.abc import Collection, Iterable, Iterator
from types import NoneType
from typing import Any, Self, cast, get_args

from pydantic import PrivateAttr, TypeAdapter, ValidationError, model_validator

from components.part import Part
from topology.findings import Faults, Finding, KeyPath


class Fitting(Part):
    """A part with rules over several of its values."""

    _unread: frozenset[str] = PrivateAttr(default=frozenset())
    """Fields that were given and cannot be read, or are missing."""

    @abstractmethod
    def faults(self) -> Iterable[str]:
        """Return what cannot be, each with what to do. A rule must ask `read` for the values that it looks at."""

    def read(self, *fields: str) -> bool:
        """Say whether all of these could be read; where one could not, its attribute says nothing."""
        return self._unread.isdisjoint(fields)

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if wrong := list(self.faults()):
            raise Faults(wrong)
        return self

    @classmethod
    def faults_around(cls, given: dict[str, Any], refused: Collection[str]) -> tuple[str, ...]:
        """Return what the values that can be read cannot be together.

        Args:
            given: what the file holds, by key.
            refused: keys whose value cannot be read, or that are missing.
        """
        read: dict[str, Any] = {}
        unread: set[str] = set()
        for name, field in cls.model_fields.items():
            key = field.alias or name
            if key in refused:
                unread.add(name)
            elif key in given:
                try:
                    read[name] = TypeAdapter[Any](field.rebuild_annotation()).validate_python(given[key])
                except ValidationError:
                    unread.add(name)
        part = cls.model_construct(**read)
        part._unread = frozenset(unread)
        return tuple(part.faults())


def faults_beside(part: type[Fitting], given: object, findings: Iterable[Finding], path: KeyPath = ()) -> Iterator[Finding]:
    """Yield what is wrong with a part beside the findings on the form of single values, which kept its rules from being asked.

    Args:
        part: what was to be read.
        given: what the file holds of it.
        findings: on the form, with their paths from the top of the file.
        path: of the part.
    """
    if not isinstance(given, dict):
        return
    entries = cast(dict[str, Any], given)
    below = [finding for finding in findings if finding.path[: len(path)] == path and len(finding.path) > len(path)]
    if not below:
        return
    refused = {str(finding.path[len(path)]) for finding in below}
    yield from (Finding(path=path, given=None, reason=fault) for fault in part.faults_around(entries, refused))
    for name, field in part.model_fields.items():
        key = field.alias or name
        for inner in get_args(field.annotation) or (field.annotation,):
            if key in refused and inner is not NoneType and isinstance(inner, type) and issubclass(inner, Fitting):
                yield from faults_beside(inner, entries.get(key), below, (*path, key))
