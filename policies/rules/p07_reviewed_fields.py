"""P07: objects say only what somebody reviewed."""

from collections.abc import Iterator, Mapping
from typing import Final

from policies.reading.allowed_values import unaccepted
from policies.reading.cloud.joined import accepted_fields, provider_of, required_fields
from policies.reading.cloud.model import NOTHING
from policies.reading.object_fields import KINDS, unreviewed
from policies.reading.resource import Resource
from policies.reading.stack import Stack
from policies.rule import Finding, ResourceRule, Severity

BROKEN: Final[Mapping[tuple[str, str], str]] = {
    ("paused", "true"): "what runs is the version before, whatever the program says",
    ("suspend", "true"): "it does not run, whatever the program says",
    ("ownerReferences", ""): "whoever deletes its owner deletes it",
    ("usages", "any"): "the certificate proves whatever its holder likes",
    ("usages", "cert sign"): "its holder may sign certificates",
    ("strategy", "Webhook"): "a program rewrites every object of the kind after it was judged",
    ("disabled", "true"): "who called whom is not written down",
    ("publishNotReadyAddresses", "true"): "calls reach pods whose sidecar is not ready",
    ("shareProcessNamespace", "true"): "its containers read each other's memory, keys included",
}
"""Last named step of a path and value of which it is known what they do."""


class P07(ResourceRule):
    """An object that carries the boundary has no field that the judge cannot read.

    Forbids:
        A field, label or annotation of an object of Kubernetes, Istio or cert-manager that is not accepted in
        `policies/reading/object_fields.py` (of pods: `pod_fields.py`), or one with another value: a token for another audience,
        a volume of a driver, a probe of another host, `paused`, `ownerReferences`, `usages: [any]`, `disabled` logging, a
        conversion webhook, a waypoint. The same of a resource of Azure or AWS, whose fields are in `policies/reading/cloud`, and of an
        ARM template, which may make anything: settings of the developer portal, each value as it stands, and nothing else.

    Why:
        Kubernetes and Istio add fields with every version, and each kind has some that change what a rule believes. A judge
        that skips what it does not know would pass them. So the tables say what was reviewed; the rest is undecided.

    Instead:
        Leave the field out, or add it to the table after review, with the values at which it opens nothing::

            spec:
              usages: [digital signature, client auth]
    """

    id = "P07"
    name = "fields-are-reviewed"
    severity = Severity.HIGH
    kinds = KINDS

    def judge(self, stack: Stack) -> Iterator[Finding]:
        """Check objects of the cluster, then what a cloud has around it."""
        yield from super().judge(stack)
        if stack.cloud is not NOTHING:
            yield from self.over(stack.resources, self._of_a_cloud)

    def _of_a_cloud(self, resource: Resource) -> Iterator[Finding]:
        for path in required_fields(resource):
            if resource.at(*path.split("."), default=None) is None:
                yield self.broken(resource, f"does not say {path}, and what the cloud takes in its place opens something", f"write {path}")
        for path, value in dict.fromkeys(unaccepted(resource.props, accepted_fields(resource) or {})) if provider_of(resource) else ():
            given = f" to `{value}`" if value else ""
            yield self.undecided(
                resource,
                f"sets {path}{given}, and what that opens is not known",
                "remove it, or add it to the fields in policies/reading/cloud after review",
            )

    def check(self, resource: Resource, stack: Stack) -> Iterator[Finding]:
        """Name every field of one object that nobody reviewed."""
        for path, value in dict.fromkeys(unreviewed(resource)):
            given = f" to `{value}`" if value else ""
            named = next((step for step in reversed(path.split(".")) if step and not step.isdigit()), "")
            if why := BROKEN.get((named, value)):
                yield self.broken(resource, f"sets {path}{given}: {why}", "remove it")
                continue
            yield self.undecided(
                resource,
                f"sets {path}{given}, and what that changes is not known",
                "remove it, or add it to the tables of policies/reading/object_fields.py after review",
            )
