"""Ways out of two meshes, edited one field at a time: what leads connections elsewhere, or leaves open where they go, is found."""

import copy
import json
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from planner.program import plan_program
from policies.harness import findings_of
from policies.reading.private_hosts import KEY
from tests.policies.mutations.held import RULES, hold_clean, read
from tests.systems import ROOT
from topology.load import load
from topology.model.system import Topology

FILE = Path(__file__).parent / "exits.topology.yaml"
PLACE = "main-egress"
FIRST, SECOND, RATES = "first.db.example", "second.db.example", "api.rates.example"
PRIVATE: tuple[dict[str, list[str]], ...] = (
    {},
    {"bank-first": ["10.99.5.0/24"]},
    {"first": ["10.99.5.0/24"], "bank-first": ["10.99.6.0/24"], "rates": ["10.99.7.0/24"]},
)
STACKS = ("local", "aws-dev")

Inputs = dict[str, Any]
Said = dict[str, list[str]]


@cache
def intent() -> Topology:
    return load(FILE)


@cache
def resources(stack: str, said: str) -> tuple[dict[str, Any], ...]:
    return tuple(plan_program(ROOT, stack, {"perimeter:topology": str(FILE), KEY: said}).resources)


@pytest.mark.parametrize("stack", STACKS)
@pytest.mark.parametrize("said", PRIVATE, ids=["public", "private in one mesh", "private in both"])
def test_each_mesh_reaches_its_own_hosts(stack: str, said: Said) -> None:
    hold_clean(resources(stack, json.dumps(said)), intent(), {KEY: json.dumps(said)})


class Edited:
    """A plan whose resources are edited in place."""

    def __init__(self) -> None:
        self.resources = [copy.deepcopy(each) for each in resources("local", "{}")]

    def records(self, kind: str, place: str, called: str = "") -> Iterator[dict[str, Any]]:
        for record in self.resources:
            inputs: Inputs = record.get("inputs") or {}
            if (
                inputs.get("kind") == kind
                and inputs["metadata"].get("namespace") == place
                and inputs["metadata"]["name"] in {called or inputs["metadata"]["name"]}
            ):
                yield record

    def spec(self, kind: str, called: str = "egress", place: str = PLACE) -> Inputs:
        return next(self.records(kind, place, called))["inputs"]["spec"]

    def another(self, kind: str, called: str, place: str = PLACE) -> Inputs:
        """Add a copy of an object, in a namespace, and return its spec."""
        record = copy.deepcopy(next(self.records(kind, PLACE, called)))
        record["urn"] += "-again"
        record["inputs"]["metadata"].update(name="again", namespace=place)
        self.resources.append(record)
        return record["inputs"]["spec"]

    def subset(self, called: str) -> Inputs:
        return next(each for each in self.spec("DestinationRule")["subsets"] if each["name"] == called)

    def server(self, host: str) -> Inputs:
        return next(each for each in self.spec("Gateway")["servers"] if each["hosts"] == [f"./{host}"])


def partly_to(protocol: str, host: str) -> Callable[[Edited], object]:
    def edit(plan: Edited) -> None:
        (own,) = plan.spec("VirtualService", host)[protocol][0]["route"]
        other = copy.deepcopy(own)
        other["destination"]["subset"] = "second"
        plan.spec("VirtualService", host)[protocol][0]["route"] = [{**own, "weight": 99}, {**other, "weight": 1}]

    return edit


def of_one_version(plan: Edited) -> None:
    routes = plan.spec("VirtualService", FIRST)["tcp"]
    other = copy.deepcopy(routes[0])
    other["match"][0]["sourceLabels"] = {"version": "v2"}
    other["route"][0]["destination"]["subset"] = "second"
    routes.insert(0, other)


def for_one_version(plan: Edited) -> None:
    plan.spec("DestinationRule")["workloadSelector"] = {"matchLabels": {"version": "v1"}}


def behind_another_port(plan: Edited) -> None:
    plan.spec("VirtualService", FIRST)["tcp"][1]["match"][0]["port"] = 8443


def subset_again(plan: Edited) -> None:
    rule = plan.another("DestinationRule", "egress")
    rule["subsets"] = [each for each in rule["subsets"] if each["name"] == "first"]
    rule["subsets"][0]["trafficPolicy"]["tls"]["sni"] = SECOND


def routes_again(plan: Edited) -> None:
    plan.another("VirtualService", FIRST)["tcp"][0]["route"][0]["destination"]["subset"] = "second"


