"""The estimate: every charged piece of a plan with its price, by layer, and everything that is not in the sum."""

import re
from collections.abc import Iterable, Iterator, Mapping, Set
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Final

from costs.aws import AWS
from costs.azure import AZURE
from costs.items import Metered, Provider, Reader, Resource
from costs.prices import Price, Prices, price_tables

PROVIDERS: Final[Mapping[str, Provider]] = {"azure-native": AZURE, "aws": AWS}
LAYERS: Final = ("edge", "gateway", "cluster", "mesh", "workload")
"""Outside in, as components say in their types: `perimeter:<layer>:<Class>`."""
OTHER: Final = "other"
_VERSION: Final = re.compile(r"(?<=^azure-native:)(\w+)/v\d\w*(?=:)")
"""In a type: `azure-native:network/v20240101:NatGateway` is `azure-native:network:NatGateway`."""
_CLUSTER: Final = "kubernetes:"
"""Begins the types of what is inside a cluster."""
_COMPONENT: Final = re.compile(r"perimeter:([a-z]+):")


@dataclass(frozen=True, kw_only=True)
class Line:
    """Pieces of one kind that a layer is charged for."""

    layer: str
    key: str
    """Of its price in the table."""
    what: str
    price: Price
    """Of one piece."""
    fewest: int
    largest: int
    """With everything scaled up."""
    remark: str = ""
    """What people must know of these bounds."""

    @property
    def count(self) -> str:
        """How many pieces: `3`, or `3 to 6` where they scale."""
        return str(self.fewest) if self.fewest == self.largest else f"{self.fewest} to {self.largest}"

    @property
    def least(self) -> Decimal:
        """A month, at the least."""
        return self.price.monthly * self.fewest

    @property
    def most(self) -> Decimal:
        """A month, with everything scaled up."""
        return self.price.monthly * self.largest


@dataclass(frozen=True, kw_only=True)
class Gap:
    """Something that may be charged for and has no price here."""

    layer: str
    urn: str
    reason: str


@dataclass(frozen=True, kw_only=True)
class Estimate:
    """What a plan costs in a month."""

    lines: tuple[Line, ...]
    gaps: tuple[Gap, ...]
    by_use: tuple[str, ...]
    """What is charged by use and not in the sum, with its price where one is known."""
    tables: Mapping[str, Prices]
    """Those that were used, by provider."""
    regions: tuple[str, ...]
    """Where the plan's resources are."""
    pods: tuple[str, ...] = ()
    """Layers that are charged for with the cluster's nodes alone, because they are objects in it; outside in."""

    def layers(self) -> list[tuple[str, list[Line]]]:
        """Return the lines by layer, outside in."""
        return [(layer, found) for layer in (*LAYERS, OTHER) if (found := [line for line in self.lines if line.layer == layer])]

    def prices(self) -> list[Price]:
        """Return the prices in the sum, each once."""
        return list({line.key: line.price for line in self.lines}.values())

    def remembered(self) -> list[Line]:
        """Return the lines whose price has no source."""
        return [line for line in self.lines if line.price.source is None]


def estimate(resources: Iterable[Resource]) -> Estimate:
    """Return the estimate of a plan's resources."""
    known = {str(resource["urn"]): resource for resource in resources}
    used = {provider for provider in PROVIDERS for resource in known.values() if _type(resource).startswith(f"{provider}:")}
    lines: dict[tuple[str, str], Line] = {}
    gaps: list[Gap] = []
    by_use: dict[str, None] = {}
    for resource in known.values():
        for provider in sorted(used):
            for found in _read(resource, known, provider):
                if isinstance(found, Line):
                    key = (found.layer, found.what)
                    lines[key] = _together(lines[key], found) if key in lines else found
                elif isinstance(found, Gap):
                    gaps.append(found)
                else:
                    by_use[found] = None
    tables = {provider: price_tables()[provider] for provider in sorted(used)}
    regions = {region for provider in used for resource in known.values() if (region := PROVIDERS[provider].region(resource))}
    return Estimate(
        lines=tuple(lines.values()),
        gaps=tuple(gaps),
        by_use=tuple(by_use),
        tables=tables,
        regions=tuple(sorted(regions)),
        pods=_pods(known.values(), {each.layer for each in (*lines.values(), *gaps)}) if used else (),
    )


def _pods(resources: Iterable[Resource], charged: Set[str]) -> tuple[str, ...]:
    inside = {layer_of(str(each["urn"])) for each in resources if _type(each).startswith(_CLUSTER)}
    return tuple(layer for layer in LAYERS if layer in inside - charged)


def _read(resource: Resource, known: Mapping[str, Resource], provider: str) -> Iterator[Line | Gap | str]:
    about, kind, urn = PROVIDERS[provider], _type(resource), str(resource["urn"])
    reader = about.readers.get(kind) or about.elsewhere.get(kind)
    if reader:
        yield from _priced(resource, known, provider, reader)
    elif kind.startswith(f"{provider}:") and kind not in about.free:
        yield Gap(layer=layer_of(urn), urn=urn, reason=f"{kind} is neither priced nor known to be free")


def _priced(resource: Resource, known: Mapping[str, Resource], provider: str, reader: Reader) -> Iterator[Line | Gap | str]:
    urn, table = str(resource["urn"]), price_tables()[provider]
    layer = layer_of(urn)
    try:
        for found in reader(resource, known):
            price = table.prices.get(found.key)
            if isinstance(found, Metered):
                yield f"{found.what} ({price.said})" if price else found.what
            elif price is None:
                yield Gap(layer=layer, urn=urn, reason=f"{found.what}: no price of {found.key} in {provider}'s table")
            else:
                most = found.least if found.most is None else found.most
                yield Line(layer=layer, key=found.key, what=found.what, price=price, fewest=found.least, largest=most, remark=found.remark)
    except (KeyError, TypeError, ValueError) as error:
        yield Gap(layer=layer, urn=urn, reason=f"what it says of its size cannot be read before a deployment ({error})")


def _together(one: Line, other: Line) -> Line:
    return replace(one, fewest=one.fewest + other.fewest, largest=one.largest + other.largest)


def _type(resource: Resource) -> str:
    return _VERSION.sub(r"\1", str(resource["type"]))


def layer_of(urn: str) -> str:
    """Return the layer whose component owns a resource, by the types of its ancestors, which its URN holds."""
    named = [layer for layer in _COMPONENT.findall(urn.split("::")[2]) if layer in LAYERS]
    return named[-1] if named else OTHER
