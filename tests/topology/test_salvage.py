"""All findings at once: whatever else is broken, what is wrong is told, and nothing that only follows from what is broken."""

import copy
import re
from dataclasses import dataclass
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from tests.systems import topology_file
from tests.topology.test_explain import WRONG, Path, places
from tests.topology.test_laws import ABC, CASES, Case
from topology.findings import Finding, TopologyError, spell
from topology.load import parse

DOCUMENTS: dict[str, Any] = {system: yaml.safe_load(topology_file(system).read_text(encoding="utf-8")) for system in ("abc", "bookinfo")}

Told = tuple[Path, object, str]


def told(text: str) -> dict[Told, Finding]:
    """Return what is said of a file, without what depends on the other names in it: suggestions."""
    try:
        parse(text, file="f")
    except TopologyError as error:
        return {(finding.path, str(finding.given), finding.reason): finding for finding in error.findings}
    return {}


FORM = {
    "system: abc\n": "system: A_B!\n",
    "    trustDomain: ": "    trustDomian: ",
    "issuers:\n": "issuer:\n",
    "jwksUri: https": "jwksUri: http",
    "    audiences: [abc-api]\n": "",
    "hosts: [": "description: 5\nflavour: red\nhosts: [",
    "tiers:\n": "tiers:\n  Z!: {limits: 5}\n",
}
"""Seven mistakes of form beside which every other mistake is to be told."""


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.law}-{case.expect[0].split(': ')[1]}")
def test_a_broken_law_is_told_though_the_form_is_broken_elsewhere(case: Case) -> None:
    text, form = case.text(), ABC
    for old, new in FORM.items():
        if text.count(old) == 1:
            text, form = text.replace(old, new), form.replace(old, new)
    law, formal, together = told(case.text()), told(form), {_corrected(key) for key in told(text)}
    assert {_corrected(key) for key in formal} <= together
    # The name of a system, when it is told, is the namespace of its services: whether that is free is not known before.
    missed = {key for key in set(law) - together if "namespace" not in key[2] and key[0] != ("system",)}
    assert not missed, sorted(together, key=str)
    assert not together - set(law) - {_corrected(key) for key in formal}


def _corrected(key: Told) -> Told:
    """Return a finding as it would be told if the misspelled keys were spelled well."""
    path, given, reason = key
    section = "issuers" if path[:1] == ("issuer",) else path[0]
    return (section, *("trustDomain" if part == "trustDomian" else part for part in path[1:])), given, reason


@pytest.mark.parametrize(
    ("old", "new", "told_alone"),
    [
        ("  main:\n    trustDomain: abc.example\n", "  main: 5\n", "meshes.main"),
        ("system: abc\n", "", "system"),
        ("services:\n", "services: 5\nunknown:\n", "services"),
        ("  a:\n    description: The only service that clients know.\n    calls:\n", "  a: 5\n  x:\n    calls:\n", "services.a"),
        ("    auth: {jwt: customers}\n", "    auth: {jwt: [customers]}\n", "doors.a.auth.jwt"),
        ("    auth: {jwt: customers}\n", "    auth: customers\n", "doors.a.auth"),
        ("    auth: {jwt: customers}\n    tiers: [standard]\n", "    auth: {apiKey: [standard]}\nconsumers: {x: 5}\n", "consumers.x"),
        ("    auth: {jwt: customers}\n    tiers: [standard]\n", "    auth: {apiKey: [standard]}\nconsumers: []\n", "consumers"),
        ("  standard:\n", "  Standard:\n", "tiers.Standard"),
        ("    tiers: [standard]\n", "    tiers: standard\n", "doors.a.tiers"),
        ("    service: a\n", "    service: [a]\n", "doors.a.service"),
        ('      b:\n        - {methods: [GET], paths: ["/b/*"]}\n', "      b: 5\n", "services.a.calls.b"),
    ],
)
def test_what_a_broken_value_may_have_said_is_not_told_to_be_missing(old: str, new: str, told_alone: str) -> None:
    assert ABC.count(old) == 1
    # A door that takes keys leaves the issuer without a use, which is true.
    known = {told_alone, "unknown", "services.x", *(["issuers.customers"] if "apiKey" in new else [])}
    assert {spell(path) for path, _, _ in told(ABC.replace(old, new))} <= known


TWO_KINDS = [
    ("{jwt: customers, apiKey: [standard]}", "apiKey"),
    ("{apiKey: [standard], public: Everybody may look at this one.}", "public"),
    ("{jwt: customers, apiKey: [standard], public: Everybody may look at this one.}", None),
]


@pytest.mark.parametrize(("auth", "told_alone"), TWO_KINDS)
@pytest.mark.parametrize("tiers", ["    tiers: [standard]\n", ""])
@pytest.mark.parametrize("more", ["", "consumers: {acme: {tier: standard}}\n"])
def test_of_a_door_with_two_credentials_that_is_told_and_nothing_that_one_of_them_would_cause(
    auth: str, told_alone: str | None, tiers: str, more: str
) -> None:
    said = {spell(path) for path, _, _ in told(ABC.replace("{jwt: customers}", auth).replace("    tiers: [standard]\n", tiers) + more)}
    assert said == {f"doors.a.auth.{key}" for key in ((told_alone,) if told_alone else ("apiKey", "public"))}


