"""Deploys a stack to a cluster with what is at hand, and says what came of it."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console

from cli.clusters import Cluster
from cli.commands.options import With
from cli.errors import ExitCode, UsageError
from cli.project import TOPOLOGY_KEY, Project
from deploy import deployer, pulumi_cli
from deploy.errors import DeployError, MadeByPulumiError
from deploy.objects import Change
from deploy.progress import Progress
from deploy.target import Target
from planner.project import Program, load_program


@dataclass(frozen=True, kw_only=True)
class Deployment:
    """One stack, one topology, one cluster.

    Attributes:
        other: options of the command line that name a cluster.
    """

    project: Project
    stack: str
    topology: Path
    cluster: Cluster
    engine: With | None = None
    adopt: bool = False
    other: tuple[str, ...] = ()

    def admit(self) -> None:
        """Admit a machine that has what makes it, before anything is made or removed.

        Raises:
            DeployError: with the program that is missing, or what of the command line is nothing for a cluster that the stack makes itself.
        """
        if self.cluster.is_made:
            if wrong := list(self._of_a_cloud()):
                raise DeployError(wrong)
        elif self._with is not With.PULUMI:
            for tool in ("kubectl", "helm"):
                self.cluster.tools.find(tool)

    def _of_a_cloud(self) -> Iterator[str]:
        """Yield what keeps the stack from making its own cluster, or from removing it."""
        why = (
            f"stack {self.stack} makes {self.cluster.name} and what is around it in a cloud, which the Pulumi CLI alone can make or remove"
        )
        if self.engine is With.KUBECTL:
            yield f"--with kubectl: {why}. Leave --with out."
        if pulumi_cli.found() is None:
            yield f"{why}, and there is no pulumi on PATH. Nothing was changed. Install it; docs/environments says what else it needs."
        if self.other:
            yield f"{', '.join(self.other)}: stack {self.stack} makes {self.cluster.name} and takes no other. Leave it out."

    def up(self) -> ExitCode:
        """Make the cluster what the stack asks for.

        Raises:
            DeployError: with everything that went wrong.
        """
        self.admit()
        if self._with is With.PULUMI:
            say(f"Deploying to {self.cluster.name} with {pulumi_cli.found()}.")
            return _exit_code(self._pulumi.up())
        say(f"Deploying to {self.cluster.name} with kubectl and helm.")
        with Progress(Console(stderr=True)) as progress:
            result = deployer.up(self._target, progress)
        if result.nothing:
            say(f"Nothing to do: {result.changes[Change.SAME]} resources are as they should be ({result.seconds:.1f} s).")
        else:
            said = ", ".join(f"{result.changes[change]} {change}" for change in Change if result.changes.get(change))
            say(f"Deployed in {result.seconds:.0f} s: {said}.")
        return ExitCode.KEPT

    def down(self) -> ExitCode:
        """Remove everything that was made for the stack, by what made it; what was named removes nothing that the other made.

        Raises:
            DeployError: with everything that could not be removed, or that is there and cannot be removed from here.
            UsageError: what was named did not make it.
        """
        if self.cluster.is_made:
            self.admit()
        if self._with is With.PULUMI:
            if self._pulumi.exists():
                return _exit_code(self._pulumi.down())
            if self.cluster.is_made:
                say(f"Nothing to do: Pulumi knows no stack {self.stack}.")
                return ExitCode.KEPT
            say(f"Pulumi knows no stack {self.stack}; looking for what kubectl and helm made of it.")
            if self.engine is With.PULUMI and deployer.remembers(self._target):
                raise UsageError(
                    f"--with pulumi: Pulumi knows no stack {self.stack}; kubectl and helm deployed it to {self.cluster.name}. "
                    "Nothing was removed. Leave --with out, or say --with kubectl."
                )
        try:
            with Progress(Console(stderr=True)) as progress:
                result = deployer.down(self._target, progress)
        except MadeByPulumiError:
            if self.engine or self._with is With.PULUMI or not pulumi_cli.found() or not self._pulumi.exists():
                raise
            say(f"Pulumi made what is in {self.cluster.name}.")
            return _exit_code(self._pulumi.down())
        say(
            f"Nothing to do: nothing of stack {self.stack} is in {self.cluster.name}."
            if result.nothing
            else f"{result.changes[Change.REMOVED]} removed from {self.cluster.name} in {result.seconds:.0f} s."
        )
        return ExitCode.KEPT

    @property
    def _with(self) -> With:
        if self.engine is With.PULUMI and pulumi_cli.found() is None:
            raise UsageError("--with pulumi: there is no pulumi on PATH. Install the Pulumi CLI, or leave --with out.")
        # Helm takes the embedded cluster's charts from its mirror, of which the engine knows nothing.
        return self.engine or (With.PULUMI if pulumi_cli.found() and not self.cluster.is_lab else With.KUBECTL)

    @property
    def _config(self) -> Mapping[str, str]:
        return {**self.cluster.config, TOPOLOGY_KEY: self.project.name_of(self.topology)}

    @property
    def _program(self) -> Program:
        return load_program(self.project.root, self.stack, self._config)

    @property
    def _pulumi(self) -> pulumi_cli.PulumiStack:
        program = self._program
        return pulumi_cli.PulumiStack(
            root=program.root, stack=self.stack, stack_file=program.stack_file, config=self._config, policies=self.project.policies
        )

    @property
    def _target(self) -> Target:
        return Target(
            root=self.project.root,
            project=self._program.project,
            stack=self.stack,
            config=self._config,
            tools=self.cluster.tools,
            mirror=self.cluster.mirror,
            adopt=self.adopt,
        )


def say(text: str) -> None:
    """Tell the user something that is no result."""
    Console(stderr=True, highlight=False).print(text, soft_wrap=True)


def _exit_code(of_pulumi: int) -> ExitCode:
    # The plan was judged before: whatever the engine ends with is no verdict on the boundary.
    return ExitCode.UNDECIDED if of_pulumi else ExitCode.KEPT
