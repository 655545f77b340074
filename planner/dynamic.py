"""Dynamic providers: resources whose create, diff, update and delete are functions of the program (`pulumi.dynamic`).

The SDK's own plugin runs them, in a process of the program's folder, asked over `pulumirpc.ResourceProvider` as the engine asks it. Source:
`sdk/python/lib/pulumi/dynamic/__main__.py` and `pkg/resource/deploy/step.go` of pulumi/pulumi.
"""

import subprocess
import sys
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import grpc
from google.protobuf.struct_pb2 import Struct
from pulumi.runtime.proto import provider_pb2, provider_pb2_grpc

from planner import values, wire
from planner.environment import environment_with
from planner.errors import PlanError
from planner.plan import Known
from planner.project import Program, load_program
from planner.wire import Json

_START = 60.0
"""Seconds until the plugin must answer: it imports Pulumi first."""


@dataclass(frozen=True, kw_only=True)
class Difference:
    """What a provider says about new inputs of a resource that exists."""

    changes: bool
    replaces: Sequence[str]
    delete_before_replace: bool


class Provider:
    """The dynamic providers of one program."""

    def __init__(self, client: Any) -> None:
        self._client = client

    def check(self, urn: str, old: Mapping[str, Json], new: Mapping[str, Json]) -> dict[str, Json]:
        """Return a resource's inputs as its provider wants them.

        Raises:
            PlanError: with what the provider finds wrong.
        """
        request = provider_pb2.CheckRequest(urn=urn, olds=_struct(old), news=_struct(new))
        answer: provider_pb2.CheckResponse = self._ask(urn, self._client.Check, request)
        if answer.failures:
            raise PlanError([f"{urn}: {failure.property}: {failure.reason}" for failure in answer.failures])
        return _plain(answer.inputs)

    def create(self, urn: str, inputs: Mapping[str, Json]) -> Known:
        """Create a resource."""
        answer: provider_pb2.CreateResponse = self._ask(
            urn, self._client.Create, provider_pb2.CreateRequest(urn=urn, properties=_struct(inputs))
        )
        return Known(id=answer.id, outputs=_plain(answer.properties))

    def diff(self, urn: str, old: Known, new: Mapping[str, Json]) -> Difference:
        """Return what would become of a resource. Inputs that are equal to those before are no difference, whatever the provider says."""
        request = provider_pb2.DiffRequest(urn=urn, id=old.id, olds=_struct(old.outputs), news=_struct(new))
        answer: provider_pb2.DiffResponse = self._ask(urn, self._client.Diff, request)
        unsure = answer.changes == provider_pb2.DiffResponse.DIFF_UNKNOWN
        changes = (
            any(old.outputs.get(key) != value for key, value in new.items())
            if unsure
            else answer.changes == provider_pb2.DiffResponse.DIFF_SOME
        )
        return Difference(changes=changes, replaces=[*answer.replaces], delete_before_replace=answer.deleteBeforeReplace)

    def update(self, urn: str, old: Known, new: Mapping[str, Json]) -> Known:
        """Update a resource in place."""
        request = provider_pb2.UpdateRequest(urn=urn, id=old.id, olds=_struct(old.outputs), news=_struct(new))
        answer: provider_pb2.UpdateResponse = self._ask(urn, self._client.Update, request)
        return Known(id=old.id, outputs=_plain(answer.properties))

    def delete(self, urn: str, old: Known) -> None:
        """Delete a resource."""
        self._ask(urn, self._client.Delete, provider_pb2.DeleteRequest(urn=urn, id=old.id, properties=_struct(old.outputs)))

    @staticmethod
    def _ask(urn: str, call: Callable[[Any], Any], request: Any) -> Any:
        try:
            return call(request)
        except grpc.RpcError as error:
            # The SDK answers with the traceback of the program's function.
            raise PlanError([f"{urn}: its dynamic provider failed: {cast(grpc.Call, error).details()}"]) from error


@contextmanager
def dynamic_provider(project: Path, stack: str, config: Mapping[str, str]) -> Generator[Provider]:
    """Run the dynamic providers of a project's program for as long as the context lasts.

    Raises:
        PlanError: where the project cannot be read, or the plugin does not start.
    """
    program = load_program(project, stack, config)
    environment = environment_with(PULUMI_PROJECT=program.project, PULUMI_STACK=program.stack)
    process = subprocess.Popen(
        [sys.executable, "-m", "pulumi.dynamic"], cwd=program.folder, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE
    )
    try:
        port = process.stdout.readline().strip() if process.stdout else b""
        if not port.isdigit():
            raise PlanError(["the SDK's plugin for dynamic providers did not start; what it printed stands above."])
        with grpc.insecure_channel(f"127.0.0.1:{int(port)}") as channel:
            client = cast(Any, provider_pb2_grpc.ResourceProviderStub(channel))  # the SDK's stubs lack the types of calls
            grpc.channel_ready_future(channel).result(timeout=_START)
            client.Configure(provider_pb2.ConfigureRequest(args=_struct(_own_config(program)), acceptSecrets=False))
            yield Provider(client)
    finally:
        process.kill()
        process.wait()
        if process.stdout:
            process.stdout.close()


def _own_config(program: Program) -> dict[str, Json]:
    """Return the configuration that providers see: the engine gives the plugin every key of the stack."""
    return dict(program.config)


def _struct(properties: Mapping[str, Json]) -> Struct:
    message = Struct()
    message.update(cast(dict[str, Any], wire.plain(dict(properties))))
    return message


def _plain(properties: Struct) -> dict[str, Json]:
    return values.read(properties, lambda content: content)
