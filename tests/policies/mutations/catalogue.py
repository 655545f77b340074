"""All mutations."""

from tests.policies.mutations import bypass, cluster, edge, evasion, exposure, gateway, hairpin, identity, network, waf, workloads
from tests.policies.mutations.mutation import Mutation

MUTATIONS: tuple[Mutation, ...] = tuple(
    mutation
    for module in (exposure, waf, edge, gateway, identity, bypass, hairpin, network, workloads, cluster, evasion)
    for mutation in module.TABLE.mutations
)
