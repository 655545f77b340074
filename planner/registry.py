"""The resources that a program has registered so far."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from pulumi.runtime.proto import callback_pb2, resource_pb2

from planner import wire
from planner.deployment import Deployment
from planner.goal import Goal
from planner.recorder import Recorder


@dataclass(slots=True, kw_only=True)
class Registered:
    """What later requests need to know of a resource."""

    custom: bool
    parent: str = ""
    provider: str = ""
    providers: Mapping[str, str] = field(default_factory=dict[str, str])
    protect: bool | None = None
    retain_on_delete: bool | None = None
    deleted_with: str = ""
    transforms: Sequence[callback_pb2.Callback] = field(default=())
    id: str = ""
    outputs: bytes = b""


class Registry:
    """Resources by urn, and what children take from their parents."""

    def __init__(self, deployment: Deployment, recorder: Recorder) -> None:
        self._deployment = deployment
        self._recorder = recorder
        self._registered: dict[str, Registered] = {}

    def __getitem__(self, urn: str) -> Registered:
        return self._registered[urn]

    def find(self, urn: str) -> Registered | None:
        """Return a resource, or None for a urn that is empty or that nothing has."""
        return self._registered.get(urn)

    def add(self, urn: str, resource: Registered) -> None:
        """Take a resource under the urn that was claimed for it."""
        self._registered[urn] = resource

    def claim(self, parent: str, type_: str, name: str) -> str:
        """Return the urn of a resource that nothing else may have; that something has it, or a parent is missing, is a finding."""
        if parent and parent not in self._registered:
            self._recorder.finding(f"{type_} {name!r}: its parent {parent} is not registered. A parent is created before its children.")
        urn = wire.make_urn(self._deployment.stack, self._deployment.project, parent, type_, name)
        if urn in self._registered:
            self._recorder.finding(
                f"{urn}: registered twice. Type, parent and name of a resource are its identity; give one of the two another name."
            )
        return urn

    def inherit(self, request: resource_pb2.RegisterResourceRequest, goal: Goal) -> None:
        """Take from the parent what a child does not say itself (`inheritFromParent`)."""
        parent = self._registered.get(request.parent)
        if parent is None:
            return
        goal.deleted_with = goal.deleted_with or parent.deleted_with
        goal.protect = parent.protect if goal.protect is None else goal.protect
        goal.retain_on_delete = parent.retain_on_delete if goal.retain_on_delete is None else goal.retain_on_delete
        serves = bool(parent.provider) and wire.package_of(wire.qualified_type(parent.provider)) == wire.package_of(request.type)
        if not goal.provider and (not request.custom or serves):
            goal.provider = parent.provider

    def transforms_above(self, parent: str) -> list[callback_pb2.Callback]:
        """Return the transforms of a parent and of everything above it, nearest first."""
        found: list[callback_pb2.Callback] = []
        above = self._registered.get(parent)
        while above:
            found += above.transforms
            above = self._registered.get(above.parent)
        return found
