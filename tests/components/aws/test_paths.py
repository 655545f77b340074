"""Paths of doors as rules of a listener."""

import pytest

from components.edge.application_load_balancer.paths import MOST_VALUES, MOST_WILDCARDS, coarse, is_grpc, rules, wildcards
from tests.components.aws.systems import system
from tests.systems import SYSTEMS
from topology.paths import covers


@pytest.mark.parametrize(("pattern", "said"), [("/a", "/a"), ("/a/*", "/a/*"), ("/a/{*}/b", "/a/*/b"), ("/a(1)/*", "/a?1?/*")])
def test_a_pattern_is_said_as_a_rule_can(pattern: str, said: str) -> None:
    assert coarse(pattern) == said


@pytest.mark.parametrize("name", SYSTEMS)
def test_rules_hold_the_paths_of_the_doors_of_their_host_and_no_others(name: str) -> None:
    t = system(name)
    for host in t.public_hosts():
        wanted = {coarse(path) for door in t.doors.values() if t.host_of(door) == host for path in door.paths}
        assert {path for rule in rules(t) if rule.host == host for path in rule.paths} == wanted


@pytest.mark.parametrize("name", SYSTEMS)
def test_a_rule_is_no_larger_than_aws_takes(name: str) -> None:
    for rule in rules(system(name)):
        assert 1 + len(rule.paths) <= MOST_VALUES
        assert sum(map(wildcards, rule.paths)) <= MOST_WILDCARDS


def test_paths_of_grpc_doors_go_to_a_target_group_of_their_own() -> None:
    t = system("brokerage")
    grpc = {coarse(path) for name, door in t.doors.items() if is_grpc(t, name) for path in door.paths}
    assert grpc
    assert {path for rule in rules(t) if rule.grpc for path in rule.paths} == grpc


@pytest.mark.parametrize("name", SYSTEMS)
def test_no_rule_hides_a_narrower_one_that_leads_elsewhere(name: str) -> None:
    found = rules(system(name))
    for number, before in enumerate(found):
        for after in found[number + 1 :]:
            if before.host == after.host and before.grpc is not after.grpc:
                assert not any(covers(wide, narrow) for wide in before.paths for narrow in after.paths)
