"""Transforms: functions of the program that the engine calls back for every registration, over the program's own callback service."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

import grpc
from google.protobuf import json_format
from google.protobuf.struct_pb2 import Struct
from pulumi.runtime.proto import callback_pb2, callback_pb2_grpc, resource_pb2

from planner import wire
from planner.goal import Goal, goal_from, options_of
from planner.wire import Json


@dataclass(slots=True)
class Registration:
    """A registration on its way through transforms: properties on the wire, options, and the urns each property depends on."""

    properties: Struct
    goal: Goal
    property_dependencies: dict[str, list[str]]


class Callbacks:
    """Clients of the callback services that the program runs."""

    def __init__(self) -> None:
        self._clients: dict[str, callback_pb2_grpc.CallbacksStub] = {}

    def call(self, callback: callback_pb2.Callback, message: bytes) -> bytes:
        """Call a function of the program; its event loop runs on another thread.

        Raises:
            grpc.RpcError: with the function's error.
        """
        if callback.target not in self._clients:
            self._clients[callback.target] = callback_pb2_grpc.CallbacksStub(grpc.insecure_channel(callback.target))
        request = callback_pb2.CallbackInvokeRequest(token=callback.token, request=message)
        client = cast(Any, self._clients[callback.target])  # the SDK's stubs lack the types of this service
        return client.Invoke(request).response


def own_transforms(request: resource_pb2.RegisterResourceRequest) -> list[callback_pb2.Callback]:
    """Return the transforms that a resource brings along."""
    return list(cast(Any, request).transforms)  # the SDK's stubs lack the type of this field


def transform_resource(
    registration: Registration,
    request: resource_pb2.RegisterResourceRequest,
    functions: Sequence[callback_pb2.Callback],
    callbacks: Callbacks,
) -> Registration:
    """Return a registration after every transform that applies to it: its own, its ancestors', the stack's (`resmon.RegisterResource`)."""
    own = bool(own_transforms(request))
    properties = _output_values(registration.properties)
    if own:
        properties = {key: _depending(value, registration.property_dependencies.get(key, ())) for key, value in properties.items()}
    message, options = _struct(properties), options_of(registration.goal)
    for function in functions:
        asked = resource_pb2.TransformRequest(
            type=request.type, name=request.name, custom=request.custom, parent=request.parent, properties=message, options=options
        )
        answer = resource_pb2.TransformResponse.FromString(callbacks.call(function, asked.SerializeToString()))
        message = answer.properties if answer.HasField("properties") else message
        options = answer.options if answer.HasField("options") else options
    transformed = _plain(message)
    dependencies: dict[str, list[str]] = {} if own else dict(registration.property_dependencies)
    for key, value in transformed.items():
        dependencies[key] = sorted({*dependencies.get(key, ()), *_urns(value)})
    goal = goal_from(options)
    if own:
        goal.depends_on = sorted({*goal.depends_on, *(urn for urns in dependencies.values() for urn in urns)})
    return Registration(_struct({key: _downgrade(value) for key, value in transformed.items()}), goal, dependencies)


def transform_invoke(
    request: resource_pb2.ResourceInvokeRequest, functions: Sequence[callback_pb2.Callback], callbacks: Callbacks
) -> resource_pb2.ResourceInvokeRequest:
    """Return an invoke after the stack's transforms for invokes."""
    for function in functions:
        asked = resource_pb2.TransformInvokeRequest(token=request.tok, args=request.args)
        answer = resource_pb2.TransformInvokeResponse.FromString(callbacks.call(function, asked.SerializeToString()))
        if answer.HasField("args"):
            request.args.CopyFrom(answer.args)
    return request


def _plain(properties: Struct) -> dict[str, Json]:
    return cast(dict[str, Json], json_format.MessageToDict(properties))


def _struct(properties: Mapping[str, Json]) -> Struct:
    message = Struct()
    message.update(properties)
    return message


def _output_values(properties: Struct) -> dict[str, Json]:
    return {key: _upgrade(value) for key, value in _plain(properties).items()}


def _upgrade(value: Json) -> Json:
    """Return a value with unknowns and secrets as output values, which is how transforms see them."""
    if value == wire.UNKNOWN:
        return {wire.SIGNATURE: wire.OUTPUT}
    if isinstance(value, list):
        return [_upgrade(item) for item in value]
    if not isinstance(value, dict):
        return value
    if value.get(wire.SIGNATURE) == wire.SECRET:
        content = value.get("value")
        known: dict[str, Json] = {} if content == wire.UNKNOWN else {"value": _upgrade(content)}
        return {wire.SIGNATURE: wire.OUTPUT, "secret": True, **known}
    return {key: _upgrade(item) for key, item in value.items()}


def _depending(value: Json, urns: Iterable[str]) -> Json:
    missing = set(urns) - set(_urns(value))
    if not missing:
        return value
    output: dict[str, Json] = value if _is_output(value) and isinstance(value, dict) else {wire.SIGNATURE: wire.OUTPUT, "value": value}
    present = output.get("dependencies")
    return {**output, "dependencies": [*sorted({*missing, *(str(urn) for urn in present)} if isinstance(present, list) else missing)]}


def _is_output(value: Json) -> bool:
    return isinstance(value, dict) and value.get(wire.SIGNATURE) == wire.OUTPUT


def _urns(value: Json) -> Iterable[str]:
    if isinstance(value, list):
        for item in value:
            yield from _urns(item)
    elif isinstance(value, dict):
        if _is_output(value):
            own = value.get("dependencies")
            yield from (str(urn) for urn in own) if isinstance(own, list) else ()
        for item in value.values():
            yield from _urns(item)


def _downgrade(value: Json) -> Json:
    """Return a value without output values (`downgradeOutputValues`)."""
    if isinstance(value, list):
        return [_downgrade(item) for item in value]
    if not isinstance(value, dict):
        return value
    if _is_output(value):
        content = _downgrade(value["value"]) if "value" in value else wire.UNKNOWN
        return {wire.SIGNATURE: wire.SECRET, "value": content} if value.get("secret") else content
    return {key: _downgrade(item) for key, item in value.items()}
