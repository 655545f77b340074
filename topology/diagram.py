"""A picture of a topology, as a Mermaid flowchart: doors, services, calls, bridges and ways out."""

from collections.abc import Iterable, Iterator

from topology.edges import operations
from topology.laws.law import SENSITIVE
from topology.model.base import ServiceName
from topology.model.door import ApiKeyAuth, Auth, Door, JwtAuth
from topology.model.service import Operation, Protocol, Service
from topology.model.system import Topology

MOST_LABELS = 12
"""In a system of more services than this, arrows and doors lose their second line: nobody could read it."""

STYLES = (
    "classDef door fill:#e8f0fe,stroke:#1a73e8,color:#174ea6",
    "classDef open fill:#e6f4ea,stroke:#188038,color:#0d652d,stroke-dasharray:5 3",
    "classDef sensitive fill:#fce8e6,stroke:#c5221f,color:#a50e0e",
    "classDef outside fill:#f1f3f4,stroke:#5f6368,color:#3c4043",
)
"""Blue: a credential is asked for. Green and dashed: open to everybody. Red: personal, health or payment data. Grey: not ours."""


def mermaid(t: Topology) -> str:
    """Return the text of a Mermaid flowchart of the topology."""
    detailed = len(t.services) <= MOST_LABELS
    lines = ["flowchart LR", *(["  clients((clients)):::outside"] if t.doors else [])]
    lines += [f"  {line}" for line in (*_doors(t, detailed), *_meshes(t), *_ways_out(t), *_calls(t, detailed), *_bridges(t, detailed))]
    return "\n".join((*lines, *(f"  {style}" for style in STYLES))) + "\n"


def _doors(t: Topology, detailed: bool) -> Iterator[str]:
    if not t.doors:
        return
    yield 'subgraph gateway["edge and API gateway"]'
    for name, door in t.doors.items():
        below = _text((_opened(door), _credential(door))) if detailed else _credential(door)
        style = "door" if isinstance(door.auth, JwtAuth | ApiKeyAuth) else "open"
        yield f"  {_id('door', name)}[{_quoted(name, below)}]:::{style}"
    yield "end"
    for name, door in t.doors.items():
        yield f"clients --> {_id('door', name)} --> {_id('service', door.service)}"


def _opened(door: Door) -> str:
    return _text(f"{', '.join(door.methods)} {path}" for path in door.paths)


def _credential(door: Door) -> str:
    return " · ".join((_shown(door.auth), *([", ".join(door.tiers)] if door.tiers else [])))


def _shown(auth: Auth) -> str:
    match auth:
        case JwtAuth():
            return f"token of {auth.jwt}"
        case ApiKeyAuth():
            return f"API key of {' or '.join(auth.api_key)}"
        case _:
            return "public"


def _meshes(t: Topology) -> Iterator[str]:
    for mesh, about in t.meshes.items():
        yield f"subgraph {_id('mesh', mesh)}[{_quoted(f'mesh {mesh}', about.trust_domain)}]"
        for name, service in t.services.items():
            if t.mesh_of(name) == mesh:
                shape = f"[({_service(name, service)})]" if service.protocol is Protocol.TCP else f"({_service(name, service)})"
                yield f"  {_id('service', name)}{shape}{':::sensitive' if service.data in SENSITIVE else ''}"
        for name in t.compositions:
            if t.mesh_of(name) == mesh:
                yield f"  {_id('service', name)}{{{{{_quoted(name, 'composition')}}}}}"
        yield "end"


def _service(name: ServiceName, service: Service) -> str:
    versions = [f"{version} {about.weight}%" for version, about in service.versions.items() if about.weight is not None]
    return _quoted(name, ", ".join(versions))


def _ways_out(t: Topology) -> Iterator[str]:
    for name, exit_ in t.egress.items():
        yield f"{_id('egress', name)}>{_quoted(exit_.host)}]:::outside"
        for service in exit_.services:
            yield f"{_id('service', service)} -.-> {_id('egress', name)}"


def _calls(t: Topology, detailed: bool) -> Iterator[str]:
    for caller, service in t.services.items():
        for callee, granted in service.calls.items():
            yield _arrow(caller, "-->", callee, _granted(granted) if detailed else "")
    for caller, composition in t.compositions.items():
        for part in composition.parts.values():
            yield _arrow(caller, "-->", part.service, f"GET {part.path}" if detailed else "")


def _bridges(t: Topology, detailed: bool) -> Iterator[str]:
    for name, bridge in t.bridges.items():
        label = _text((f"bridge {name}", _granted(bridge.operations))) if detailed else name
        yield _arrow(bridge.source, "==>", bridge.target, label)


def _arrow(caller: ServiceName, arrow: str, callee: ServiceName, label: str) -> str:
    return f"{_id('service', caller)} {arrow}{f'|{_quoted(label)}|' if label else ''} {_id('service', callee)}"


def _granted(granted: tuple[Operation, ...]) -> str:
    """Return one line for each path, with its methods."""
    methods: dict[str, list[str]] = {}
    for method, path in operations(granted):
        methods.setdefault(path, []).append(method)
    return _text(f"{', '.join(found)} {path}" for path, found in methods.items()) or "connect"


def _text(lines: Iterable[str]) -> str:
    return "<br/>".join(lines)


def _quoted(*lines: str) -> str:
    """Return a label: in quotes, so that no character of it is Mermaid's."""
    escaped = (line.replace("&", "#amp;").replace('"', "#quot;") for line in lines if line)
    return f'"{_text(escaped)}"'


def _id(kind: str, name: str) -> str:
    """Return the id of a node. Names have no `_`, so none meets another, nor a word of Mermaid's such as `end`."""
    return f"{kind}_{name.replace('-', '_')}"
