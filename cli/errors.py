"""Errors of the command line itself, and the exit codes of every command."""

from enum import IntEnum


class ExitCode(IntEnum):
    """What a command's exit status says."""

    KEPT = 0
    BROKEN = 1
    UNDECIDED = 2
    """Also bad input: whatever kept the command from an answer."""


class UsageError(Exception):
    """The command was asked for something that cannot be; the message says what and what to do."""
