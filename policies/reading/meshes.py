"""Control planes: every istiod that a stack installs, its mesh configuration, and which pods it makes members of its mesh."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import Enum
from functools import cached_property
from typing import Any, Final

from policies.reading.namespaces import REVISION_LABEL, Namespace
from policies.reading.pods import Pod
from policies.reading.resource import Resource
from policies.reading.selectors import matches
from policies.reading.values import UnknownValueError, is_known, mapping, sequence

INJECT_LABEL: Final = "sidecar.istio.io/inject"
TEMPLATES_ANNOTATION: Final = "inject.istio.io/templates"
NEVER_INJECTED: Final = frozenset({"kube-system", "kube-public", "kube-node-lease", "local-path-storage"})
"""Namespaces that the injector ignores (istio: pkg/kube/inject, `IgnoredNamespaces`)."""


class Proxy(Enum):
    """Which proxy of a mesh stands in a pod."""

    SIDECAR = "sidecar"
    """Beside an application: everything that enters or leaves goes through it."""
    GATEWAY = "gateway"
    """Alone: the pod is the proxy."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Mesh:
    """One istiod: a certificate authority, its policies' root namespace, and the pods that its webhook injects."""

    release: Resource
    namespace: str
    """Namespace of istiod."""
    revision: str
    """Empty for the only, unnamed revision."""
    config: Mapping[str, Any]
    """MeshConfig as istiod reads it: the chart's own, overlaid by `meshConfig` of the values."""
    values: Mapping[str, Any]
    """Values of the Release."""

    def __str__(self) -> str:
        """Name the mesh by its trust domain."""
        return f"mesh {self.trust_domain}"

    @cached_property
    def trust_domain(self) -> str:
        """Return the name space of the identities that istiod signs."""
        return self.config["trustDomain"]

    @cached_property
    def trust_domain_aliases(self) -> tuple[str, ...]:
        """Return other trust domains that count as this one."""
        return tuple(sequence(self.config.get("trustDomainAliases")))

    @cached_property
    def root_namespace(self) -> str:
        """Return the namespace whose policies hold for the whole mesh."""
        return self.config["rootNamespace"]

    @cached_property
    def revisions(self) -> frozenset[str]:
        """Return the values of the `istio.io/rev` label that mean this istiod: its revision and its tags."""
        return frozenset({self.revision or "default", *sequence(self.values.get("revisionTags"))})

    def discovers(self, namespace: Namespace) -> bool:
        """Say whether istiod sees the objects of a namespace (`discoverySelectors`; none means all)."""
        selectors = sequence(self.config.get("discoverySelectors"))
        return not selectors or any(matches(selector, namespace.labels) for selector in selectors)

    def reads(self, resource: Resource) -> bool:
        """Say whether istiod reads an object, by the object's own revision label; objects without one are read by all."""
        revision = resource.labels.get(REVISION_LABEL)
        return revision is None or revision in self.revisions

    def proxy_in(self, pod: Pod, namespace: Namespace) -> Proxy | None:
        """Return which proxy this istiod's webhook puts into a pod.

        Follows the chart's MutatingWebhookConfiguration and `injectRequired` (istio: pkg/kube/inject/inject.go).

        Raises:
            UnknownValueError: for an injection template of which it is not known what it makes.
        """
        asked = pod.labels.get(INJECT_LABEL, pod.annotations.get(INJECT_LABEL, ""))
        if pod.host_network or asked == "false" or pod.namespace in NEVER_INJECTED:
            return None
        if namespace.revision:
            injected = namespace.revision in self.revisions
        elif "istio-injection" in namespace.labels:
            injected = False
        else:
            injected = pod.labels.get(REVISION_LABEL) in self.revisions or (not self.revision and asked == "true")
        if not injected:
            return None
        templates = {part.strip() for part in pod.annotations.get(TEMPLATES_ANNOTATION, "sidecar").split(",")}
        if len(templates) == 1 and (name := templates.pop()) in {"sidecar", "gateway"}:
            return Proxy(name)
        raise UnknownValueError(f"{pod}: {TEMPLATES_ANNOTATION}", "a template of which it is not known what it makes")


def merged(base: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    """Return values overlaid as Helm does: mappings key by key, everything else replaced."""
    result = dict(base)
    for key, value in over.items():
        mine = result.get(key)
        both = is_known(mine, dict) and is_known(value, dict)
        result[key] = merged(mapping(mine), mapping(value)) if both else value
    return result


def mesh_of(release: Resource) -> Mesh:
    """Return the control plane that a Release of the chart `istiod` installs.

    Raises:
        UnknownValueError: if revision, trust domain, root namespace or discovery selectors are not known.
    """
    values: Mapping[str, Any] = release.at("values", default={})
    root = mapping(values.get("global")).get("istioNamespace") or "istio-system"
    config = merged({"trustDomain": "cluster.local", "rootNamespace": root}, mapping(values.get("meshConfig")))
    for key in ("trustDomain", "rootNamespace"):
        if not isinstance(config[key], str):
            raise UnknownValueError(f"{release}: values.meshConfig.{key}", f"not a string but {type(config[key]).__name__}")
    return Mesh(release=release, namespace=release.namespace, revision=values.get("revision") or "", config=config, values=values)


def mesh_by_revision(meshes: Iterable[Mesh]) -> dict[str, Mesh]:
    """Return meshes by each of their revisions."""
    return {revision: mesh for mesh in meshes for revision in mesh.revisions}
