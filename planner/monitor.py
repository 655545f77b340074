"""The engine's side of a program: Pulumi's `ResourceMonitor` and `Engine` services, answered from the program's own requests.

The answers are those the engine gives in a preview of an empty stack: a resource's outputs are its inputs, what the provider alone knows is
absent (the SDK takes that for unknown), ids are unknown. Source: `pkg/resource/deploy/{source_eval,step_generator,step,step_executor}.go` of
pulumi/pulumi. Where this differs from the engine:

- No plugin runs, so nothing is checked, defaulted or named by a provider (`planner.standins` has what little is added).
- What cannot be answered without a plugin is an error: functions of providers, methods, and components whose children a plugin creates.
- Aliases that the program declares are kept; the engine keeps one only after it matched a resource of an earlier state.
- Hooks are kept by name and not run.

A resolved plan is the same with outputs that are known already: `known` holds those of a deployment by urn.
"""

import re
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NoReturn, cast

import grpc
from google.protobuf.empty_pb2 import Empty
from google.protobuf.struct_pb2 import Struct
from pulumi.runtime.proto import alias_pb2, callback_pb2, engine_pb2, engine_pb2_grpc, resource_pb2, resource_pb2_grpc, source_pb2

from planner import providers, standins, values, wire
from planner.goal import Goal, goal_of
from planner.invokes import INVOKES
from planner.plan import Known, Mode
from planner.recorder import Recorder
from planner.transforms import Callbacks, Registration, own_transforms, transform_invoke, transform_resource
from planner.wire import Json

Context = grpc.ServicerContext | None
"""The call's context where a request came over a socket; none where the program runs in this process."""

_REQUEST = resource_pb2.RegisterResourceRequest

_FEATURES = tuple(
    feature
    for name, feature in resource_pb2.ResourceMonitorFeature.items()
    if name.removeprefix("RESOURCE_MONITOR_FEATURE_")
    not in {"STATE_MIGRATIONS", "INVOKE_DEPENDS_ON", "INVOKE_PARENT", "INVOKE_OUTPUT_VALUES", "CALL_OUTPUT_VALUES"}
)
"""What the engine of this SDK's time supports, without what concerns earlier states or the functions of providers."""

_FEATURE_NAMES = frozenset(
    re.sub(r"_(.)", lambda match: match[1].upper(), name.removeprefix("RESOURCE_MONITOR_FEATURE_").lower())
    for name, feature in resource_pb2.ResourceMonitorFeature.items()
    if feature in _FEATURES
)
"""The same as older SDKs ask for them: `resourceReferences`."""

_HOOKS = {
    "before_create": "BeforeCreate",
    "after_create": "AfterCreate",
    "before_update": "BeforeUpdate",
    "after_update": "AfterUpdate",
    "before_delete": "BeforeDelete",
    "after_delete": "AfterDelete",
    "on_error": "OnError",
}


