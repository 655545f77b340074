"""Keys that encrypt logs, secrets and disks (KMS): whose they are. Whoever has another one may take it back, and closes what it encrypts."""

import re
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Final

from policies.reading.cloud.aws.kinds import BUCKET_ENCRYPTION, KEY, LAUNCH_TEMPLATE, LOG_GROUP, SECRET
from policies.reading.cloud.flaws import Flaw
from policies.reading.cloud.references import named, values_at
from policies.reading.resource import Resource
from policies.reading.values import is_unknown, mapping, sequence

if TYPE_CHECKING:
    from policies.reading.stack import Stack

BY_DEFAULT: Final = ("applyServerSideEncryptionByDefault",)
"""Where, in a rule of a bucket, it says how what is written is encrypted."""

ENCRYPTED: Final[Mapping[str, tuple[str, ...]]] = {
    LOG_GROUP: ("kmsKeyId",),
    SECRET: ("kmsKeyId",),
    BUCKET_ENCRYPTION: ("rules", *BY_DEFAULT, "kmsMasterKeyId"),
    LAUNCH_TEMPLATE: ("blockDeviceMappings", "ebs", "kmsKeyId"),
}
"""Where resources name the key that encrypts them. Where they name none, it is one that AWS keeps for this account."""
OF_AWS: Final = re.compile(r"(alias/)?aws/[a-z0-9-]+")
"""Names of keys that AWS keeps for this account, and of which nobody may do anything else (KMS Developer Guide, `concepts`)."""


def are_own(resource: Resource, stack: "Stack") -> Iterator[Flaw]:
    """Check that what encrypts logs, secrets and disks is a key of the program.

    Raises:
        UnknownValueError: if it is not.
    """
    keys_of(resource, stack)
    yield from ()


def keys_of(resource: Resource, stack: "Stack") -> tuple[Resource, ...]:
    """Return the keys of the program that encrypt logs, secrets or disks; none where AWS keeps the key.

    Raises:
        UnknownValueError: if it is somebody else's.
    """
    field, *path = ENCRYPTED[resource.kind]
    given = list(values_at(resource.props.get(field), *path))
    if all(not is_unknown(each) and OF_AWS.fullmatch(str(each)) for each in given):
        return ()
    return named(stack, resource, field, *path, kinds=(KEY,))


def disks_are_encrypted(template: Resource, stack: "Stack") -> Iterator[Flaw]:
    """Check that a launch template encrypts the disks of nodes, whatever the account's own default of the day is."""
    del stack
    disks = [mapping(each.get("ebs")) for each in map(mapping, sequence(template.at("blockDeviceMappings", default=[])))]
    if not disks or any(str(disk.get("encrypted", "false")).lower() != "true" for disk in disks):
        yield Flaw(
            message="does not say that the disks of its nodes are encrypted, on which images and copies of Secrets are",
            fix="set blockDeviceMappings.ebs.encrypted: 'true'",
        )
