"""Gives a resource a value that no resource can have."""

import pulumi


class Part(pulumi.ComponentResource):
    def __init__(self, name: str) -> None:
        super().__init__("test:index:Part", name, {"size": object()})


Part("a")
