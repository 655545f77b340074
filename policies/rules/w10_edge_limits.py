"""W10: the edge bounds how often and how much."""

from collections.abc import Iterator, Mapping
from typing import Final

from policies.edge_rule import EdgeRule
from policies.reading.cloud.addresses import EVERYWHERE, OUTSIDE, Addresses, addresses
from policies.reading.cloud.model import Place
from policies.reading.door_samples import asked
from policies.reading.modsecurity import value_of
from policies.reading.nginx import Directive
from policies.reading.nginx_doors import longest_bodies
from policies.reading.nginx_units import size
from policies.reading.stack import Stack
from policies.reading.tiers import CLIENTS_PER_ADDRESS, SECONDS, fastest, largest_body, most_at_once, sustained, tiers_at
from policies.reading.waf import Front, Passage
from policies.rule import Finding, Severity

BY_ADDRESS: Final = frozenset({"$binary_remote_addr", "$remote_addr", "${binary_remote_addr}", "${remote_addr}"})
"""Keys that tell clients apart by address; all else is chosen by clients, new for each request, or empty, which counts nothing."""

BODIES: Final = ("SecRequestBodyLimit", "SecRequestBodyNoFilesLimit")
"""Directives of ModSecurity by which it refuses long bodies; 0 means any length."""
MEBIBYTE: Final = 1024**2

LAST_SEEN: Final = "x-forwarded-for"
"""The header at whose end a load balancer writes the address that it has seen."""


