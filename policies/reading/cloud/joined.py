"""Which clouds there are: what each reads, for the stack and for the rules."""

from collections.abc import Iterator, Mapping
from importlib import import_module
from types import ModuleType
from typing import TYPE_CHECKING, Final, cast

from policies.reading.allowed_values import Table
from policies.reading.cloud.flaws import Reader
from policies.reading.cloud.model import NOTHING, Cloud
from policies.reading.opaque import OUR_DYNAMICS

if TYPE_CHECKING:
    from policies.reading.resource import Resource
    from policies.reading.stack import Stack

PACKAGES: Final[Mapping[str, str]] = {"azure-native": "policies.reading.cloud.azure", "aws": "policies.reading.cloud.aws"}
"""Readers by the package of their resources. Each has `read(stack) -> Cloud`, `READERS` (by rule), `ACCEPTED` and
`CREDENTIALS` (fields by kind)."""

PROVIDERS: Final = "pulumi:providers:"


def provider_of(resource: "Resource") -> str:
    """Return the provider's package that a resource belongs to, or that it is a provider of; nothing where no cloud's readers know it."""
    return _provider(resource.kind)


def _provider(kind: str) -> str:
    package = kind.removeprefix(PROVIDERS).partition(":")[0]
    return package if package in PACKAGES else ""


def packages(stack: "Stack") -> Iterator[ModuleType]:
    """Yield the readers of the clouds that a stack has resources of."""
    for provider in sorted(clouds_of(stack)):
        yield import_module(PACKAGES[provider])


def clouds_of(stack: "Stack") -> frozenset[str]:
    """Return the packages of the clouds that a stack has resources of: `aws`."""
    return frozenset({_provider(kind) for kind in stack.kinds} - {""})


def cloud_of(stack: "Stack") -> Cloud:
    """Return what a stack has in its cloud; nothing for a stack without one. Two clouds in one stack are one model beside the other."""
    found = [cast("Cloud", package.read(stack)) for package in packages(stack)]
    if len(found) < 2:
        return found[0] if found else NOTHING
    return Cloud(
        name=" and ".join(each.name for each in found),
        entrances=tuple(entrance for each in found for entrance in each.entrances),
        places=tuple(place for each in found for place in each.places),
        stations=tuple(station for each in found for station in each.stations),
        nodes=next((each.nodes for each in found if each.nodes), None),
        certificates=tuple(certificate for each in found for certificate in each.certificates),
        callers={service: places for each in found for service, places in each.callers.items()},
        published={service: at for each in found for service, at in each.published.items()},
        authorities={secret: maker for each in found for secret, maker in each.authorities.items()},
    )


def readers_of(rule: str, stack: "Stack") -> Iterator[Reader]:
    """Yield what the clouds of a stack have to tell a rule."""
    for package in packages(stack):
        yield from cast("Mapping[str, tuple[Reader, ...]]", package.READERS).get(rule, ())


def required_fields(resource: "Resource") -> tuple[str, ...]:
    """Return the fields that a resource of a cloud has to say, because what the cloud takes in their place opens something."""
    provider = provider_of(resource)
    found: Mapping[str, tuple[str, ...]] = getattr(import_module(PACKAGES[provider]), "REQUIRED", {}) if provider else {}
    return found.get(resource.kind, ()) if resource.custom else ()


def accepted_fields(resource: "Resource") -> Table | None:
    """Return the fields of a resource of a cloud that were reviewed; None for a kind that no rule knows, and for what is of no cloud."""
    provider = provider_of(resource)
    if not provider or not resource.custom:
        return None
    package = import_module(PACKAGES[provider])
    return cast("Mapping[str, Table]", package.ACCEPTED).get(resource.kind)


def credentials_of(kind: str) -> tuple[tuple[str, ...], ...]:
    """Return the paths of the fields whose value is a credential, of a kind of a cloud, or of one that the program makes for a cloud itself."""
    provider = _provider(kind)
    asked = [PACKAGES[provider]] if provider else PACKAGES.values() if kind in OUR_DYNAMICS else ()
    tables = (cast("Mapping[str, tuple[tuple[str, ...], ...]]", import_module(package).CREDENTIALS) for package in asked)
    return next((table[kind] for table in tables if kind in table), ())
