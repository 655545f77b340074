"""All mutations."""

from tests.policies.mutations import (
    bypass,
    cluster,
    edge,
    evasion,
    exposure,
    gateway_access,
    gateway_limits,
    gateway_options,
    gateway_routes,
    hairpin,
    identity,
    layers,
    network,
    waf,
    workloads,
)
from tests.policies.mutations.mutation import Mutation

MUTATIONS: tuple[Mutation, ...] = tuple(
    mutation
    for module in (
        *(exposure, waf, edge, gateway_routes, gateway_access, gateway_limits, gateway_options),
        *(identity, layers, bypass, hairpin, network, workloads, cluster, evasion),
    )
    for mutation in module.TABLE.mutations
)
