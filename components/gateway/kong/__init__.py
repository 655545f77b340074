"""Kong's open-source gateway as the API gateway."""

from typing import Final

import pulumi

from components import charts
from components.binding import Binding
from components.component import Component
from components.contracts import Below, GatewayOutputs, IngressOutputs, Platform
from components.gateway import inside, routes
from components.gateway.kong import consumers, listeners, network, plugins, upstream
from components.gateway.kong.release import values
from topology.derive import names
from topology.model.base import Name
from topology.model.system import Topology
from topology.preflights import Preflight, by_door

CHART: Final = "kong"


class KongGateway(Component, layer="gateway"):
    """Kong with its controller, the Gateway, everybody that Kong knows, and for each door its plugins and routes.

    Nothing is open while it is being made: Kong answers 404 where it has no route, and passes over a plugin that does not exist, so
    plugins come before the routes and the consumers that name them.
    """

    outputs: GatewayOutputs

    def __init__(self, binding: Binding, t: Topology, below: Below, *, parent: pulumi.Resource) -> None:
        """Register everything."""
        super().__init__("gateway", {"product": "kong", "hosts": list(t.public_hosts())}, parent=parent)
        mesh, platform = below.mesh, below.platform
        home = platform.namespaces[names.GATEWAY_NAMESPACE]
        edge = below.cluster.edge
        self._first = edge is not None
        fence = self.add(network.fence(binding, mesh.ingress.values(), platform.counters, edge), after=[home])
        counters = [platform.counters.ready] if platform.counters else []
        ground = [fence, home, platform.certificates, *counters, *platform.gateway_api, *(i.ready for i in mesh.ingress.values())]
        watched = [names.GATEWAY_NAMESPACE, *(ingress.namespace for ingress in mesh.ingress.values())]
        chosen = values(binding, t, watched, edge)
        controller = self._controller = charts.release(binding, CHART, CHART, names.GATEWAY_NAMESPACE, chosen, parent=self, after=ground)
        service = self.add(routes.service(network.LABELS, network.POD_PORT), after=ground)
        known = self.add(listeners.gateway_class(), after=[controller])
        opened = self.add(listeners.gateway(t, by_name=not self._first), after=[controller, known])
        shared = self.add_all(plugins.shared(t, platform.counters, first=self._first), after=[controller])
        self._consumers(t, platform, [controller, *shared])
        lanes = {name: self._lanes(t, name, ingress) for name, ingress in mesh.ingress.items()}
        answers = by_door(t)
        for name, door in t.doors.items():
            at, answer = t.mesh_of(door.service), answers.get(name)
            after = [opened, *shared, *lanes[at]]
            self._door(t, name, answer, mesh.ingress[at], after)
            if answer is not None and answer.doors[0] == name:
                self._preflight(t, answer, mesh.ingress[at], after)
        self.outputs = inside.outputs(network.LABELS, network.POD_PORT, service)
        self.register_outputs({"service": f"{names.GATEWAY_NAMESPACE}/{names.GATEWAY}"})

    def _consumers(self, t: Topology, platform: Platform, after: list[pulumi.Resource]) -> None:
        """Register everybody that Kong knows, each after the limit that it names and after its credentials."""
        keys = [consumers.api_key(name, platform.api_keys[name]) for name in consumers.keyed(t)]
        held = self.add_all([*keys, *consumers.credentials(t)], after=[platform.namespaces[names.GATEWAY_NAMESPACE]])
        self.add_all(consumers.consumers(t), after=[*after, *held])

    def _lanes(self, t: Topology, mesh: Name, ingress: IngressOutputs) -> list[pulumi.Resource]:
        """Register Kong's Services in front of a mesh's ingress, and the leave to send to them."""
        return [
            *self.add_all(upstream.services(t, mesh, ingress), after=[ingress.ready]),
            self.add(upstream.grant(t, mesh, ingress), after=[self._controller, ingress.ready]),
        ]

    def _door(self, t: Topology, name: Name, answer: Preflight | None, ingress: IngressOutputs, after: list[pulumi.Resource]) -> None:
        own = self.add_all(plugins.own_plugins(t, name, first=self._first), after=[self._controller])
        backend, said = upstream.backend(t, t.doors[name], ingress), plugins.annotations(t, name, answer, first=self._first)
        found = routes.routes(t, name, backend, [], said, by_name=not self._first)
        self.add_all(found, after=[*after, *own])

    def _preflight(self, t: Topology, answer: Preflight, ingress: IngressOutputs, after: list[pulumi.Resource]) -> None:
        backend, said = upstream.backend(t, t.doors[answer.doors[0]], ingress), plugins.preflight_annotations(answer)
        self.add_all(routes.preflight_routes(answer, backend, said, by_name=not self._first), after=after)
