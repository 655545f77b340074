"""`perimeter`: one command over all rooms."""

import os
import sys
from typing import Final

import typer
from rich.console import Console

from cli.commands import check, down, explain, judge, lab, plan, rules, schema, up, verify
from cli.errors import ExitCode, UsageError
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
for command in (up.up, down.down, check.check, plan.plan, judge.judge, explain.explain, rules.rules, schema.schema, schema.diagram):
    app.command()(command)
app.command("verify")(verify.verify_)
app.add_typer(lab.app, name="lab")


def main() -> None:
    """Run the command line; bad input ends with its findings on standard error and exit code 2."""
    try:
        app()
    except (TopologyError, PlanError) as error:
        report(tuple(str(finding) for finding in error.findings))
    except (UsageError, ExemptionError, PartyError, CannotProbeError) as error:
        report(tuple(str(error).splitlines()))
    except (DeployError, LabError) as error:
        report(getattr(error, "findings", (str(error),)), "the deployment did not come to its end.")
    except BrokenPipeError:
        # Whoever read our output stopped before its end: there is nobody left to tell.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(ExitCode.UNDECIDED)
    except Exception as error:  # a crash must never look like a verdict
        if os.environ.get(DEBUG):
            raise
        report(
            (f"perimeter itself failed: {type(error).__name__}: {error}. Set {DEBUG}=1 for the traceback, and report it with the plan.",)
        )


def report(findings: tuple[str, ...], end: str = "nothing was planned or judged.") -> None:
    """Print findings to standard error, their number and what came of it last, and exit with 2."""
    console = Console(stderr=True, highlight=False)
    for finding in findings:
        console.print(f"[red]✗[/red] {_escape(finding)}", soft_wrap=True)
    console.print(f"\n{len(findings)} {'finding' if len(findings) == 1 else 'findings'}; {end}", style="bold")
    sys.exit(ExitCode.UNDECIDED)


def _escape(text: str) -> str:
    return text.replace("[", r"\[")