class Refusal(grpc.RpcError):
    """An answer that the SDK turns into an exception of the program, as it does with errors of the engine."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.text = text

    def code(self) -> grpc.StatusCode:
        """Return the status that carries a text and nothing else."""
        return grpc.StatusCode.UNKNOWN

    def details(self) -> str:
        """Return the text."""
        return self.text


@dataclass(frozen=True, kw_only=True)
class Deployment:
    """What the engine knows of the deployment. See `planner.project.Program` for the names."""

    project: str
    stack: str
    organization: str
    root: str
    config: Mapping[str, str]
    secret_keys: frozenset[str]
    mode: Mode
    known: Mapping[str, Known] = field(default_factory=dict[str, Known])

    def secret(self, content: Json) -> Json:
        """Return what is recorded of a secret: a placeholder, unless the plan is one to deploy from."""
        return values.reveal(content) if self.mode is Mode.RESOLVED else values.seal(content)


@dataclass(slots=True, kw_only=True)
class Registered:
    """What later requests need to know of a resource."""

    custom: bool
    parent: str
    provider: str
    providers: Mapping[str, str]
    protect: bool | None = None
    retain_on_delete: bool | None = None
    deleted_with: str = ""
    transforms: Sequence[callback_pb2.Callback] = field(default=())
    id: str = ""
    outputs: bytes = b""


class Monitor(resource_pb2_grpc.ResourceMonitorServicer):
    """Answers a program's registrations and records them."""

    def __init__(self, deployment: Deployment, recorder: Recorder) -> None:
        self._deployment = deployment
        self._recorder = recorder
        self._lock = threading.RLock()
        self._registered: dict[str, Registered] = {}
        self._default_providers: dict[providers.Request, str] = {}
        self._packages: dict[str, providers.Request] = {}
        self._callbacks = Callbacks()
        self._stack_transforms: list[callback_pb2.Callback] = []
        self._invoke_transforms: list[callback_pb2.Callback] = []

    @property
    def calls_back(self) -> bool:
        """Whether answers may need the program's event loop, which therefore must not wait for them."""
        return bool(self._stack_transforms or self._invoke_transforms)

    # What the deployment is

    def GetDeploymentInfo(self, request: Empty, context: Context = None) -> resource_pb2.DeploymentInfo:
        """Answer what is deployed and what this service supports."""
        about = self._deployment
        return resource_pb2.DeploymentInfo(
            project=about.project,
            stack=about.stack,
            organization=about.organization,
            config=about.config,
            configSecretKeys=sorted(about.secret_keys),
            dryRun=True,
            supportedFeatures=_FEATURES,
        )

    def SupportsFeature(
        self, request: resource_pb2.SupportsFeatureRequest, context: Context = None
    ) -> resource_pb2.SupportsFeatureResponse:
        """Answer an SDK that asks for one feature at a time."""
        return resource_pb2.SupportsFeatureResponse(hasSupport=request.id in _FEATURE_NAMES)

    # Resources

    def RegisterResource(
        self, request: resource_pb2.RegisterResourceRequest, context: Context = None
    ) -> resource_pb2.RegisterResourceResponse:
        """Register a resource that the program wants to exist."""
        if request.remote:
            self._refuse(
                context,
                f"{request.type} {request.name!r} is a component that its provider's plugin builds: its children cannot be planned without it. "
                "Register the resources in the program instead.",
            )
        transforms = self._transforms_of(request)
        registration = _registration(request)
        if transforms:
            registration = transform_resource(registration, request, transforms, self._callbacks)
        with self._lock:
            return self._register(request, registration)

    def _transforms_of(self, request: resource_pb2.RegisterResourceRequest) -> list[callback_pb2.Callback]:
        found = own_transforms(request)
        above = self._registered.get(request.parent)
        while above:
            found += above.transforms
            above = self._registered.get(above.parent)
        return found + self._stack_transforms

    def _register(self, request: resource_pb2.RegisterResourceRequest, registration: Registration) -> resource_pb2.RegisterResourceResponse:
        goal, properties = registration.goal, registration.properties
        self._inherit(request, goal)
        urn = self._claim(request.parent, request.type, request.name)
        if request.custom and not wire.is_provider(request.type):
            goal.provider = self._provider(urn, request.type, goal, request.parent, request.packageRef)
        inputs = values.read(properties, self._deployment.secret)
        if wire.is_provider(request.type):
            inputs |= self._plugin(request, goal).plugin_inputs
        if request.type.startswith(f"{wire.DYNAMIC_PACKAGE}:") and not values.is_secret(inputs.get(wire.DYNAMIC_CODE, wire.KNOWN_SECRET)):
            inputs[wire.DYNAMIC_CODE] = self._deployment.secret(inputs[wire.DYNAMIC_CODE])
        answer = resource_pb2.RegisterResourceResponse(urn=urn)
        state: dict[str, Json] = {"urn": urn, "custom": request.custom, "type": request.type, "inputs": inputs}
        if request.custom:
            answer.object.CopyFrom(properties)
            state |= self._create(state, goal, answer)
        state |= self._options(request, goal)
        state |= _dependencies(registration)
        self._recorder.resource({key: value for key, value in state.items() if value not in (None, "", [], {}) or key == "inputs"})
        self._registered[urn] = Registered(
            custom=request.custom,
            parent=request.parent,
            provider=goal.provider,
            providers={} if request.custom else self._component_providers(goal, request.parent),
            protect=goal.protect,
            retain_on_delete=goal.retain_on_delete,
            deleted_with=goal.deleted_with,
            transforms=own_transforms(request),
            id=answer.id,
            outputs=answer.object.SerializeToString(),
        )
        return answer

    def _create(self, state: Mapping[str, Json], goal: Goal, answer: resource_pb2.RegisterResourceResponse) -> dict[str, Json]:
        """Return the id, inputs and outputs of a custom resource's creation, and complete with them the answer to the program."""
        urn, type_, inputs, mode = answer.urn, str(state["type"]), cast(dict[str, Json], state["inputs"]), self._deployment.mode
        if wire.is_provider(type_):
            answer.id = standins.identity(urn, type_, inputs, mode) or wire.UNKNOWN
            values.fill_struct(answer.object, {"version": goal.version} if goal.version else {})
            return {"id": answer.id, "outputs": {key: value for key, value in inputs.items() if key != "__internal"}}
        known, names, secret = self._deployment.known.get(urn), goal.additional_secret_outputs, self._deployment.secret
        if known:
            answer.id = known.id
            answer.object.MergeFrom(values.write(known.outputs))
            values.mark_secret_struct(answer.object, names)
            return {"id": answer.id, "inputs": inputs, "outputs": values.read(answer.object, secret)}
        answer.id = goal.import_id or standins.identity(urn, type_, inputs, mode)
        extra = standins.outputs(urn, type_, inputs, mode)
        standins.reshape(type_, answer.object)
        values.fill_struct(answer.object, extra)
        values.mark_secret_struct(answer.object, names)
        # The engine hides only the outputs of these names; a plan hides the inputs as well, for they hold the same values.
        inputs = values.mark_secret(inputs, names, secret) if names else inputs
        return {"id": answer.id, "inputs": inputs, "outputs": values.fill(inputs, extra) if extra else inputs}

    def RegisterResourceOutputs(self, request: resource_pb2.RegisterResourceOutputsRequest, context: Context = None) -> Empty:
        """Take the outputs of a component, or the exports of the stack."""
        with self._lock:
            self._recorder.outputs(request.urn, values.read(request.outputs, self._deployment.secret))
        return Empty()

    def ReadResource(self, request: resource_pb2.ReadResourceRequest, context: Context = None) -> resource_pb2.ReadResourceResponse:
        """Take note of a resource that exists elsewhere. Nothing but its id is known."""
        with self._lock:
            urn = self._claim(request.parent, request.type, request.name)
            goal = goal_of(_REQUEST(provider=request.provider, version=request.version, pluginDownloadURL=request.pluginDownloadURL))
            if not wire.is_provider(request.type):
                goal.provider = self._provider(urn, request.type, goal, request.parent, request.packageRef)
            state: dict[str, Json] = {
                "urn": urn,
                "custom": True,
                "type": request.type,
                "id": request.id,
                "inputs": values.read(request.properties, self._deployment.secret),
                "external": True,
                "parent": request.parent,
                "provider": goal.provider,
                "dependencies": [*sorted(request.dependencies)],
                "additionalSecretOutputs": [*request.additionalSecretOutputs],
                "sourcePosition": self._position(request),
            }
            self._recorder.resource({key: value for key, value in state.items() if value not in (None, "", [])})
            identity = "" if request.id == wire.UNKNOWN else request.id
            self._registered[urn] = Registered(custom=True, parent=request.parent, provider=goal.provider, providers={}, id=identity)
            return resource_pb2.ReadResourceResponse(urn=urn, properties=Struct(), id=identity)

    def ExistsResource(self, request: resource_pb2.ExistsResourceRequest, context: Context = None) -> resource_pb2.ExistsResourceResponse:
        """Answer that it is not known whether a resource exists; an optimistic plan takes it to exist."""
        optimistic = self._deployment.mode is Mode.OPTIMISTIC
        return resource_pb2.ExistsResourceResponse(exists=optimistic, unknown=not optimistic)

    # Functions

    def Invoke(self, request: resource_pb2.ResourceInvokeRequest, context: Context = None) -> resource_pb2.ResourceInvokeResponse:
        """Answer a function of a provider, if it is one that needs no provider."""
        if self._invoke_transforms:
            request = transform_invoke(request, self._invoke_transforms, self._callbacks)
        function = INVOKES.get(request.tok)
        if function is None:
            self._refuse(
                context,
                f"unknown invoke {request.tok}: its answer comes from a provider's plugin, which a plan runs without. "
                "Pass the value as config, or add the function to planner/invokes.py if its answer follows from its arguments.",
            )
        try:
            with self._lock:
                found = function(request.args, self._registered.__getitem__)
        except LookupError as error:
            self._refuse(context, f"invoke {request.tok}: {error} is no resource that this program has registered.")
        answer = resource_pb2.ResourceInvokeResponse()
        getattr(answer, "return").CopyFrom(found)  # a field named by a keyword of Python
        return answer

    def Call(self, request: resource_pb2.ResourceCallRequest, context: Context = None) -> NoReturn:
        """Refuse a method of a resource."""
        self._refuse(context, f"unknown method {request.tok}: its answer comes from a provider's plugin, which a plan runs without.")

    # Transforms, hooks and packages

    def RegisterStackTransform(self, request: callback_pb2.Callback, context: Context = None) -> Empty:
        """Take a function that every later registration passes through."""
        self._stack_transforms.append(request)
        return Empty()

    def RegisterStackInvokeTransform(self, request: callback_pb2.Callback, context: Context = None) -> Empty:
        """Take a function that every later invoke passes through."""
        self._invoke_transforms.append(request)
        return Empty()

    def RegisterResourceHook(self, request: resource_pb2.RegisterResourceHookRequest, context: Context = None) -> Empty:
        """Take note of a hook; a plan runs none."""
        return Empty()

    def RegisterErrorHook(self, request: resource_pb2.RegisterErrorHookRequest, context: Context = None) -> Empty:
        """Take note of a hook; a plan runs none."""
        return Empty()

    def RegisterPackage(
        self, request: resource_pb2.RegisterPackageRequest, context: Context = None
    ) -> resource_pb2.RegisterPackageResponse:
        """Give a package that is made from a plugin and a parameter a reference for later requests."""
        parameter = request.parameterization if request.HasField("parameterization") else None
        found = providers.Request(
            parameter.name if parameter else request.name, parameter.version if parameter else request.version, request.download_url
        )
        reference = f"{found.package}@{found.version}"
        self._packages[reference] = found
        return resource_pb2.RegisterPackageResponse(ref=reference)

    def SignalAndWaitForShutdown(self, request: Empty, context: Context = None) -> Empty:
        """Let the program end: nothing of it is needed any more."""
        return Empty()

    # Parts of a registration

    def _refuse(self, context: Context, text: str) -> NoReturn:
        with self._lock:
            self._recorder.finding(text)
        if context is not None:
            context.abort(grpc.StatusCode.UNKNOWN, text)
        raise Refusal(text)

    def _claim(self, parent: str, type_: str, name: str) -> str:
        """Return the urn of a resource that nothing else may have."""
        if parent and parent not in self._registered:
            self._recorder.finding(f"{type_} {name!r}: its parent {parent} is not registered. A parent is created before its children.")
        urn = wire.make_urn(self._deployment.stack, self._deployment.project, parent, type_, name)
        if urn in self._registered:
            self._recorder.finding(
                f"{urn}: registered twice. Type, parent and name of a resource are its identity; give one of the two another name."
            )
        return urn

    def _inherit(self, request: resource_pb2.RegisterResourceRequest, goal: Goal) -> None:
        """Take from the parent what a child does not say itself (`inheritFromParent`)."""
        parent = self._registered.get(request.parent)
        if parent is None:
            return
        goal.deleted_with = goal.deleted_with or parent.deleted_with
        goal.protect = parent.protect if goal.protect is None else goal.protect
        goal.retain_on_delete = parent.retain_on_delete if goal.retain_on_delete is None else goal.retain_on_delete
        serves = bool(parent.provider) and wire.package_of(wire.qualified_type(parent.provider)) == wire.package_of(request.type)
        if not goal.provider and (not request.custom or serves):
            goal.provider = parent.provider

    def _component_providers(self, goal: Goal, parent: str) -> Mapping[str, str]:
        """Return the providers that a component hands to its children: its own before its parent's."""
        above = self._registered.get(parent)
        return {**(above.providers if above and not above.custom else {}), **goal.providers}

    def _provider(self, urn: str, type_: str, goal: Goal, parent: str, package_ref: str) -> str:
        """Return a reference to what serves a resource: the provider it names, one of its components', or the package's default one."""
        package = wire.package_of(type_)
        above = self._registered.get(parent)
        named = goal.provider or goal.providers.get(package) or (above.providers.get(package) if above else "")
        if named:
            return named
        try:
            vetoed = providers.vetoed(self._deployment.config, package)
        except ValueError as error:
            self._recorder.finding(str(error))
            return ""
        if vetoed:
            self._recorder.finding(
                f"{urn}: missing provider: it names none for package {package}, and the stack's config pulumi:disable-default-providers forbids "
                "a default one. Give the resource, or a component above it, an explicit provider."
            )
            return ""
        return self._default_provider(self._packages.get(package_ref, providers.Request(package, goal.version, goal.plugin_download_url)))

    def _default_provider(self, request: providers.Request) -> str:
        if request not in self._default_providers:
            type_ = f"{wire.PROVIDER_MODULE}{request.package}"
            urn = self._claim("", type_, request.default_name)
            inputs = (
                providers.package_config(self._deployment.config, self._deployment.secret_keys, request.package) | request.plugin_inputs
            )
            identity = standins.identity(urn, type_, inputs, self._deployment.mode) or wire.UNKNOWN
            outputs = {key: value for key, value in inputs.items() if key != "__internal"}
            self._recorder.resource({"urn": urn, "custom": True, "type": type_, "id": identity, "inputs": inputs, "outputs": outputs})
            self._registered[urn] = Registered(custom=True, parent="", provider="", providers={}, id=identity)
            self._default_providers[request] = f"{urn}::{identity}"
        return self._default_providers[request]

    def _plugin(self, request: resource_pb2.RegisterResourceRequest, goal: Goal) -> providers.Request:
        explicit = providers.Request(wire.package_of(request.type), goal.version, goal.plugin_download_url)
        return self._packages.get(request.packageRef, explicit)

    def _options(self, request: resource_pb2.RegisterResourceRequest, goal: Goal) -> dict[str, Json]:
        """Return the options of a registration under the names of `apitype.ResourceV3`.

        `deleteBeforeReplace` is no part of a state file; policies see it, so a plan keeps it.
        """
        trigger = Struct(fields={"trigger": goal.replacement_trigger}) if goal.replacement_trigger else None
        return {
            "parent": request.parent,
            "provider": goal.provider if request.custom else "",
            "aliases": [*self._aliases(request, goal.aliases)],
            "protect": goal.protect or None,
            "retainOnDelete": goal.retain_on_delete or None,
            "deletedWith": goal.deleted_with,
            "replaceWith": [*goal.replace_with],
            "deleteBeforeReplace": goal.delete_before_replace,
            "ignoreChanges": [*goal.ignore_changes],
            "replaceOnChanges": [*goal.replace_on_changes],
            "replacementTrigger": values.read(trigger)["trigger"] if trigger else None,
            "hideDiff": [*goal.hide_diff],
            "additionalSecretOutputs": [*goal.additional_secret_outputs],
            "importID": goal.import_id,
            "customTimeouts": _timeouts(goal),
            "resourceHooks": {
                kind: [*getattr(goal.hooks, name)] for name, kind in _HOOKS.items() if goal.hooks and getattr(goal.hooks, name)
            },
            "sourcePosition": self._position(request),
        }

    def _aliases(self, request: resource_pb2.RegisterResourceRequest, aliases: Sequence[alias_pb2.Alias]) -> list[str]:
        """Return the urns that the program says a resource had before.

        Other types of the same package are left out: the SDKs of providers add them to every resource by themselves.
        """
        found: list[str] = []
        for alias in aliases:
            spec = alias.spec
            if not alias.HasField("spec"):
                found.append(alias.urn)
            elif not _sdk_alias(spec, request.type):
                parent = "" if spec.noParent else spec.parentUrn or request.parent
                stack, project = spec.stack or self._deployment.stack, spec.project or self._deployment.project
                found.append(wire.make_urn(stack, project, parent, spec.type or request.type, spec.name or request.name))
        return list(dict.fromkeys(found))

    def _position(self, request: resource_pb2.RegisterResourceRequest | resource_pb2.ReadResourceRequest) -> str:
        """Return the line of the project that registers a resource.

        It is empty for a line outside and, unlike the engine's, for one of an installed package, which may lie below the project's folder:
        plans made on two machines are to be equal.
        """
        position: source_pb2.SourcePosition = cast(Any, request).sourcePosition  # the SDK's stubs lack the type of this field
        base = f"file://{self._deployment.root}/"
        if not position.uri.startswith(base) or "/site-packages/" in position.uri:
            return ""
        return f"project:///{position.uri.removeprefix(base)}#{position.line}"


