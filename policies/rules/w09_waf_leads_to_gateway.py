"""W09: the WAF passes requests on to the API gateway and to nothing else."""

import re
from collections.abc import Iterator, Mapping
from typing import Final

from policies.edge_rule import EdgeRule
from policies.reading.compare import pattern_of
from policies.reading.cors import told_apart
from policies.reading.nginx_units import time
from policies.reading.patterns import Pattern, covered, meet_all, meet_hosts
from policies.reading.pods import Pod
from policies.reading.requests import Requests
from policies.reading.services import Service, host_of
from policies.reading.stack import Stack
from policies.reading.values import UnknownValueError
from policies.reading.waf import Front, Passage
from policies.request_kinds import Doors
from policies.rule import Finding, Hop, Severity
from topology.edges import Direction, edges
from topology.model.base import seconds
from topology.model.door import Door, PublicAuth
from topology.model.system import Topology

TARGET: Final = re.compile(r"^(?:(?P<scheme>[a-z]+)://)?(?P<host>[^/:$]+|unix|\[[^\]]+\])(?::(?P<port>\d+))?(?P<rest>/.*)?$")
CODE: Final = re.compile(r"_by_lua(_block|_file)?$|^(js_|perl)")
"""Directives of nginx that run code of their own (lua-nginx-module, njs, perl)."""
STRONGER: Final[Mapping[str, frozenset[str]]] = {
    "": frozenset({"", "^~", "=", "~"}),
    "^~": frozenset({"", "^~", "="}),
    "~": frozenset({"="}),
}
"""Locations that get a request before a location of each kind does, where both match and they are narrower."""
KEYED: Final[Mapping[str, str]] = {
    "the host": "server_name|host|http_host",
    "the whole path": "request_uri",
    "the method": "request_method",
}
"""What the key of a kept answer must hold, and the variables of nginx that do."""
READS: Final = frozenset({"GET", "HEAD"})
"""Methods of which nginx keeps answers."""
TLS_SCHEMES: Final = frozenset({"https", "grpcs"})


class W09(EdgeRule):
    """The WAF passes requests on to the API gateway, over verified TLS, and can reach nothing else.

    Forbids:
        - a `proxy_pass`, `grpc_pass` or the like in a public nginx to anything but a Service whose pods are an API gateway's;
        - a target in a variable, which the request may choose, or in code (Lua, njs, Perl);
        - answers kept at the edge (`proxy_cache`) for a door that asks for a credential: the next client gets them without one; for a public
          door without a `cache`, for longer than its `ttl`, or under a key without the headers of `vary`, or without `Origin`
          where the door has `cors`;
        - plain HTTP to the gateway, or TLS without `proxy_ssl_verify on` and a trusted certificate;
        - an Application Gateway that believes a root besides the program's own, or asks API Management for a host for which it does not answer;
        - NetworkPolicies that let the edge's pods connect to pods of the program other than the gateway's, or that are missing;
        - in a cloud: a pool or target group that leads to anything else, and a network in which the edge
          reaches the cluster's nodes on other ports than the gateway's, or may connect to anything else.

    Why:
        The gateway knows who the client is; the mesh ingress believes what the gateway says. An edge that sends requests straight
        to the mesh, or to whatever answers under the gateway's name, leaves that step out.

    Instead:
        One upstream, the gateway's Service, verified::

            upstream gateway { server gateway.gateway.svc.cluster.local:443; }
            proxy_ssl_verify on;
            proxy_ssl_trusted_certificate /etc/edge/client/ca.crt;
            location / { proxy_pass https://gateway; }
    """

    id = "W09"
    name = "waf-leads-to-the-gateway"
    severity = Severity.CRITICAL

    def check(self, front: Front, stack: Stack) -> Iterator[Finding]:
        """Check where requests go, and where the pods could connect to."""
        gateway_pods = frozenset(pod for gateway in stack.gateways for pod in gateway.pods)
        for passage in front.passages:
            yield from self._target(front, passage, stack, gateway_pods)
            yield from self._transport(front, passage)
            yield from self._cache(front, passage, stack)
        for server in front.servers:
            for directive in server.directive.walk():
                if CODE.search(directive.name):
                    yield self.undecided(
                        front.resource,
                        f"{directive.file}:{directive.line}: `{directive.name}` runs code, which may send requests anywhere",
                        "say the same with nginx's own directives",
                    )
        yield from self._network(front, stack, gateway_pods)

    def _target(self, front: Front, passage: Passage, stack: Stack, gateway_pods: frozenset[Pod]) -> Iterator[Finding]:
        match = TARGET.match(passage.directive.args[0])
        if match is None:
            yield self.undecided(
                front.resource,
                f"{passage}: `{passage.directive.name} {passage.directive.args[0]}` leads to wherever a variable says",
                "write the gateway's upstream out",
            )
            return
        addresses = front.nginx.upstreams.get(match["host"]) or (match["host"],)
        for address in addresses:
            host = address.rpartition(":")[0] or address
            service = self._service(host, front, stack)
            strangers = [pod for pod in service.pods if pod not in gateway_pods] if service else []
            if service is None or strangers or not service.pods:
                behind = str(service) if service else host
                hops = (
                    Hop(place="internet", allowed_by=front.exposure.why, urn=front.exposure.resource.urn),
                    Hop(
                        place=str(front.nginx.pod), allowed_by=f"{passage.directive.file}:{passage.directive.line}", urn=front.resource.urn
                    ),
                    Hop(place=str(strangers[0]) if strangers else behind, allowed_by=behind),
                )
                yield self.broken(
                    front.resource,
                    f"{passage}: sends requests to {behind}, which is not the API gateway, so nobody asks who the client is",
                    "pass requests on to the API gateway's Service",
                    hops,
                )

    def _service(self, host: str, front: Front, stack: Stack) -> Service | None:
        named = host_of(host, front.nginx.pod.namespace)
        return stack.service(named[1], named[0]) if named else None

    def _transport(self, front: Front, passage: Passage) -> Iterator[Finding]:
        target = passage.directive.args[0]
        scheme = target.partition("://")[0] if "://" in target else ""
        if scheme not in TLS_SCHEMES:
            yield self.broken(
                front.resource,
                f"{passage}: `{passage.directive.name} {target}` sends requests without TLS to the gateway",
                "write https:// (grpcs:// for gRPC)",
            )
            return
        verify, trusted = passage.get(f"{passage.module}_ssl_verify"), passage.get(f"{passage.module}_ssl_trusted_certificate")
        if verify is None or verify.args != ("on",) or trusted is None:
            yield self.broken(
                front.resource,
                f"{passage}: the gateway's certificate is not verified, so whoever answers under its name gets the requests",
                f"write `{passage.module}_ssl_verify on;` and `{passage.module}_ssl_trusted_certificate <CA>;`",
            )

    def _cache(self, front: Front, passage: Passage, stack: Stack) -> Iterator[Finding]:
        cache = passage.get(f"{passage.module}_cache")
        if cache is None or cache.args == ("off",):
            return
        hosts = ("*",) if passage.server.names in {(), ("",)} else passage.server.names
        for edge in sorted(edges(stack.intent), key=str):
            asked = edge.direction is Direction.NORTH_SOUTH and edge.credential != "public" and edge.method in {"GET", "HEAD"}
            if asked and any(meet_hosts(host, edge.host) for host in hosts) and _answers(passage, pattern_of(edge.entry)):
                yield self.broken(
                    front.resource,
                    f"{passage}: `{cache.name} {' '.join(cache.args)}` keeps answers of {edge.method} {edge.host}{edge.entry}, "
                    f"which asks for a credential ({edge.credential}); whoever asks next gets them without one",
                    "keep answers of public doors only",
                )
                return
        doors = Doors(stack.intent)
        for name, door in stack.intent.doors.items():
            at_home = isinstance(door.auth, PublicAuth) and any(meet_hosts(host, stack.intent.host_of(door)) for host in hosts)
            if at_home and any(requests.method in READS and _takes(passage, requests) for requests in doors.through(door)):
                for wrong in _not_as_asked(passage, stack.intent, door):
                    yield self.broken(
                        front.resource,
                        f"{passage}: `{cache.name} {' '.join(cache.args)}` keeps answers of the door {name}{wrong}",
                        "keep answers as the `cache` of the door says, and no others",
                    )

    def _network(self, front: Front, stack: Stack, gateway_pods: frozenset[Pod]) -> Iterator[Finding]:
        pod = front.nginx.pod
        if stack.network.is_open(pod, "Egress"):
            yield self.broken(
                pod.resource, f"no NetworkPolicy restricts what the {pod} may connect to", "select them in a NetworkPolicy with Egress"
            )
            return
        for opening in stack.network.openings(pod, "Egress"):
            others = sorted(str(other) for other in opening.pods - gateway_pods)
            if opening.anyone or any(block.may_hold_pods for block in opening.blocks):
                yield self.broken(
                    opening.policy,
                    f"lets the {pod} connect to every pod, not only to the API gateway's",
                    "name the gateway's pods under `to`",
                )
            elif others:
                yield self.broken(
                    opening.policy,
                    f"lets the {pod} connect to the {others[0]}, which are not the API gateway",
                    "name the gateway's pods alone",
                )


