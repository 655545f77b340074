"""What a program registers, seen through Pulumi's mocks."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pulumi
from pulumi.runtime import MockCallArgs, MockResourceArgs, Mocks, set_mocks

from components.binding import Binding
from topology.model.system import Topology


@dataclass(frozen=True, kw_only=True)
class Registered:
    """One resource as the program gave it."""

    type: str
    name: str
    inputs: Mapping[str, Any]


@dataclass
class Recorder(Mocks):
    """Takes every registration and answers with its inputs, and an API key with a made-up key."""

    resources: list[Registered] = field(default_factory=list[Registered])

    def new_resource(self, args: MockResourceArgs) -> tuple[str | None, dict[str, Any]]:
        """Record one resource."""
        self.resources.append(Registered(type=args.typ, name=args.name, inputs=args.inputs))
        made = {"key": "a-key"} if args.typ.endswith(":ApiKey") else {}
        return f"{args.name}-id", {**args.inputs, **made}

    def call(self, args: MockCallArgs) -> tuple[dict[str, Any], list[tuple[str, str]]]:
        """Refuse: the program asks no provider anything."""
        raise AssertionError(f"the program called {args.token}")

    def of(self, type_: str) -> dict[str, Registered]:
        """Return the resources of a type by name."""
        return {resource.name: resource for resource in self.resources if resource.type == type_}


def recording() -> Recorder:
    """Begin to record; everything is registered from then on as in a preview."""
    recorder = Recorder()
    set_mocks(recorder, project="perimeter", stack="test", preview=False)
    return recorder


def binding(**given: Any) -> Binding:
    """Return a binding; what is not given is as in a stack file that says nothing."""
    return Binding.model_validate({"topology": "stacks/test.topology.yaml", **given})


class Top(pulumi.ComponentResource):
    """A parent for components under test."""

    def __init__(self) -> None:
        super().__init__("test:index:Top", "top")


SHOP = """
system: shop
hosts: [api.shop.example]
meshes: {main: {trustDomain: shop.example}}
issuers: {clients: {issuer: "https://login.shop.example", audiences: [shop], jwksUri: "https://login.shop.example/keys"}}
tiers: {standard: {limits: [{requests: 20, per: second}], scope: global}}
consumers: {bob: {tier: standard}}
services:
  a: {calls: {b: [{methods: [GET], paths: [/b]}]}}
  b: {limit: {requests: 5, per: second, scope: global}}
compositions: {both: {parts: {a: {service: a, path: /a}, b: {service: b, path: /b}}}}
doors:
  token: {methods: [GET], paths: [/a], service: a, auth: {jwt: clients}, tiers: [standard]}
  key: {methods: [GET], paths: [/both], service: both, auth: {apiKey: [standard]}}
egress: {mail: {host: mail.example.org, services: [b]}}
"""
"""A small system that has one of most things."""


def shop() -> Topology:
    """Return the small system."""
    import yaml

    return Topology.model_validate(yaml.safe_load(SHOP))
