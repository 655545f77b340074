"""Fails in a function that runs when a value is known."""

import pulumi


def port(name: str) -> int:
    return int(name)


pulumi.export("port", pulumi.Output.from_input("http").apply(port))
