"""Where the things are that people look for under another key."""

from collections.abc import Iterator, Mapping
from types import UnionType
from typing import Any, Final, Literal, Union, get_args, get_origin

from pydantic import BaseModel

from topology.findings import nearest
from topology.model.cors import Cors
from topology.model.door import Door, Issuer, Tier
from topology.model.service import Service, Version
from topology.model.system import Topology
from topology.standins import bare

HINTS: Final[Mapping[type[BaseModel], Mapping[str, str]]] = {
    Topology: {
        "gateways": "the gateway of a stack is chosen in its stack file",
        "ingress": "the ways in are written under `doors`",
        "routes": "the ways in are written under `doors`",
        "policies": "they follow from `calls`, `doors`, `bridges` and `egress`",
        "databases": "one outside is written under `egress` with `protocol: tcp`, one inside under `services` with `protocol: tcp`",
        "external": "the ways out are written under `egress`",
        "secrets": "a service names the Secrets that it reads in versions.<version>.secrets",
    },
    Service: {
        "ingress": "the ways in from outside are written under `doors`, by the name of this service",
        "egress": "the ways out are written under `egress` at the top, by the name of this service",
        "expose": "the ways in from outside are written under `doors`, by the name of this service",
        "callers": "who may call is written with the caller: its `calls`",
        "dependsOn": "whom it calls is written under `calls`",
        "labels": "labels follow from the topology, and none of one's own can be set",
        "annotations": "annotations follow from the topology, and none of one's own can be set",
        "secret": "write versions.<version>.secrets",
        "volumes": "directories that may be written to are named in versions.<version>.scratch; others there are none",
    },
    Version: {
        "labels": "labels follow from the topology, and none of one's own can be set",
        "args": "write all of it under `command`",
        "volumes": "directories that may be written to are named in `scratch`; others there are none",
    },
    Door: {
        "origins": "whose pages may use a door is written under `cors` at the top, and its name under the door's `cors`",
        "limit": "a door is limited by a tier: write it under `tiers` at the top, and its name under the door's `tiers`",
        "limits": "a door is limited by a tier: write it under `tiers` at the top, and its name under the door's `tiers`",
        "rateLimit": "a door is limited by a tier: write it under `tiers` at the top, and its name under the door's `tiers`",
        "retries": "retries are written with the service: resilience.retries",
        "scopes": "what a token must say is written with the issuer: requiredClaims",
        "claims": "what a token must say is written with the issuer: requiredClaims",
        "calls": "whom a service calls is written with the service",
    },
    Cors: {
        "methods": "they follow from the doors that name it",
        "allowedOrigins": "write origins",
        "allowedHeaders": "write headers",
        "exposedHeaders": "write expose",
        "allowCredentials": "write credentials",
    },
    Issuer: {"scopes": "write requiredClaims", "claims": "write requiredClaims"},
    Tier: {"requests": "write it in a list: limits: [{requests: 10, per: second}]"},
}
"""Keys that people expect of a part, and what there is instead. A test holds that none of them is a key of the part."""

DEEPEST: Final = 3
"""So many parts deep it is looked for a key that stands in another place than was thought."""

NEARLY: Final = 0.85
"""So alike are a key and a misspelling of it (`version` for `versions`); what is less so may be a key of another part."""


NAMED: Final[Mapping[type[BaseModel], Mapping[str, str]]] = {
    Door: {"cors": "write it under `cors` at the top with a name, and that name here"},
}
"""For keys whose value is a name, what to say where somebody writes what it stands for."""


def hint(owner: type[BaseModel] | None, key: str) -> str | None:
    """Return where that is which someone looks for under a key that a part has not; None where nobody knows, or it is misspelled."""
    if owner is None:
        return None
    if (said := HINTS.get(owner, {}).get(key)) is not None:
        return said
    if nearest(key, keys_of(owner), likeness=NEARLY) is not None:
        return None
    inner = next(_places(owner, key), None)
    return f"it stands deeper: {inner}" if inner else None


def keys_of(owner: type[BaseModel] | None) -> list[str]:
    """Return the keys that a part of the model has in a file."""
    return [field.alias or name for name, field in owner.model_fields.items()] if owner else []


def _places(owner: type[BaseModel], key: str) -> Iterator[str]:
    """Yield the paths of a key in the parts of a part, the shortest first."""
    level: list[tuple[str, type[BaseModel]]] = [("", owner)]
    for _ in range(DEEPEST):
        level = [
            (f"{path}{field.alias or name}{step}.", part)
            for path, model in level
            for name, field in model.model_fields.items()
            for step, part in _parts(field.annotation)
        ]
        yield from (f"{path}{key}" for path, part in level if key in keys_of(part))


def _parts(annotation: Any, step: str = "") -> Iterator[tuple[str, type[BaseModel]]]:
    """Yield the parts of the model that a field holds, with the step that leads to each: a name, a position, none."""
    kind, _ = bare(annotation)
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        yield step, kind
    elif get_origin(kind) in {Union, UnionType}:
        for member in get_args(kind):
            yield from _parts(member, step)
    elif get_origin(kind) is tuple:
        yield from _parts(get_args(kind)[0], f"{step}[0]")
    elif get_args(kind) and get_origin(kind) is not Literal:
        yield from _parts(get_args(kind)[1], f"{step}.<name>")
