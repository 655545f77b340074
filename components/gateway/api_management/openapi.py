"""The doors of an API in OpenAPI 3.0: what developers read in the portal, and what a client may be made from.

A document says what the gateway asks and refuses. What a service answers is the service's own to say.
"""

from collections.abc import Iterator, Mapping
from http import HTTPMethod
from typing import Any, Final

from components.gateway.api_management.apis import Api, Operation
from components.gateway.api_management.policies import configuration_of
from components.gateway.limits import tiers_of
from topology.derive import names
from topology.model.base import Name, size_in_bytes
from topology.model.door import ApiKeyAuth, Door, JwtAuth, Lifecycle
from topology.model.system import Topology

Document = dict[str, Any]

OPENAPI: Final = "3.0.3"
"""The newest that API Management takes and gives in full (Learn, `api-management-api-import-restrictions`)."""
KEY: Final = "apiKey"
"""Name of the security scheme of consumers' keys."""
UNVERSIONED: Final = "1"
"""OpenAPI asks for a version where an API has none."""
BODIES: Final = frozenset({HTTPMethod.POST, HTTPMethod.PUT, HTTPMethod.PATCH, HTTPMethod.DELETE})
"""Methods whose requests may have a body."""
REFUSALS: Final = {
    401: "no valid credential",
    403: "the credential is not for this",
    411: "the request does not say how long its body is",
    413: "the body is too long",
    429: "asked too often; Retry-After says when to ask again",
}
"""Answers of the gateway itself, by status."""


def document(t: Topology, about: Api, discovery: Mapping[Name, str]) -> Document:
    """Return the document of one version of an API.

    Args:
        t: the system.
        about: the API.
        discovery: where issuers publish their OpenID configuration, if not where the standard says.
    """
    hosts = dict.fromkeys(t.host_of(t.doors[name]) for name in about.doors)
    paths: dict[str, Document] = {}
    # Of two operations that OpenAPI cannot tell apart, the first is the narrower one, which answers.
    for operation in sorted(about.operations, key=lambda operation: operation.template.endswith("*")):
        paths.setdefault(_path(operation), {}).setdefault(operation.method.lower(), described(t, about, operation))
    schemes = {name: scheme for name in about.doors for name, scheme in _schemes(t, t.doors[name], discovery)}
    return {
        "openapi": OPENAPI,
        "info": {"title": about.title(t), "version": about.version or UNVERSIONED, "description": summary(t, about)},
        "servers": [{"url": f"https://{host}/{about.begins}".removesuffix("/")} for host in hosts],
        "paths": paths,
        "components": {"securitySchemes": schemes},
    }


def summary(t: Topology, about: Api) -> str:
    """Return what an API is for, as the topology says."""
    return " ".join(t.apis[api].description for api, _ in about.versions(t)).strip() or f"{t.system}: {', '.join(about.doors)}"


def described(t: Topology, about: Api, operation: Operation) -> Document:
    """Return the Operation Object of one method at one path."""
    door = t.doors[operation.door]
    body = _body(door, operation.method)
    return {
        "operationId": operation.name,
        "summary": f"{operation.method} /{about.begins}{operation.template}"
        if about.begins
        else f"{operation.method} {operation.template}",
        "description": door.description or operation.door,
        "deprecated": is_deprecated(t, door),
        "parameters": [*_path_parameters(operation), *_version(about)],
        **({"requestBody": body} if body else {}),
        "responses": {"default": {"description": "the answer of the service"}, **_refusals(door, operation.method)},
        "security": [{scheme: []} for scheme in _scheme_names(door)],
    }


def is_deprecated(t: Topology, door: Door) -> bool:
    """Say whether the API version of a door is announced to end."""
    return door.api is not None and t.apis[door.api.name].versions[door.api.version].lifecycle is Lifecycle.DEPRECATED


def _path(operation: Operation) -> str:
    """Return an operation's path; what may have several segments is the last parameter, because OpenAPI has no sign for it."""
    if not operation.template.endswith("*"):
        return operation.template
    return f"{operation.template.removesuffix('*')}{{p{len(operation.parameters) + 1}}}"


def _path_parameters(operation: Operation) -> Iterator[Document]:
    several = f"p{len(operation.parameters) + 1}" if operation.template.endswith("*") else None
    for name in [*operation.parameters, *([several] if several else [])]:
        text = "one segment or more" if name == several else "one segment"
        yield {"name": name, "in": "path", "required": True, "description": text, "schema": {"type": "string"}}


def _version(about: Api) -> Iterator[Document]:
    if about.version_set and about.version_set.header:
        schema = {"type": "string", "enum": [about.version]}
        yield {"name": about.version_set.header, "in": "header", "required": True, "description": "version", "schema": schema}


def _body(door: Door, method: str) -> Document | None:
    if method not in BODIES:
        return None
    return {"description": f"at most {size_in_bytes(door.max_body)} bytes", "content": {"*/*": {"schema": {}}}}


def _refusals(door: Door, method: str) -> Document:
    protected, body = isinstance(door.auth, (JwtAuth, ApiKeyAuth)), method in BODIES
    possible = {401: protected, 403: protected, 411: body, 413: body, 429: bool(tiers_of(door))}
    return {str(status): {"description": REFUSALS[status]} for status, holds in possible.items() if holds}


def _scheme_names(door: Door) -> list[str]:
    match door.auth:
        case JwtAuth(jwt=login):
            return [login]
        case ApiKeyAuth():
            return [KEY]
        case _:
            return []


def _schemes(t: Topology, door: Door, discovery: Mapping[Name, str]) -> Iterator[tuple[str, Document]]:
    match door.auth:
        case JwtAuth(jwt=login):
            text = f"a token for {' or '.join(t.issuers[login].audiences)}"
            yield login, {"type": "openIdConnect", "openIdConnectUrl": configuration_of(t, login, discovery), "description": text}
        case ApiKeyAuth(api_key=tiers):
            yield KEY, {"type": "apiKey", "in": "header", "name": names.API_KEY_HEADER, "description": f"of {' or '.join(tiers)}"}
        case _:
            return