def address_in(place: str) -> Callable[[Edited], object]:
    def edit(plan: Edited) -> None:
        plan.another("ServiceEntry", SECOND, place).update(addresses=plan.spec("ServiceEntry", FIRST)["addresses"])

    return edit


def entry(**fields: Any) -> Callable[[Edited], object]:
    return lambda plan: plan.spec("ServiceEntry", FIRST).update(fields)


def port(**fields: Any) -> Callable[[Edited], object]:
    return lambda plan: plan.spec("ServiceEntry", FIRST)["ports"][0].update(fields)


def spoken(protocol: str) -> Callable[[Edited], object]:
    return lambda plan: plan.server(FIRST)["port"].update(protocol=protocol)


def served_twice(plan: Edited) -> None:
    plan.spec("Gateway")["servers"].insert(0, {**plan.server(FIRST), "port": {"number": 443, "name": "again", "protocol": "HTTPS"}})


def served_by_another(plan: Edited) -> None:
    again = plan.another("Gateway", "egress")
    again["servers"] = [each for each in again["servers"] if each["hosts"] == [f"./{FIRST}"]]


def opened(block: str, number: int = 443, transport: str = "TCP") -> Callable[[Edited], object]:
    rule = {"to": [{"ipBlock": {"cidr": block}}], "ports": [{"protocol": transport, "port": number}]}
    return lambda plan: plan.spec("NetworkPolicy")["egress"].append(rule)


def metadata_not_left_out(plan: Edited) -> None:
    for rule in plan.spec("NetworkPolicy")["egress"]:
        for block in [peer["ipBlock"] for peer in rule["to"] if "ipBlock" in peer]:
            block["except"].remove("169.254.0.0/16")


EDITS: dict[str, tuple[str, Callable[[Edited], object]]] = {
    "a part of the connections for a host goes to another that the caller may reach": ("B04", partly_to("tcp", FIRST)),
    "a part of the requests for a host goes as bytes to another that the caller may reach": ("B04", partly_to("http", RATES)),
    "one version's connections for a host go to another": ("B04", of_one_version),
    "one version alone says which host it means": ("B04", for_one_version),
    "the gateway's route is for another port than its server's": ("B04", behind_another_port),
    "the gateway looks for requests in bytes": ("B04", spoken("HTTPS")),
    "the gateway's server for plain requests says TLS, which Istio overlooks": ("M17", spoken("HTTP")),
    "the gateway's server for plain bytes says TLS, which Istio refuses": ("M17", spoken("TCP")),
    "two servers answer to one host": ("M17", served_twice),
    "two Gateways answer to one host": ("M17", served_by_another),
    "two rules say what name a subset asks for": ("B04", subset_again),
    "two VirtualServices lead one host's connections": ("M14", routes_again),
    "another host has the address, by an entry of the caller's namespace": ("M16", address_in("front")),
    "another host has the address, by an entry of a third namespace": ("M16", address_in("main")),
    "proxies look for TLS names in bytes": ("M16", port(protocol="TLS")),
    "proxies look for queries in bytes": ("M16", port(protocol="MONGO")),
    "proxies guess what bytes are": ("M16", port(protocol="FIX")),
    "proxies take an outside host for a member": ("M16", entry(location="MESH_INTERNAL")),
    "nobody asks where a host is": ("M16", entry(resolution="STATIC")),
    "a host has an address that istiod gives to others": ("M16", entry(addresses=["240.240.0.1"])),
    "a host has the broadcast address": ("M16", entry(addresses=["255.255.255.255"])),
    "the cloud's metadata address is reached": ("M21", opened("169.254.169.254/32")),
    "link-local addresses are not left out": ("M21", metadata_not_left_out),
    "the cloud's metadata address of IPv6 is reached": ("M21", opened("fd00:ec2::254/128")),
    "link-local addresses of IPv6 are reached": ("M21", opened("fe80::/10")),
    "the port of the other mesh's host is open": ("M21", opened("203.0.113.0/24", 6432)),
    "the port of a host is open over UDP": ("M21", opened("203.0.113.0/24", transport="UDP")),
}


@pytest.mark.parametrize(("rule", "edit"), EDITS.values(), ids=EDITS)
def test_it_is_found_that(rule: str, edit: Callable[[Edited], object]) -> None:
    plan = Edited()
    edit(plan)
    assert findings_of(RULES[rule], read(plan.resources, intent(), {KEY: "{}"}))