class Engine(engine_pb2_grpc.EngineServicer):
    """Takes what a program tells its user."""

    def __init__(self, recorder: Recorder) -> None:
        self._recorder = recorder
        self._root = ""

    def Log(self, request: engine_pb2.LogRequest, context: Context = None) -> Empty:
        """Take a message. An error makes the plan fail, as it makes an update fail."""
        if request.severity >= engine_pb2.ERROR:
            where = f"{request.urn}: " if request.urn else ""
            self._recorder.finding(f"{where}the program logged an error: {request.message}")
        elif request.severity >= engine_pb2.INFO and not request.ephemeral:
            self._recorder.message(f"{'warning' if request.severity == engine_pb2.WARNING else 'info'}: {request.message}")
        return Empty()

    def GetRootResource(self, request: engine_pb2.GetRootResourceRequest, context: Context = None) -> engine_pb2.GetRootResourceResponse:
        """Answer the urn of the stack's resource."""
        return engine_pb2.GetRootResourceResponse(urn=self._root)

    def SetRootResource(self, request: engine_pb2.SetRootResourceRequest, context: Context = None) -> engine_pb2.SetRootResourceResponse:
        """Take the urn of the stack's resource."""
        self._root = request.urn
        return engine_pb2.SetRootResourceResponse()

    def StartDebugging(self, request: engine_pb2.StartDebuggingRequest, context: Context = None) -> Empty:
        """Ignore a debugger."""
        return Empty()

    def RequirePulumiVersion(
        self, request: engine_pb2.RequirePulumiVersionRequest, context: Context = None
    ) -> engine_pb2.RequirePulumiVersionResponse:
        """Accept every version: there is no engine that could be too old."""
        return engine_pb2.RequirePulumiVersionResponse()


