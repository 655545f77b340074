"""A whole planned stack: what every rule is given."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from functools import cached_property

from policies.reading.resource import Resource
from topology.edges import Edge, edges
from topology.model.system import Topology


class Stack:
    """All resources of one plan, with indexes, and the intent they are held against."""

    def __init__(self, resources: Iterable[Resource], intent: Topology, *, topology_path: str = "") -> None:
        """Index the resources once; everything derived from them is computed on first use and shared by all rules."""
        self.resources = tuple(resources)
        self.intent = intent
        self.topology_path = topology_path
        self._by_kind: defaultdict[str, list[Resource]] = defaultdict(list)
        self._by_key: dict[tuple[str, str, str], Resource] = {}
        self.by_urn: dict[str, Resource] = {}
        for resource in self.resources:
            self._by_kind[resource.kind].append(resource)
            self._by_key.setdefault((resource.kind, resource.namespace, resource.name), resource)
            self.by_urn[resource.urn] = resource

    def of(self, *kinds: str) -> Iterator[Resource]:
        """Yield the resources of some kinds. A kind may be qualified by its group: `Gateway.networking.istio.io`."""
        for kind in kinds:
            plain, _, group = kind.partition(".") if "/" not in kind and ":" not in kind else (kind, "", "")
            for resource in self._by_kind.get(plain, ()):
                if not group or resource.group == group:
                    yield resource

    def find(self, kind: str, namespace: str, name: str) -> Resource | None:
        """Return one resource, or None."""
        return self._by_key.get((kind, namespace, name))

    @cached_property
    def expected(self) -> frozenset[Edge]:
        """Return what the topology allows."""
        return edges(self.intent)

    @cached_property
    def app_namespaces(self) -> frozenset[str]:
        """Return the namespaces of the topology's services."""
        t = self.intent
        return frozenset(t.namespace_of(name) for name in (*t.services, *t.compositions))
