"""`perimeter verify`: probe the running system."""

import sys
from dataclasses import replace
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from cli import clusters
from cli.commands.options import (
    HERE,
    NO_STACK,
    ContextName,
    Folder,
    KubeconfigFile,
    Stack,
    TopologyFile,
    UseKind,
    UseLab,
    Verbose,
    asks_format,
)
from cli.conformance import Public, Subject, subject
from cli.conformance import outputs as outputs_of
from cli.conformance import public as addresses
from cli.console import console_for_people
from cli.errors import ExitCode, UsageError
from cli.files import REPORT, is_junit, write_file
from cli.project import Project
from conformance.report import Outcome, Report
from conformance.report.machine import as_json, as_junit
from conformance.report.text import show
from conformance.verify import Choice, verify
from topology.derive.probes import Family
from topology.load import load


class Format(StrEnum):
    """How the report is written to standard output."""

    TEXT = "text"
    JSON = "json"
    JUNIT = "junit"


EXIT = {Outcome.SUCCESS: ExitCode.KEPT, Outcome.FAILURE: ExitCode.BROKEN, Outcome.PARTIAL: ExitCode.UNDECIDED}
EVERYTHING = Choice()
NOWHERE = Public(address=None, of={})
"""Nothing is said of public addresses."""
MACHINE = {Format.JSON: as_json, Format.JUNIT: as_junit}

PublicAt = Annotated[
    list[str] | None,
    typer.Option(
        "--public",
        help="HOST:PORT of the edge; default: what its Service says. Of a system with several edges NAME=HOST:PORT for each public host at another one.",
        show_default=False,
    ),
]
OutputsFile = Annotated[
    typer.FileText | None,
    typer.Option(
        "--outputs", help="What `pulumi stack output --json` printed, in place of --public; - is standard input.", show_default=False
    ),
]
Image = Annotated[str, typer.Option("--image", help="Image to ask with: sh, cat, sleep and curl.", show_default=False)]
TokenCommand = Annotated[
    str,
    typer.Option("--token-command", help="Mints tokens: one line of JSON in, one token out (docs/verify.md).", show_default=False),
]
ApiKeys = Annotated[Path | None, typer.Option("--api-keys", help="JSON file: consumer and its API key.", show_default=False)]
Only = Annotated[list[Family] | None, typer.Option("--only", help="Only this kind of probes; may be repeated.", show_default=False)]
Without = Annotated[list[Family] | None, typer.Option("--without", help="Not this kind of probes; may be repeated.", show_default=False)]
JsonFile = Annotated[Path | None, typer.Option("--json", help="Write the report there as JSON, too.", show_default=False)]
JunitFile = Annotated[Path | None, typer.Option("--junit", help="Write the report there as JUnit XML, too.", show_default=False)]
OutputFormat = Annotated[Format, typer.Option("--format", "-f", help="How to write the report.", callback=asks_format)]


def verify_(  # noqa: PLR0913, PLR0917 # the options of a command
    stack: Stack = NO_STACK,
    topology: TopologyFile = None,
    context: ContextName = None,
    kubeconfig: KubeconfigFile = None,
    use_lab: UseLab = False,
    use_kind: UseKind = False,
    public: PublicAt = None,
    outputs: OutputsFile = None,
    image: Image = "",
    token_command: TokenCommand = "",
    api_keys: ApiKeys = None,
    only: Only = None,
    without: Without = None,
    format: OutputFormat = Format.TEXT,  # the option is called --format
    json: JsonFile = None,
    junit: JunitFile = None,
    verbose: Verbose = False,
    project: Folder = HERE,
) -> None:
    """Probe a running system: every call that the topology allows is admitted, every other refused, by the layer that should.

    It is looked for where up deploys it: in the cluster that is named here, else by the stack, else in the running embedded one.

    Exit code 0: all as it should be; 1: something is not; 2: something could not be asked, or bad input.
    """
    home = Project.find(project.resolve())
    file = home.topology_of(stack, topology)
    choice = clusters.Choice(context=context, kubeconfig=kubeconfig, use_lab=use_lab, use_kind=use_kind)
    cluster = clusters.running(choice, home.program(stack).config)
    clusters.admit_context(cluster)
    probed = subject_in(cluster, image=image, token_command=token_command)
    files = ((json, as_json, REPORT), (junit, as_junit, is_junit))
    for place, _, kind in files:
        if place:
            write_file(place, "", kind)  # before minutes of probing, and so that no report of an earlier run stays
    report = probe(
        file,
        probed,
        public=_public(public or [], outputs),
        api_keys=api_keys,
        choice=Choice(only=frozenset(only or ()), without=frozenset(without or ())),
    )
    for place, written, kind in files:
        if place:
            write_file(place, written(report), kind)
    sys.exit(write(report, format, verbose=verbose))


def _public(said: list[str], printed: typer.FileText | None) -> Public:
    """Return where the system is reached from outside, as far as the command line says.

    Raises:
        UsageError: it says so twice, or no address.
    """
    if said and printed:
        raise UsageError("--public and --outputs both say where the system is. Keep one.")
    return outputs_of(printed.read()) if printed else addresses(said)


def subject_in(cluster: clusters.Cluster | None, *, image: str = "", token_command: str = "") -> Subject:
    """Return what to probe in a cluster. The embedded one goes by no name here: it brings tools, an image and an issuer of its own.

    Args:
        cluster: None where it is the embedded one, which does not run.
        image: to ask with; empty: the cluster's, or the usual one.
        token_command: mints tokens; empty: the embedded cluster's issuer, or nobody.

    Raises:
        UsageError: it does not run.
    """
    context, kubeconfig = (None, None) if cluster is None or cluster.is_lab else (cluster.tools.context, cluster.tools.kubeconfig)
    found = subject(context=context, kubeconfig=kubeconfig, image=image, token_command=token_command)
    return replace(found, forwarded=cluster.forwarded if cluster else None)


def probe(file: Path, probed: Subject, *, public: Public = NOWHERE, api_keys: Path | None = None, choice: Choice = EVERYTHING) -> Report:
    """Probe what runs, with a progress bar.

    Args:
        file: topology file of the system.
        probed: where it runs, and who mints tokens.
        public: address of its edge, or of each, if the cluster does not say.
        api_keys: file with the keys of consumers, if the cluster has none.
        choice: which families of probes.
    """
    system = load(file)
    with _progress() as progress:
        task = progress.add_task("", total=1)
        return verify(
            system,
            probed.cluster,
            public=public.address,
            public_of=public.of,
            forwarded=probed.forwarded,
            image=probed.image,
            issuer=probed.issuer,
            api_keys=api_keys,
            choice=choice,
            tell=lambda what, done, of: progress.update(task, description=what, completed=done, total=of),
            subject=probed.name,
        )


def write(report: Report, output: Format, *, verbose: bool) -> ExitCode:
    """Write a report to standard output and return the exit code that says the same."""
    if output is Format.TEXT:
        show(report, verbose=verbose, console=console_for_people())
    else:
        sys.stdout.write(MACHINE[output](report))
    return EXIT[report.outcome]


def _progress() -> Progress:
    """Return a progress bar on standard error, gone when done; nothing where that is no terminal."""
    console = Console(stderr=True)
    columns = (SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    return Progress(*columns, console=console, transient=True, disable=not console.is_terminal)
