"""What cannot be planned, read or run, with everything that was found."""

from collections.abc import Iterable


class PlanError(Exception):
    """A program that cannot be planned, a document that is no plan, or a pack that cannot be run.

    Attributes:
        findings: what was found, in the order in which it was found; the text of each says where, what and what to do.
    """

    findings: tuple[str, ...]

    def __init__(self, findings: Iterable[object]) -> None:
        self.findings = tuple(str(finding) for finding in findings)
        super().__init__("\n".join(self.findings))
