"""Load by fortio, and what it saw."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from tests.bench.path.cluster import BenchError, Pod

PROGRAM: Final = "/work/fortio"
PERCENTILES: Final = (50, 90, 99)


@dataclass(frozen=True, kw_only=True)
class Sample:
    """One run of one stage."""

    milliseconds: Mapping[int, float]
    """Latency by percentile."""
    rate: float
    """Answers per second."""


@dataclass(frozen=True, kw_only=True)
class Target:
    """What is asked, and how."""

    url: str
    flags: Sequence[str] = ()


def read(text: str, where: str) -> Sample:
    """Read fortio's report.

    Raises:
        BenchError: an answer was not 200: refusals are fast, so the figures would be about something else.
    """
    report: dict[str, Any] = json.loads(text)
    codes: dict[str, int] = report["RetCodes"]
    if set(codes) != {"200"}:
        raise BenchError(
            f"{where}: answers were {codes}, not 200 alone. Deploy path.topology.yaml with an image that answers 200 (the lab's echo)."
        )
    found = {int(one["Percentile"]): one["Value"] * 1000 for one in report["DurationHistogram"]["Percentiles"]}
    return Sample(milliseconds={percentile: found[percentile] for percentile in PERCENTILES}, rate=report["ActualQPS"])


def run(pod: Pod, target: Target, *, rate: float, connections: int, seconds: float) -> Sample:
    """Send requests over connections that stay open. `rate` 0 is as many as there are answers."""
    command = (
        *(PROGRAM, "load", "-json", "-", "-loglevel", "Error", "-a=false"),
        *("-qps", f"{rate:g}", "-c", str(connections), "-t", f"{seconds:g}s", "-r", "0.00005", "-p", ",".join(map(str, PERCENTILES))),
        *target.flags,
        target.url,
    )
    return read(pod.run(*command), target.url)
