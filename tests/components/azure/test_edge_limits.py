"""Topologies at the edge of what Application Gateway and API Management take: long names, many hosts, many paths."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from components.azure.ids import shortened
from components.ways import uncarried
from planner.plan import Mode
from planner.program import plan_program
from tests.components.edge.systems import system as written
from tests.components.provider_limits import LIMITS
from tests.components.test_environments import at
from tests.policies.mutations.held import hold_clean
from tests.systems import ROOT, bound, topology_file
from topology.load import load

LABEL = "x" * 60
PATH = f"/{'p' * 60}/{'q' * 60}"
DOOR = f"d{'o' * 51}r"


def test_the_longest_names_of_a_topology_are_names_that_azure_takes(tmp_path: Path) -> None:
    document = yaml.safe_load(topology_file("abc").read_text(encoding="utf-8"))
    host = f"{LABEL}.{LABEL}.abc.example"
    doors = {name: document["doors"]["a"] | {"paths": [f"{PATH}/{name}/*", f"/{name}"]} for name in (DOOR, f"{DOOR[:-1]}n")}
    file = tmp_path / "long.topology.yaml"
    file.write_text(yaml.safe_dump(document | {"hosts": [host], "doors": doors}, sort_keys=False), encoding="utf-8")
    made = plan_program(ROOT, "azure-dev", {"perimeter:topology": str(file)}, mode=Mode.PESSIMISTIC).resources
    refused = [
        (kind, path, text)
        for resource in made
        for (kind, path), limit in LIMITS.items()
        if kind == resource["type"]
        for text in at(resource["inputs"], path)
        if not limit.takes(text)
    ]
    assert refused == []
    hold_clean(made, load(file))


def test_a_name_that_is_too_long_keeps_its_beginning_and_is_nobody_elses() -> None:
    one, other = shortened("a" * 81), shortened("a" * 80 + "b")
    assert {len(one), len(other)} == {80}
    assert one != other
    assert one.startswith("a" * 67)
    assert shortened("a" * 80) == "a" * 80


def refused(doors: dict[str, Any], **more: Any) -> list[str]:
    """Return what Application Gateway with API Management cannot carry, where the stack names no other way."""
    return [str(finding) for finding in uncarried(bound("azure-dev").model_copy(update={"alternative": None}), written(doors, **more))]


def test_one_path_more_than_an_application_gateway_tells_apart_is_refused() -> None:
    (finding,) = refused({"a": {"paths": [f"/a{number}" for number in range(101)]}})
    assert finding.startswith('doors.a.paths[0]: "/a0" is one of the 101 paths of its host')


@pytest.mark.parametrize(("hosts", "findings"), [(20, 0), (21, 1)])
def test_one_host_more_than_api_management_has_names_for_is_refused(hosts: int, findings: int) -> None:
    names = [f"h{number}.example.com" for number in range(hosts)]
    found = refused({f"a{number}": {"paths": [f"/a{number}"], "host": host} for number, host in enumerate(names)}, hosts=names)
    assert len(found) == findings
    assert all("doors.a20.host" in finding and "at most 20 names" in finding for finding in found)


def test_as_many_paths_as_an_application_gateway_has_rules_for_are_carried() -> None:
    assert not refused({"a": {"paths": [f"/a{number}" for number in range(100)]}})
