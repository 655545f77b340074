"""Which provider serves a resource: the one it names, one of a component above it, or its package's default one."""

from collections.abc import Mapping

from pulumi.runtime.proto import resource_pb2

from planner import providers, standins, wire
from planner.deployment import Deployment
from planner.goal import Goal
from planner.recorder import Recorder
from planner.registry import Registered, Registry


class Serving:
    """Chooses providers, and registers the default ones when they are first needed."""

    def __init__(self, deployment: Deployment, registry: Registry, recorder: Recorder) -> None:
        self._deployment = deployment
        self._registry = registry
        self._recorder = recorder
        self._defaults: dict[providers.Request, str] = {}
        self._packages: dict[str, providers.Request] = {}

    def add_package(self, request: resource_pb2.RegisterPackageRequest) -> str:
        """Return the reference under which later requests name a package that is made from a plugin and a parameter."""
        parameter = request.parameterization if request.HasField("parameterization") else None
        found = providers.Request(
            parameter.name if parameter else request.name, parameter.version if parameter else request.version, request.download_url
        )
        reference = f"{found.package}@{found.version}"
        self._packages[reference] = found
        return reference

    def plugin(self, request: resource_pb2.RegisterResourceRequest, goal: Goal) -> providers.Request:
        """Return which plugin an explicit provider is of."""
        explicit = providers.Request(wire.package_of(request.type), goal.version, goal.plugin_download_url)
        return self._packages.get(request.packageRef, explicit)

    def handed_down(self, goal: Goal, parent: str) -> Mapping[str, str]:
        """Return the providers that a component hands to its children: its own before its parent's."""
        above = self._registry.find(parent)
        return {**(above.providers if above and not above.custom else {}), **goal.providers}

    def provider(self, urn: str, type_: str, goal: Goal, parent: str, package_ref: str) -> str:
        """Return a reference to what serves a resource; that nothing does is a finding, and the reference empty."""
        package = wire.package_of(type_)
        above = self._registry.find(parent)
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
        return self._default(self._packages.get(package_ref, providers.Request(package, goal.version, goal.plugin_download_url)))

    def _default(self, request: providers.Request) -> str:
        if request not in self._defaults:
            type_ = f"{wire.PROVIDER_MODULE}{request.package}"
            urn = self._registry.claim("", type_, request.default_name)
            inputs = (
                providers.package_config(self._deployment.config, self._deployment.secret_keys, request.package) | request.plugin_inputs
            )
            identity = standins.identity(urn, type_, inputs, self._deployment.mode) or wire.UNKNOWN
            self._recorder.resource(
                {"urn": urn, "custom": True, "type": type_, "id": identity, "inputs": inputs, "outputs": providers.outputs_of(inputs)}
            )
            self._registry.add(urn, Registered(custom=True, id=identity))
            self._defaults[request] = f"{urn}::{identity}"
        return self._defaults[request]
