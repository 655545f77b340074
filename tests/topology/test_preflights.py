"""What browsers are told, against tables written by hand; what an origin is; and what is asked as a browser asks it."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml
from pydantic import TypeAdapter, ValidationError

from topology.derive.probes import Preflighted, Readable, Refused, probes
from topology.load import load, parse
from topology.model.cors import Origin
from topology.model.system import Topology
from topology.preflights import by_door, preflights

STACKS = Path(__file__).parents[2] / "stacks"
PAYMENTS = """
users      /v1/users /v1/users/*      GET PATCH   authorization content-type   https://app.example.com
orders     /v1/orders /v1/orders/*    GET POST    authorization content-type   https://app.example.com
dashboard  /v1/dashboard              GET         authorization content-type   https://app.example.com
catalogue  /v1/catalogue/*            GET HEAD    -                            https://app.example.com https://shop.example.com
"""


def system(**doors: dict[str, Any]) -> Topology:
    """Return a system whose doors are abc's but for what is given."""
    document = yaml.safe_load((STACKS / "abc.topology.yaml").read_text(encoding="utf-8"))
    usual = document["doors"].pop("a")
    document["cors"] = {"app": {"origins": ["https://app.abc.example"], "headers": ["content-type"]}}
    document["tiers"]["keyed"] = {"limits": [{"requests": 1, "per": "second"}]}
    document["consumers"] = {"acme": {"tier": "keyed"}}
    document["doors"] = {name: {**usual, "cors": "app", **door} for name, door in doors.items()}
    document["doors"]["keyed"] = {**usual, "paths": ["/keyed"], "auth": {"apiKey": ["keyed"]}, "tiers": [], "cors": "app"}
    return parse(yaml.safe_dump(document, sort_keys=False), file="f")


def test_payments_tells_browsers_what_the_table_says() -> None:
    found = [
        (*answer.doors, " ".join(answer.paths), " ".join(answer.methods), " ".join(answer.headers) or "-", " ".join(answer.cors.origins))
        for answer in preflights(load(STACKS / "payments.topology.yaml"))
    ]
    assert found == [tuple(part.strip() for part in line.split("  ") if part.strip()) for line in PAYMENTS.strip().splitlines()]


def test_the_header_of_a_credential_need_not_be_said() -> None:
    t = system(a={})
    assert {name: answer.headers for name, answer in by_door(t).items()} == {
        "a": ("authorization", "content-type"),
        "keyed": ("content-type", "x-api-key"),
    }


def test_doors_whose_paths_meet_have_one_answer_with_the_methods_of_them_all() -> None:
    t = system(
        reads={"paths": ["/a/*"]},
        writes={"paths": ["/a/{*}"], "methods": ["POST"]},
        beside={"paths": ["/a/b"], "methods": ["PUT"], "cors": None},
        far={"paths": ["/far"], "methods": ["DELETE"]},
    )
    assert [(answer.doors, answer.paths, answer.methods) for answer in preflights(t)] == [
        (("reads", "writes"), ("/a/*", "/a/{*}"), ("GET", "POST")),
        (("far",), ("/far",), ("DELETE",)),
        (("keyed",), ("/keyed",), ("GET",)),
    ]
    assert "beside" not in by_door(t), "a door without a policy adds nothing to what is told at its paths"


def test_doors_that_meet_by_way_of_a_third_have_one_answer() -> None:
    t = system(
        one={"paths": ["/a/x"]}, other={"paths": ["/b/x"], "methods": ["PUT"]}, both={"paths": ["/a/x", "/b/x"], "methods": ["POST"]}
    )
    assert [answer.doors for answer in preflights(t)] == [("one", "other", "both"), ("keyed",)]


@pytest.mark.parametrize(
    "origin", ["https://app.shop.example", "https://app.shop.example:8443", "http://localhost", "http://localhost:5173"]
)
def test_an_origin_is_what_browsers_send(origin: str) -> None:
    assert TypeAdapter[str](Origin).validate_python(origin) == origin


@pytest.mark.parametrize(
    ("origin", "why"),
    [
        ("*", "every page there is"),
        ("https://*", "nobody has named"),
        ("https://*.shop.example", "nobody has named"),
        ("null", "sandboxed frames"),
        ("app.shop.example", "must begin with https://"),
        ("http://app.shop.example", "without TLS"),
        ("http://localhost.shop.example", "without TLS"),
        ("https://app.shop.example/", "has a path"),
        ("https://app.shop.example:443", "the port that browsers leave out"),
        ("https://App.shop.example", "letter by letter"),
        ("https://app.shop.example:0", "letter by letter"),
        ("https://app.shop.example:65536", "letter by letter"),
        ("https://app.shop.example,https://www.shop.example", "more than one origin"),
        ("https://m\u00fcnchen.example", "Punycode"),
        (f"https://{'a.' * 125}example", "253 characters at most"),
        ("https://app_shop.example", "letter by letter"),
        ("https://app.shop.example\n", "letter by letter"),
        ("https://user@app.shop.example", "letter by letter"),
    ],
)
def test_what_is_no_origin_is_told_why(origin: str, why: str) -> None:
    with pytest.raises(ValidationError, match=why):
        TypeAdapter[str](Origin).validate_python(origin)


def test_each_door_is_asked_as_its_browsers_ask() -> None:
    t = load(STACKS / "payments.topology.yaml")
    found = {probe.id: probe for probe in probes(t) if probe.family == "browsers"}
    listed = found["browsers/orders/preflight/https://app.example.com"]
    assert dict(listed.request.headers) == {
        "origin": "https://app.example.com",
        "access-control-request-method": "GET",
        "access-control-request-headers": "authorization,content-type",
    }
    assert listed.request.credential is None
    assert listed.expect == Preflighted(
        asking="https://app.example.com",
        origin="https://app.example.com",
        methods=("GET", "POST"),
        headers=("authorization", "content-type"),
        max_age=3600,
    )
    for alike in (
        "https://app.example.com.perimeter-probe.example",
        "https://perimeter-probeapp.example.com",
        "http://app.example.com",
        "null",
    ):
        assert found[f"browsers/orders/preflight/{alike}"].expect == Preflighted(asking=alike)
    for what in ("bare", "without method", "without origin"):
        probe = found[f"browsers/orders/options/{what}"]
        assert isinstance(probe.expect, Refused)
        assert probe.request.credential is not None, "a credential does not help"
    read = found["browsers/orders/read/https://app.example.com"].expect
    assert isinstance(read, Readable)
    assert (read.origin, read.expose) == ("https://app.example.com", ("x-request-id",))
    assert isinstance(found["browsers/partner-orders/preflight"].expect, Refused)


def test_an_origin_like_another_that_is_named_as_well_is_no_stranger() -> None:
    text = (STACKS / "payments.topology.yaml").read_text(encoding="utf-8")
    t = parse(text.replace("origins: [https://app.example.com]", "origins: [http://localhost:5173, https://localhost:5173]"))
    found = {probe.id: probe.expect for probe in probes(t) if probe.family == "browsers"}
    told = found["browsers/orders/preflight/https://localhost:5173"]
    assert isinstance(told, Preflighted)
    assert told.origin == "https://localhost:5173"


def test_a_refusal_and_a_service_that_speaks_to_browsers_are_read_like_an_answer() -> None:
    t = load(STACKS / "payments.topology.yaml")
    found = {probe.id.removeprefix("browsers/"): probe for probe in probes(t) if probe.family == "browsers"}
    named, stranger = "https://app.example.com", "https://perimeter-probe.example"
    for door, origin in (("orders", named), ("orders", stranger), ("partner-orders", stranger)):
        read, refused, spoken = (found[f"{door}/{what}/{origin}"] for what in ("read", "refused", "service"))
        assert isinstance(read.expect, Readable)
        assert refused.request.credential is None
        assert refused.expect == replace(read.expect, refused=(401, 403))
        assert spoken.expect == replace(read.expect, outspoken=True)
        assert spoken.request.headers[-1] == ("x-echo-cors", stranger)
    assert "partner-orders/read/https://app.example.com" not in found
    assert f"catalogue/refused/{named}" not in found, "a public door refuses nobody"
    assert f"catalogue/service/{named}" in found
    assert f"dashboard/service/{named}" not in found, "a composition is no service that could be told to speak"
