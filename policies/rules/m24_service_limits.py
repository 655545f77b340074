"""M24: services are called no more often than they bear."""

from collections.abc import Iterable, Iterator

from policies.checks import attempt
from policies.reading.pods import Pod
from policies.reading.resource import Resource
from policies.reading.service_limits import limited_by, limits_of
from policies.reading.stack import Stack
from policies.reading.tiers import promise
from policies.rule import Finding, Rule, Severity
from topology.edges import identity
from topology.model.service import Service


class M24(Rule):
    """In front of every service stands the limit that the topology gives it.

    Forbids:
        A service with a `limit` in the topology of which no EnvoyFilter limits the pods; one that admits more at once
        (`max_tokens`) or for long (`tokens_per_fill`, `fill_interval`); one that is not switched on and enforced for all requests
        (`filter_enabled`, `filter_enforced`), or counts each connection by itself; a count for each proxy where the topology wants
        one count (`scope: global`), and a rate-limit service whose configuration admits more.

    Why:
        The limits of the gateway are for clients. A service is also called by other services, and one of them in a loop is
        enough to take it from everybody. A limit that is written and not enforced (both switches are 0 % by default) looks the
        same in every list of objects.

    Instead:
        Give the service a limit in the topology, and leave the filter to what follows from it::

            services:
              b:
                limit: {requests: 100, per: second, burst: 20}
    """

    id = "M24"
    name = "services-have-their-limits"
    severity = Severity.MEDIUM
    frameworks = ("OWASP API4:2023",)

    def judge(self, stack: Stack) -> Iterator[Finding]:
        """Check every service that has a limit."""
        filters: dict[Pod, list[Resource]] = {}
        yield from self.over(stack.of("EnvoyFilter.networking.istio.io"), lambda resource: _note(resource, stack, filters))
        for name, service in stack.intent.services.items():
            for pod in stack.holders(identity(stack.intent, name)) if service.limit else ():
                yield from attempt(self, pod.resource, self._pod(stack, pod, service, filters.get(pod, ())))

    def applies(self, stack: Stack) -> bool:
        """Say whether a service has a limit."""
        return any(service.limit for service in stack.intent.services.values())

    def _pod(self, stack: Stack, pod: Pod, service: Service, filters: Iterable[Resource]) -> Iterator[Finding]:
        limit = service.limit
        if limit is None:
            return
        kept = [each for resource in filters for each in limits_of(resource, stack, service.port)]
        if not kept:
            yield self.broken(
                pod.resource,
                f"nothing in front of it limits how often it is called; {promise(limit)}",
                "add the EnvoyFilter that follows from the topology",
            )
        for each in kept:
            if excess := each.excess(limit):
                yield self.broken(each.resource, f"in front of the {pod}: {excess}; {promise(limit)}", "give the limit of the topology")


def _note(resource: Resource, stack: Stack, filters: dict[Pod, list[Resource]]) -> None:
    for pod in limited_by(resource, stack):
        filters.setdefault(pod, []).append(resource)
