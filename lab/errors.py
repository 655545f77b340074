"""What can go wrong in the lab."""

from pathlib import Path


class LabError(Exception):
    """The lab cannot be built, started or used: which part, why, what to do, and where its log is."""

    def __init__(self, part: str, reason: str, *, todo: str = "", log: Path | None = None) -> None:
        self.part = part
        self.reason = reason
        self.todo = todo
        self.log = log
        super().__init__(". ".join(word for word in (f"lab: {part}: {reason.rstrip('.')}", todo, f"Log: {log}" if log else "") if word))
