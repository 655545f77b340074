"""Who answered: every layer is known by the answers that it makes itself. What no layer is known by was said by the service.

Sources of the texts: nginx `ngx_http_special_response.c`; Envoy `source/extensions/filters/http/{rbac,jwt_authn,local_ratelimit,fault}`,
`source/common/router/router.cc`, gRPC statuses by `Grpc::Utility::httpToGrpcStatus`; Kong `kong/error_handlers.lua` and its plugins;
Azure Application Gateway and AWS load balancers name themselves in their error pages.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from conformance.answer import Answer
from topology.derive.probes import Layer

Says = Callable[[Answer], bool]


@dataclass(frozen=True, kw_only=True)
class Signature:
    """An answer that one layer gives."""

    layer: Layer
    says: Says
    outside: bool | None = None
    """Only for a client outside, or only for one inside; None: for both."""


def _contains(*texts: str) -> Says:
    return lambda answer: any(text in answer.body for text in texts)


def _starts(*texts: str) -> Says:
    return lambda answer: answer.body.startswith(texts)


def _grpc(status: str, *messages: str) -> Says:
    """Return the test of a gRPC status whose message begins so; without messages, of one that has none."""

    def says(answer: Answer) -> bool:
        message = answer.header("grpc-message")
        return answer.header("grpc-status") == status and (message.startswith(messages) if messages else not message)

    return says


def _bare(*statuses: int) -> Says:
    return lambda answer: answer.status in statuses and answer.empty and not answer.header("grpc-status")


NGINX: Final = "<center>nginx"
LOAD_BALANCERS: Final = ("<center>Microsoft-Azure-Application-Gateway", "<center>awselb")
JWT: Final = ("Jwt ", "Jwks ", "Audiences in Jwt")
RBAC: Final = "RBAC: access denied"
UNCONNECTED: Final = "upstream connect error or disconnect/reset before headers"
EDGES: Final = (NGINX, *LOAD_BALANCERS)


def _refused_by_rules(answer: Answer) -> bool:
    return answer.status == 403 and any(text in answer.body for text in EDGES)


SIGNATURES: Final = (
    Signature(layer=Layer.FAULT, says=_starts("fault filter abort")),
    Signature(layer=Layer.FAULT, says=lambda answer: answer.header("grpc-message").startswith("fault filter abort")),
    Signature(layer=Layer.LIMIT, says=_starts("local_rate_limited")),
    Signature(layer=Layer.LIMIT, says=lambda answer: answer.status == 429 and bool(answer.header("x-envoy-ratelimited"))),
    Signature(layer=Layer.LIMIT, says=_contains('"API rate limit exceeded"')),
    Signature(layer=Layer.LIMIT, says=_bare(429)),
    Signature(layer=Layer.LIMIT, says=_grpc("14", "local_rate_limited")),
    Signature(layer=Layer.FIREWALL, says=_refused_by_rules, outside=True),
    Signature(layer=Layer.EDGE, says=_contains(*EDGES), outside=True),
    Signature(layer=Layer.PROXY, says=_starts(RBAC, *JWT, "Client authentication failed")),
    Signature(layer=Layer.PROXY, says=_grpc("7", RBAC, *JWT)),
    Signature(layer=Layer.PROXY, says=_grpc("16", *JWT)),
    Signature(layer=Layer.PROXY, says=_grpc("12")),
    Signature(
        layer=Layer.PROXY,
        says=_contains('"Unauthorized"', "No API key found", "no Route matched with those values", "No credentials found"),
    ),
    Signature(layer=Layer.UPSTREAM, says=_starts("no healthy upstream", "upstream request timeout")),
    Signature(layer=Layer.UPSTREAM, says=_grpc("14", "no healthy upstream", "upstream request timeout")),
    Signature(layer=Layer.UPSTREAM, says=_grpc("4", "upstream request timeout", "")),
    Signature(layer=Layer.NETWORK, says=_starts(UNCONNECTED), outside=False),
    Signature(layer=Layer.NETWORK, says=_grpc("14", UNCONNECTED), outside=False),
    Signature(layer=Layer.UPSTREAM, says=_starts(UNCONNECTED)),
    Signature(layer=Layer.UPSTREAM, says=_grpc("14", UNCONNECTED)),
    Signature(layer=Layer.OWN_PROXY, says=_bare(502), outside=False),
    Signature(layer=Layer.OWN_PROXY, says=_grpc("14"), outside=False),
    Signature(layer=Layer.PROXY, says=_bare(400, 403, 404, 405, 413, 421, 426, 431)),
)

AMBIGUOUS: Final = frozenset({401, 403, 429, 500, 502, 503, 504})
"""Statuses that services give too: without a signature nobody can tell who gave them."""


def layer_of(answer: Answer, *, outside: bool) -> Layer:
    """Return who gave an answer; `outside`: it was seen through the public address."""
    if not answer.status:
        return Layer.TRANSPORT if answer.connected else Layer.NETWORK
    if answer.echo() is not None:
        return Layer.SERVICE
    for signature in SIGNATURES:
        if signature.outside in {None, outside} and signature.says(answer):
            return signature.layer
    return Layer.UNKNOWN if answer.status in AMBIGUOUS else Layer.SERVICE