def test_of_an_operation_that_is_http_and_grpc_nothing_that_follows_from_one_of_them_is_told() -> None:
    text = ABC.replace('{methods: [GET], paths: ["/c/*"]}', "{methods: [GET], paths: [/c], rpcs: [a.B/C]}")
    assert {spell(path) for path, _, _ in told(text)} == {"services.b.calls.c[0].rpcs"}


PART = "compositions:\n  home:\n    parts:\n      x: {service: zzz, "


@pytest.mark.parametrize(
    ("part", "formal"),
    [
        ('path: "bad path"}', "parts.x.path"),
        ("path: /x}", "parts"),
        ("path: /x, colour: 5}", "parts.x.colour"),
        ("path: /x}\n      y: 5", "parts.y"),
    ],
)
def test_what_a_list_that_is_too_short_holds_is_read_nevertheless(part: str, formal: str) -> None:
    said = {spell(path) for path, _, _ in told(ABC + PART + part)}
    assert said == {f"compositions.home.{formal}", "compositions.home.parts.x.service"}


@pytest.mark.parametrize(("key", "also"), [("ç", []), ("C!", []), ("_c_", []), ("订单", []), ("zzz_z", ["services.b.calls.c"])])
def test_a_key_that_is_no_name_is_what_its_callers_may_have_meant(key: str, also: list[str]) -> None:
    assert ABC.count("\n  c:\n") == 1
    said = {(path, reason) for path, _, reason in told(ABC.replace("\n  c:\n", f"\n  {key}:\n"))}
    assert {spell(path) for path, reason in said if reason == "is not a service"} == {*also}
    assert ("services", key) in {path for path, _ in said}


def test_a_broken_value_that_an_alias_repeats_is_told_wherever_it_stands() -> None:
    text = (
        ABC.replace('paths: ["/b/*"]', "paths: &paths [5]")
        .replace('paths: ["/c/*"]', "paths: *paths")
        .replace("jwt: customers", "jwt: nobody")
    )
    said = {spell(path) for path, _, _ in told(text)}
    assert said == {"services.a.calls.b[0].paths[0]", "services.b.calls.c[0].paths[0]", "doors.a.auth.jwt"}


@dataclass(frozen=True, kw_only=True)
class Break:
    """A value in place of another; None for `value` and a key takes the entry away."""

    path: Path
    value: object
    how: str


def broken(document: Any, each: Break) -> None:
    owner = document
    for part in each.path[:-1]:
        owner = owner[part]
    last = each.path[-1]
    match each.how:
        case "value":
            owner[last] = each.value
        case "removed":
            del owner[last]
        case _:
            owner[f"{last}{each.how}"] = owner.pop(last)


@st.composite
def breaks(draw: st.DrawFn) -> tuple[str, list[Break]]:
    """Return a system and up to four breaks of it, none inside another, and no two keys taken out of one mapping: then it is none of its forms."""
    system = draw(st.sampled_from(("abc", "bookinfo")))
    spots = sorted((path for path in places(DOCUMENTS[system]) if path), key=str)
    chosen: list[Break] = []
    for path in draw(st.lists(st.sampled_from(spots), min_size=2, max_size=4, unique=True)):
        kinds = ["value", "removed", "x", "!"] if isinstance(path[-1], str) else ["value"]
        made = Break(path=path, value=draw(WRONG), how=draw(st.sampled_from(kinds)))
        if any(path[: len(other.path)] == other.path or other.path[: len(path)] == path for other in chosen):
            continue
        if not any(made.how != "value" != other.how and path[:-1] == other.path[:-1] for other in chosen):
            chosen.append(made)
    return system, chosen


def text_of(system: str, chosen: list[Break]) -> str:
    document = copy.deepcopy(DOCUMENTS[system])
    for each in chosen:
        broken(document, each)
    return yaml.safe_dump(document, sort_keys=False)


FORMAL = re.compile(r"must |is missing$|is not a|is empty, and must|is not one of|cannot stand beside")
"""Reasons of the form alone. `is missing: …` is a law, and may depend on what a broken neighbour was meant to be."""


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much])
@given(breaks())
def test_of_several_mistakes_each_is_told_and_nothing_that_none_alone_would_cause(case: tuple[str, list[Break]]) -> None:
    system, chosen = case
    alone = [told(text_of(system, [each])) for each in chosen]
    # A value that is lawful at its place is no mistake, and two of them may be one together; what one says may be where another stands.
    for each, said in zip(chosen, alone, strict=True):
        others = [other.path for other in chosen if other is not each]
        near = [path for path, _, reason in said if FORMAL.match(reason) and (path[: len(each.path) - 1] == each.path[:-1])]
        assume([path for path in near if not any(path[: len(other)] == other for other in others)])
    together = told(text_of(system, chosen))
    for each, said in zip(chosen, alone, strict=True):
        assert set(said) & set(together), f"{each} is not told: {sorted(said, key=str)} of {sorted(together, key=str)}"
    assert not set(together) - {key for said in alone for key in said}
