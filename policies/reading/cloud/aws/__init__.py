"""Amazon Web Services: what its resources make of a network, and what of them breaks a rule."""

from policies.reading.cloud.aws.accepted import ACCEPTED
from policies.reading.cloud.aws.read import read
from policies.reading.cloud.aws.readers import READERS
from policies.reading.cloud.aws.stored import CREDENTIALS

__all__ = ["ACCEPTED", "CREDENTIALS", "READERS", "read"]
