"""Default providers: what serves a resource that names no provider, and the stack's veto against them.

Source: `pkg/resource/deploy/default_providers.go` and `pkg/resource/deploy/providers/provider.go` of pulumi/pulumi.
"""

import json
import re
from collections.abc import Mapping
from typing import NamedTuple, cast

from planner import wire
from planner.wire import Json

_VETO = "pulumi:disable-default-providers"
_INTERNAL = "__internal"
"""The input under which the engine keeps what is its own."""


class Request(NamedTuple):
    """Which plugin is asked for: a package, its version, and where it is downloaded from."""

    package: str
    version: str
    url: str

    @property
    def default_name(self) -> str:
        """Return the name of the default provider: `default_4_34_2` for version 4.34.2."""
        parts = ["default", *(re.split(r"[.+-]", self.version) if self.version else ())]
        return "_".join([*parts, *([re.sub(r"[^A-Za-z0-9_.]+", "_", self.url)] if self.url else ())])

    @property
    def plugin_inputs(self) -> dict[str, Json]:
        """Return the inputs by which a provider keeps its plugin."""
        internal: dict[str, Json] = {"pluginDownloadURL": self.url} if self.url else {}
        inputs: dict[str, Json] = {"version": self.version} if self.version else {}
        return {**inputs, _INTERNAL: internal} if inputs or internal else {}


def vetoed(config: Mapping[str, str], package: str) -> bool:
    """Whether the stack forbids a default provider for a package. The engine's own package `pulumi` is always served."""
    listed = config.get(_VETO) or "[]"
    try:
        packages: object = json.loads(listed)
    except json.JSONDecodeError:
        packages = None
    if not isinstance(packages, list):
        raise ValueError(f"config {_VETO}: {listed!r} is no list of packages. Write a list such as ['*'].")
    barred = {str(item).strip() for item in cast(list[object], packages)}
    return package != "pulumi" and not barred.isdisjoint({"*", package})


def package_config(config: Mapping[str, str], secret_keys: frozenset[str], package: str) -> dict[str, Json]:
    """Return the inputs of a package's default provider, secrets as placeholders: the config of its namespace.

    The provider of dynamic resources gets all config, by full key (`Target.GetPackageConfig` in `pkg/resource/deploy/target.go`).
    """
    found: dict[str, Json] = {}
    for key, value in config.items():
        namespace, _, name = key.partition(":")
        if package in (namespace, wire.DYNAMIC_PACKAGE):
            found[key if package == wire.DYNAMIC_PACKAGE else name] = wire.KNOWN_SECRET if key in secret_keys else value
    return found


def outputs_of(inputs: Mapping[str, Json]) -> dict[str, Json]:
    """Return the outputs of a provider: its inputs, without what only the engine reads."""
    return {key: value for key, value in inputs.items() if key != _INTERNAL}
