"""What application load balancers take from clients, and where they send it."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from policies.reading.cloud.aws.balancers import cases_of, groups_of, is_application, is_public, listeners_of, services_of, targets_of
from policies.reading.cloud.aws.documents import account_of, is_in
from policies.reading.cloud.aws.groups import groups_in, groups_named
from policies.reading.cloud.aws.kinds import EIP, EIP_ASSOCIATION, NAT_GATEWAY
from policies.reading.cloud.aws.log_places import kept_here
from policies.reading.cloud.flaws import Flaw
from policies.reading.cloud.references import names, values_at
from policies.reading.hsts import is_remembered
from policies.reading.pods import Pod
from policies.reading.resource import Resource
from policies.reading.values import is_unknown, mapping
from policies.reading.waf import behind_balancers

if TYPE_CHECKING:
    from policies.reading.stack import Stack

MODERN: Final = re.compile(
    r"ELBSecurityPolicy-(TLS13-1-[23](-Res)?(-FIPS)?(-PQ)?-\d{4}-\d{2}|TLS-1-2-2017-01|FS-1-2-Res-(2019-08|2020-10))"
)
"""Security policies with TLS 1.2 and 1.3 alone, and with ciphers that hold.

https://docs.aws.amazon.com/elasticloadbalancing/latest/application/describe-ssl-policies.html
"""
OLD: Final = re.compile(r"ELBSecurityPolicy-(2016-08|2015-05|TLS-1-[01]-.*|TLS13-1-[01]-.*|FS-2018-06|FS-1-1-.*)|")
"""Those with TLS 1.0 or 1.1; the empty name stands for the default of the API, `ELBSecurityPolicy-2016-08`."""

STRICT: Final = frozenset({"defensive", "strictest"})
"""Ways to treat requests that two programs may read differently in which those known to be attacks are refused."""


def serves_tls(listener: Resource, stack: "Stack") -> Iterator[Flaw]:
    """Check that clients are served over TLS; a port without it may only send them to one with it."""
    protocol = listener.at("protocol", default="HTTP")
    if protocol in {"HTTPS", "TLS"}:
        return
    for case in cases_of(stack, listener):
        redirect = mapping(case.actions[-1].get("redirect")) if case.answer == "redirect" else {}
        if case.answer != "fixed-response" and redirect.get("protocol") != "HTTPS":
            yield Flaw(
                message=f"serves port {listener.at('port', default=80)} without TLS ({protocol})",
                fix="set protocol HTTPS, or redirect everything to https",
            )
            return


def speaks_modern_tls(listener: Resource, stack: "Stack") -> Iterator[Flaw]:
    """Check the versions of TLS; the default of the API is a policy with TLS 1.0."""
    del stack
    if listener.at("protocol", default="HTTP") not in {"HTTPS", "TLS"}:
        return
    policy = listener.at("sslPolicy", default="")
    if MODERN.fullmatch(policy):
        return
    fix = "set sslPolicy: ELBSecurityPolicy-TLS13-1-2-Res-PQ-2025-09"
    if OLD.fullmatch(policy):
        yield Flaw(message=f"accepts TLS 1.0 or 1.1 (sslPolicy {policy or 'of the API, ELBSecurityPolicy-2016-08'})", fix=fix)
    else:
        yield Flaw(message=f"whether sslPolicy {policy} has ciphers that protect nothing is not known", fix=fix, undecided=True)


def answers_plainly(listener: Resource, stack: "Stack") -> Iterator[Flaw]:
    """Check that what the load balancer answers itself is a refusal, or sends clients to the same host over TLS."""
    for case in cases_of(stack, listener):
        said = mapping(case.actions[-1].get("redirect")) if case.answer == "redirect" else {}
        protocol, default = said.get("protocol", SAME), listener.at("protocol", default="HTTP")
        if said.get("host", SAME_HOST) != SAME_HOST:
            yield Flaw(
                message=f"sends clients to {said.get('host')}, which is another host", fix="remove redirect.host", resource=case.resource
            )
        if said and protocol != "HTTPS" and (protocol != SAME or default != "HTTPS"):
            yield Flaw(message="sends clients on without TLS", fix="set redirect.protocol: HTTPS", resource=case.resource)
        fixed = mapping(case.actions[-1].get("fixedResponse")) if case.answer == "fixed-response" else {}
        if fixed and (fixed.get("messageBody") or not str(fixed.get("statusCode", "")).startswith(("4", "5"))):
            yield Flaw(
                message="answers requests itself, in the place of a door",
                fix="answer with a status of 4xx and no body",
                resource=case.resource,
            )


SAME: Final = "#{protocol}"
SAME_HOST: Final = "#{host}"
"""What a redirect leaves as it was (ELB API Reference, `RedirectActionConfig`)."""


def asks_for_tls_again(listener: Resource, stack: "Stack") -> Iterator[Flaw]:
    """Check that answers tell browsers to come back over TLS alone: a load balancer writes that over whatever a layer behind it says."""
    del stack
    value = str(listener.at(REMEMBERED, default=""))
    if listener.at("protocol", default="HTTP") == "HTTPS" and not is_remembered(value):
        yield Flaw(
            message=f"lets browsers speak without TLS again (Strict-Transport-Security {value or 'not said'})",
            fix=f"set {REMEMBERED}: max-age=31536000",
        )


REMEMBERED: Final = "routingHttpResponseStrictTransportSecurityHeaderValue"


def shows_own_certificate(listener: Resource, stack: "Stack") -> Iterator[Flaw]:
    """Check that a certificate is one of this account: whoever has another one may withdraw it."""
    given = listener.props.get("certificateArn")
    if given is None or is_unknown(given):
        return
    if not is_in(str(given), account_of(stack)):
        yield Flaw(message=f"shows the certificate {given} of another account", fix="name a certificate of this account")


def writes_connections_here(balancer: Resource, stack: "Stack") -> Iterator[Flaw]:
    """Check that the log of connections, where there is one, stays here."""
    logs = mapping(balancer.at("connectionLogs", default={}))
    if logs and not kept_here(stack, balancer, "connectionLogs", logs.get("bucket")):
        yield Flaw(
            message="writes its log of connections to a bucket of which it is not known who reads there (connectionLogs.bucket)",
            fix="write to a bucket of the program",
            undecided=True,
        )


def reads_one_way(balancer: Resource, stack: "Stack") -> Iterator[Flaw]:
    """Check that requests which layers may read differently are refused, and that the client's address is written down by nobody else."""
    del stack
    if not is_application(balancer):
        return
    if balancer.at("dropInvalidHeaderFields", default=False) is not True:
        yield Flaw(message="passes headers on that are none (dropInvalidHeaderFields)", fix="set dropInvalidHeaderFields: true")
    if (mode := balancer.at("desyncMitigationMode", default="defensive")) not in STRICT:
        yield Flaw(message=f"lets requests pass of which it is not clear where they end (desyncMitigationMode {mode})", fix="set strictest")
    if (mode := balancer.at("xffHeaderProcessingMode", default="append")) != "append":
        yield Flaw(
            message=f"does not say the client's address last in x-forwarded-for (xffHeaderProcessingMode {mode})",
            fix="set xffHeaderProcessingMode: append",
        )
    if balancer.at("enableXffClientPort", default=False) is not False:
        yield Flaw(message="writes a port behind the client's address, which limits then count by", fix="remove enableXffClientPort")


