"""Keys that encrypt logs, secrets and disks (KMS): whose they are. Whoever has another one may take it back, and closes what it encrypts."""

import re
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Final

from policies.reading.cloud.aws.kinds import BUCKET_ENCRYPTION, KEY, LAUNCH_TEMPLATE, LOG_GROUP, NODE_GROUP, SECRET
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
    given = {
        str(each.get("deviceName")): mapping(each.get("ebs"))
        for each in map(mapping, sequence(template.at("blockDeviceMappings", default=[])))
    }
    encrypted = {name for name, disk in given.items() if str(disk.get("encrypted", "false")).lower() == "true"}
    images = {str(each.at("amiType", default="")) for each in stack.of(NODE_GROUP)}
    wanted = {disk for image in images for disk in (DISKS["BOTTLEROCKET"] if image.startswith("BOTTLEROCKET") else DISKS["AL2023"])}
    if missing := sorted((wanted | given.keys()) - encrypted):
        yield Flaw(
            message=f"does not say that the disks of its nodes are encrypted, on which images and copies of Secrets are ({', '.join(missing)})",
            fix="set blockDeviceMappings.ebs.encrypted: 'true' for each",
        )


DISKS: Final[Mapping[str, tuple[str, ...]]] = {"AL2023": ("/dev/xvda",), "BOTTLEROCKET": ("/dev/xvda", "/dev/xvdb")}
"""Devices with which nodes of an image start: for any that a template does not name, the image's own settings hold (EKS User Guide,
`launch-templates`; Bottlerocket README, "Default Volumes")."""
LONGEST_PERIOD: Final = 365
"""Days for which a key stays, where nothing else is said (KMS Developer Guide, `rotate-keys`)."""


def is_renewed(key: Resource, stack: "Stack") -> Iterator[Flaw]:
    """Check that KMS renews what a key encrypts with: else whoever has once seen it reads all that comes."""
    del stack
    if key.at("enableKeyRotation", default=False) is not True:
        yield Flaw(message="is never renewed", fix="set enableKeyRotation: true")
    elif (days := int(key.at("rotationPeriodInDays", default=LONGEST_PERIOD))) > LONGEST_PERIOD:
        yield Flaw(message=f"is renewed every {days} days", fix=f"renew it every {LONGEST_PERIOD} days at least (rotationPeriodInDays)")
