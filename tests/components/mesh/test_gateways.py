"""A mesh's own gateways as the program registers them: what waits for what, so that nothing leaves in clear."""

from collections import defaultdict
from typing import Any

import pytest

from tests.systems import SYSTEMS, plan

GATEWAYS = ("perimeter:mesh:Egress", "perimeter:mesh:Bridge")
RULE = "kubernetes:networking.istio.io/v1:DestinationRule"
LEADING = tuple(f"kubernetes:networking.istio.io/v1:{kind}" for kind in ("Gateway", "ServiceEntry", "VirtualService"))


def behind(system: str) -> dict[str, list[dict[str, Any]]]:
    """Return what leads through each gateway that leads on, by the gateway's URN."""
    found: defaultdict[str, list[dict[str, Any]]] = defaultdict(list)
    for each in plan(system).resources:
        if "::" in (parent := each.get("parent", "")) and parent.split("::")[-2].endswith(GATEWAYS):
            found[parent].append(each)
    return found


@pytest.mark.parametrize("system", SYSTEMS)
def test_what_leads_to_a_host_waits_for_what_says_how_it_is_spoken_to(system: str) -> None:
    """Without its DestinationRule a gateway sends requests to an outside host in clear: seen on the embedded cluster."""
    for gateway, objects in behind(system).items():
        rules = {each["urn"] for each in objects if each["type"] == RULE}
        leading = [each for each in objects if each["type"] in LEADING]
        assert rules, gateway
        assert leading, gateway
        assert [each["urn"] for each in leading if not rules <= set(each["dependencies"])] == []


def test_some_system_has_each_gateway() -> None:
    found = {gateway.split("::")[-2].rpartition("$")[2] for system in SYSTEMS for gateway in behind(system)}
    assert found == set(GATEWAYS)
