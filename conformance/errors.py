"""What keeps probes from being run."""


class CannotProbeError(Exception):
    """Nothing can be probed at all: no cluster, no public address. The message says what to do."""


class NotRunError(Exception):
    """One probe cannot be run; the message is the reason, told in the report."""


class NoIdentityError(NotRunError):
    """A stranger's sidecar gets no certificate, so there is nobody to ask as: stronger than any refusal."""
