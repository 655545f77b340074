"""Values that only a deployment knows, and what takes their place in an optimistic plan.

Every stand-in is declared here, follows from the urn and the inputs alone, and is one that the real provider could return. An output that is
not declared stays unknown in both modes. Addresses are from the block reserved for documentation (RFC 5737).
"""

import hashlib
from collections.abc import Callable, Mapping

from google.protobuf.struct_pb2 import Struct

from planner import wire
from planner.plan import Mode
from planner.wire import Json

_KUBERNETES = "kubernetes:"
_AZURE = "azure-native:"
_MADE_INSIDE: Mapping[str, tuple[str, ...]] = {"identity": ("principalId", "tenantId"), "oidcIssuerProfile": ("issuerURL",)}
"""What Azure makes inside a property that the program gives: the principal of an identity that a resource has of its own, and who signs
the tokens of a cluster."""
_RELEASE = "kubernetes:helm.sh/v3:Release"
_SERVICE = "kubernetes:core/v1:Service"


def identity(urn: str, type_: str, inputs: Mapping[str, Json], mode: Mode) -> str:
    """Return the id of a resource to be created, or an empty string where it is unknown.

    A Kubernetes object's id is `[namespace/]name`, as its provider makes it; any other resource's is `<name>-id`.
    """
    if mode is not Mode.OPTIMISTIC:
        return ""
    if not type_.startswith(_KUBERNETES):
        return f"{wire.name_of(urn)}-id"
    holder = inputs if type_ == _RELEASE else _object(inputs.get("metadata"))
    name, namespace = _known(holder.get("name")) or _generated_name(urn), _known(holder.get("namespace"))
    return f"{namespace}/{name}" if namespace else name


def outputs(urn: str, type_: str, inputs: Mapping[str, Json], mode: Mode) -> dict[str, Json]:
    """Return the outputs that a resource has beyond its inputs.

    In a pessimistic plan that is the one output a program reads as part of an input: the name of a Kubernetes object that was given none.
    """
    if type_.startswith(_AZURE):
        made = ((key, parts) for key, parts in _MADE_INSIDE.items() if isinstance(inputs.get(key), dict))
        return {key: dict.fromkeys(parts, wire.UNKNOWN) for key, parts in made}
    if not type_.startswith(_KUBERNETES):
        return {}
    extra: dict[str, Json] = {}
    if type_ != _RELEASE and isinstance(inputs.get("metadata"), dict) and "name" not in _object(inputs.get("metadata")):
        extra["metadata"] = {"name": _generated_name(urn) if mode is Mode.OPTIMISTIC else wire.UNKNOWN}
    if mode is Mode.OPTIMISTIC and type_ in _DECLARED:
        extra |= _DECLARED[type_](urn, inputs)
    return extra


def reshape(type_: str, answer: Struct) -> None:
    """Give the outputs that repeat inputs the form in which the provider answers, where that is another one.

    Azure takes the identities of a resource as a list of ids and answers with a mapping, which a program's SDK refuses as a list.
    """
    if type_.startswith(_AZURE) and "identity" in answer.fields:
        identity = answer.fields["identity"].struct_value
        if "userAssignedIdentities" in identity.fields:
            identity["userAssignedIdentities"] = wire.UNKNOWN


def _release(urn: str, inputs: Mapping[str, Json]) -> dict[str, Json]:
    name = _known(inputs.get("name")) or _generated_name(urn)
    namespace = _known(inputs.get("namespace")) or "default"
    return {"name": name, "namespace": namespace, "status": {"name": name, "namespace": namespace, "status": "deployed"}}


def _service(urn: str, inputs: Mapping[str, Json]) -> dict[str, Json]:
    digest = _digest(urn)
    declared: dict[str, Json] = {"spec": {"clusterIP": f"192.0.2.{1 + digest[0] % 254}"}}
    if _object(inputs.get("spec")).get("type") == "LoadBalancer":
        declared["status"] = {"loadBalancer": {"ingress": [{"ip": f"198.51.100.{1 + digest[1] % 254}"}]}}
    return declared


_DECLARED: Mapping[str, Callable[[str, Mapping[str, Json]], dict[str, Json]]] = {_RELEASE: _release, _SERVICE: _service}


def _generated_name(urn: str) -> str:
    """Return the name the Kubernetes provider would generate: the resource's, and eight hexadecimal digits."""
    return f"{wire.name_of(urn)}-{_digest(urn).hex()[:8]}"


def _digest(urn: str) -> bytes:
    return hashlib.sha256(urn.encode()).digest()


def _object(value: Json) -> Mapping[str, Json]:
    return value if isinstance(value, dict) else {}


def _known(value: Json) -> str:
    return value if isinstance(value, str) and value != wire.UNKNOWN else ""
