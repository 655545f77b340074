"""The functions of providers that a program may call while it is planned. Any other is an error that names it.

A function belongs here only if its answer follows from its arguments, or from what the program registered: no plan may depend on a cloud.
The typed resources of pulumi-kubernetes call none. A program asks for the credentials of an Azure cluster that the plan itself makes.
"""

import base64
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


def _user_credentials(arguments: Struct, _lookup: Lookup) -> Struct:
    """Answer with a kubeconfig as Azure does, of a server that cannot be: it holds no credential, and nothing that is planned reads it."""
    name = arguments.fields["resourceName"].string_value
    kubeconfig = f"apiVersion: v1\nkind: Config\nclusters: [{{name: {name}, cluster: {{server: 'https://{name}.invalid'}}}}]\n"
    answer = Struct()
    answer.update({"kubeconfigs": [{"name": "clusterUser", "value": base64.b64encode(kubeconfig.encode()).decode()}]})
    return answer


INVOKES: Mapping[str, Callable[[Struct, Lookup], Struct]] = {
    "pulumi:pulumi:getResource": _get_resource,
    "azure-native:containerservice:listManagedClusterUserCredentials": _user_credentials,
}
"""Each supported function by its token."""
