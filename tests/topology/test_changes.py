"""What crosses one boundary and not another: found, on which terms, and whether it opens."""

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings

from tests.topology.strategies import topologies
from topology.changes import Change, Kind, changes
from topology.edges import Direction
from topology.load import parse
from topology.model.system import Topology
from topology.terms import Width

TEXT = (Path(__file__).parents[2] / "stacks" / "payments.topology.yaml").read_text(encoding="utf-8")
BROKERAGE = (Path(__file__).parents[2] / "stacks" / "brokerage.topology.yaml").read_text(encoding="utf-8")


def of(*edits: tuple[str, str], text: str = TEXT) -> Topology:
    for old, new in edits:
        assert old in text, old
        text = text.replace(old, new)
    return parse(text)


def widths(change: Change) -> dict[str, Width]:
    return {term.name: term.width for term in change.terms}


CATALOGUE = "    auth: {public: The catalogue is advertising; it holds no customer data.}\n    tiers: [anybody]\n"
ANYBODY = "  anybody:\n    limits:\n      - {requests: 100, per: minute}\n"
LOCKED = (CATALOGUE, "    auth: {jwt: accounts}\n    tiers: [customer]\n"), (ANYBODY, "")


def test_a_topology_is_no_other_than_itself() -> None:
    assert changes(of(), of()) == ()


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(topologies(), topologies())
def test_what_one_way_adds_the_other_way_removes(one: Topology, other: Topology) -> None:
    def at(old: Topology, new: Topology, kind: Kind) -> set[object]:
        found = [each.crossing for each in changes(old, new) if each.kind is kind]
        return {
            (each.direction, each.source, each.target, method, path) for each in found for method in each.methods for path in each.paths
        }

    assert changes(one, one) == ()
    assert at(one, other, Kind.ADDED) == at(other, one, Kind.REMOVED)


@pytest.mark.parametrize(
    ("edit", "direction", "told"),
    [
        (('paths: ["/v1/users/{*}"]', 'paths: ["/v1/users/{*}", /v2/users]'), Direction.EAST_WEST, ("orders", "users", ("/v2/users",))),
        (("services: [payments]", "services: [payments, users]"), Direction.EGRESS, ("users", "api.cardnetwork.example:443", ("*",))),
        (
            ("paths: [/v1/dashboard]", "paths: [/v1/dashboard, /v1/board]"),
            Direction.NORTH_SOUTH,
            ("api.example.com", "dashboard", ("/v1/board",)),
        ),
    ],
    ids=["a call", "a way out", "a path of a door"],
)
def test_what_is_added_is_wider_and_what_is_removed_is_narrower(
    edit: tuple[str, str], direction: Direction, told: tuple[object, ...]
) -> None:
    for old, new, kind, width in ((of(), of(edit), Kind.ADDED, Width.WIDER), (of(edit), of(), Kind.REMOVED, Width.NARROWER)):
        (change,) = changes(old, new)
        assert (change.kind, change.width, change.crossing.direction) == (kind, width, direction)
        assert (change.crossing.source, change.crossing.target, change.crossing.paths) == told


def test_another_operation_of_a_bridge_is_told_as_a_bridge() -> None:
    path = "operations: [{methods: [POST], paths: [/v1/transfers]}]"
    wider = "operations: [{methods: [POST], paths: [/v1/transfers, /v1/refunds]}]"
    (change,) = changes(of(text=BROKERAGE), of((path, wider), text=BROKERAGE))
    assert (change.kind, change.width, change.crossing.direction) == (Kind.ADDED, Width.WIDER, Direction.BRIDGE)


def test_a_door_that_asks_for_nothing_any_more_is_wider_and_the_other_way_round_narrower() -> None:
    (opened,) = changes(of(*LOCKED), of())
    assert (opened.kind, opened.width, widths(opened)["credential"]) == (Kind.CHANGED, Width.WIDER, Width.WIDER)
    (locked,) = changes(of(), of(*LOCKED))
    assert widths(locked)["credential"] is Width.NARROWER