class W10(EdgeRule):
    """The edge limits how often one address asks and how large a request may be.

    Forbids:
        A place where a public nginx sends requests on without `limit_req`, with a limit that is only tried out, or counted by
        anything but the client's address; a rate or a `burst` above ten times what the fastest tier of the topology allows;
        `client_max_body_size 0`, or more than any door takes; a cloud's firewall without such bounds, be it for files alone
        (`fileUploadEnforcement`); of either edge a rate that one client of the fastest tier exceeds, and a size below that of a door behind it; a public Service of it without
        `externalTrafficPolicy: Local`, behind which clients have the addresses of nodes; behind a load balancer one that takes its
        address for the client's, or believes anybody else or another header than the `X-Forwarded-For` that it ends
        (`set_real_ip_from`, `real_ip_header`).

    Why:
        The gateway counts by client, and it has to look at the request to know the client. A flood from one address, or bodies
        of a gigabyte, have done their damage by then: the edge is the last place where they cost little.

    Instead:
        Count by address, and bound bodies::

            http {
              limit_req_zone $binary_remote_addr zone=address:10m rate=200r/s;
              limit_req zone=address burst=100 nodelay;
              client_max_body_size 1m;
            }
    """

    id = "W10"
    name = "edge-limits"
    severity = Severity.MEDIUM
    frameworks = ("OWASP API4:2023",)

    def check(self, front: Front, stack: Stack) -> Iterator[Finding]:
        """Check both bounds at every place where requests are sent on."""
        for passage in front.passages:
            yield from self._rate(front, passage, stack)
            yield from self._size(front, passage, largest_body(stack.intent))
        yield from self.over([front.resource], lambda _: self._short(front, stack))
        yield from self._addresses(front, stack)

    def _addresses(self, front: Front, stack: Stack) -> Iterator[Finding]:
        """Check that nginx sees the addresses of clients: a node that passes a packet on to another puts its own in their place."""
        service = front.exposure.resource
        if front.balancer is not None:
            yield from self._said_by_balancer(front, front.balancer)
        elif service.kind == "Service" and service.at("spec", "externalTrafficPolicy", default="Cluster") != "Local":
            yield self.broken(
                service,
                "nodes put their own addresses in the place of clients' (`externalTrafficPolicy`): limits and logs take all for a few",
                "set externalTrafficPolicy: Local",
            )

    def _size(self, front: Front, passage: Passage, most: int) -> Iterator[Finding]:
        bound = passage.get("client_max_body_size")
        if bound is None:
            return
        given, written = size(bound.args[0]), f"{bound.file}:{bound.line}: `client_max_body_size {bound.args[0]}`"
        if given is None:
            yield self.undecided(front.resource, f"{written}: a size that cannot be read", "give a number, with k, m or g behind it")
        elif given == 0:
            yield self.broken(front.resource, f"{written}: a request may be of any size", "give a size, such as 1m")
        elif given > most:
            yield self.broken(front.resource, f"{written}: no door takes more than {most} bytes", "give the size of the door")

    def _short(self, front: Front, stack: Stack) -> Iterator[Finding]:
        """Check that no body is refused that a door takes."""
        for passage, most in longest_bodies(front, asked(stack)).items():
            for where, bound in _bounds(passage):
                if bound and bound < most:
                    yield self.broken(front.resource, f"{where}: a door takes {most} bytes ({passage})", "give the size of the door")

    def _rate(self, front: Front, passage: Passage, stack: Stack) -> Iterator[Finding]:
        limits = passage.every("limit_req")
        if not limits:
            yield self.broken(
                front.resource,
                f"{passage}: has no limit_req, so one address may ask as often as it likes",
                "write `limit_req zone=...;` in the http block",
            )
        if (dry := passage.get("limit_req_dry_run")) is not None and dry.args == ("on",):
            yield self.broken(
                front.resource, f"{dry.file}:{dry.line}: `limit_req_dry_run on`: limits are counted and not kept", "remove it"
            )
        zones = {
            f"zone={zone.args[1].removeprefix('zone=').partition(':')[0]}": zone
            for zone in passage.every("limit_req_zone")
            if len(zone.args) > 1
        }
        counted = [zones[limit.args[0]] for limit in limits if limit.args[0] in zones]
        for zone in counted:
            if zone.args[0] not in BY_ADDRESS:
                yield self.broken(
                    front.resource,
                    f"{zone.file}:{zone.line}: limits are counted by {zone.args[0]}, which is not the address of a client",
                    "count by $binary_remote_addr",
                )
            yield from self._high(front, zone, "rate", CLIENTS_PER_ADDRESS * max(1, fastest(stack.intent.tiers.values())))
        for limit in limits:
            yield from self._high(front, limit, "burst", CLIENTS_PER_ADDRESS * most_at_once(stack.intent.tiers.values()))
        for limit in limits:
            yield from self._low(front, limit, zones, stack)
        if limits and not counted:
            yield self.undecided(front.resource, f"{passage}: {limits[0].args[0]} is no zone of this configuration")
        yield from self._believed(front, passage)

    def _high(self, front: Front, directive: Directive, option: str, most: float) -> Iterator[Finding]:
        """Check that a limit is one: that it stops a flood, whatever the tiers promise single clients."""
        for given in (each.removeprefix(f"{option}=") for each in directive.args if each.startswith(f"{option}=")):
            number, _, unit = given.partition("r/")
            where = f"{directive.file}:{directive.line}: `{option}={given}`"
            if not number.isdigit() or unit not in {"", "s", "m"}:
                yield self.undecided(front.resource, f"{where}: a limit that cannot be read", f"give a number for {option}")
            elif int(number) / (60 if unit == "m" else 1) > most:
                yield self.broken(
                    front.resource, f"{where}: {CLIENTS_PER_ADDRESS} clients of the fastest tier need {most:g} at most", "give a lower one"
                )

    def _low(self, front: Front, limit: Directive, zones: Mapping[str, Directive], stack: Stack) -> Iterator[Finding]:
        """Check that a limit lets one client do what its tier promises, in every window for which a tier counts."""
        zone = zones.get(limit.args[0])
        rate, burst = (_number(directive, name) for directive, name in ((zone, "rate"), (limit, "burst")))
        if zone is None or rate is None or burst is None:
            return
        tiers = tiers_at(stack.intent, {name for server in front.servers for name in server.names})
        for window in sorted({SECONDS[each.per] for tier in tiers for each in tier.limits}):
            if rate * window + burst + 1 < (least := sustained(tiers, window)):
                yield self.broken(
                    front.resource,
                    f"{limit.file}:{limit.line}: `{' '.join((limit.name, *limit.args))}`: lets an address ask {rate * window + burst + 1:g} times in "
                    f"{window} s; a client of the fastest tier may {least} times",
                    "give a higher rate or burst",
                )
                return

    def _believed(self, front: Front, passage: Passage) -> Iterator[Finding]:
        """Check that nobody says which address a client has but a load balancer in front, which has seen it."""
        own = front.balancer.addresses if front.balancer else Addresses()
        for trusted in passage.every("set_real_ip_from"):
            where = f"{trusted.file}:{trusted.line}: `set_real_ip_from {trusted.args[0]}`"
            beyond = addresses(trusted.args[0]) - own
            if beyond & (EVERYWHERE if front.balancer else OUTSIDE):
                whom = "every client may say which address it has" if beyond & OUTSIDE else f"{beyond} may say which address a client has"
                yield self.broken(front.resource, f"{where}: {whom}", "name the load balancer's subnets, or remove it")

    def _said_by_balancer(self, front: Front, balancer: Place) -> Iterator[Finding]:
        """Check that the client's address is the one that the load balancer in front has seen and says last."""
        for passage in front.passages:
            trusted = Addresses()
            for each in passage.every("set_real_ip_from"):
                trusted |= addresses(each.args[0])
            header = passage.get("real_ip_header")
            said = header.args[0] if header else "X-Real-IP"
            if missing := Addresses(balancer.addresses.ranges) - trusted:
                message = f"{passage}: takes {missing} of {balancer} for a client's address: limits and logs take all clients for a few"
                yield self.broken(front.resource, message, "write `set_real_ip_from` for each subnet of the load balancer")
            elif said.lower() != LAST_SEEN:
                message = f"{passage}: believes which address a client has in {said}, which {balancer} passes on as the client wrote it"
                yield self.broken(front.resource, message, "write `real_ip_header X-Forwarded-For;`")


def _bounds(passage: Passage) -> Iterator[tuple[str, int | None]]:
    """Yield how long bodies may be at a place, and what says so; 0 means any length, None what cannot be read."""
    if (own := passage.get("client_max_body_size")) is None:
        yield "client_max_body_size, which is 1m by itself", MEBIBYTE
    else:
        yield f"{own.file}:{own.line}: `client_max_body_size {own.args[0]}`", size(own.args[0])
    for name in BODIES if passage.is_inspected else ():
        if (given := value_of(name, passage.rules)) is not None:
            yield f"{given.place}: `{given}`", size(given.arguments[0])


def _number(directive: Directive | None, option: str) -> float | None:
    """Return a rate in requests per second, or a number of requests, that a directive gives; 0 where it gives none, None where unread."""
    given = next((each.partition("=")[2] for each in directive.args if each.startswith(f"{option}=")), "0") if directive else ""
    number, _, unit = given.partition("r/")
    return int(number) / (60 if unit == "m" else 1) if number.isdigit() and unit in {"", "s", "m"} else None
