"""The picture shows every door, service, call, bridge and way out, and nothing that Mermaid would misread."""

import re
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings

from tests.topology.strategies import topologies
from topology.diagram import mermaid
from topology.load import load
from topology.model.system import Topology

STACKS = Path(__file__).parents[2] / "stacks"

ABC = """flowchart LR
  clients((clients)):::outside
  subgraph gateway["edge and API gateway"]
    door_a["a<br/>GET /a/*<br/>token of customers · standard"]:::door
  end
  clients --> door_a --> service_a
  subgraph mesh_main["mesh main<br/>abc.example"]
    service_a("a")
    service_b("b")
    service_c("c")
  end
  service_a -->|"GET /b/*"| service_b
  service_b -->|"GET /c/*"| service_c
"""


def picture(name: str) -> str:
    return mermaid(load(STACKS / f"{name}.topology.yaml"))


def test_abc_is_drawn_like_this() -> None:
    assert picture("abc").startswith(ABC)


def test_payments_shows_weights_a_composition_an_open_door_and_the_way_out() -> None:
    text = picture("payments")
    assert 'service_users("users<br/>v1 90%, v2 10%"):::sensitive' in text
    assert 'service_dashboard{{"dashboard<br/>composition"}}' in text
    assert 'door_catalogue["catalogue<br/>GET, HEAD /v1/catalogue/*<br/>public · anybody"]:::open' in text
    assert 'egress_card_network>"api.cardnetwork.example"]:::outside' in text
    assert "service_payments -.-> egress_card_network" in text


def test_the_brokerage_is_grouped_by_mesh_joined_by_bridges_and_spares_labels_that_nobody_could_read() -> None:
    text = picture("brokerage")
    banking = text[text.index("subgraph mesh_banking") : text.index("subgraph mesh_trading")]
    assert banking.count("service_") == 25
    assert 'service_portfolio ==>|"buying-power"| service_account' in text
    assert "service_orders --> service_inventory" in text
    assert 'service_ledger_store[("ledger-store")]:::sensitive' in text


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(topologies())
def test_every_arrow_joins_nodes_that_are_drawn_and_every_label_is_closed(t: Topology) -> None:
    text = mermaid(t)
    drawn = set(re.findall(r"^\s*(\w+)(?:\(|\[|\{\{|>)", text, flags=re.MULTILINE))
    for line in text.splitlines():
        assert line.count('"') % 2 == 0
        bare = re.sub(r'\|?"[^"]*"\|?', "", line)
        if re.search(r"-->|==>|-\.->", bare):
            assert set(re.split(r"\s*(?:-->|==>|-\.->)\s*", bare.strip())) <= drawn, line
    assert text.count("subgraph") == text.count("\n  end")
    for name in (*t.services, *t.compositions):
        assert f"service_{name.replace('-', '_')}" in drawn


@pytest.mark.parametrize("label", ['a "quoted" label', "a & b"])
def test_what_mermaid_would_read_as_its_own_is_escaped(label: str) -> None:
    t = load(STACKS / "abc.topology.yaml")
    door = t.doors["a"].model_copy(update={"paths": (f"/{label}",)})
    (line,) = [line for line in mermaid(t.model_copy(update={"doors": {"a": door}})).splitlines() if "door_a[" in line]
    assert line.count('"') == 2
    assert "& " not in line
