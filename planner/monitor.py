"""The engine's side of a program: Pulumi's `ResourceMonitor` service, answered from the program's own requests.

The answers are those the engine gives in a preview of an empty stack: a resource's outputs are its inputs, what the provider alone knows is
absent (the SDK takes that for unknown), ids are unknown. Source: `pkg/resource/deploy/{source_eval,step_generator,step,step_executor}.go` of
pulumi/pulumi. Where this differs from the engine:

- No plugin runs, so nothing is checked, defaulted or named by a provider (`planner.standins` has what little is added).
- What cannot be answered without a plugin is an error: functions of providers, methods, and components whose children a plugin creates.
- Aliases that the program declares are kept; the engine keeps one only after it matched a resource of an earlier state.
- Hooks are kept by name and not run.
- A provider whose configuration is not known answers with the inputs, too. The engine does not ask it, and every output is unknown.

A resolved plan is the same with outputs that are known already: `known` holds those of a deployment by urn.
"""

import threading
from typing import NoReturn

from google.protobuf.empty_pb2 import Empty
from google.protobuf.struct_pb2 import Struct
from pulumi.runtime.proto import callback_pb2, resource_pb2, resource_pb2_grpc

from planner import values, wire
from planner.creation import create
from planner.deployment import Deployment
from planner.features import FEATURE_NAMES, FEATURES
from planner.goal import goal_of
from planner.invokes import INVOKES
from planner.options import options, position
from planner.plan import Mode
from planner.recorder import Recorder
from planner.refusal import Context, refuse
from planner.registry import Registered, Registry
from planner.serving import Serving
from planner.transforms import Callbacks, Registration, own_transforms, transform_invoke, transform_resource
from planner.wire import Json


class Monitor(resource_pb2_grpc.ResourceMonitorServicer):
    """Answers a program's registrations and records them."""

    def __init__(self, deployment: Deployment, recorder: Recorder) -> None:
        self._deployment = deployment
        self._recorder = recorder
        self._lock = threading.RLock()
        self._registry = Registry(deployment, recorder)
        self._serving = Serving(deployment, self._registry, recorder)
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
            supportedFeatures=FEATURES,
        )

    def SupportsFeature(
        self, request: resource_pb2.SupportsFeatureRequest, context: Context = None
    ) -> resource_pb2.SupportsFeatureResponse:
        """Answer an SDK that asks for one feature at a time."""
        return resource_pb2.SupportsFeatureResponse(hasSupport=request.id in FEATURE_NAMES)

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
        transforms = own_transforms(request) + self._registry.transforms_above(request.parent) + self._stack_transforms
        registration = _registration(request)
        if transforms:
            registration = transform_resource(registration, request, transforms, self._callbacks)
        with self._lock:
            return self._register(request, registration)

    def _register(self, request: resource_pb2.RegisterResourceRequest, registration: Registration) -> resource_pb2.RegisterResourceResponse:
        goal, properties = registration.goal, registration.properties
        self._registry.inherit(request, goal)
        urn = self._registry.claim(request.parent, request.type, request.name)
        if request.custom and not wire.is_provider(request.type):
            goal.provider = self._serving.provider(urn, request.type, goal, request.parent, request.packageRef)
        inputs = values.read(properties, self._deployment.secret)
        if wire.is_provider(request.type):
            inputs |= self._serving.plugin(request, goal).plugin_inputs
        if request.type.startswith(f"{wire.DYNAMIC_PACKAGE}:") and not values.is_secret(inputs.get(wire.DYNAMIC_CODE, wire.KNOWN_SECRET)):
            inputs[wire.DYNAMIC_CODE] = self._deployment.secret(inputs[wire.DYNAMIC_CODE])
        answer = resource_pb2.RegisterResourceResponse(urn=urn)
        state: dict[str, Json] = {"urn": urn, "custom": request.custom, "type": request.type, "inputs": inputs}
        if request.custom:
            answer.object.CopyFrom(properties)
            state |= create(state, goal, answer, self._deployment)
        state |= options(request, goal, self._deployment)
        state |= _dependencies(registration)
        self._recorder.resource({key: value for key, value in state.items() if value not in (None, "", [], {}) or key == "inputs"})
        registered = Registered(
            custom=request.custom,
            parent=request.parent,
            provider=goal.provider,
            providers={} if request.custom else self._serving.handed_down(goal, request.parent),
            protect=goal.protect,
            retain_on_delete=goal.retain_on_delete,
            deleted_with=goal.deleted_with,
            transforms=own_transforms(request),
            id=answer.id,
            outputs=answer.object.SerializeToString(),
        )
        self._registry.add(urn, registered)
        return answer

    def RegisterResourceOutputs(self, request: resource_pb2.RegisterResourceOutputsRequest, context: Context = None) -> Empty:
        """Take the outputs of a component, or the exports of the stack."""
        with self._lock:
            self._recorder.outputs(request.urn, values.read(request.outputs, self._deployment.secret))
        return Empty()

    def ReadResource(self, request: resource_pb2.ReadResourceRequest, context: Context = None) -> resource_pb2.ReadResourceResponse:
        """Take note of a resource that exists elsewhere. Nothing but its id is known."""
        with self._lock:
            urn = self._registry.claim(request.parent, request.type, request.name)
            alike = resource_pb2.RegisterResourceRequest(
                provider=request.provider, version=request.version, pluginDownloadURL=request.pluginDownloadURL
            )
            goal = goal_of(alike)
            if not wire.is_provider(request.type):
                goal.provider = self._serving.provider(urn, request.type, goal, request.parent, request.packageRef)
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
                "sourcePosition": position(request, self._deployment.root),
            }
            self._recorder.resource({key: value for key, value in state.items() if value not in (None, "", [])})
            identity = "" if request.id == wire.UNKNOWN else request.id
            self._registry.add(urn, Registered(custom=True, parent=request.parent, provider=goal.provider, id=identity))
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
                found = function(request.args, self._registry.__getitem__)
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
        return resource_pb2.RegisterPackageResponse(ref=self._serving.add_package(request))

    def SignalAndWaitForShutdown(self, request: Empty, context: Context = None) -> Empty:
        """Let the program end: nothing of it is needed any more."""
        return Empty()

    def _refuse(self, context: Context, text: str) -> NoReturn:
        with self._lock:
            self._recorder.finding(text)
        refuse(context, text)


def _registration(request: resource_pb2.RegisterResourceRequest) -> Registration:
    """Return a request's properties, options and dependencies; without dependencies by property every property has all of them."""
    given = request.propertyDependencies
    every = {key: list(request.dependencies) for key in request.object.fields} if not given else {}
    dependencies = {**dict.fromkeys(request.object.fields, ()), **every, **{key: given[key].urns for key in given}}
    return Registration(request.object, goal_of(request), {key: sorted(urns) for key, urns in dependencies.items()})


def _dependencies(registration: Registration) -> dict[str, Json]:
    by_property: dict[str, Json] = {key: [*urns] for key, urns in sorted(registration.property_dependencies.items())}
    return {"dependencies": [*sorted(registration.goal.depends_on)], "propertyDependencies": by_property}
