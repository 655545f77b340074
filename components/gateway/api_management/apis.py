"""The doors as APIs and operations of API Management.

It chooses an API by the longest path that begins a request's path, and then an operation of that API alone. So a door belongs to the API
whose path begins all its own, doors that could answer for one another share an API, and a path is nobody's where no operation matches.
"""

import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import permutations, takewhile

from topology.derive.identity import version_header
from topology.model.base import Name
from topology.model.door import ApiKeyAuth
from topology.model.system import Topology
from topology.paths import ANY_SEGMENT, overlap

Segments = tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Operation:
    """One method at one path of a door."""

    name: str
    """Its id within the API."""
    door: Name
    method: str
    template: str
    """Path below that of the API: `/orders/{p1}`, `/*`."""

    @property
    def parameters(self) -> list[str]:
        """Names of the parameters in the template."""
        return re.findall(r"\{(\w+)\}", self.template)


@dataclass(frozen=True, kw_only=True)
class Api:
    """Doors that share the beginning of their paths, and the version where a header tells it."""

    name: str
    """Its id; of several versions of one path, each has its own."""
    path: str
    """Without slashes at the ends; empty for the root."""
    version: tuple[str, str] | None
    """Header and value that select it."""
    version_set: str
    """Id of the set of versions that it belongs to, if any."""
    doors: tuple[Name, ...]
    operations: tuple[Operation, ...]

    def keyed(self, t: Topology) -> bool:
        """Say whether its doors ask for API keys."""
        return any(isinstance(t.doors[door].auth, ApiKeyAuth) for door in self.doors)

    def title(self, t: Topology) -> str:
        """Return its name in the developer portal."""
        known = {t.apis[about.name].title or about.name: about.version for door in self.doors if (about := t.doors[door].api)}
        said = ", ".join(f"{title} {version}" for title, version in known.items()) or t.system
        return f"{said} /{self.path}"


def apis(t: Topology) -> list[Api]:
    """Return the APIs of a system."""
    found: list[Api] = []
    for path, doors in sorted(groups(t).items()):
        by_version: defaultdict[tuple[str, str] | None, list[Name]] = defaultdict(list)
        for door in doors:
            by_version[version_header(t, t.doors[door])].append(door)
        base = _identifier("/".join(path) or "root", {api.name for api in found})
        versioned = any(by_version)
        for version, members in by_version.items():
            found.append(
                Api(
                    name=f"{base}-{_identifier(version[1], set())}" if version else base,
                    path="/".join(path),
                    version=version,
                    version_set=base if versioned else "",
                    doors=tuple(members),
                    operations=tuple(_operations(t, path, members)),
                )
            )
    return found


def groups(t: Topology) -> dict[Segments, list[Name]]:
    """Return the doors by the path of their API."""
    found: defaultdict[Segments, list[Name]] = defaultdict(list)
    for name in t.doors:
        found[_stem(t.doors[name].paths)].append(name)
    while pair := next(_captured(t, found), None):
        wide, narrow = pair
        found[wide] += found.pop(narrow)
    return dict(found)


def _captured(t: Topology, found: dict[Segments, list[Name]]) -> Iterator[tuple[Segments, Segments]]:
    """Yield APIs of which the one, chosen by its longer path, would answer for doors of the other."""
    for wide, narrow in permutations(sorted(found), 2):
        if wide == narrow[: len(wide)]:
            below = "/" + "/".join(narrow)
            for door in found[wide]:
                if any(overlap(pattern, f"{below}/*") or overlap(pattern, below) for pattern in t.doors[door].paths):
                    yield wide, narrow
                    break


def _stem(paths: tuple[str, ...]) -> Segments:
    """Return the literal segments that begin all paths, so that something is left of each for its operation."""
    columns = zip(*(_literal(pattern) for pattern in paths), strict=False)
    return tuple(column[0] for column in takewhile(lambda column: len(set(column)) == 1, columns))


def _literal(pattern: str) -> list[str]:
    segments = pattern[1:].split("/")
    fixed = next((index for index, segment in enumerate(segments) if segment in {ANY_SEGMENT, "*"}), len(segments) - 1)
    return segments[:fixed]


def _operations(t: Topology, path: Segments, doors: list[Name]) -> Iterator[Operation]:
    for door in doors:
        for number, pattern in enumerate(t.doors[door].paths):
            template = _template(pattern.removeprefix("/" + "/".join(path)) if path else pattern)
            for method in t.doors[door].methods:
                suffix = f"-{number + 1}" if len(t.doors[door].paths) > 1 else ""
                yield Operation(name=f"{door}{suffix}-{method.lower()}", door=door, method=method, template=template)


def _template(pattern: str) -> str:
    text = pattern
    for number in range(1, pattern.count(ANY_SEGMENT) + 1):
        text = text.replace(ANY_SEGMENT, f"{{p{number}}}", 1)
    return text


def _identifier(text: str, taken: set[str]) -> str:
    """Return an id of small letters, digits and hyphens that nothing else has."""
    plain = re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-") or "api"
    return next(name for number in range(len(taken) + 1) if (name := f"{plain}-{number + 1}" if number else plain) not in taken)
