"""The name that a certificate is asked for: what a topology is held against knows it without AWS's SDK."""

from collections.abc import Sequence
from typing import Final

from topology.model.base import HostName

LONGEST_FIRST_NAME: Final = 64
"""Characters of the name that a certificate is asked for; its further names may be longer (ACM API Reference, `RequestCertificate`)."""


def first_name(hosts: Sequence[HostName]) -> HostName | None:
    """Return the host that a certificate is asked for, or None where all of them are too long for it."""
    return next((host for host in hosts if len(host) <= LONGEST_FIRST_NAME), None)
