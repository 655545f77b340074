"""Namespaces: their labels, and whether a mesh injects sidecars into their pods."""

from dataclasses import dataclass

from policies.reading.resource import Resource
from policies.reading.selectors import Labels
from policies.reading.values import UnknownValueError, is_known

NAME_LABEL = "kubernetes.io/metadata.name"
"""The label that the API server puts on every namespace: its own name."""

REVISION_LABEL = "istio.io/rev"
INJECTION_LABEL = "istio-injection"


@dataclass(frozen=True, kw_only=True, eq=False)
class Namespace:
    """A namespace; one that the program only uses has no resource and no label but its name."""

    name: str
    labels: Labels
    resource: Resource | None = None

    @property
    def revision(self) -> str:
        """Return the Istio revision whose webhook injects the namespace; empty for none.

        `istio-injection: enabled` means the revision called `default`; next to it `istio.io/rev` is ignored.
        """
        if INJECTION_LABEL in self.labels:
            return "default" if self.labels[INJECTION_LABEL] == "enabled" else ""
        return self.labels.get(REVISION_LABEL, "")


def namespace_of(resource: Resource) -> Namespace:
    """Return the view of a Namespace resource.

    Raises:
        UnknownValueError: if a label is not known.
    """
    labels: dict[str, str] = {}
    for key, value in resource.labels.items():
        if not is_known(value, str):
            bool(value)  # raises for an unknown, with its own path
            raise UnknownValueError(f"{resource}: labels.{key}", f"not a string but {type(value).__name__}")
        labels[key] = value
    labels[NAME_LABEL] = resource.name
    return Namespace(name=resource.name, labels=labels, resource=resource)