def _registration(request: resource_pb2.RegisterResourceRequest) -> Registration:
    """Return a request's properties, options and dependencies; without dependencies by property every property has all of them."""
    given = request.propertyDependencies
    every = {key: list(request.dependencies) for key in request.object.fields} if not given else {}
    dependencies = {**dict.fromkeys(request.object.fields, ()), **every, **{key: given[key].urns for key in given}}
    return Registration(request.object, goal_of(request), {key: sorted(urns) for key, urns in dependencies.items()})


def _dependencies(registration: Registration) -> dict[str, Json]:
    by_property: dict[str, Json] = {key: [*urns] for key, urns in sorted(registration.property_dependencies.items())}
    return {"dependencies": [*sorted(registration.goal.depends_on)], "propertyDependencies": by_property}


def _sdk_alias(spec: alias_pb2.Alias.Spec, type_: str) -> bool:
    only_type = spec.type and not (spec.name or spec.stack or spec.project or spec.parentUrn or spec.noParent)
    return bool(only_type) and wire.package_of(spec.type) == wire.package_of(type_)


_UNITS = {"h": 3600.0, "m": 60.0, "s": 1.0, "ms": 1e-3, "us": 1e-6, "µs": 1e-6, "ns": 1e-9}


def _timeouts(goal: Goal) -> dict[str, Json]:
    """Return custom timeouts in seconds, from durations as Go spells them: `1h30m`."""
    if goal.custom_timeouts is None:
        return {}
    texts = {name: str(getattr(goal.custom_timeouts, name)) for name in ("create", "update", "delete", "read")}
    return {name: _seconds(text) for name, text in texts.items() if text}


def _seconds(duration: str) -> Json:
    seconds = sum((float(number) * _UNITS[unit] for number, unit in re.findall(r"([0-9.]+)(h|ms|us|µs|ns|m|s)", duration)), 0.0)
    return int(seconds) if seconds.is_integer() else seconds
