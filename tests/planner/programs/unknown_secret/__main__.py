"""Holds secrets whose values only a deployment knows."""

import pulumi
from pulumi.dynamic import Resource, ResourceProvider


class Made(Resource):
    value: pulumi.Output[str]

    def __init__(self, name: str) -> None:
        super().__init__(ResourceProvider(), name, {"value": None})


made = Made("made")
props = {
    "whole": pulumi.Output.secret(made.value),
    "part": pulumi.Output.secret({"known": "hunter2", "unknown": made.value}),
    "known": pulumi.Output.secret({"known": "hunter2"}),
}
pulumi.ComponentResource("test:index:Holder", "holder", props)
