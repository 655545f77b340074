"""Credentials that Azure's resources would hold in clear."""

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Final

from policies.reading.cloud.azure.apis import SERVICE, SUBSCRIPTION
from policies.reading.cloud.azure.certificates import HELD, MADE, VAULT_SECRET
from policies.reading.cloud.azure.ids import APIM, along
from policies.reading.cloud.flaws import Flaw, Reader
from policies.reading.resource import Resource
from policies.reading.values import is_unknown

if TYPE_CHECKING:
    from policies.reading.stack import Stack

NAMED_VALUE: Final = f"{APIM}NamedValue"

CREDENTIALS: Final[Mapping[str, tuple[tuple[str, ...], ...]]] = {
    VAULT_SECRET: (("properties", "value"),),
    MADE: (("authorityKey",),),
    HELD: (("data",), ("password",)),
    SUBSCRIPTION: (("primaryKey",), ("secondaryKey",)),
    NAMED_VALUE: (("value",),),
    SERVICE: (("hostnameConfigurations", "encodedCertificate"), ("hostnameConfigurations", "certificatePassword")),
}
"""Fields whose value is a credential, by kind."""


def in_clear(resource: Resource, stack: "Stack") -> Iterator[Flaw]:
    """P08."""
    del stack
    for path in CREDENTIALS[resource.kind]:
        if any(not is_unknown(given) and given for given in along(resource.props, path)):
            yield Flaw(
                message=f"holds {'.'.join(path)} in clear, for every reader of the plan", fix="mark it secret, or take it from a vault"
            )


READERS: Final = tuple(Reader(rule="P08", kinds=(kind,), look=in_clear) for kind in CREDENTIALS)
