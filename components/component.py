"""What every component of this project shares: its type token, its children's options and how it registers a manifest."""

from collections.abc import Iterable, Sequence
from typing import Any, ClassVar, Final

import pulumi

from components.manifests import KubernetesObject
from topology.derive.manifest import Manifest

PACKAGE = "perimeter"

NEEDED_BY_PODS: Final = frozenset({"ServiceAccount", "ConfigMap", "NetworkPolicy"})
"""Kinds without which a pod is refused, does not start, or starts unguarded."""


class Component(pulumi.ComponentResource):
    """A component with the token `perimeter:<layer>:<Class>`.

    Children get this component as their parent and nothing else, except what they themselves must wait for.
    A subclass says its layer once: `class NginxEdge(Component, layer="edge")`.
    """

    token: ClassVar[str]

    def __init_subclass__(cls, *, layer: str, **kwargs: Any) -> None:
        """Derive the type token, which is state: renaming a class or a layer needs an alias."""
        super().__init_subclass__(**kwargs)
        cls.token = f"{PACKAGE}:{layer}:{cls.__name__}"

    def __init__(
        self,
        name: str,
        inputs: dict[str, Any],
        *,
        parent: pulumi.Resource | None = None,
        providers: Sequence[pulumi.ProviderResource] | None = None,
    ) -> None:
        """Register the component; `inputs` are the facts that a policy may want to see."""
        options = pulumi.ResourceOptions(parent=parent, providers=list(providers) if providers else None)
        super().__init__(self.token, name, inputs, options)

    def add(self, document: Manifest, *, after: Iterable[pulumi.Resource] = ()) -> KubernetesObject:
        """Register an object as a child, to be made after the given single resources (never after a component)."""
        return KubernetesObject(document, pulumi.ResourceOptions(parent=self, depends_on=list(after)))

    def add_all(self, documents: Iterable[Manifest], *, after: Iterable[pulumi.Resource] = ()) -> list[KubernetesObject]:
        """Register several objects as children."""
        waited = list(after)
        return [self.add(document, after=waited) for document in documents]

    def add_with_needs(self, documents: Iterable[Manifest], *, after: Iterable[pulumi.Resource] = ()) -> list[KubernetesObject]:
        """Register objects as children, those that pods cannot start without first; return the others."""
        waited, given = list(after), list(documents)
        needs = [self.add(document, after=waited) for document in given if document["kind"] in NEEDED_BY_PODS]
        return [self.add(document, after=[*waited, *needs]) for document in given if document["kind"] not in NEEDED_BY_PODS]
