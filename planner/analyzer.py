"""The engine's side of a policy pack: Pulumi's `Analyzer` service, called as in a preview.

Source: `sdk/go/common/resource/plugin/analyzer_plugin.go`, `pkg/resource/analyzer/config.go`, `pkg/resource/deploy/{step_generator,
analyze_snapshot}.go` of pulumi/pulumi.
"""

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, cast

import grpc
from google.protobuf import json_format
from google.protobuf.empty_pb2 import Empty
from google.protobuf.struct_pb2 import Struct
from pulumi.runtime.proto import analyzer_pb2, analyzer_pb2_grpc

from planner import values, wire
from planner.pack import Diagnostic
from planner.plan import Plan
from planner.wire import Json

_MESSAGE = 400 * 1024 * 1024
"""The SDK's limit for one message in bytes (`pulumi.runtime._grpc_settings`): a stack of thousands of resources is one message."""

_CONNECT = 30.0
"""Seconds to reach a pack that has said where it listens."""

_IN_FLIGHT = 8
"""How many resources a pack is asked about at a time; the SDK answers four and queues the rest."""

_LEVELS = {
    analyzer_pb2.ADVISORY: "advisory",
    analyzer_pb2.MANDATORY: "mandatory",
    analyzer_pb2.REMEDIATE: "mandatory",
    analyzer_pb2.DISABLED: "disabled",
}

_SEVERITIES = {
    analyzer_pb2.POLICY_SEVERITY_LOW: "low",
    analyzer_pb2.POLICY_SEVERITY_MEDIUM: "medium",
    analyzer_pb2.POLICY_SEVERITY_HIGH: "high",
    analyzer_pb2.POLICY_SEVERITY_CRITICAL: "critical",
}

State = Mapping[str, Any]
"""A resource of a plan."""


def converse(address: str, plan: Plan, *, project: str, stack: str, config: Mapping[str, str]) -> Iterator[Diagnostic]:
    """Yield what a pack that listens at an address says about a plan: resource by resource, then about the stack.

    Raises:
        ConnectionError: where a call fails, with the status and the pack's words.
    """
    options = [("grpc.max_receive_message_length", _MESSAGE), ("grpc.max_send_message_length", _MESSAGE)]
    with grpc.insecure_channel(address, options=options) as channel:
        client = cast(Any, analyzer_pb2_grpc.AnalyzerStub(channel))  # the SDK's stubs lack the types of calls
        try:
            grpc.channel_ready_future(channel).result(timeout=_CONNECT)
            yield from _Conversation(client, plan).run(project=project, stack=stack, config=config)
        except grpc.FutureTimeoutError as error:
            raise ConnectionError(f"the pack does not answer at {address}.") from error
        except grpc.RpcError as error:
            call = cast(grpc.Call, error)
            raise ConnectionError(f"the pack failed while it was asked: {call.details()} ({call.code().name})") from error


