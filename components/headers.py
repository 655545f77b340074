"""Request headers that a client may not send on, whichever products play edge and gateway."""

from typing import Final

from topology.derive import names

FORWARDING: Final = (
    "forwarded", "x-real-ip", "true-client-ip", "x-client-ip", "x-cluster-client-ip", "cf-connecting-ip", "fastly-client-ip",
    "x-forwarded-port", "x-forwarded-server", "x-forwarded-prefix", "x-forwarded-path", "x-forwarded-scheme", "x-forwarded-ssl",
    "front-end-https",
)  # fmt: skip
"""Where a request claims to come from. The edge knows, from the connection."""

REWRITING: Final = ("x-original-url", "x-original-uri", "x-rewrite-url", "x-original-host", "x-host")
"""By which some frameworks serve another path or host than the one every layer has checked."""

OVERRIDING: Final = ("x-http-method-override", "x-http-method", "x-method-override")
"""By which some frameworks run another method than the one every layer has checked. The WAF refuses them, too."""

TRACING: Final = (
    "traceparent", "tracestate", "baggage", "b3", "x-b3-traceid", "x-b3-spanid", "x-b3-parentspanid", "x-b3-sampled", "x-b3-flags",
    "grpc-trace-bin",
)  # fmt: skip
"""A trace begins at the gateway: outsiders neither join one nor decide what is sampled."""

KONG: Final = (
    "x-consumer-id", "x-consumer-username", "x-consumer-custom-id", "x-consumer-groups", "x-credential-identifier",
    "x-anonymous-consumer", "x-authenticated-groups", "x-authenticated-userid",
)  # fmt: skip
"""By which Kong tells services who is calling."""

HOP_BY_HOP: Final = ("te", "trailer", "keep-alive", "proxy-connection", "proxy-authorization")
"""Between the client and the edge alone (RFC 9110, 7.6.1). nginx removes the others by itself."""

REMOVED: Final = (
    *names.IDENTITY_HEADERS, *names.TRACE_INTERNAL_HEADERS, *FORWARDING, *REWRITING, *OVERRIDING, *TRACING, *KONG, *HOP_BY_HOP,
)  # fmt: skip
"""Every header that a client's request loses before it reaches the mesh."""

BELIEVED: Final = (
    *names.IDENTITY_HEADERS, *names.TRACE_INTERNAL_HEADERS, *FORWARDING, *REWRITING, *OVERRIDING, *TRACING, "x-forwarded-host",
)  # fmt: skip
"""What a gateway removes itself, before it looks at a request, where the edge cannot. It refuses requests with `FORGED` then."""

FORGED: Final = ("x-perimeter-.*", "x-envoy-.*", names.CLIENT_CERTIFICATE_HEADER, *KONG, *REWRITING, *OVERRIDING)
"""Headers that no honest client sends, as expressions: an edge that cannot remove headers refuses the request."""

HIDDEN: Final = (
    names.REQUEST_ID_HEADER, *names.IDENTITY_HEADERS, *names.TRACE_INTERNAL_HEADERS, "x-envoy-upstream-service-time", "x-powered-by",
)  # fmt: skip
"""Response headers that stay inside. The layer that makes the request's id says it itself."""
