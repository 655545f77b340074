"""W10: the edge bounds how often and how much."""

from collections.abc import Iterator
from typing import Final

from policies.edge_rule import EdgeRule
from policies.reading.stack import Stack
from policies.reading.waf import Front, Passage
from policies.rule import Finding, Severity

BY_ADDRESS: Final = frozenset({"$binary_remote_addr", "$remote_addr", "${binary_remote_addr}", "${remote_addr}"})
"""Keys that tell clients apart by address; all else is chosen by clients, new for each request, or empty, which counts nothing."""


class W10(EdgeRule):
    """The edge limits how often one address asks and how large a request may be.

    Forbids:
        A place where a public nginx sends requests on without `limit_req`, with a limit that is only tried out, or counted by
        anything but the client's address; `client_max_body_size 0`.

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
            yield from self._rate(front, passage)
            size = passage.get("client_max_body_size")
            if size is not None and size.args[0] == "0":
                yield self.broken(
                    front.resource,
                    f"{size.file}:{size.line}: `client_max_body_size 0`: a request may be of any size",
                    "give a size, such as 1m",
                )

    def _rate(self, front: Front, passage: Passage) -> Iterator[Finding]:
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
        if limits and not counted:
            yield self.undecided(front.resource, f"{passage}: {limits[0].args[0]} is no zone of this configuration")
        yield from self._real_address(front, passage)

    def _real_address(self, front: Front, passage: Passage) -> Iterator[Finding]:
        for trusted in passage.every("set_real_ip_from"):
            if trusted.args[0] in {"0.0.0.0/0", "::/0"}:
                yield self.broken(
                    front.resource,
                    f"{trusted.file}:{trusted.line}: every client may say which address it has (`set_real_ip_from {trusted.args[0]}`)",
                    "name the addresses of the load balancer in front, or remove it",
                )