class _Conversation:
    def __init__(self, client: Any, plan: Plan) -> None:
        self._client = client
        # The engine shows policies what it creates, not what it only reads.
        self._resources = [state for state in plan.resources if not state.get("external")]
        self._by_urn = {state["urn"]: state for state in plan.resources}
        self._stack = next((state["urn"] for state in plan.resources if state["type"] == wire.STACK_TYPE), "")
        self._severities: dict[str, str] = {}

    def run(self, *, project: str, stack: str, config: Mapping[str, str]) -> Iterator[Diagnostic]:
        handshake = analyzer_pb2.AnalyzerHandshakeRequest(engine_address="")
        _unless_unimplemented(self._client.Handshake, handshake)
        configure = analyzer_pb2.AnalyzerStackConfigureRequest(
            project=project, stack=stack, organization="organization", dry_run=True, config=config
        )
        _unless_unimplemented(self._client.ConfigureStack, configure)
        info: analyzer_pb2.AnalyzerInfo = self._client.GetAnalyzerInfo(Empty())
        self._severities = {policy.name: _SEVERITIES.get(policy.severity, "") for policy in info.policies}
        self._client.Configure(analyzer_pb2.ConfigureAnalyzerRequest(policyConfig=_policy_config(info)))
        kinds = {policy.policy_type for policy in info.policies}
        # Policies of one kind have nothing to say to questions of the other, and every question costs the pack a deserialisation.
        if kinds != {analyzer_pb2.POLICY_TYPE_STACK}:
            yield from self._each_resource()
        if kinds != {analyzer_pb2.POLICY_TYPE_RESOURCE}:
            yield from self._whole_stack()

    def _each_resource(self) -> Iterator[Diagnostic]:
        asked: deque[tuple[str, Any]] = deque()
        for state in self._resources:
            asked.append((state["urn"], self._client.Analyze.future(self._analyze_request(state))))
            if len(asked) >= _IN_FLIGHT:
                yield from self._answers(*asked.popleft())
        while asked:
            yield from self._answers(*asked.popleft())

    def _answers(self, urn: str, call: Any) -> Iterator[Diagnostic]:
        response: analyzer_pb2.AnalyzeResponse = call.result()
        for diagnostic in response.diagnostics:
            yield self._diagnostic(diagnostic, urn)

    def _whole_stack(self) -> Iterator[Diagnostic]:
        request = analyzer_pb2.AnalyzeStackRequest(resources=[self._resource(state) for state in self._resources])
        response: analyzer_pb2.AnalyzeResponse = self._client.AnalyzeStack(request)
        for diagnostic in response.diagnostics:
            yield self._diagnostic(diagnostic, diagnostic.urn if diagnostic.urn in self._by_urn else self._stack)

    def _analyze_request(self, state: State) -> analyzer_pb2.AnalyzeRequest:
        return analyzer_pb2.AnalyzeRequest(properties=_properties(state, "inputs"), **self._identity(state))

    def _resource(self, state: State) -> analyzer_pb2.AnalyzerResource:
        by_property: Mapping[str, list[str]] = state.get("propertyDependencies") or {}
        return analyzer_pb2.AnalyzerResource(
            properties=_properties(state, "outputs"),
            **self._identity(state),
            parent=state.get("parent", ""),
            dependencies=state.get("dependencies"),
            propertyDependencies={key: analyzer_pb2.AnalyzerPropertyDependencies(urns=urns) for key, urns in by_property.items() if urns},
        )

    def _identity(self, state: State) -> dict[str, Any]:
        """Return what every message about a resource says of it, whatever its properties."""
        urn = state["urn"]
        return {"urn": urn, "type": state["type"], "name": wire.name_of(urn), "options": _options(state), "provider": self._provider(state)}

    def _provider(self, state: State) -> analyzer_pb2.AnalyzerProviderResource | None:
        provider = self._by_urn.get(str(state.get("provider", "")).rpartition("::")[0])
        if provider is None:
            return None
        return analyzer_pb2.AnalyzerProviderResource(
            urn=provider["urn"], type=provider["type"], name=wire.name_of(provider["urn"]), properties=_properties(provider, "inputs")
        )

    def _diagnostic(self, said: analyzer_pb2.AnalyzeDiagnostic, urn: str) -> Diagnostic:
        return Diagnostic(
            policy=said.policyName,
            pack=said.policyPackName,
            enforcement_level=_LEVELS[said.enforcementLevel],
            urn=urn,
            message=said.message,
            severity=_SEVERITIES.get(said.severity, "") or self._severities.get(said.policyName, ""),
            description=said.description,
        )


def _unless_unimplemented(call: Callable[[Any], Any], request: Any) -> None:
    """Call what older SDKs do not have, and the engine does without."""
    try:
        call(request)
    except grpc.RpcError as error:
        if cast(grpc.Call, error).code() is not grpc.StatusCode.UNIMPLEMENTED:
            raise


def _policy_config(info: analyzer_pb2.AnalyzerInfo) -> dict[str, analyzer_pb2.PolicyConfig]:
    """Return each policy's level and config: the defaults of its schema, then what the pack sets itself (`ReconcilePolicyPackConfig`)."""
    levels = {policy.name: policy.enforcementLevel for policy in info.policies}
    properties = {policy.name: _schema_defaults(policy.configSchema.properties) for policy in info.policies}
    given = info.initialConfig
    # A level of 0 is "advisory" and what a message says that sets none; the engine takes it for set as well.
    if "all" in given:
        levels = dict.fromkeys(levels, given["all"].enforcementLevel)
    for name in given:
        levels[name] = given[name].enforcementLevel
        properties[name] = {**properties.get(name, {}), **json_format.MessageToDict(given[name].properties)}
    return {
        name: analyzer_pb2.PolicyConfig(enforcementLevel=level, properties=_struct(properties.get(name, {})))
        for name, level in levels.items()
    }


def _schema_defaults(schema: Struct) -> dict[str, Any]:
    properties: dict[str, Any] = json_format.MessageToDict(schema)
    return {key: rule["default"] for key, rule in properties.items() if isinstance(rule, dict) and "default" in rule}


def _struct(properties: Mapping[str, Any]) -> Struct:
    message = Struct()
    message.update(properties)
    return message


def _properties(state: State, which: str) -> Struct:
    properties: Mapping[str, Json] = state.get(which) or {}
    return values.write(properties)


def _options(state: State) -> analyzer_pb2.AnalyzerResourceOptions:
    timeouts: Mapping[str, float] = state.get("customTimeouts") or {}
    return analyzer_pb2.AnalyzerResourceOptions(
        protect=bool(state.get("protect")),
        ignoreChanges=_texts(state.get("ignoreChanges")),
        deleteBeforeReplace=bool(state.get("deleteBeforeReplace")),
        deleteBeforeReplaceDefined=state.get("deleteBeforeReplace") is not None,
        additionalSecretOutputs=_texts(state.get("additionalSecretOutputs")),
        aliases=_texts(state.get("aliases")),
        customTimeouts=analyzer_pb2.AnalyzerResourceOptions.CustomTimeouts(
            create=timeouts.get("create", 0), update=timeouts.get("update", 0), delete=timeouts.get("delete", 0)
        ),
        parent=state.get("parent", ""),
    )


def _texts(given: Iterable[str] | None) -> list[str]:
    return list(given or ())