def _answers(passage: Passage, door: Pattern) -> bool:
    """Say whether requests for a door may come to this location, and not all of them to a narrower one."""
    if passage.location.modifier == "@":
        return True
    own = passage.location.patterns
    stronger = STRONGER.get(passage.location.modifier, frozenset())
    narrower = (
        other.patterns
        for other in passage.server.locations
        if other.modifier in stronger
        and all(covered(each, own) for each in other.patterns)
        and not any(covered(each, other.patterns) for each in own)
    )
    return bool(meet_all(own, door)) and not any(covered(door, patterns) for patterns in narrower)


def _takes(passage: Passage, requests: Requests) -> bool:
    """Say whether some requests of a door come to this location."""
    if passage.location.modifier == "@":
        return True
    return _answers(passage, requests.path) and any(True for _ in requests.at(passage.location.patterns))


def _not_as_asked(passage: Passage, t: Topology, door: Door) -> Iterator[str]:
    """Yield how answers are kept otherwise than a door asks for.

    Raises:
        UnknownValueError: where it is not known how long.
    """
    if door.cache is None:
        yield ", of which the topology says nothing of the kind"
        return
    for valid in passage.every(f"{passage.module}_cache_valid"):
        kept = time(valid.args[-1])
        if kept is None:
            raise UnknownValueError(f"{valid.file}:{valid.line}", f"{valid.args[-1]}, which is no length of time")
        if kept > max(1.0, seconds(door.cache.ttl)):
            yield f" for {valid.args[-1]}; the topology says {door.cache.ttl}"
    written = passage.get(f"{passage.module}_cache_key")
    key = " ".join(written.args) if written else ""
    version = t.version_header(door)
    for header in (*door.cache.vary, *told_apart(door), *(version[:1] if version else ())):
        if not re.search(rf"\$\{{?http_{header.replace('-', '_')}\b", key):
            yield f" under a key without {header}, by which they differ"
    for what, variable in KEYED.items():
        if not re.search(rf"\$\{{?({variable})\b", key):
            yield f" under a key without {what}"