@pytest.mark.parametrize(
    ("edit", "term", "there", "back"),
    [
        (("issuer: https://auth.example.com\n", "issuer: https://other.example.com\n"), "credential", Width.WIDER, Width.WIDER),
        (("https://auth.example.com/.well-known", "https://other.example.com"), "keys", Width.WIDER, Width.WIDER),
        (("audiences: [payments-api]", "audiences: [payments-api, other]"), "audiences", Width.WIDER, Width.NARROWER),
        (("    keyCache: 5m", "    requiredClaims: {role: [user]}\n    keyCache: 5m"), "claims", Width.NARROWER, Width.WIDER),
        (("initech: {tier: partner}", "initech: {tier: partner}\n  hooli: {tier: partner}"), "consumers", Width.WIDER, Width.NARROWER),
        (("initech: {tier: partner}", "initech: {tier: premium}"), "consumers", Width.WIDER, Width.WIDER),
        (("burst: 20", "burst: 30"), "limits", Width.WIDER, Width.NARROWER),
        (("{requests: 10, per: second, burst: 20}", "{requests: 10, per: hour}"), "limits", Width.WIDER, Width.WIDER),
        (("auth: {jwt: accounts}\n    tiers: [customer]", "auth: {jwt: accounts}\n    maxBody: 9Mi\n    tiers: [customer]"), "largest body", Width.WIDER, Width.NARROWER),
        (("rewrite: {prefix: /partners/, replacement: /}", "rewrite: {prefix: /partners/, replacement: /x/}"), "rewrite", Width.WIDER, Width.WIDER),
        (("it holds no customer data", "it holds prices alone"), "reason", Width.NEITHER, Width.NEITHER),
        (("paths: [/v1/users, /v1/users/*]\n    service: users", "paths: [/v1/users, /v1/users/*]\n    service: orders"), "service", Width.WIDER, Width.WIDER),
        (("namespace: production", "namespace: prod"), "service", Width.WIDER, Width.WIDER),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)  # fmt: skip
def test_each_term_of_a_door_says_whether_it_opens(edit: tuple[str, str], term: str, there: Width, back: Width) -> None:
    for old, new, width in ((of(), of(edit), there), (of(edit), of(), back)):
        found = [change for change in changes(old, new) if term in widths(change)]
        assert found
        assert {widths(change)[term] for change in found} == {width}
        assert all(change.width is width for change in found if len(change.terms) == 1)


def test_a_count_in_each_instance_lets_through_more_than_one_for_all() -> None:
    edit = "      - {requests: 1000, per: minute}\n    scope: global", "      - {requests: 1000, per: minute}\n    scope: local"
    assert {widths(change)["limits"] for change in changes(of(), of(edit))} == {Width.WIDER}
    assert {widths(change)["limits"] for change in changes(of(edit), of())} == {Width.NARROWER}


def test_a_narrow_door_that_is_gone_leaves_its_paths_to_the_wider_one_with_the_terms_of_that() -> None:
    narrow = "  items:\n    methods: [GET]\n    paths: [/v1/catalogue/items]\n    service: catalogue\n"
    narrow += "    auth: {public: The catalogue is advertising; it holds no customer data.}\n    tiers: [few]\n\n"
    few = "  few:\n    limits:\n      - {requests: 1, per: minute}\n"
    with_it = of((ANYBODY, ANYBODY + few), ("doors:\n", "doors:\n" + narrow))
    (change,) = changes(with_it, of())
    assert (change.kind, change.width) == (Kind.CHANGED, Width.WIDER)
    wider = {"limits": Width.WIDER, "scripts of other origins": Width.WIDER}
    assert (change.crossing.door, change.crossing.paths, widths(change)) == ("catalogue", ("/v1/catalogue/items",), wider)


@pytest.mark.parametrize(
    ("edit", "there", "back"),
    [
        (("[https://app.example.com]", "[https://app.example.com, https://b.example.com]"), Width.WIDER, Width.NARROWER),
        (("[https://app.example.com]", "[https://b.example.com]"), Width.WIDER, Width.WIDER),
        (("headers: [content-type]", "headers: [content-type, x-more]"), Width.WIDER, Width.NARROWER),
        (("expose: [x-request-id]", "expose: [x-request-id, x-more]"), Width.WIDER, Width.NARROWER),
        (("    expose: [x-request-id]\n", "    expose: [x-request-id]\n    credentials: true\n"), Width.WIDER, Width.NARROWER),
        (("    timeout: 5s\n", "    timeout: 5s\n    cors: app\n"), Width.WIDER, Width.NARROWER),
    ],
)
def test_what_scripts_of_other_pages_may_do_is_a_term_of_a_door(edit: tuple[str, str], there: Width, back: Width) -> None:
    none = "    cors: app\n    timeout: 5s\n", "    timeout: 5s\n"
    for old, new, width in ((of(none), of(none, edit), there), (of(none, edit), of(none), back)):
        found = [widths(change) for change in changes(old, new)]
        assert found
        assert all(each == {"scripts of other origins": width} for each in found)


def test_how_long_a_browser_need_not_ask_again_is_no_difference() -> None:
    assert not changes(of(), of(("maxAge: 1h", "maxAge: 2h")))


def test_a_path_that_a_wider_pattern_let_through_before_is_no_difference() -> None:
    narrower = "/v1/users/{*}", "/v1/users/me"
    assert [each.kind for each in changes(of(), of(narrower))] == [Kind.REMOVED]
    assert [each.kind for each in changes(of(narrower), of())] == [Kind.ADDED]
    both = 'paths: ["/v1/users/{*}"]', 'paths: ["/v1/users/{*}", /v1/users/you]'
    assert changes(of(), of(both)) == ()


def test_a_door_of_another_name_alone_is_no_difference() -> None:
    assert changes(of(), of(("  partner-orders:\n", "  machine-orders:\n"))) == ()


def test_what_opens_comes_first_and_methods_and_paths_are_told_together() -> None:
    found = changes(of(), of(("services: [payments]", "services: [users]"), ("burst: 20", "burst: 5")))
    assert [each.width for each in found] == sorted((each.width for each in found), key=[Width.WIDER, Width.NEITHER, Width.NARROWER].index)
    assert [(each.crossing.methods, each.crossing.paths) for each in found if each.crossing.door == "users"] == [
        (("GET", "PATCH"), ("/v1/users", "/v1/users/*"))
    ]


def test_members_of_a_list_are_told_from_one_that_spells_two() -> None:
    one = "    requiredClaims: {role: [user or admin]}\n    keyCache: 5m"
    two = "    requiredClaims: {role: [user, admin]}\n    keyCache: 5m"
    edit = "    keyCache: 5m"
    assert {widths(change)["claims"] for change in changes(of((edit, one)), of((edit, two)))} == {Width.WIDER}


def test_a_service_that_speaks_websocket_lets_through_more() -> None:
    base = """\
system: feed
hosts: [api.feed.example]
meshes: {main: {trustDomain: feed.example}}
tiers: {anybody: {limits: [{requests: 1, per: second}]}}
services: {a: {}, b: {calls: {a: [{methods: [GET], paths: [/a]}]}}}
doors:
  a: {methods: [GET], paths: [/a], service: a, auth: {public: Nothing in it is private.}, tiers: [anybody]}
  b: {methods: [GET], paths: [/b], service: b, auth: {public: Nothing in it is private.}, tiers: [anybody]}
"""
    edit = "{a: {}, b:", "{a: {protocol: websocket}, b:"
    for old, new, width in ((of(text=base), of(edit, text=base), Width.WIDER), (of(edit, text=base), of(text=base), Width.NARROWER)):
        found = changes(old, new)
        assert {(change.crossing.direction, widths(change)["protocol"]) for change in found} == {
            (Direction.NORTH_SOUTH, width),
            (Direction.EAST_WEST, width),
        }


def test_a_door_that_is_gone_leaves_its_paths_to_a_wider_one_that_asks_for_a_version() -> None:
    base = """\
system: shop
hosts: [api.shop.example]
meshes: {main: {trustDomain: shop.example}}
tiers:
  slow: {limits: [{requests: 1, per: minute}]}
  standard: {limits: [{requests: 100, per: second}]}
services: {a: {}, b: {}}
apis: {shop: {versionHeader: x-v, versions: {v2: {}}}}
doors:
  v: {methods: [GET], paths: [/o/*], service: b, auth: {public: Nothing in it is private.}, tiers: [standard], api: {name: shop, version: v2}}
  a: {methods: [GET], paths: [/a], service: a, auth: {public: Nothing in it is private.}, tiers: [slow]}
"""
    door = "  x: {methods: [GET], paths: [/o/secret], service: a, auth: {public: Nothing in it is private.}, tiers: [slow]}\n"
    found = {change.kind: change for change in changes(of(text=base + door), of(text=base))}
    assert found[Kind.REMOVED].width is Width.NARROWER
    assert (found[Kind.CHANGED].width, found[Kind.CHANGED].crossing.version) == (Width.WIDER, "x-v: v2")
