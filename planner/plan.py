"""A plan: the value every other tool reads, in the shape of `pulumi stack export`."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property
from typing import Any, cast

from planner import wire
from planner.errors import PlanError
from planner.wire import Json

_ENVELOPE = "perimeter"
"""The top-level key that says how a plan was made. Pulumi's tools ignore keys they do not know."""

_VERSIONS = (3, 4)
"""Deployment versions whose resources are spelled the same; 4 only adds a list of features. Source: `apitype.DeploymentV3`."""


class Mode(StrEnum):
    """How a plan takes what only a deployment knows."""

    PESSIMISTIC = "pessimistic"
    """Every output that is no input is unknown, ids too."""

    OPTIMISTIC = "optimistic"
    """Ids and the outputs declared in `planner.standins` have stand-ins; every other output is unknown."""

    RESOLVED = "resolved"
    """Outputs are those of a deployment as far as it has gone, and secrets have their values; every other output is unknown."""

    EXPORTED = "exported"
    """Read from a stack export: the values are those of a deployment."""


@dataclass(frozen=True, kw_only=True)
class Known:
    """What a deployment has made of a resource.

    Attributes:
        id: the id its provider gave it.
        outputs: its properties as a state file spells them; secrets with their values.
    """

    id: str
    outputs: Mapping[str, Json] = field(repr=False)


@dataclass(frozen=True)
class Plan:
    """The resources a program would create, each spelled as in `deployment.resources` of a stack export.

    Every resource comes after its parent, its provider and what it depends on; within that order they are sorted by urn, so that equal
    programs give equal plans. No value in it is a secret's: a placeholder stands for each, except in a resolved plan, which is never to be
    written to a disk. Treat the dictionaries as frozen; equal values may be one object.

    Attributes:
        resources: the keys of each are those of `apitype.ResourceV3`; `urn`, `custom` and `type` are always there.
        mode: how unknown values were taken.
        messages: what the program printed and logged while it was planned, line by line; no part of the plan's text.
    """

    resources: tuple[dict[str, Any], ...]
    mode: Mode = Mode.EXPORTED
    messages: tuple[str, ...] = field(default=(), compare=False, repr=False)

    @cached_property
    def stack(self) -> str:
        """Return the stack's name, or an empty string for a plan without resources."""
        return self._urn_part(0).rpartition(":")[2]

    @cached_property
    def project(self) -> str:
        """Return the project's name, or an empty string for a plan without resources."""
        return self._urn_part(1)

    def _urn_part(self, index: int) -> str:
        return str(self.resources[0]["urn"]).split("::")[index] if self.resources else ""

    def to_json(self) -> str:
        """Return the plan as a stack export, one resource a line. Equal plans give equal text."""
        lines = ",\n".join(_compact(resource) for resource in self.resources)
        manifest = _compact({"time": "0001-01-01T00:00:00Z", "magic": "", "version": ""})
        envelope = _compact({"mode": self.mode})
        body = f"\n{lines}\n" if lines else ""
        return f'{{"version":3,"{_ENVELOPE}":{envelope},"deployment":{{"manifest":{manifest},"resources":[{body}]}}}}'

    @classmethod
    def from_json(cls, text: str) -> "Plan":
        """Read a plan, or what `pulumi stack export` prints; plaintext of secrets is left behind.

        Raises:
            PlanError: where the text is anything else, with what it seems to be.
        """
        try:
            document: object = json.loads(text)
        except json.JSONDecodeError as error:
            raise PlanError([f"line {error.lineno}, column {error.colno}: no JSON ({error.msg}). {_EXPECTED}"]) from error
        except RecursionError as error:
            raise PlanError([f"the JSON is nested too deeply for a plan. {_EXPECTED}"]) from error
        resources, mode = _resources(document)
        findings = [finding for index, resource in enumerate(resources) for finding in _misspelled(index, resource)]
        if findings:
            raise PlanError(findings)
        return cls(tuple(_clean(cast(dict[str, Json], resource)) for resource in resources), mode)


_EXPECTED = "Expected what `perimeter plan` or `pulumi stack export` writes."


def _compact(value: object) -> str:
    return json.dumps(value, separators=(",", ":"), sort_keys=True, ensure_ascii=False)


