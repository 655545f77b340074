"""Logs of AWS: that there are some of connections, where they go, and how long they are kept."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from policies.reading.cloud.aws.kinds import FLOW_LOG, VPC
from policies.reading.cloud.aws.log_places import kept_here
from policies.reading.cloud.flaws import Flaw
from policies.reading.cloud.logs import LEAST_DAYS, WRITTEN_DOWN
from policies.reading.cloud.references import one, values_at
from policies.reading.resource import Resource
from policies.reading.values import is_unknown

if TYPE_CHECKING:
    from policies.reading.stack import Stack


def connections_are_logged(network: Resource, stack: "Stack") -> Iterator[Flaw]:
    """Check that a flow log writes down who connected to whom in a network."""
    if not any(one(stack, each, "vpcId", kinds=(VPC,)) is network for each in stack.of(FLOW_LOG)):
        yield Flaw(message=WRITTEN_DOWN, fix="add aws:ec2:FlowLog with its vpcId")


def stay_here(flow_log: Resource, stack: "Stack") -> Iterator[Flaw]:
    """Check that a flow log goes to a log group of the program."""
    given = flow_log.props.get("logDestination")
    if not kept_here(stack, flow_log, "logDestination", given):
        yield Flaw(
            message=f"writes to {'a place' if is_unknown(given) else given}, of which it is not known who reads there",
            fix="write to a log group of the program",
            undecided=True,
        )


def says_enough(flow_log: Resource, stack: "Stack") -> Iterator[Flaw]:
    """Check that a flow log says who connected to whom, and what became of it; where no format is given, it does.

    https://docs.aws.amazon.com/vpc/latest/userguide/flow-log-records.html
    """
    del stack
    said = str(flow_log.at("logFormat", default=""))
    missing = [field for field in FIELDS if said and f"${{{field}}}" not in said]
    if missing:
        yield Flaw(message=f"does not write down {', '.join(missing)} of a connection (logFormat)", fix="remove logFormat")


FIELDS: Final = ("srcaddr", "dstaddr", "dstport", "protocol", "start", "action")
"""Fields of a record without which it does not say who connected to whom."""


def are_kept(group: Resource, stack: "Stack") -> Iterator[Flaw]:
    """Check that a log group keeps what is written; where nothing is said, or 0, for ever."""
    del stack
    yield from _kept(int(group.at("retentionInDays", default=0)))


def objects_are_kept(lifecycle: Resource, stack: "Stack") -> Iterator[Flaw]:
    """Check that a bucket, of which the program has those of logs alone, keeps what is written."""
    del stack
    for days in values_at(lifecycle.props.get("rules"), "expiration", "days"):
        yield from _kept(int(days))
    if any(True for _ in values_at(lifecycle.props.get("rules"), "expiration", "date")):
        yield Flaw(message="forgets all logs on a day (expiration.date)", fix=f"keep them for {LEAST_DAYS} days at least (expiration.days)")


def _kept(days: int) -> Iterator[Flaw]:
    if 0 < days < LEAST_DAYS:
        yield Flaw(message=f"keeps logs for {days} days", fix=f"keep them for {LEAST_DAYS} days at least")