def writes_log(balancer: Resource, stack: "Stack") -> Iterator[Flaw]:
    """Check that requests leave a trace."""
    if not is_public(balancer):
        return
    logs = mapping(balancer.at("accessLogs", default={}))
    if logs.get("enabled") is not True:
        yield Flaw(message="requests leave no trace: accessLogs is off", fix="set accessLogs: enabled true, with a bucket")
    elif not kept_here(stack, balancer, "accessLogs", logs.get("bucket")):
        yield Flaw(
            message="writes its log to a bucket of which it is not known who reads there (accessLogs.bucket)",
            fix="write to a bucket of the program",
            undecided=True,
        )


@dataclass(frozen=True, kw_only=True)
class _Next:
    """The layer that a public load balancer sends requests to."""

    name: str
    pods: frozenset[Pod]


def _next(stack: "Stack") -> _Next:
    """Return the layer behind public load balancers: nginx where it stands there, because the gateway believes what nginx says, else the gateway."""
    if nginx := frozenset(front.nginx.pod for front in behind_balancers(stack)):
        return _Next(name="nginx, which stands before the API gateway", pods=nginx)
    return _Next(name="the API gateway", pods=frozenset(pod for each in stack.gateways for pod in each.pods))


def leads_to_gateway(balancer: Resource, stack: "Stack") -> Iterator[Flaw]:
    """Check that a public load balancer sends requests to the pods of the layer behind it alone, over TLS."""
    if not is_public(balancer):
        return
    layer = _next(stack)
    for listener in listeners_of(stack, balancer):
        for case in cases_of(stack, listener):
            for group in targets_of(stack, case):
                if group.at("protocol", default="HTTP") != "HTTPS":
                    yield Flaw(
                        message=f"{group} takes requests without TLS ({group.at('protocol', default='HTTP')})",
                        fix="set protocol: HTTPS",
                        resource=group,
                    )
                for target in services_of(stack, group):
                    strangers = [pod for pod in target.service.pods if pod not in layer.pods]
                    if strangers or not target.service.pods:
                        behind = strangers[0] if strangers else target.service
                        yield Flaw(
                            message=f"{group} leads to {behind}, which is not {layer.name}",
                            fix=f"bind the Service of {layer.name}",
                            resource=target.binding,
                        )


