"""The options of a registration under the names of `apitype.ResourceV3`, as a plan writes them."""

import re
from collections.abc import Sequence
from typing import Any, cast

from google.protobuf.struct_pb2 import Struct
from pulumi.runtime.proto import alias_pb2, resource_pb2, source_pb2

from planner import values, wire
from planner.deployment import Deployment
from planner.goal import Goal
from planner.wire import Json

_HOOKS = {
    "before_create": "BeforeCreate",
    "after_create": "AfterCreate",
    "before_update": "BeforeUpdate",
    "after_update": "AfterUpdate",
    "before_delete": "BeforeDelete",
    "after_delete": "AfterDelete",
    "on_error": "OnError",
}

_UNITS = {"h": 3600.0, "m": 60.0, "s": 1.0, "ms": 1e-3, "us": 1e-6, "µs": 1e-6, "ns": 1e-9}


def options(request: resource_pb2.RegisterResourceRequest, goal: Goal, deployment: Deployment) -> dict[str, Json]:
    """Return the options of a registration; empty ones too.

    `deleteBeforeReplace` is no part of a state file; policies see it, so a plan keeps it.
    """
    trigger = Struct(fields={"trigger": goal.replacement_trigger}) if goal.replacement_trigger else None
    return {
        "parent": request.parent,
        "provider": goal.provider if request.custom else "",
        "aliases": [*_aliases(request, goal.aliases, deployment)],
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
        "resourceHooks": {kind: [*getattr(goal.hooks, name)] for name, kind in _HOOKS.items() if goal.hooks and getattr(goal.hooks, name)},
        "sourcePosition": position(request, deployment.root),
    }


def position(request: resource_pb2.RegisterResourceRequest | resource_pb2.ReadResourceRequest, root: str) -> str:
    """Return the line of the project that registers a resource.

    It is empty for a line outside and, unlike the engine's, for one of an installed package, which may lie below the project's folder:
    plans made on two machines are to be equal.
    """
    found: source_pb2.SourcePosition = cast(Any, request).sourcePosition  # the SDK's stubs lack the type of this field
    base = f"file://{root}/"
    if not found.uri.startswith(base) or "/site-packages/" in found.uri:
        return ""
    return f"project:///{found.uri.removeprefix(base)}#{found.line}"


def _aliases(request: resource_pb2.RegisterResourceRequest, aliases: Sequence[alias_pb2.Alias], deployment: Deployment) -> list[str]:
    """Return the urns that the program says a resource had before.

    Other types of the same package are left out: the SDKs of providers add them to every resource by themselves.
    """
    found: list[str] = []
    for alias in aliases:
        spec = alias.spec
        if not alias.HasField("spec"):
            found.append(alias.urn)
        elif not _is_of_sdk(spec, request.type):
            parent = "" if spec.noParent else spec.parentUrn or request.parent
            stack, project = spec.stack or deployment.stack, spec.project or deployment.project
            found.append(wire.make_urn(stack, project, parent, spec.type or request.type, spec.name or request.name))
    return list(dict.fromkeys(found))


def _is_of_sdk(spec: alias_pb2.Alias.Spec, type_: str) -> bool:
    only_type = spec.type and not (spec.name or spec.stack or spec.project or spec.parentUrn or spec.noParent)
    return bool(only_type) and wire.package_of(spec.type) == wire.package_of(type_)


def _timeouts(goal: Goal) -> dict[str, Json]:
    """Return custom timeouts in seconds, from durations as Go spells them: `1h30m`."""
    if goal.custom_timeouts is None:
        return {}
    texts = {name: str(getattr(goal.custom_timeouts, name)) for name in ("create", "update", "delete", "read")}
    return {name: _seconds(text) for name, text in texts.items() if text}


def _seconds(duration: str) -> Json:
    seconds = sum((float(number) * _UNITS[unit] for number, unit in re.findall(r"([0-9.]+)(h|ms|us|µs|ns|m|s)", duration)), 0.0)
    return int(seconds) if seconds.is_integer() else seconds
