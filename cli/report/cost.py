"""An estimate of costs, for people and for programs."""

import json
from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from cli.console import console_for_people
from costs.estimate import Estimate, Line
from costs.prices import REMEMBERED


def show(stack: str, found: Estimate) -> None:
    """Print an estimate."""
    console = console_for_people()
    console.print()
    console.print(Text.assemble(("costs ", "bold"), stack, ("   a month, least and with everything scaled up", "dim")))
    console.print()
    if found.tables:
        console.print(_table(found))
        if remarks := _remarks(found):
            console.print(Text("\n".join(("", *remarks)), style="dim"))
    else:
        console.print("  Nothing in this plan is charged for by a cloud.")
    for gap in found.gaps:
        console.print(Text.assemble(("? ", "yellow"), (gap.urn.rpartition("::")[2], "bold"), f"  {gap.reason}"))
    _notes(console, found)


def _table(found: Estimate) -> Table:
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="dim")
    table.add_column("")
    for title in ("", "", "least", "most"):
        table.add_column(title, justify="right")
    for layer, lines in found.layers():
        least, most = _sums(lines)
        table.add_row(Text(layer, style="bold"), "", "", Text(_money(least), style="bold"), Text(_money(most), style="bold"))
        for line in lines:
            table.add_row(f"  {line.what}", line.count, Text(f"× {line.price.said}", style="dim"), _money(line.least), _money(line.most))
    least, most = _sums(found.lines)
    sign = "at least " if found.gaps else ""
    table.add_row(Text("all", style="bold"), "", sign, Text(_money(least), style="bold"), Text(_money(most), style="bold"))
    return table


def _remarks(found: Estimate) -> list[str]:
    """Return what people must know to read the table."""
    pods = [f"{', '.join(found.pods)}: pods in the cluster, which its nodes pay for"] if found.pods else []
    return [*pods, *(f"{line.what}: {line.remark}" for line in found.lines if line.remark)]


def _notes(console: Console, found: Estimate) -> None:
    if found.by_use:
        console.print()
        console.print(Text("not counted, because it is charged by use", style="bold"))
        for text in found.by_use:
            console.print(f"  {text}")
    for provider, table in found.tables.items():
        vague = f"; ~ as remembered on {table.date}" if _has_remembered(found) else ""
        text = f"list prices of {provider} in {table.region}, {table.currency} without tax (costs/prices.yaml){vague}"
        elsewhere = [region for region in found.regions if region != table.region]
        note = f"; this plan is in {', '.join(elsewhere)}, where prices differ" if elsewhere else ""
        console.print()
        console.print(Text(text + note, style="dim"))
    if found.lines:
        console.print(Text(_sources(found), style="dim"))


def _has_remembered(found: Estimate) -> bool:
    """Say whether a price that is shown is a remembered one, which `~` marks."""
    return bool(found.remembered()) or any(f"({REMEMBERED}" in text for text in found.by_use)


def _sources(found: Estimate) -> str:
    """Say how much of the sum rests on prices with a source."""
    prices = found.prices()
    days = sorted(price.source.date for price in prices if price.source)
    when = f", of {days[0]} to {days[-1]}" if days else ""
    said = f"{len(days)} of {len(prices)} prices in the sum have a public source{when}"
    least, most = _sums(found.remembered())
    return f"{said}; {_money(least)} of the least and {_money(most)} of the most are at remembered prices" if most else said


def to_json(stack: str, found: Estimate) -> str:
    """Return an estimate as a JSON document; sums of money are text with two digits."""
    least, most = _sums(found.lines)
    prices, vague = found.prices(), _sums(found.remembered())
    document: dict[str, Any] = {
        "stack": stack,
        "complete": not found.gaps,
        "month": {"least": _money(least), "most": _money(most)},
        "layers": [
            {
                "layer": layer,
                "lines": [
                    {
                        "what": line.what,
                        "count": line.count,
                        "price": str(line.price),
                        "remark": line.remark,
                        "source": line.price.source.model_dump(mode="json") if line.price.source else None,
                        "least": _money(line.least),
                        "most": _money(line.most),
                    }
                    for line in lines
                ],
            }
            for layer, lines in found.layers()
        ],
        "pods": list(found.pods),
        "gaps": [{"layer": gap.layer, "urn": gap.urn, "reason": gap.reason} for gap in found.gaps],
        "notCounted": list(found.by_use),
        "prices": {
            provider: table.model_dump(mode="json", include={"region", "currency", "date"}) for provider, table in found.tables.items()
        },
        "remembered": {
            "prices": sum(price.source is None for price in prices),
            "of": len(prices),
            "month": {"least": _money(vague[0]), "most": _money(vague[1])},
        },
        "regions": list(found.regions),
    }
    return json.dumps(document, indent=2, ensure_ascii=False)


def _sums(lines: Iterable[Line]) -> tuple[Decimal, Decimal]:
    kept = list(lines)
    return sum((line.least for line in kept), Decimal(0)), sum((line.most for line in kept), Decimal(0))


def _money(amount: Decimal) -> str:
    return f"{amount:.2f}"
