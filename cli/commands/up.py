"""`perimeter up`: judge, deploy, wait, verify."""

import sys
from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from cli import clusters, kind
from cli.clusters import Choice, Cluster
from cli.commands import verify
from cli.commands.options import (
    HERE,
    NO_STACK,
    ContextName,
    DeployWith,
    Folder,
    Format,
    KubeconfigFile,
    Stack,
    TopologyFile,
    UseKind,
    UseLab,
    Verbose,
)
from cli.deploying import Deployment, say
from cli.errors import ExitCode
from cli.judging import check_stack
from cli.project import Project
from cli.report import write
from conformance.report import Outcome
from topology.derive import names

Adopt = Annotated[bool, typer.Option("--adopt", help="Take over objects that exist and were not made by perimeter.")]
Echo = Annotated[
    bool, typer.Option("--echo/--no-echo", help="In the embedded cluster, services answer with what they received; else podinfo.")
]
NoVerify = Annotated[bool, typer.Option("--no-verify", help="Do not probe the running system afterwards.")]


def up(  # noqa: PLR0913 # the options of a command
    stack: Stack = NO_STACK,
    *,
    topology: TopologyFile = None,
    context: ContextName = None,
    kubeconfig: KubeconfigFile = None,
    use_lab: UseLab = False,
    use_kind: UseKind = False,
    engine: DeployWith = None,
    adopt: Adopt = False,
    echo: Echo = False,
    no_verify: NoVerify = False,
    verbose: Verbose = False,
    project: Folder = HERE,
) -> None:
    """Judge a stack and, if its boundary is kept, deploy it, wait until it is ready, and verify it. Again: only what changed, or drifted.

    Exit code 0: as it should be, or nothing that could be asked contradicts the topology (`perimeter verify` says 2 then);
    1: the boundary is broken; 2: undecided, bad input, or the deployment did not come to its end.
    """
    home = Project.find(project.resolve())
    file = home.topology_of(stack, topology)
    choice = Choice(context=context, kubeconfig=kubeconfig, use_lab=use_lab, use_kind=use_kind)
    choice.admit()
    configured = home.program(stack).config
    deployment = partial(Deployment, project=home, stack=stack, topology=file, engine=engine, adopt=adopt, other=choice.options)
    if own := clusters.made(configured):
        _judge(home, stack, file, own, verbose=verbose)
        code = deployment(cluster=own).up()
        if not code and not no_verify:
            say(
                f"Not probed: that takes its context and its outputs (perimeter verify {stack} --context NAME --outputs FILE; docs/environments)."
            )
        sys.exit(code)
    cluster = clusters.running(choice, configured, echo=echo)
    if use_kind:
        kind.admit()
    else:
        clusters.admit_context(cluster)
    _judge(home, stack, file, cluster, verbose=verbose)
    if use_kind and cluster:
        deployment(cluster=cluster).admit()
        kind.make(int(configured.get("perimeter:publicPort", names.EDGE_NODE_PORT)))
    if cluster is None:
        cluster = clusters.started(echo=echo)
        # What is deployed is what was judged, with what the cluster adds.
        _judge(home, stack, file, cluster, verbose=verbose)
    code = deployment(cluster=cluster).up()
    if code or no_verify:
        sys.exit(code)
    sys.exit(_verify(file, cluster))


def _judge(home: Project, stack: str, file: Path, cluster: Cluster | None, *, verbose: bool) -> None:
    """Judge the plan that would be deployed; any verdict but kept ends the command."""
    judged = check_stack(home, stack, file, cluster.config if cluster else {})
    if code := write(judged, Format.TEXT, verbose=verbose):
        say("Nothing was applied.")
        sys.exit(code)


def _verify(file: Path, cluster: Cluster) -> ExitCode:
    """Probe what runs now. What could not be asked is shown, and does not make the deployment one that failed."""
    report = verify.probe(file, verify.subject_in(cluster))
    code = verify.write(report, verify.Format.TEXT, verbose=False)
    return code if report.outcome is Outcome.FAILURE else ExitCode.KEPT