def _resources(document: object) -> tuple[list[object], Mode]:
    if not isinstance(document, dict):
        raise PlanError([f"the document is {_kind(document)}, not an object. {_EXPECTED}"])
    document = cast(dict[str, object], document)
    if "steps" in document:
        raise PlanError(
            [
                f"this is what `pulumi preview --json` prints; it leaves out resources that do not change, so it cannot be judged. {_EXPECTED}"
            ]
        )
    version, deployment = document.get("version"), document.get("deployment")
    if not isinstance(deployment, dict):
        raise PlanError([f"key `deployment`: is {_kind(deployment)}, not an object. {_EXPECTED}"])
    if version not in _VERSIONS:
        raise PlanError(
            [f"key `version`: {version!r} is no deployment version this tool reads ({', '.join(map(str, _VERSIONS))}). {_EXPECTED}"]
        )
    deployment = cast(dict[str, object], deployment)
    if deployment.get("pending_operations"):
        raise PlanError(
            [
                "key `deployment.pending_operations`: an update was interrupted, so what exists is not known. Run `pulumi refresh`, then export again."
            ]
        )
    resources = deployment.get("resources", [])
    if not isinstance(resources, list):
        raise PlanError([f"key `deployment.resources`: is {_kind(resources)}, not a list. {_EXPECTED}"])
    return [item for item in cast(list[object], resources) if not _is_leaving(item)], _mode(document.get(_ENVELOPE))


def _is_leaving(resource: object) -> bool:
    """Whether a resource is marked for deletion: the engine shows it to no policy either."""
    return isinstance(resource, dict) and bool(cast(dict[str, object], resource).get("delete"))


def _mode(envelope: object) -> Mode:
    if envelope is None:
        return Mode.EXPORTED
    given = cast(Mapping[str, object], envelope).get("mode") if isinstance(envelope, dict) else envelope
    if given not in tuple(Mode):
        raise PlanError([f"key `{_ENVELOPE}.mode`: {given!r} is none of {', '.join(Mode)}."])
    return Mode(str(given))


def _misspelled(index: int, resource: object) -> list[str]:
    where = f"deployment.resources[{index}]"
    if not isinstance(resource, dict):
        return [f"{where}: is {_kind(resource)}, not an object. {_EXPECTED}"]
    resource = cast(dict[str, object], resource)
    findings = [
        f"{where}: `{key}` is {_kind(resource.get(key))}, not {_NAMES[kind]}. {_EXPECTED}"
        for key, kind in (("urn", str), ("type", str))
        if not isinstance(resource.get(key), kind)
    ]
    urn = resource.get("urn")
    if isinstance(urn, str) and (not urn.startswith("urn:pulumi:") or urn.count("::") < 3):
        findings.append(f"{where}: {urn!r} is no urn (urn:pulumi:<stack>::<project>::<type>::<name>).")
    findings += [
        f"{where}: `{key}` is {_kind(resource[key])}, not {_NAMES[kind]}. {_EXPECTED}"
        for key, kind in (("inputs", dict), ("outputs", dict), ("dependencies", list), ("propertyDependencies", dict))
        if resource.get(key) is not None and not isinstance(resource[key], kind)
    ]
    return findings


_NAMES: Mapping[type, str] = {
    str: "a string",
    dict: "an object",
    list: "a list",
    int: "a number",
    float: "a number",
    bool: "a boolean",
    type(None): "missing or null",
}


def _kind(value: object) -> str:
    return _NAMES.get(type(value), type(value).__name__)


def _clean(resource: dict[str, Json]) -> dict[str, Any]:
    cleaned = {key: _without_plaintext(value) for key, value in resource.items()}
    if cleaned.get("inputs") == cleaned.get("outputs") and "inputs" in cleaned:
        cleaned["outputs"] = cleaned["inputs"]
    return cleaned


def _without_plaintext(value: Json) -> Json:
    if isinstance(value, list):
        return [_without_plaintext(item) for item in value]
    if not isinstance(value, dict):
        return value
    if value.get(wire.SIGNATURE) == wire.SECRET:
        return wire.UNKNOWN_SECRET if wire.has_unknown(value) else wire.KNOWN_SECRET
    return {key: _without_plaintext(item) for key, item in value.items()}
