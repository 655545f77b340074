"""P01: what carries the boundary is known before it is deployed."""

import re
from collections.abc import Iterator, Mapping
from typing import Final

from policies.reading.normalise import RELEASE
from policies.reading.opaque import Role, holds_unknown, is_kubernetes_object, kind_of, unknown_paths
from policies.reading.resource import Resource
from policies.reading.stack import Stack
from policies.reading.values import UnknownValueError
from policies.rule import Finding, Rule, Severity

NOT_JUDGED: Final = (
    "status",
    "metadata.uid",
    "metadata.resourceVersion",
    "metadata.generation",
    "metadata.creationTimestamp",
    "metadata.managedFields",
)
"""Fields that the cluster writes."""

NO_BOUNDARY: Final[Mapping[str, re.Pattern[str]]] = {
    "ClusterIssuer": re.compile(r"spec\.acme\.solvers\[\d+\]\.dns01\.azureDNS\.managedIdentity\.clientID"),
}
"""Fields of such resources that decide nothing: as whom cert-manager signs in to Azure. What that identity may do, N12 judges."""

INPUTS_OF_A_RELEASE: Final = ("chart", "name", "namespace", "repositoryOpts", "values", "version")


class P01(Rule):
    """Every field that carries the boundary is known before it is deployed.

    Forbids:
        A field that only the deployment will know, or one that is marked secret, in any resource that decides who may reach
        whom: a Service, a policy, a route, a workload, a namespace, the values of a chart. Every such field is named.

    Why:
        The verdict is about the plan. A policy whose principals come from another resource's output can hold anything once
        it is deployed; a rule that skips what it cannot read would pass it. Unknown until deployment is therefore undecided,
        and a secret boundary field, which no judge will ever see, is broken.

    Instead:
        Give the plain value in the program. Names are ours, not the provider's, so that nothing has to be asked back::

            metadata:
              name: b              # not the output of another resource
              namespace: abc
            spec:
              selector:
                matchLabels: {app: b}

        A value that really is a secret belongs into a Secret, which carries no boundary.
    """

    id = "P01"
    name = "boundary-fields-are-known"
    severity = Severity.CRITICAL

    def judge(self, stack: Stack) -> Iterator[Finding]:
        """Look for unknown values in everything that carries the boundary."""
        for resource in stack.resources:
            yield from self._unknown_fields(resource)

    def _unknown_fields(self, resource: Resource) -> Iterator[Finding]:
        if resource.token == RELEASE:
            fields = {key: resource.props.get(key) for key in INPUTS_OF_A_RELEASE}
        elif (kind := kind_of(resource)) is not None and kind.role is Role.BOUNDARY:
            fields = dict(resource.props)
        elif is_kubernetes_object(resource):
            fields = {key: resource.props.get(key) for key in ("apiVersion", "kind")}
        else:
            return
        if not holds_unknown(fields):
            return
        found: dict[str, list[str]] = {}
        for path, value in unknown_paths(fields):
            if path.startswith(NOT_JUDGED) or (resource.kind in NO_BOUNDARY and NO_BOUNDARY[resource.kind].fullmatch(path)):
                continue
            try:
                bool(value)
            except UnknownValueError as error:
                found.setdefault(error.reason, []).append(path)
        for reason, paths in found.items():
            named = ", ".join(paths)
            if reason == "secret":
                yield self.broken(
                    resource,
                    f"{named}: secret, so nobody can see what it allows",
                    "give the plain value; keep secrets in a Secret and refer to it by name",
                )
            else:
                yield self.undecided(resource, f"{named}: {reason}, so what it allows cannot be judged")
