"""Settings of the developer portal, broken in each way: exactly the rules meant for it notice. `test_azure_mutations.py` has them of every plan."""

import pytest

from policies.harness import findings_of
from tests.components.azure.systems import resources
from tests.policies.mutations.azure_portal import ALSO, TABLE
from tests.policies.mutations.held import RULES, hold_untouched, read
from tests.policies.mutations.mutation import Mutation
from tests.systems import topology

PLANS = (("azure-dev", "payments"), ("azure-dev", "abc"))
"""One system with a portal, one without."""
READERS = ("A06", "P02", "P05", "P07", "A01", "W08", "N10", "N12")
"""Rules that read templates, and those that would see what one makes if it stood in the plan."""


@pytest.mark.parametrize("mutation", TABLE.mutations, ids=[each.id for each in TABLE.mutations])
def test_a_broken_template_is_noticed_by_exactly_the_rules_meant_for_it(mutation: Mutation) -> None:
    tried = 0
    for stack, name in PLANS:
        plan = resources(stack, name)
        hold_untouched(mutation, plan)
        if (broken := mutation.apply(list(plan))) is None:
            continue
        tried += 1
        found = {each for each in READERS if findings_of(RULES[each], read(broken, topology(name)))}
        assert found == {mutation.rule} | ALSO.get(mutation.id, frozenset())
    assert tried == 1
