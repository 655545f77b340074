"""How long an Application Gateway waits for answers of the API gateway."""

from collections import defaultdict
from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from policies.reading.cloud.azure.application_gateway import KIND, Gateway
from policies.reading.cloud.azure.doors import doors_at
from policies.reading.cloud.flaws import Flaw, Reader
from policies.reading.resource import Resource
from policies.reading.slack import misfit

if TYPE_CHECKING:
    from policies.reading.stack import Stack


def waits_as_doors_do(resource: Resource, stack: "Stack") -> Iterator[Flaw]:
    """W13. What Azure takes where nothing is said differs by who asks it: 20 or 30 seconds (Azure/azure-powershell#5145)."""
    gateway, patience = Gateway(resource=resource), defaultdict[str, float](float)
    for routed in gateway.routes:
        if routed.pool and gateway.targets(routed.pool):
            longest = max((door.patience for door in doors_at(stack, routed)), default=0.0)
            patience[routed.settings] = max(patience[routed.settings], longest)
    for name, longest in patience.items():
        wait = gateway.part("backendHttpSettingsCollection", name).get("requestTimeout")
        fix = "give the timeout of the slowest door, and a second"
        if wait is None:
            yield Flaw(message=f"settings {name}: nothing says how long it waits for an answer (requestTimeout)", fix=fix, undecided=True)
        elif wrong := misfit(int(wait), longest):
            yield Flaw(message=f"settings {name}: {wrong}", fix=fix)


READERS: Final = (Reader(rule="W13", kinds=(KIND,), look=waits_as_doors_do),)
