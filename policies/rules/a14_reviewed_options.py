"""A14: the gateway is told only what somebody reviewed."""

from collections.abc import Iterator, Mapping
from typing import Final

from policies.cloud_rule import has_readers, in_clouds
from policies.reading.controllers import GATEWAY_API
from policies.reading.gateway_fields import ACCEPTED, KONG_PLUGIN_KINDS, unreviewed
from policies.reading.resource import Resource
from policies.reading.stack import Stack
from policies.rule import Finding, ResourceRule, Severity
from topology.model.system import Topology

_QUALIFIED: Final = frozenset({"Gateway", "GatewayClass", "HTTPRoute", "GRPCRoute", "BackendTLSPolicy"})
"""Kinds of the Gateway API; Istio has a Gateway of its own."""

_CONFIGURED: Final = frozenset({"Gateway", "GatewayClass"})
"""Kinds that name an object with the options of the proxies."""

BROKEN: Final[Mapping[tuple[str, str], str]] = {
    ("type", "RequestRedirect"): "it sends clients elsewhere, in the name of a door",
    **dict.fromkeys((("plugin", name) for name in ("pre-function", "post-function")), "it runs code of its own on every request"),
    ("run_on_preflight", "false"): "a request with the method OPTIONS passes without a credential",
    ("preflight_continue", "true"): "preflights, which bear no credential, go on to services",
    ("private_network", "true"): "pages of the Internet may ask from within their readers' networks",
}
"""Options of which it is known what they open: last part of the path, value, and what comes of it."""


class A14(ResourceRule):
    """The API gateway is told only what the judge reads, or what is known to open nothing.

    Forbids:
        - a field of a Gateway, a route, a policy of Envoy Gateway or a BackendTLSPolicy that is not accepted in
          `policies/reading/gateway_fields.py`, or one with another value: `proxyProtocol`, `recomputeRoute`, `faultInjection`,
          `responseOverride`, a redirect, an image from elsewhere;
        - a plugin of Kong that is not listed there (`pre-function`, which runs code), or a setting of one (`run_on_preflight: false`);
        - an annotation `konghq.com/...` of any object that is not listed there (`konghq.com/rewrite`);
        - `parametersRef` of a GatewayClass or a Gateway to an object that is not in the program;
        - taking headers out of answers that the topology does not name, such as `strict-transport-security`;
        - a policy of API Management, or an attribute of one, that is not accepted in `policies/reading/cloud/azure/policy_fields.py`:
          `limit-concurrency`, in which others act, `trace` and `emit-metric`, which write down what they are told, `follow-redirects`;
        - a document of policies with more than one in `backend`, which API Management refuses as a whole;
        - a `retry` of a request that changes something.

    Why:
        Gateways have hundreds of options, and more with each version. Some answer in a service's place, send requests elsewhere,
        or let them pass before anybody asked who sends them. A judge that skips what it does not know would pass those.

    Instead:
        Leave the option out, or add it to the table after review, with the values at which it opens nothing.
    """

    id = "A14"
    name = "gateway-options-are-reviewed"
    severity = Severity.HIGH
    frameworks = ("OWASP API8:2023",)
    kinds = tuple(f"{kind}.{GATEWAY_API}" if kind in _QUALIFIED else kind for kind in (*ACCEPTED, *sorted(KONG_PLUGIN_KINDS), "Service"))

    def judge(self, stack: Stack) -> Iterator[Finding]:
        """Check objects of the cluster, then what a gateway of a cloud is told."""
        yield from super().judge(stack)
        yield from in_clouds(self, stack)

    def applies(self, stack: Stack) -> bool:
        """Say whether a stack has a gateway's resources, in the cluster or in a cloud."""
        return super().applies(stack) or has_readers(self, stack)

    def check(self, resource: Resource, stack: Stack) -> Iterator[Finding]:
        """Name every option of one resource that nobody reviewed."""
        declared = _declared(stack.intent)
        yield from self._parameters(resource, stack)
        for path, value in unreviewed(resource):
            if value.lower() in declared and path.startswith(("spec.rules.", "config.")):
                continue
            if why := BROKEN.get((path.rpartition(".")[2], value)):
                yield self.broken(resource, f"sets {path} to `{value}`: {why}", "remove it")
                continue
            given = f" to `{value}`" if value else ""
            yield self.undecided(
                resource,
                f"sets {path}{given}, and what that opens is not known",
                "remove it, or add it to policies/reading/gateway_fields.py after review",
            )

    def _parameters(self, resource: Resource, stack: Stack) -> Iterator[Finding]:
        """Check that what configures the proxies is there to be read."""
        for path in (("spec", "parametersRef"), ("spec", "infrastructure", "parametersRef")):
            ref: Mapping[str, str] = resource.at(*path, default={}) if resource.kind in _CONFIGURED else {}
            if not ref:
                continue
            place = ref.get("namespace") or resource.namespace
            if stack.find(ref["kind"], place, ref["name"]) is None:
                yield self.undecided(
                    resource,
                    f"its proxies are configured by {ref['kind']} {place}/{ref['name']}, which is not in the program",
                    "add it to the program, or remove parametersRef",
                )


def _declared(t: Topology) -> frozenset[str]:
    """Return the headers that doors write and remove, and the values, in small letters; Envoy writes `%` twice."""
    edits = [edit for door in t.doors.values() for edit in (door.request_headers, door.response_headers)]
    written = [(name, value) for edit in edits for name, value in edit.set.items()]
    removed = frozenset(name.lower() for edit in edits for name in edit.remove)
    return removed | frozenset(
        text.lower() for name, value in written for text in (name, value, value.replace("%", "%%"), f"{name}:{value}")
    )