def sends_nowhere_else(balancer: Resource, stack: "Stack") -> Iterator[Flaw]:
    """Check that the groups of a public load balancer let it connect to no address but its targets', which are pods on nodes."""
    if not is_public(balancer) or not is_application(balancer):
        return
    groups = groups_in(stack)
    nodes = stack.cloud.nodes.addresses.names if stack.cloud.nodes else frozenset[str]()
    for group in groups_named(stack, balancer, "securityGroups"):
        for permission in groups.of(group):
            if permission.way == "out" and (permission.peers.ranges or not permission.peers.names <= nodes):
                yield Flaw(
                    message=f"{group} lets it connect to {permission}, not only to the pods of its targets",
                    fix="name the nodes' group and the port of the targets",
                    resource=permission.resource,
                )


def binds_the_gateway(binding: Resource, stack: "Stack") -> Iterator[Flaw]:
    """Check that a target group of the program gets the pods of the layer behind load balancers, and no others."""
    layer = _next(stack)
    groups = list(groups_of(stack, binding))
    if not groups:
        yield Flaw(
            message="binds pods to a target group that is not in the program", fix="name a target group of the program", undecided=True
        )
    for target in (target for group in groups for target in services_of(stack, group) if target.binding is binding):
        strangers = [pod for pod in target.service.pods if pod not in layer.pods]
        if strangers or not target.service.pods:
            behind = strangers[0] if strangers else target.service
            yield Flaw(message=f"opens a way from a load balancer to {behind}, past {layer.name}", fix=f"bind the Service of {layer.name}")


def binding_opens_nothing(binding: Resource, stack: "Stack") -> Iterator[Flaw]:
    """Check that no controller changes security groups behind the plan."""
    del stack
    if binding.at("spec", "networking", default=None) is not None:
        yield Flaw(
            message="tells the load balancer controller to open security groups, which no plan shows (networking)",
            fix="remove networking, and write the rules of the groups in the program",
        )


# Public addresses


def attached(address: Resource, stack: "Stack") -> Iterator[Flaw]:
    """Check that an elastic address belongs to a NAT gateway, by which nobody comes in."""
    used = [gateway for gateway in stack.of(NAT_GATEWAY) if names(gateway, "allocationId", address)]
    for key in ("instance", "networkInterface"):
        if address.props.get(key) is not None:
            yield Flaw(message=f"is a public address of something else than the edge ({key})", fix="remove it")
            return
    for association in stack.of(EIP_ASSOCIATION):
        if names(association, "allocationId", address):
            yield Flaw(
                message=f"is a public address of something else than the edge ({association})", fix="remove it", resource=association
            )
            return
    if not used:
        yield Flaw(message="is a public address, and what has it is not in the program", fix="remove it", undecided=True)


def gives_address(association: Resource, stack: "Stack") -> Iterator[Flaw]:
    """Check that nothing gets a public address that the program does not make; of its own, `attached` tells."""
    if not any(names(association, "allocationId", address) for address in stack.of(EIP)):
        yield Flaw(message="gives something a public address, which is in no plan", fix="remove it")


def fixed_addresses(balancer: Resource, stack: "Stack") -> Iterator[Flaw]:
    """Check that a network load balancer takes no public address of its own."""
    del stack
    if list(values_at(balancer.props.get("subnetMappings"), "allocationId")):
        yield Flaw(message="takes public addresses of its own (subnetMappings.allocationId)", fix="remove them")
