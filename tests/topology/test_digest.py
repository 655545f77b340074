"""The digest is a fingerprint of the meaning, not of the writing."""

from pathlib import Path

import pytest
import yaml
from hypothesis import HealthCheck, given, settings

from tests.topology.strategies import topologies
from topology.digest import digest
from topology.load import load, parse
from topology.model.system import Topology

STACKS = Path(__file__).parents[2] / "stacks"
ABC = (STACKS / "abc.topology.yaml").read_text(encoding="utf-8")


def test_comments_layout_and_the_order_of_keys_change_nothing() -> None:
    again = yaml.safe_dump(yaml.safe_load(ABC), sort_keys=True)
    assert again != ABC
    assert digest(parse(again)) == digest(parse(ABC))


def test_a_default_that_is_written_out_changes_nothing() -> None:
    assert digest(parse(ABC.replace("  c:\n    desc", "  c:\n    port: 8080\n    desc"))) == digest(parse(ABC))


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("/a/*", "/a/b/*"),
        ("system: abc", "system: abd"),
        ("burst: 20", "burst: 21"),
        ("Reached by B alone", "Reached by B"),
    ],
)
def test_whatever_changes_the_model_changes_the_digest(old: str, new: str) -> None:
    assert digest(parse(ABC.replace(old, new))) != digest(parse(ABC))


def test_the_order_of_a_list_is_part_of_the_model() -> None:
    text = ABC.replace("methods: [GET]\n    paths", "methods: [GET, HEAD]\n    paths")
    assert digest(parse(text)) != digest(parse(text.replace("[GET, HEAD]", "[HEAD, GET]")))


def test_no_two_systems_share_a_digest() -> None:
    digests = [digest(load(file)) for file in STACKS.glob("*.topology.yaml")]
    assert len(set(digests)) == len(digests) == 5
    assert all(len(found) == 64 for found in digests)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(topologies())
def test_the_digest_survives_a_trip_through_a_file(t: Topology) -> None:
    document = t.model_dump(mode="json", by_alias=True, exclude_defaults=True)
    assert digest(parse(yaml.safe_dump(document, sort_keys=True))) == digest(t)
