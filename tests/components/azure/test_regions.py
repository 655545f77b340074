"""One stack for each region (docs/multi-region.md): two stacks of one topology that differ in name, location and network never meet."""

import json
from collections.abc import Iterator
from typing import Any

import yaml

from planner.plan import Mode, Plan
from planner.program import plan_program
from tests.systems import ROOT, topology_file

SETTINGS: dict[str, Any] = yaml.safe_load((ROOT / "stacks" / "Pulumi.azure-prod.yaml").read_text(encoding="utf-8"))["config"][
    "perimeter:azure"
]
GLOBAL = {"vaultName", "domainNameLabel", "resourceGroupName", "publicIpAddressName", "workspaceName"}
"""What names share one name space with the other region: all of Azure, or the subscription."""

WATCHERS = {("resourceGroupName", "NetworkWatcherRG")}
"""Azure's own group, with a network watcher for each region; flow logs are in it."""


def region(**own: str) -> Plan:
    config = {"perimeter:topology": str(topology_file("abc")), "perimeter:azure": json.dumps({**SETTINGS, **own})}
    return plan_program(ROOT, "azure-prod", config, mode=Mode.OPTIMISTIC)


def texts(value: object, key: str = "") -> Iterator[tuple[str, str]]:
    match value:
        case str():
            yield key, value
        case dict():
            for name, item in value.items():
                yield from texts(item, str(name))
        case list():
            for item in value:
                yield from texts(item, key)
        case _:
            pass


def names(plan: Plan) -> set[tuple[str, str]]:
    azure = [resource for resource in plan.resources if resource["type"].startswith("azure-native:")]
    own = {(key, text) for resource in azure for key, text in texts(resource["inputs"]) if key in GLOBAL}
    services = {("serviceName", r["inputs"]["serviceName"]) for r in azure if r["type"].endswith(":ApiManagementService")}
    return own | services


def test_two_regions_of_one_topology_have_no_name_and_no_address_in_common() -> None:
    west = region(name="abc-west", location="westeurope", network="10.60.0.0/16")
    north = region(name="abc-north", location="northeurope", network="10.61.0.0/16")
    assert {key for key, _ in names(west)} == {*GLOBAL, "serviceName"}
    assert names(west) & names(north) == WATCHERS
    inside = {text for resource in north.resources for _, text in texts(resource["inputs"]) if text.startswith("10.60.")}
    assert inside == set()
