"""One planned resource, in one spelling whatever class of whatever provider version registered it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Final

from policies.reading.values import UnknownValueError, is_unknown, type_of

CLOUDS: Final = ("aws:", "azure-native:")
"""How tokens of types begin of which the last part alone is what people say."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Resource:
    """A planned resource.

    `kind` is the Kubernetes kind for Kubernetes objects and the Pulumi type token for everything else; `group` is the
    Kubernetes API group without version ("" for the core group). `props` are inputs with `Unknown` where nothing is known.
    """

    urn: str
    token: str
    kind: str
    group: str = ""
    version: str = ""
    namespace: str = ""
    name: str = ""
    props: Mapping[str, Any]
    custom: bool = True
    parent: str = ""
    dependencies: tuple[str, ...] = ()
    property_dependencies: Mapping[str, tuple[str, ...]] = field(default_factory=dict[str, tuple[str, ...]])
    known_as: frozenset[str] = frozenset()
    """Id, ARN, DNS name and address under which others refer to it, as far as a deployment has made them known."""
    options: Mapping[str, Any] = field(default_factory=dict[str, Any])
    """Pulumi resource options that weaken a guard: ignoreChanges, retainOnDelete, import, protect."""

    def __str__(self) -> str:
        """Name the resource as people do: `AuthorizationPolicy abc/b`, `TargetGroup gateway`."""
        kind = self.kind.rpartition(":")[2] if self.kind.startswith(CLOUDS) else self.kind
        return f"{kind} {self.namespace}/{self.name}" if self.namespace else f"{kind} {self.name}"

    def at(self, *path: str | int, default: Any = None) -> Any:
        """Return the value at a path, `default` where a step is absent.

        Raises:
            UnknownValueError: if a step, or the value itself, is not known.
        """
        value: Any = self.props
        for step in path:
            kind = type_of(value)
            if kind is dict:
                value = value.get(step)
            elif kind is list and isinstance(step, int):
                value = value[step] if step < len(value) else None
            elif value is self.props:
                value = self.props.get(str(step))
            else:
                bool(value)  # an unknown raises with its own path
                where, found = ".".join(map(str, path)), type(value).__name__
                raise UnknownValueError(where, f"not of the expected shape: {found} where a mapping belongs")
            if value is None:
                return default
        if is_unknown(value):
            bool(value)  # raises, with the value's own path
        return value

    @cached_property
    def labels(self) -> Mapping[str, str]:
        """Return `metadata.labels`."""
        return self.at("metadata", "labels", default={})

    @cached_property
    def annotations(self) -> Mapping[str, str]:
        """Return `metadata.annotations`."""
        return self.at("metadata", "annotations", default={})

    @cached_property
    def spec(self) -> Mapping[str, Any]:
        """Return `spec`."""
        return self.at("spec", default={})
