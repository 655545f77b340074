"""What a program's run leaves behind: a file of records that the process which started it reads when it has ended.

One JSON list of records a line. A line holds many, for the reader then keeps one copy of every key in it. Records are
`["resource", state]`, `["outputs", urn, outputs]`, `["finding", text]`, `["message", text]` and, last, `["end"]`.
"""

import json
from collections.abc import Callable, Mapping
from typing import TextIO

from planner.wire import Json

_BATCH = 256
_STEP = 25
"""After how many resources progress is told."""


class Recorder:
    """Writes records as they come and keeps none."""

    def __init__(self, file: TextIO, progress: Callable[[int], None]) -> None:
        self._file = file
        self._progress = progress
        self._batch: list[list[Json]] = []
        self._resources = 0
        self.findings: list[str] = []
        """Everything that was found so far, each once."""

    def resource(self, state: dict[str, Json]) -> None:
        """Record a resource. Outputs that are one object with the inputs are left out."""
        if state.get("outputs") is state.get("inputs"):
            state = {key: value for key, value in state.items() if key != "outputs"} | {"outputs": "="}
        self._add(["resource", state])
        self._resources += 1
        if self._resources % _STEP == 0:
            self._progress(self._resources)

    def outputs(self, urn: str, outputs: Mapping[str, Json]) -> None:
        """Record the outputs that a component, or the stack, registers in the end."""
        self._add(["outputs", urn, dict(outputs)])

    def finding(self, text: str) -> None:
        """Record what makes the program impossible to plan."""
        if text not in self.findings:
            self.findings.append(text)
            self._add(["finding", text])

    def message(self, text: str) -> None:
        """Record what the program told its user."""
        self._add(["message", text])

    def end(self) -> None:
        """Record that the program ran to its end, or to what was found."""
        self._progress(self._resources)
        self._add(["end"])
        self._flush()

    def _add(self, record: list[Json]) -> None:
        self._batch.append(record)
        if len(self._batch) >= _BATCH:
            self._flush()

    def _flush(self) -> None:
        self._file.write(json.dumps(self._batch, separators=(",", ":"), ensure_ascii=False))
        self._file.write("\n")
        self._file.flush()
        self._batch.clear()
