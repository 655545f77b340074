"""Services that can call themselves through others: lawful, and worth knowing."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from topology.model.base import ServiceName
from topology.model.system import Topology

Graph = Mapping[ServiceName, Sequence[ServiceName]]


def cycles(t: Topology) -> tuple[tuple[ServiceName, ...], ...]:
    """Return every group of services that all reach each other by calls, bridges included; each group and the result are sorted.

    A group of more than two holds at least one cycle, maybe many: listing each would take time exponential in the group's size.
    """
    graph = {name: [*service.calls] for name, service in t.services.items()}
    for name, composition in t.compositions.items():
        graph[name] = [part.service for part in composition.parts.values()]
    for bridge in t.bridges.values():
        graph[bridge.source].append(bridge.target)
    return tuple(sorted(tuple(sorted(group)) for group in _strongly_connected(graph) if len(group) > 1))


@dataclass
class _Search:
    """Tarjan's algorithm with a stack of its own, because a chain of calls may be longer than Python's."""

    graph: Graph
    order: dict[ServiceName, int] = field(default_factory=dict[ServiceName, int])
    """When each service was met."""
    low: dict[ServiceName, int] = field(default_factory=dict[ServiceName, int])
    """The earliest service, not yet in a group, that each was seen to reach."""
    open: dict[ServiceName, None] = field(default_factory=dict[ServiceName, None])
    """Services met and not yet in a group, in that order."""

    def meet(self, name: ServiceName) -> tuple[ServiceName, Iterator[ServiceName]]:
        self.order[name] = self.low[name] = len(self.order)
        self.open[name] = None
        return name, iter(self.graph[name])

    def groups_from(self, root: ServiceName) -> Iterator[list[ServiceName]]:
        path = [self.meet(root)]
        while path:
            name, callees = path[-1]
            callee = next(callees, None)
            if callee is None:
                path.pop()
                if path:
                    caller = path[-1][0]
                    self.low[caller] = min(self.low[caller], self.low[name])
                if self.low[name] == self.order[name]:
                    yield self._close(name)
            elif callee not in self.order:
                path.append(self.meet(callee))
            elif callee in self.open:
                self.low[name] = min(self.low[name], self.order[callee])

    def _close(self, name: ServiceName) -> list[ServiceName]:
        group: list[ServiceName] = []
        while not group or group[-1] != name:
            group.append(self.open.popitem()[0])
        return group


def _strongly_connected(graph: Graph) -> Iterator[list[ServiceName]]:
    search = _Search(graph)
    for name in graph:
        if name not in search.order:
            yield from search.groups_from(name)
