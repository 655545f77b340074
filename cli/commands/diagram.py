"""`perimeter diagram`: a picture of a topology, or of a part of it."""

from collections.abc import Collection
from pathlib import Path
from typing import Annotated

import typer

from cli.commands.options import HERE, Folder
from cli.errors import UsageError
from cli.project import Project
from topology.diagram import mermaid
from topology.excerpt import around
from topology.findings import did_you_mean
from topology.load import load
from topology.model.base import ServiceName
from topology.model.system import Topology

Subject = Annotated[str, typer.Argument(help="Topology file, or the name of a stack.", show_default=False)]
OneMesh = Annotated[
    str | None, typer.Option("--mesh", help="Only this mesh, and who is at the other ends of its bridges.", show_default=False)
]
OneService = Annotated[str | None, typer.Option("--around", help="Only this service, its doors, callers and callees.", show_default=False)]


def diagram(topology: Subject, mesh: OneMesh = None, service: OneService = None, project: Folder = HERE) -> None:
    """Print a Mermaid flowchart of a topology: doors, services, calls, bridges, egress."""
    t = load(_file(topology, project))
    core = _core(t, mesh, service)
    typer.echo(mermaid(t if core is None else around(t, core)), nl=False)


def _file(named: str, project: Path) -> Path:
    """Return a topology file: the one named, or that of the stack of that name."""
    file = Path(named)
    if file.suffix or file.exists() or len(file.parts) > 1:
        return file
    return Project.find(project.resolve()).topology_of(named, None)


def _core(t: Topology, mesh: str | None, service: str | None) -> Collection[ServiceName] | None:
    """Return the services that are asked for; None for all."""
    workloads = (*t.services, *t.compositions)
    if mesh is not None and service is not None:
        raise UsageError("--mesh and --around ask for different pictures. Give one of them.")
    if mesh is not None:
        return {name for name in workloads if t.mesh_of(name) == _known(mesh, t.meshes, "--mesh", "a mesh")}
    if service is not None:
        return {_known(service, workloads, "--around", "a service")}
    return None


def _known(name: str, known: Collection[str], option: str, what: str) -> str:
    if name not in known:
        raise UsageError(f'{option}: "{name}" is not {what} of the topology ({did_you_mean(name, known)}).')
    return name
