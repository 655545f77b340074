"""`perimeter down`: remove what `perimeter up` made."""

import sys

from cli import clusters
from cli.clusters import Choice
from cli.commands.options import HERE, NO_STACK, ContextName, DeployWith, Folder, KubeconfigFile, Stack, TopologyFile, UseKind, UseLab
from cli.deploying import Deployment, say
from cli.errors import ExitCode
from cli.project import Project
from lab.settings import STATE


def down(  # noqa: PLR0913 # the options of a command
    stack: Stack = NO_STACK,
    *,
    topology: TopologyFile = None,
    context: ContextName = None,
    kubeconfig: KubeconfigFile = None,
    use_lab: UseLab = False,
    use_kind: UseKind = False,
    engine: DeployWith = None,
    project: Folder = HERE,
) -> None:
    """Remove everything that `perimeter up` made for a stack. Definitions that charts keep on purpose stay, as with `pulumi destroy`.

    Exit code 0: removed, or nothing to do; 2: bad input, or something could not be removed.
    """
    home = Project.find(project.resolve())
    choice = Choice(context=context, kubeconfig=kubeconfig, use_lab=use_lab, use_kind=use_kind)
    choice.admit()
    configured = home.program(stack).config
    cluster = clusters.made(configured) or clusters.running(choice, configured)
    if cluster is None:
        sys.exit(_stopped())
    if not use_kind:
        clusters.admit_context(cluster)
    file = home.topology_of(stack, topology)
    sys.exit(Deployment(project=home, stack=stack, topology=file, cluster=cluster, engine=engine, other=choice.options).down())


def _stopped() -> ExitCode:
    """Say what a stopped embedded cluster means: what is deployed in it comes back with it."""
    if not STATE.exists():
        say("Nothing to do: there is no embedded cluster, and no other was named.")
        return ExitCode.KEPT
    say(
        "The embedded cluster does not run, so nothing was removed, and what is deployed in it comes back when it starts. "
        "Start it first (perimeter lab start), or forget it with everything in it (perimeter lab reset)."
    )
    return ExitCode.UNDECIDED
