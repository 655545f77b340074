"""P03: every object has one spelling, one home and one owner."""

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Final

from policies.reading.charts import chart_name
from policies.reading.normalise import RELEASE
from policies.reading.opaque import KINDS, Role, is_kubernetes_object, is_patch, kind_of
from policies.reading.resource import Resource
from policies.reading.stack import Stack
from policies.rule import Finding, Rule, Severity

TOKEN: Final = re.compile(r"^kubernetes:(?:(?P<group>[^:/]+)/)?(?P<version>v\d\w*):(?P<kind>[A-Z]\w*)$")
"""A type token of the Kubernetes provider; the core group is spelled `core` or left out."""


OF_THE_CLUSTER: Final = frozenset({"kube-system", "kube-public", "kube-node-lease"})
"""Namespaces of the cluster's own parts, such as its name service."""

DEFINED_BY: Final[Mapping[str, tuple[str, ...]]] = {
    "base": ("istio.io",),
    "cert-manager": ("cert-manager.io",),
    "gateway-helm": ("gateway.envoyproxy.io", "gateway.networking.k8s.io"),
    "gateway-crds-helm": ("gateway.envoyproxy.io", "gateway.networking.k8s.io"),
    "kong": ("konghq.com",),
}
"""Groups whose kinds a chart defines (CustomResourceDefinitions)."""


class P03(Rule):
    """Every object that carries the boundary is written once, in an apiVersion whose meaning is known.

    Forbids:
        - a kind of the boundary in an apiVersion that rules cannot read (`extensions/v1beta1` Ingress, an API of tomorrow);
        - a type token and an object that contradict each other;
        - a List whose items are not known;
        - the same object, or the same release, registered twice; the definition of a kind that a chart brings;
        - a namespaced object without namespace, or one without name: the cluster or its client would choose them;
        - an object in a namespace of the cluster itself (`kube-system`), but for NetworkPolicies around its parts.

    Why:
        A rule about Services is of no use if the same Service can be written as a ServiceList, under an old group, under two
        names in one program, or into whatever namespace the kubeconfig happens to point at. All usual spellings are read as
        one; what is left over is not guessed at. Of two registrations of one object the last one wins, and which that is
        depends on timing: broken.

    Instead:
        One resource for each object, in a current version, with name and namespace::

            apiVersion: networking.k8s.io / v1
            kind: NetworkPolicy
            metadata: {name: b, namespace: abc}
    """

    id = "P03"
    name = "one-spelling"
    severity = Severity.CRITICAL

    def judge(self, stack: Stack) -> Iterator[Finding]:
        """Look for spellings that the reading could not turn into one."""
        objects = [resource for resource in stack.resources if is_kubernetes_object(resource) and not is_patch(resource)]
        yield from self.over(objects, lambda resource: self._check(resource, stack))
        yield from self._twice([*objects, *stack.releases])

    def _check(self, resource: Resource, stack: Stack) -> Iterator[Finding]:
        kind = kind_of(resource)
        versions = _spellings(resource.kind)
        written = f"{resource.group or 'core'}/{resource.version}"
        if versions and written not in versions:
            yield self.undecided(
                resource,
                f"is written as {written}; {resource.kind} is read as {', '.join(sorted(versions))}, and what it means elsewhere is not known",
                f"write it as {min(versions)}",
            )
        if resource.kind.endswith("List"):
            yield self.undecided(resource, "is a List whose items are not known", "register each item as a resource of its own")
            return
        yield from self._token(resource)
        if resource.kind == "CustomResourceDefinition":
            yield from self._definition(resource, stack)
        if kind is None or kind.role is not Role.BOUNDARY:
            return
        if kind.namespaced and not resource.at("metadata", "namespace", default=""):
            yield self.undecided(
                resource,
                "has no namespace: it lands wherever the client of that day points",
                "give metadata.namespace",
            )
        if resource.namespace in OF_THE_CLUSTER and resource.kind != "NetworkPolicy":
            yield self.undecided(
                resource,
                f"lies in {resource.namespace}, among what the cluster itself is made of: whose object that is cannot be told",
                "put it into a namespace of the program",
            )
        if not resource.at("metadata", "name", default=""):
            yield self.undecided(resource, "has no name: the provider makes one up, and nothing can refer to it", "give metadata.name")

    def _definition(self, resource: Resource, stack: Stack) -> Iterator[Finding]:
        group: str = resource.at("spec", "group", default="")
        for release in stack.releases:
            if group.endswith(DEFINED_BY.get(chart_name(release), ())):
                yield self.broken(
                    resource,
                    f"defines a kind of {group} besides {release}, which brings it: by which of the two fields are dropped cannot be told",
                    "leave it to the chart",
                )

    def _token(self, resource: Resource) -> Iterator[Finding]:
        match = TOKEN.match(resource.token)
        if match is None:
            yield self.undecided(resource, f"has the type token `{resource.token}`, which is not one of the Kubernetes provider")
            return
        group = "" if match["group"] in {None, "core"} else match["group"]
        kind = match["kind"].removesuffix("List") if match["kind"].endswith("List") else match["kind"]
        if (group, kind) != (resource.group, resource.kind) and match["kind"] != "List":
            yield self.undecided(
                resource,
                f"is registered as `{resource.token}` but says of itself {resource.group or 'core'}/{resource.version} {resource.kind}: which of the two the cluster gets cannot be told",
                "let the type of the resource and its kind say the same",
            )

    def _twice(self, objects: list[Resource]) -> Iterator[Finding]:
        owners: defaultdict[tuple[str, str, str, str], list[Resource]] = defaultdict(list)
        for resource in objects:
            if resource.token == RELEASE or ((kind := kind_of(resource)) is not None and kind.role is Role.BOUNDARY):
                owners[(resource.group, resource.kind, resource.namespace, resource.name)].append(resource)
        for first, *others in owners.values():
            for other in others:
                yield self.broken(
                    other,
                    f"is registered twice, as `{_name(first)}` and as `{_name(other)}`: what runs is whichever came last",
                    "keep one of them",
                )


def _name(resource: Resource) -> str:
    return resource.urn.rpartition("::")[2]


@cache
def _spellings(kind: str) -> frozenset[str]:
    """Return the groups and versions in which a kind can be read."""
    return frozenset(f"{known.group or 'core'}/{version}" for known in KINDS.values() if known.kind == kind for version in known.versions)
