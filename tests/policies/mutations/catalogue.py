"""All mutations."""

from tests.policies.mutations import bypass, evasion, exposure, hairpin, identity, network, waf
from tests.policies.mutations.mutation import Mutation

MUTATIONS: tuple[Mutation, ...] = tuple(
    mutation for module in (exposure, waf, identity, bypass, hairpin, network, evasion) for mutation in module.TABLE.mutations
)
