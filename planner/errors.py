"""Errors."""

from collections.abc import Iterable


class PlanError(Exception):
    """A program that cannot be planned."""

    def __init__(self, findings: Iterable[object]) -> None:
        self.findings = tuple(findings)
        super().__init__("\n".join(map(str, self.findings)))
