"""Workloads: what runs a service, and every object that says who may call it and whom it may call."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import pulumi

from components.component import Component
from components.context import Context
from components.contracts import MeshOutputs, Platform
from topology.derive import composition, fences, identity, limits, names, ratelimit, telemetry, traffic, workloads
from topology.derive.manifest import Manifest
from topology.derive.relations import Relations
from topology.derive.workloads import Images
from topology.model.base import ServiceName


@dataclass(frozen=True, kw_only=True)
class Order:
    """What must exist before a workload: its namespace, closed, and its mesh, closed; before it runs, also the Services it asks first."""

    guards: tuple[pulumi.Resource, ...]
    parts: tuple[pulumi.Resource, ...] = ()


class Workload(Component, layer="workload"):
    """A service or a composition of the topology."""

    service: pulumi.Resource

    def __init__(self, r: Relations, name: ServiceName, documents: Iterable[Manifest], order: Order, *, parent: pulumi.Resource) -> None:
        """Register the workload's objects, its Deployments last: after its identity too."""
        inputs = {"mesh": r.t.mesh_of(name), "namespace": r.t.namespace_of(name), "protocol": str(r.protocol(name))}
        super().__init__(name, inputs, parent=parent)
        account = self.add(identity.service_account(r.t, name), after=order.guards)
        self.service = self.add(workloads.service(r, name), after=order.guards)
        running = (*order.guards, account, *order.parts)
        for document in documents:
            self.add(document, after=running if document["kind"] == "Deployment" else order.guards)
        self.register_outputs({"service": f"{names.address(r.t, name)}:{r.port(name)}"})


class Workloads(Component, layer="workload"):
    """All services and compositions."""

    def __init__(self, context: Context, mesh: MeshOutputs, platform: Platform, *, parent: pulumi.Resource) -> None:
        """Register every service, then every composition, which asks services."""
        r, t, binding = context.relations, context.relations.t, context.binding
        super().__init__("workloads", {"services": len(t.services), "compositions": len(t.compositions)}, parent=parent)
        images = Images(demo=binding.image("demo"), composition=binding.image("composition"))
        made: dict[ServiceName, pulumi.Resource] = {}

        def guards(name: ServiceName) -> tuple[pulumi.Resource, ...]:
            return platform.namespaces[t.namespace_of(name)], mesh.guards[t.mesh_of(name)]

        for name in t.services:
            documents = [*workloads.workload(r, name, images), *boundary(context, name)]
            made[name] = Workload(r, name, documents, Order(guards=guards(name)), parent=self).service
        for name in t.compositions:
            documents = [*composition.workload(r, name, images), *boundary(context, name)]
            parts = tuple(made[call.callee] for call in r.calls_of[name])
            Workload(r, name, documents, Order(guards=guards(name), parts=parts), parent=self)
        self.register_outputs({"services": len(t.services)})


def build_workloads(context: Context, mesh: MeshOutputs, platform: Platform, *, parent: pulumi.Resource) -> None:
    """Build every workload."""
    Workloads(context, mesh, platform, parent=parent)


def boundary(context: Context, name: ServiceName) -> Iterator[Manifest]:
    """Yield what says who may call a service, whom it may call, and how."""
    r, collector = context.relations, context.binding.collector
    mesh = r.t.mesh_of(name)
    seen = [f"{collector.namespace}/{names.fqdn(collector.service, collector.namespace)}"] if collector else []
    asked = [f"{ratelimit.namespace_of(mesh)}/{ratelimit.host(mesh)}"] if ratelimit.counted(r, name) else []
    yield fences.service(r, name, context.around)
    yield identity.callee(r, name)
    yield traffic.sidecar(r, name, [*seen, *asked])
    yield traffic.destination_rule(r, name)
    for optional in (
        traffic.virtual_service(r, name),
        limits.local(r, name),
        ratelimit.filter_for(r, name),
        telemetry.service(r, name, traced=context.traced),
    ):
        if optional is not None:
            yield optional
