"""Envoy Gateway as the API gateway."""

from typing import Any, Final

import pulumi

from components.binding import Binding
from components.charts import release
from components.component import Component
from components.contracts import Below, GatewayOutputs, IngressOutputs, MeshOutputs, Platform
from components.gateway import inside, routes
from components.gateway.envoy import doors, install, proxy
from topology.derive import names, network
from topology.derive.manifest import manifest
from topology.model.base import Name
from topology.model.door import ApiKeyAuth
from topology.model.system import Topology
from topology.preflights import Preflight, by_door

RELEASE: Final = "envoy-gateway"


class EnvoyGateway(Component, layer="gateway"):
    """The controller with its fences, the Gateway, and for each door its routes with their policies.

    Nothing is open while it is being made: the Gateway's own policy refuses everything, and a door's policies come before its routes.
    """

    outputs: GatewayOutputs

    def __init__(self, binding: Binding, t: Topology, below: Below, *, parent: pulumi.Resource) -> None:
        """Register everything."""
        super().__init__("gateway", {"product": "envoy-gateway", "hosts": list(t.public_hosts())}, parent=parent)
        mesh, platform = below.mesh, below.platform
        home = platform.namespaces[names.GATEWAY_NAMESPACE]
        edge = self._edge = below.cluster.edge
        fence = self.add(proxy.fence(binding, t, mesh.ingress.values(), platform.counters, edge), after=[home])
        controller = self._controller(binding, mesh, platform)
        installed = [controller, home, fence]
        closed = self.add(doors.deny_everything(), after=installed)
        known = self.add(routes.gateway_class(install.CONTROLLER_NAME), after=[controller])
        settings = self.add_all([proxy.envoy_proxy(binding, t), proxy.client_traffic(edge)], after=[*installed, platform.certificates])
        reference = {"group": "gateway.envoyproxy.io", "kind": "EnvoyProxy", "name": names.GATEWAY}
        opened = self.add(routes.gateway(t, {"parametersRef": reference}, by_name=edge is None), after=[closed, known, *settings])
        for ingress in mesh.ingress.values():
            self._upstream(t, ingress, controller)
        keys = self._keys(t, platform, home)
        answers = by_door(t)
        for name, door in t.doors.items():
            at, answer = mesh.ingress[t.mesh_of(door.service)], answers.get(name)
            self._door(t, name, answer, at, [controller, opened, *keys])
            if answer is not None and answer.doors[0] == name:
                self._preflight(answer, at, [controller, opened])
        # Pulumi waits for pods behind a Service, and there are none before the Gateway.
        service = self.add(routes.service(proxy.LABELS, proxy.POD_PORT), after=[opened])
        self.outputs = inside.outputs(proxy.LABELS, proxy.POD_PORT, service)
        self.register_outputs({"service": f"{names.GATEWAY_NAMESPACE}/{names.GATEWAY}"})

    def _controller(self, binding: Binding, mesh: MeshOutputs, platform: Platform) -> pulumi.Resource:
        namespace = self.add(install.namespace())
        closed = self.add(network.default_deny(names.ENVOY_GATEWAY_NAMESPACE), after=[namespace])
        fences = self.add_all(install.fences(binding, platform.counters), after=[closed])
        watched = [names.GATEWAY_NAMESPACE, *(ingress.namespace for ingress in mesh.ingress.values())]
        counters = [platform.counters.ready] if platform.counters else []
        return release(
            binding,
            "envoy-gateway",
            RELEASE,
            names.ENVOY_GATEWAY_NAMESPACE,
            install.values(binding, watched, platform.counters),
            parent=self,
            after=[*fences, *counters, *platform.gateway_api, *(platform.namespaces[name] for name in watched)],
        )

    def _upstream(self, t: Topology, ingress: IngressOutputs, controller: pulumi.Resource) -> None:
        documents = [proxy.backend_tls(ingress), routes.grant(ingress.namespace, [ingress.service], routes.kinds(t))]
        self.add_all(documents, after=[controller, ingress.ready])

    def _keys(self, t: Topology, platform: Platform, home: pulumi.Resource) -> list[pulumi.Resource]:
        """Register the Secrets of the consumers whose keys open a door."""
        opening = {tier for door in t.doors.values() if isinstance(door.auth, ApiKeyAuth) for tier in door.auth.api_key}
        return [
            self.add(
                manifest(
                    "v1",
                    "Secret",
                    doors.key_secret(consumer),
                    names.GATEWAY_NAMESPACE,
                    type="Opaque",
                    stringData={consumer: platform.api_keys[consumer]},
                ),
                after=[home],
            )
            for consumer, about in t.consumers.items()
            if about.tier in opening
        ]

    def _door(self, t: Topology, name: Name, answer: Preflight | None, ingress: IngressOutputs, after: list[pulumi.Resource]) -> None:
        policies = self.add_all([doors.security(t, name, answer), doors.traffic(t, name, first=self._edge is not None)], after=after)
        found = routes.routes(t, name, _backend(ingress), doors.filters(t, t.doors[name]), by_name=self._edge is None)
        self.add_all(found, after=[*policies, ingress.ready])

    def _preflight(self, answer: Preflight, ingress: IngressOutputs, after: list[pulumi.Resource]) -> None:
        closed = self.add(doors.preflight(answer), after=after)
        self.add_all(routes.preflight_routes(answer, _backend(ingress), by_name=self._edge is None), after=[closed, ingress.ready])


def _backend(ingress: IngressOutputs) -> dict[str, Any]:
    return {"group": "", "kind": "Service", "namespace": ingress.namespace, "name": ingress.service, "port": ingress.port}
