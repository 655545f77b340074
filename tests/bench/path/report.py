"""docs/performance.md: what was measured, on what, by which command."""

import os
import platform
import shlex
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from tests.bench.path.caching import Share
from tests.bench.path.changes import Delay
from tests.bench.path.figures import Stage
from tests.bench.path.memory import Memory
from tests.bench.path.settings import Worth, reasons, rows

EXPECTED: Final = {"sidecar": 2.0, "gateway": 5.0}
"""Milliseconds that the sources allow a layer, by a word of its name."""


@dataclass(kw_only=True)
class Findings:
    """Everything one run found; what was not measured says why."""

    command: str
    rate: float
    rounds: int
    stages: Sequence[Stage] = ()
    shares: Sequence[Share] = ()
    delays: dict[str, Delay] = field(default_factory=dict[str, Delay])
    memory: Sequence[Memory] = ()
    worth: list[Worth] = field(default_factory=list[Worth])
    missing: list[str] = field(default_factory=list[str])
    failed: bool = False
    """Whether something that was asked for could not be measured."""


def command_line(words: Sequence[str]) -> str:
    """Return the command that ran, whoever ran it: `make bench-path` runs the same one. A token is nobody else's to read."""
    hidden = [
        "--token=…" if word.startswith("--token=") else "…" if before == "--token" else shlex.quote(word)
        for before, word in zip(["", *words], words, strict=False)
    ]
    return " ".join(["python -m tests.bench.path", *hidden])


def machine() -> str:
    """Return what this ran on, in a line."""
    cpu = next(
        (line.partition(":")[2].strip() for line in Path("/proc/cpuinfo").read_text().splitlines() if line.startswith("model name")),
        platform.machine(),
    )
    memory = int(Path("/proc/meminfo").read_text().split()[1]) / 2**20
    return f"{os.cpu_count()} cores ({cpu}), {memory:.0f} GiB, Linux {platform.release()}"


def markdown(found: Findings) -> str:
    """Return the document."""
    return (
        "\n\n".join(
            part
            for part in (
                "# Performance",
                f"Made by `{found.command}`, the measuring step of `make bench-path`; do not edit. Ratios are the result; absolute figures are those of the machine.\n"
                f"Machine: {machine()}. Client, all proxies, all services and the control plane share it.",
                _stages(found),
                _settings(found.worth),
                _caching(found.shares),
                _delays(found.delays),
                _memory(found.memory),
                "## Not measured\n\n" + "\n".join(f"* {reason}" for reason in found.missing) if found.missing else "",
            )
            if part
        )
        + "\n"
    )


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [head, ["---"] + ["---:"] * (len(head) - 1), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _stages(found: Findings) -> str:
    if not found.stages:
        return ""
    latency = _table(
        ["path", "p50 ms", "p90 ms", "p99 ms"],
        [[one.name, *(spread.text() for spread in one.latency.values())] for one in found.stages],
    )
    added = _table(
        ["layer", "adds to", "p50 ms", "p90 ms", "p99 ms", "expected", "p50 within"],
        [[one.name, one.before, *(spread.text() for spread in one.added.values()), *_verdict(one)] for one in found.stages if one.before],
    )
    rate = _table(
        ["path", "answers a second", "part of direct"],
        [[one.name, one.rate.text(0), one.share.text()] for one in found.stages],
    )
    return f"""## The request path

{found.rounds} rounds; each goes through all paths once, in changing order, after a warm-up. Connections stay open. Cells: median of rounds (least–greatest).

Latency at {found.rate:g} requests a second over 4 connections:

{latency}

What each layer adds, compared within each round. Expected is what the sources say: under 5 ms for the gateway, 1–2 ms for a sidecar:

{added}
{_why_not(found.stages)}
Throughput at full load over 16 connections:

{rate}"""


def _verdict(stage: Stage) -> tuple[str, str]:
    """Return what the sources expect of a layer, and whether its median keeps it."""
    limit = _limit(stage)
    return (f"≤ {limit:g} ms", "yes" if stage.added[50].middle <= limit else "no") if limit else ("", "")


def _limit(stage: Stage) -> float:
    """Return the milliseconds that the sources allow a layer; 0 where they say nothing."""
    return next((limit for word, limit in EXPECTED.items() if word in stage.name), 0)


def _why_not(stages: Sequence[Stage]) -> str:
    """Say of layers that take longer than expected on how quick a machine they would not."""
    direct = next((one.latency[50].middle for one in stages if not one.before), 0)
    words = [
        f"* {one.name}: {one.added[50].middle / direct:.1f} direct calls, so {limit:g} ms where a direct call takes {limit * direct / one.added[50].middle:.2f} ms."
        for one in stages
        if direct and one.before and (limit := _limit(one)) and one.added[50].middle > limit
    ]
    if not words:
        return ""
    return "\n".join(
        [
            "",
            f"Why not: a layer is work of the processor, which all share here, as a direct call is; one took {direct:.2f} ms.",
            "",
            *words,
            "",
        ]
    )


def _settings(worth: Sequence[Worth]) -> str:
    if not worth:
        return ""
    why = "\n".join(reasons(worth))
    return f"""## What settings are worth

Each setting as it is shipped against another value, in turn, on its path. Less latency than 0, or a part of the throughput above 1, would speak for the other value.

{_table(["as shipped", "otherwise", "p50, ms more", "part of the throughput"], rows(worth))}

What may be faster otherwise, and why it stays:

{why}"""


def _caching(shares: Sequence[Share]) -> str:
    if not shares:
        return ""
    rows = [[f"{one.items:,}", f"{one.requests:,}", f"{one.calls:,}", f"{one.removed:.0%}"] for one in shares]
    return f"""## Response caching

One ttl (a minute) at 100 GETs a second on the cached door, starting empty. Nine of ten ask for an item, by Zipf's law (the n-th most wanted is asked 1/n as often as
the first), one for one of 20 pages of lists; in three languages, which the cache keeps apart. The sources expect 60–80 % fewer calls of the backend.

{_table(["items in the catalogue", "requests", "calls of the backend", "removed"], rows)}"""


def _delays(delays: dict[str, Delay]) -> str:
    if not delays:
        return ""
    rows = [[name, one.refusing.text(), one.allowing.text()] for name, one in delays.items()]
    return f"""## From a changed rule to its enforcement

Seconds from sending the change until every answer follows it, asked on new connections all the time.

{_table(["changed", "to refuse, s", "to allow, s"], rows)}"""


def _memory(memory: Sequence[Memory]) -> str:
    if not memory:
        return ""
    rows = [[f"{one.services:,}", f"{one.scoped:.1f}", f"{one.unscoped:.1f}"] for one in memory]
    return f"""## Memory of a sidecar

What Envoy has allocated, with the Sidecar resource that we ship (a service knows whom it calls) and with one that knows the whole mesh.

{_table(["further services in the mesh", "with scope, MiB", "without, MiB"], rows)}"""
