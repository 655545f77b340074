"""All mutations."""

from tests.policies.mutations import (
    audit,
    bounds,
    browsers,
    bypass,
    cluster,
    door_settings,
    edge,
    edge_settings,
    egress,
    egress_tcp,
    evasion,
    exposure,
    faults,
    gateway_access,
    gateway_limits,
    gateway_options,
    gateway_routes,
    hairpin,
    identity,
    layers,
    missing,
    network,
    service_limits,
    trust,
    unusable,
    versions,
    waf,
    workloads,
)
from tests.policies.mutations.mutation import Mutation

MUTATIONS: tuple[Mutation, ...] = tuple(
    mutation
    for module in (
        *(
            exposure,
            waf,
            edge,
            edge_settings,
            unusable,
            gateway_routes,
            gateway_access,
            gateway_limits,
            gateway_options,
            door_settings,
            browsers,
        ),
        *(
            identity,
            trust,
            layers,
            bypass,
            service_limits,
            bounds,
            faults,
            hairpin,
            egress,
            egress_tcp,
            network,
            workloads,
            audit,
            cluster,
            missing,
            versions,
            evasion,
        ),
    )
    for mutation in module.TABLE.mutations
)
