"""Load balancers: who can reach them, what their listeners send where, and which pods are their targets.

https://docs.aws.amazon.com/elasticloadbalancing/latest/application/listener-rules.html
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from policies.reading.cloud.aws.kinds import (
    LISTENER,
    LISTENER_RULE,
    LOAD_BALANCER,
    TARGET_ATTACHMENT,
    TARGET_BINDING,
    TARGET_GROUP,
)
from policies.reading.cloud.references import named, one
from policies.reading.patterns import EVERY, Pattern, exact, prefix
from policies.reading.requests import Requests
from policies.reading.resource import Resource
from policies.reading.services import Service
from policies.reading.values import UnknownValueError, mapping, sequence
from topology.edges import ANY_METHOD

if TYPE_CHECKING:
    from policies.reading.stack import Stack

CONDITIONS: Final = frozenset({"hostHeader", "pathPattern", "httpRequestMethod"})
"""Conditions that are followed. Others make a rule match fewer requests, which nobody can count on."""

ANSWERS: Final = frozenset({"fixed-response", "redirect"})
"""Actions by which a load balancer answers itself."""


def is_public(balancer: Resource) -> bool:
    """Say whether a load balancer has public addresses: it does unless it is told not to.

    Raises:
        UnknownValueError: if that is not known.
    """
    return balancer.at("internal", default=False) is not True


def is_application(balancer: Resource) -> bool:
    """Say whether a load balancer reads requests, so that a firewall can: a network load balancer passes connections on."""
    return balancer.kind == LOAD_BALANCER and balancer.at("loadBalancerType", default="application") == "application"


@dataclass(frozen=True, kw_only=True, eq=False)
class Case:
    """Requests of one kind, and what a listener does with them."""

    resource: Resource
    """The rule, or the listener for its default."""
    key: str
    """The property that holds the actions."""
    actions: tuple[Mapping[str, Any], ...]
    hosts: tuple[str, ...] = ("*",)
    methods: tuple[str, ...] = (ANY_METHOD,)
    patterns: tuple[Pattern, ...] = (EVERY,)
    whole: bool = True
    """Every request that fits is taken; without it only some are, by conditions that are not followed."""

    @property
    def answer(self) -> str:
        """Return what the load balancer answers itself; empty where it sends requests on."""
        kinds = [str(action["type"]) for action in self.actions]
        return kinds[-1] if kinds and kinds[-1] in ANSWERS else ""

    def taken(self, requests: Requests) -> Iterator[Requests]:
        """Yield the part of some requests that the case is about."""
        for by_host in requests.to(self.hosts):
            for by_method in by_host.by(self.methods):
                yield from by_method.at(self.patterns)

    def left(self, requests: Requests) -> Requests | None:
        """Return what is left of some requests for later rules, as far as that can be told; None where nothing is."""
        takes = (
            self.whole
            and (ANY_METHOD in self.methods or requests.method in self.methods)
            and any(host in {"*", requests.host} for host in self.hosts)
        )
        return requests.minus(self.patterns) if takes else requests


def listeners_of(stack: "Stack", balancer: Resource) -> Iterator[Resource]:
    """Yield the listeners of a load balancer.

    Raises:
        UnknownValueError: if some listener does not say whose it is.
    """
    for listener in stack.of(LISTENER):
        if one(stack, listener, "loadBalancerArn", kinds=(LOAD_BALANCER,)) is balancer:
            yield listener


def cases_of(stack: "Stack", listener: Resource) -> Iterator[Case]:
    """Yield what a listener does with requests, in the order in which it asks its rules; its default last.

    Raises:
        UnknownValueError: if a rule cannot be read.
    """
    rules = [rule for rule in stack.of(LISTENER_RULE) if one(stack, rule, "listenerArn", kinds=(LISTENER,)) is listener]
    for rule in rules:
        if rule.at("priority") is None:
            raise UnknownValueError(f"{rule}: priority", "chosen by the provider, so the order of rules is not known")
    for rule in sorted(rules, key=lambda rule: int(rule.at("priority"))):
        yield _case(rule)
    yield Case(resource=listener, key="defaultActions", actions=tuple(map(mapping, sequence(listener.at("defaultActions")))))


def _case(rule: Resource) -> Case:
    hosts: list[str] = []
    methods: list[str] = []
    patterns: list[Pattern] = []
    whole = True
    for condition in map(mapping, sequence(rule.at("conditions", default=[]))):
        for key, value in condition.items():
            if value is None:
                continue
            values = [str(each) for each in sequence(mapping(value).get("values"))] if key in CONDITIONS else []
            whole = whole and bool(values)
            match key:
                case "hostHeader":
                    hosts += map(_host, values)
                    whole = whole and not any(map(_is_wide_host, values))
                case "httpRequestMethod":
                    methods += values
                case "pathPattern":
                    patterns += [_path(each) for each in values]
                    whole = whole and not any(map(_is_wide_path, values))
                case _:
                    pass
    return Case(
        resource=rule,
        key="actions",
        actions=tuple(map(mapping, sequence(rule.at("actions")))),
        hosts=tuple(hosts) or ("*",),
        methods=tuple(methods) or (ANY_METHOD,),
        patterns=tuple(patterns) or (EVERY,),
        whole=whole,
    )


def _is_wide_host(text: str) -> bool:
    plain = text.removeprefix("*.")
    return "*" in plain or "?" in plain


def _host(text: str) -> str:
    return "*" if _is_wide_host(text) else text.lower()


def _is_wide_path(text: str) -> bool:
    plain = text.removesuffix("*")
    return "*" in plain or "?" in plain


def _path(text: str) -> Pattern:
    """Return the paths that a pattern matches; `*` is any text, slashes too, so what is behind the first one is not followed."""
    plain = text.partition("*")[0].partition("?")[0]
    return exact(text) if plain == text else prefix(plain)


# Targets


def targets_of(stack: "Stack", case: Case) -> Iterator[Resource]:
    """Yield the target groups that a case sends requests to.

    Raises:
        UnknownValueError: if some are not of the program.
    """
    for path in (("targetGroupArn",), ("forward", "targetGroups", "arn")):
        yield from named(stack, case.resource, case.key, *path, kinds=(TARGET_GROUP,))


@dataclass(frozen=True, kw_only=True)
class Target:
    """A Service whose pods are the targets of a group."""

    binding: Resource
    service: Service
    port: int | str


def services_of(stack: "Stack", group: Resource) -> Iterator[Target]:
    """Yield the Services whose pods the load balancer controller puts into a target group.

    https://kubernetes-sigs.github.io/aws-load-balancer-controller/latest/guide/targetgroupbinding/targetgroupbinding/

    Raises:
        UnknownValueError: if something else may be in it: instances, addresses, a Service that is not in the program.
    """
    if group.at("targetType", default="instance") != "ip":
        raise UnknownValueError(f"{group}: targetType", "not `ip`: what stands behind its targets is not followed")
    for attachment in stack.of(TARGET_ATTACHMENT):
        if one(stack, attachment, "targetGroupArn", kinds=(TARGET_GROUP,)) is group:
            raise UnknownValueError(str(attachment), f"a target of {group} that no Service stands for")
    for binding in stack.of(TARGET_BINDING):
        if not _binds(stack, binding, group):
            continue
        name, port = binding.at("spec", "serviceRef", "name", default=""), binding.at("spec", "serviceRef", "port", default="")
        service = stack.service(binding.namespace, name)
        if service is None:
            raise UnknownValueError(f"{binding}: serviceRef", f"Service {binding.namespace}/{name}, which is not in the program")
        yield Target(binding=binding, service=service, port=port)


def _binds(stack: "Stack", binding: Resource, group: Resource) -> bool:
    spec = binding.at("spec", default={})
    if spec.get("targetGroupName") and spec.get("targetGroupARN") is None:
        return spec["targetGroupName"] == group.at("name")
    return one(stack, binding, "spec", "targetGroupARN", kinds=(TARGET_GROUP,)) is group  # which counts where both are said


def groups_of(stack: "Stack", binding: Resource) -> Iterator[Resource]:
    """Yield the target groups that a binding fills.

    Raises:
        UnknownValueError: if it names one that is not of the program.
    """
    yield from (group for group in stack.of(TARGET_GROUP) if _binds(stack, binding, group))
