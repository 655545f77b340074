"""What is lawful and worth a look: cycles of calls, and roads from public doors to sensitive data."""

from pathlib import Path
from typing import Any

import networkx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from topology.laws import cycles, notes
from topology.load import load, parse
from topology.model.system import Topology

STACKS = Path(__file__).parents[2] / "stacks"
NAMES = [f"s{number}" for number in range(8)]


def system(calls: dict[str, list[str]], **more: Any) -> Topology:
    services = {name: {"calls": {callee: [{"methods": ["GET"], "paths": ["/x"]}] for callee in callees}} for name, callees in calls.items()}
    document = {"system": "graph", "hosts": ["a.example"], "meshes": {"main": {"trustDomain": "a.example"}}, "services": services}
    return Topology.model_validate(document | more)


@given(st.dictionaries(st.sampled_from(NAMES), st.lists(st.sampled_from(NAMES), max_size=4, unique=True), min_size=1))
def test_groups_of_services_that_reach_each_other_are_those_that_networkx_finds(drawn: dict[str, list[str]]) -> None:
    calls = {name: [callee for callee in drawn.get(name, []) if callee != name] for name in NAMES}
    graph = networkx.DiGraph([(caller, callee) for caller, callees in calls.items() for callee in callees])
    expected = sorted(tuple(sorted(group)) for group in networkx.strongly_connected_components(graph) if len(group) > 1)
    assert list(cycles(system(calls))) == expected


@pytest.mark.parametrize("closed", [False, True])
def test_a_chain_longer_than_the_stack_of_python_is_walked(closed: bool) -> None:
    length = 3000
    calls = {f"s{number}": [f"s{number + 1}"] for number in range(length - 1)} | {f"s{length - 1}": ["s0"] if closed else []}
    assert [len(group) for group in cycles(system(calls))] == ([length] if closed else [])


def test_where_everybody_calls_everybody_there_is_one_group_not_a_list_of_every_cycle() -> None:
    names = [f"s{number}" for number in range(60)]
    assert cycles(system({name: [other for other in names if other != name] for name in names})) == (tuple(sorted(names)),)


def test_bridges_and_compositions_are_part_of_a_cycle() -> None:
    bridge = {"bridges": {"back": {"source": "b", "target": "a", "operations": [{"methods": ["GET"], "paths": ["/x"]}]}}}
    assert cycles(system({"a": ["b"], "b": []}, **bridge)) == (("a", "b"),)
    parts = {"x": {"service": "a", "path": "/x"}, "y": {"service": "b", "path": "/y"}}
    assert cycles(system({"a": ["sum"], "b": []}, compositions={"sum": {"parts": parts}})) == (("a", "sum"),)


def test_the_imaging_portal_has_the_cycle_that_its_source_draws() -> None:
    note, _ = notes(load(STACKS / "imaging.topology.yaml"))
    assert str(note) == ("services.ai-model.calls: can reach dicom, report and be reached from there: these calls form a cycle")


PODINFO = "the demonstration image podinfo runs in its place (write versions: {v1: {image: ...}} for what is yours)"


def test_the_system_with_images_of_its_own_needs_no_second_look() -> None:
    assert notes(load(STACKS / "bookinfo.topology.yaml")) == ()


@pytest.mark.parametrize("name", ["abc", "payments", "brokerage"])
def test_of_a_system_that_is_a_demonstration_that_is_noted_in_one_line_and_nothing_else(name: str) -> None:
    (note,) = notes(load(STACKS / f"{name}.topology.yaml"))
    assert str(note) == f"services: no service names an image: {PODINFO}"


def test_services_that_name_no_image_are_named_in_one_line_and_many_are_counted() -> None:
    image = {"versions": {"v1": {"image": "a:1"}, "v2": {"image": "a:2"}}}
    services: dict[str, Any] = {"a": image, "b": {}, "c": {"versions": {"v1": {"image": "c:1"}, "v2": {}}}}
    (note,) = notes(system({}, services=services))
    assert str(note) == f"services: no image is named by b, c: {PODINFO}"
    (note,) = notes(system({}, services={"a": image} | {f"s{number:02}": {} for number in range(14)}))
    assert "by s00, s01," in str(note)
    assert "s11 and 2 others: " in str(note)


def test_a_page_of_a_clients_own_machine_is_noted() -> None:
    text = (STACKS / "payments.topology.yaml").read_text(encoding="utf-8")
    note, _ = notes(parse(text.replace("origins: [https://app.example.com]", "origins: [https://app.example.com, http://localhost:5173]")))
    assert str(note) == (
        'cors.app.origins[1]: "http://localhost:5173" is whatever listens there on a client\'s own machine, and its scripts may read what the'
        " client may (keep it to topologies that only developers use)"
    )


def test_sensitive_data_behind_a_public_door_is_noted_with_the_road_to_it() -> None:
    text = (STACKS / "abc.topology.yaml").read_text(encoding="utf-8")
    text = text.replace("auth: {jwt: customers}", "auth: {public: The front page of the shop.}").replace("issuers:", "x-issuers:")
    text = text.replace("    description: Reached by B alone.", "    data: health")
    start, end = text.index("x-issuers"), text.index("tiers:\n  standard")
    note, _ = notes(parse(text[:start] + text[end:]))
    assert str(note) == "doors.a.auth: is public, and health data is reached behind it: a -> b -> c"
