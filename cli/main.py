"""`perimeter`: one command over all rooms."""

import os
import signal
import sys
from typing import Final, NoReturn

import typer

from cli.commands import check, cost, down, explain, judge, lab, plan, rules, schema, up, verify
from cli.errors import ExitCode, UsageError
from cli.problems import FAILURE, Problem, problems_of
from cli.report.refusal import refuse
from conformance.errors import CannotProbeError
from deploy.errors import DeployError
from lab.errors import LabError
from planner.errors import PlanError
from policies.exemptions import ExemptionError
from policies.explain import PartyError
from topology.findings import TopologyError

DEBUG: Final = "PERIMETER_DEBUG"
"""Environment variable: any value shows the traceback of a failure of ours."""

app = typer.Typer(
    help="Prove that a planned stack keeps the boundary its topology file draws.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
for command in (
    up.up,
    down.down,
    check.check,
    plan.plan,
    cost.cost,
    judge.judge,
    explain.explain,
    rules.rules,
    schema.schema,
    schema.diagram,
):
    app.command()(command)
app.command("verify")(verify.verify_)
app.add_typer(lab.app, name="lab")


def _end(number: int, _: object) -> NoReturn:
    sys.exit(128 + number)


def main() -> None:
    """Run the command line; bad input ends with its findings on standard error, in the format that was asked for, and exit code 2."""
    # Asked to end, a command ends as if interrupted: what it had half started is cleaned up.
    signal.signal(signal.SIGTERM, _end)
    try:
        app()
    except (TopologyError, PlanError, UsageError, ExemptionError, PartyError) as error:
        sys.exit(refuse(problems_of(error)))
    except CannotProbeError as error:
        sys.exit(refuse(problems_of(error), "nothing was probed."))
    except (DeployError, LabError) as error:
        problems = tuple(Problem(message=str(finding)) for finding in getattr(error, "findings", (error,)))
        sys.exit(refuse(problems, "the deployment did not come to its end."))
    except BrokenPipeError:
        # Whoever read our output stopped before its end: there is nobody left to tell.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(ExitCode.UNDECIDED)
    except Exception as error:  # a crash must never look like a verdict
        if os.environ.get(DEBUG):
            raise
        said = f"perimeter itself failed: {type(error).__name__}: {error}. Set {DEBUG}=1 for the traceback, and report it with the plan."
        sys.exit(refuse((Problem(message=said, kind=FAILURE),)))
