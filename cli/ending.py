"""How a command ends that did not come to its answer. It knows the errors of every room, and is imported when there is one."""

import os
from collections.abc import Iterable
from typing import Final

from cli.errors import ExitCode, UsageError
from cli.problems import FAILURE, Problem, problems_of
from cli.report.refusal import NOTHING, refuse
from conformance.errors import CannotProbeError
from deploy.errors import DeployError
from lab.errors import LabError
from planner.errors import PlanError
from policies.exemptions import ExemptionError
from policies.explain import PartyError
from topology.findings import TopologyError

DEBUG: Final = "PERIMETER_DEBUG"
"""Environment variable: any value shows the traceback of a failure of ours."""

ENDS: Final[tuple[tuple[tuple[type[Exception], ...], str], ...]] = (
    ((TopologyError, PlanError, UsageError, ExemptionError, PartyError), NOTHING),
    ((CannotProbeError,), "nothing was probed."),
    ((DeployError, LabError), "the deployment did not come to its end."),
)
"""What came of a command that ended with an error of ours."""


def end(error: Exception) -> ExitCode:
    """Write what kept a command from its answer on standard error, in the format that was asked for; return the exit code that says so.

    Raises:
        Exception: the error itself, where it is a failure of ours and its traceback was asked for.
    """
    for kinds, came in ENDS:
        if isinstance(error, kinds):
            return refuse(tuple(_problems(error)), came)
    if os.environ.get(DEBUG):
        raise error
    # A crash must never look like a verdict.
    said = f"perimeter itself failed: {type(error).__name__}: {error}. Set {DEBUG}=1 for the traceback, and report it with the plan."
    return refuse((Problem(message=said, kind=FAILURE),))


def _problems(error: Exception) -> Iterable[Problem]:
    if isinstance(error, DeployError | LabError):
        return (Problem(message=str(finding)) for finding in getattr(error, "findings", (error,)))
    return problems_of(error)
