"""Operations of the topology in the words of Istio."""

from collections.abc import Iterable
from typing import Any

from topology import paths
from topology.model.door import Door
from topology.model.service import GrpcOperation, HttpOperation, Operation

AuthorizationOperation = dict[str, Any]


def authorized(granted: Iterable[Operation], port: int | None = None) -> list[AuthorizationOperation]:
    """Return `to` entries of an AuthorizationPolicy, on one port of the pod where it is given; without operations, that port alone."""
    ports = {"ports": [str(port)]} if port else {}
    return [{"operation": {**_authorized(operation), **ports}} for operation in granted] or [{"operation": ports}]


def _authorized(operation: Operation) -> dict[str, Any]:
    match operation:
        case HttpOperation():
            methods, patterns = list(operation.methods), list(operation.paths)
        case GrpcOperation():
            methods, patterns = ["POST"], [f"/{rpc}" for rpc in operation.rpcs]
    return {"methods": methods, "paths": [authorized_path(pattern) for pattern in patterns]}


def authorized_path(pattern: str) -> str:
    """Return a path of an AuthorizationPolicy. Beside `{*}` Istio wants the open end as `{**}`."""
    return f"{paths.stem(pattern)}{{**}}" if paths.is_template(pattern) and paths.is_prefix(pattern) else pattern


def routed_path(pattern: str) -> dict[str, str]:
    """Return the `uri` match of a VirtualService."""
    if paths.is_template(pattern):
        return {"regex": paths.regex(pattern)}
    return {"prefix": paths.stem(pattern)} if paths.is_prefix(pattern) else {"exact": pattern}


def inner(door: Door) -> HttpOperation:
    """Return what a door asks of its service, after its rewrite."""
    patterns = door.paths
    if door.rewrite:
        patterns = tuple(paths.rewrite(pattern, door.rewrite.prefix, door.rewrite.replacement) for pattern in patterns)
    return HttpOperation(methods=door.methods, paths=patterns)


def specificity(pattern: str) -> tuple[bool, int, int, str]:
    """Return a sort key that puts the narrower of two overlapping patterns first: exact before prefix, longer before shorter."""
    segments = pattern.count("/")
    return (paths.is_prefix(pattern), -segments, pattern.count(paths.ANY_SEGMENT), pattern)
