"""From samples to figures: medians of rounds, their spread, and what each layer adds."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import median

from tests.bench.path.load import PERCENTILES, Sample


@dataclass(frozen=True, kw_only=True)
class Spread:
    """The median of several rounds, with the least and the greatest."""

    middle: float
    least: float
    greatest: float

    @staticmethod
    def of(values: Sequence[float]) -> "Spread":
        """Return the spread of at least one value."""
        return Spread(middle=median(values), least=min(values), greatest=max(values))

    def text(self, digits: int = 2) -> str:
        """Return the median, and both ends in brackets."""
        return f"{self.middle:,.{digits}f} ({self.least:,.{digits}f}–{self.greatest:,.{digits}f})"


@dataclass(frozen=True, kw_only=True)
class Stage:
    """What one stage showed in all rounds."""

    name: str
    before: str | None
    """The stage that this one adds a layer to."""
    latency: Mapping[int, Spread]
    added: Mapping[int, Spread]
    """Milliseconds more than the stage before, compared within each round; empty for the first."""
    rate: Spread
    share: Spread
    """Throughput as a part of the direct call's in the same round."""


def stages(
    order: Mapping[str, str | None], slow: Mapping[str, Sequence[Sample]], fast: Mapping[str, Sequence[Sample]]
) -> tuple[Stage, ...]:
    """Return the figures of each stage.

    Args:
        order: the stages, and the stage that each adds to; the first is the direct call.
        slow: samples at a fixed rate, by stage, in the order of rounds.
        fast: samples at full load.
    """
    direct = next(iter(order))

    def added(name: str, before: str, percentile: int) -> Spread:
        pairs = zip(slow[name], slow[before], strict=True)
        return Spread.of([one.milliseconds[percentile] - other.milliseconds[percentile] for one, other in pairs])

    return tuple(
        Stage(
            name=name,
            before=before,
            latency={percentile: Spread.of([one.milliseconds[percentile] for one in slow[name]]) for percentile in PERCENTILES},
            added={} if before is None else {percentile: added(name, before, percentile) for percentile in PERCENTILES},
            rate=Spread.of([one.rate for one in fast[name]]),
            share=Spread.of([one.rate / other.rate for one, other in zip(fast[name], fast[direct], strict=True)]),
        )
        for name, before in order.items()
    )
