"""The functions of providers that a program may call while it is planned. Any other is an error that names it.

A function belongs here only if its answer follows from its arguments, or from what the program registered: no plan may depend on a cloud.
The typed resources of pulumi-kubernetes call none.
"""

from collections.abc import Callable, Mapping
from typing import Protocol

from google.protobuf.struct_pb2 import Struct


class Found(Protocol):
    """A resource that was registered, as a function may look it up."""

    id: str
    outputs: bytes


Lookup = Callable[[str], Found]
"""Returns the resource of a urn; raises LookupError for one that the program did not register."""


def _get_resource(arguments: Struct, lookup: Lookup) -> Struct:
    urn = arguments.fields["urn"].string_value
    found = lookup(urn)
    answer = Struct()
    answer.update({"urn": urn, "id": found.id})
    answer.fields["state"].struct_value.CopyFrom(Struct.FromString(found.outputs))
    return answer


INVOKES: Mapping[str, Callable[[Struct, Lookup], Struct]] = {"pulumi:pulumi:getResource": _get_resource}
"""Each supported function by its token."""
