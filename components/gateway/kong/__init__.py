"""Kong 3.9, the last open-source edition with free images, as the API gateway.

No package registry has Kong itself, so our tests cannot run it: its objects are checked against Kong's own definitions, its plugins'
fields against the source of 3.9.3.
"""

from typing import Final

import pulumi

from components.binding import Binding
from components.charts import release
from components.component import Component
from components.contracts import GatewayOutputs, IngressOutputs, MeshOutputs, Platform
from components.gateway import routes
from components.gateway.kong import doors, install
from topology.derive import names
from topology.model.base import Name
from topology.model.door import ApiKeyAuth, JwtAuth
from topology.model.service import Protocol
from topology.model.system import Topology

RELEASE: Final = "kong"


class Kong(Component, layer="gateway"):
    """The Release with its fence, the Gateway, consumers, and for each door its routes after their plugins.

    The order matters: Kong serves a route whose plugin it does not find without that plugin.
    """

    outputs: GatewayOutputs

    def __init__(self, binding: Binding, t: Topology, mesh: MeshOutputs, platform: Platform, *, parent: pulumi.Resource) -> None:
        """Register everything."""
        super().__init__("gateway", {"product": "kong", "hosts": list(t.public_hosts())}, parent=parent)
        self._t, self._platform = t, platform
        home = platform.namespaces[names.GATEWAY_NAMESPACE]
        fence = self.add(install.fence(binding, mesh.ingress.values(), platform.counters), after=[home])
        controller = self._release(binding, mesh, fence)
        known = self.add(routes.gateway_class(install.CONTROLLER_NAME, install.UNMANAGED), after=[controller])
        opened = self.add(routes.gateway(t), after=[known])
        upstreams = {name: self._upstream(ingress, controller) for name, ingress in mesh.ingress.items()}
        plugins = self._plugins(controller)
        consumers = self._consumers(controller, plugins)
        for name, door in t.doors.items():
            at = t.mesh_of(door.service)
            self._door(name, mesh.ingress[at], [opened, *plugins.values(), *consumers, *upstreams[at]])
        service = self.add(routes.service(install.LABELS, install.POD_PORT), after=[home])
        self.outputs = GatewayOutputs(
            namespace=names.GATEWAY_NAMESPACE,
            service=names.GATEWAY,
            port=names.HTTPS_PORT,
            pod_labels=install.LABELS,
            pod_port=install.POD_PORT,
            server_name=names.fqdn(names.GATEWAY, names.GATEWAY_NAMESPACE),
            ready=service,
        )
        self.register_outputs({"service": f"{names.GATEWAY_NAMESPACE}/{names.GATEWAY}"})

    def _release(self, binding: Binding, mesh: MeshOutputs, fence: pulumi.Resource) -> pulumi.Resource:
        platform = self._platform
        watched = [names.GATEWAY_NAMESPACE, *(ingress.namespace for ingress in mesh.ingress.values())]
        counters = [platform.counters.ready] if platform.counters else []
        return release(
            binding,
            "kong",
            RELEASE,
            names.GATEWAY_NAMESPACE,
            install.values(binding, watched),
            parent=self,
            after=[fence, platform.certificates, *counters, *platform.gateway_api, *(platform.namespaces[name] for name in watched)],
        )

    def _upstream(self, ingress: IngressOutputs, controller: pulumi.Resource) -> list[pulumi.Resource]:
        """Register the ways into a mesh: Services that say the protocol, and the leave to use them."""
        speaking = [Protocol.GRPC if kind == routes.GRPC_ROUTE else Protocol.HTTP for kind in routes.kinds(self._t)]
        services = install.upstreams(self._t, ingress, speaking)
        grant = routes.grant(ingress.namespace, [service["metadata"]["name"] for service in services], routes.kinds(self._t))
        return list(self.add_all([*services, grant], after=[controller, ingress.ready]))

    def _plugins(self, controller: pulumi.Resource) -> dict[Name, pulumi.Resource]:
        """Register every plugin once."""
        found = {
            plugin["metadata"]["name"]: plugin
            for name in self._t.doors
            for plugin in doors.plugins(self._t, name, self._platform.counters)
        }
        return {name: self.add(plugin, after=[controller]) for name, plugin in found.items()}

    def _consumers(self, controller: pulumi.Resource, plugins: dict[Name, pulumi.Resource]) -> list[pulumi.Resource]:
        """Register the consumers whose keys open a door, and those that stand for issuers."""
        t = self._t
        opening = {tier for door in t.doors.values() if isinstance(door.auth, ApiKeyAuth) for tier in door.auth.api_key}
        trusted = dict.fromkeys(door.auth.jwt for door in t.doors.values() if isinstance(door.auth, JwtAuth))
        documents = [
            document
            for name, about in t.consumers.items()
            if about.tier in opening
            for document in doors.consumer(t, name, self._platform.api_keys[name])
        ]
        documents += [document for name in trusted for document in doors.issuer(t, name)]
        return list(self.add_all(documents, after=[controller, *plugins.values()]))

    def _door(self, name: Name, ingress: IngressOutputs, after: list[pulumi.Resource]) -> None:
        speaks = routes.speaks(self._t, self._t.doors[name])
        service = install.upstream_name(speaks)
        backend = {"group": "", "kind": "Service", "namespace": ingress.namespace, "name": service, "port": ingress.port}
        self.add_all(routes.routes(self._t, name, backend, [], doors.annotations(self._t, name)), after=after)
