"""The doors as APIs and operations of API Management.

It chooses an API by the longest path that begins a request's path, and then an operation of that API alone. So a door belongs to the API
whose path begins all its own, doors that could answer for one another share an API, and a path is nobody's where no operation matches.

Versions of an API are told by a header, or by the segment that follows the API's path (Learn, `api-management-versions`).
"""

import hashlib
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import permutations, takewhile

from components.azure.ids import LONGEST, shortened
from topology.model.base import Name
from topology.model.door import ApiKeyAuth
from topology.model.system import Topology
from topology.paths import ANY_SEGMENT, overlap

Segments = tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Operation:
    """One method at one path of a door."""

    title: str
    """Its name in the developer portal."""
    door: Name
    method: str
    template: str
    """Path below that of the API: `/orders/{p1}`, `/*`."""

    @property
    def name(self) -> str:
        """Its id within the API, which follows from method and template alone: `get-orders-p1-1f0c2a`.

        API Management refuses a second operation of one method and template ("Operation with the same method and URL template already
        exists", https://blog.mithril.be/posts/apim-operation-id-truncation), and Pulumi makes what is new before it deletes what is gone.
        So the operation of a renamed door, or of a path at another place in its list, is the one that was there.
        """
        # Words alone are not enough: `/a-b` and `/a/b` have the same.
        digest = hashlib.sha256(self.template.encode()).hexdigest()[:6]
        return shortened("-".join(part for part in (self.method.lower(), _words(self.template), digest) if part))

    @property
    def parameters(self) -> list[str]:
        """Names of the parameters in the template."""
        return re.findall(r"\{(\w+)\}", self.template)


@dataclass(frozen=True, kw_only=True)
class VersionSet:
    """Versions of one API, side by side."""

    name: str
    """Its id."""
    title: str
    header: str | None
    """The header that tells the version; None where the segment after the API's path does."""


@dataclass(frozen=True, kw_only=True)
class Api:
    """Doors that share the beginning of their paths, in one version where they have versions."""

    name: str
    """Its id; of several versions of one path, each has its own."""
    path: str
    """Without slashes at the ends, and without the segment that tells the version; empty for the root."""
    version: str | None
    version_set: VersionSet | None
    doors: tuple[Name, ...]
    operations: tuple[Operation, ...]

    @property
    def begins(self) -> str:
        """How its requests' paths begin, without slashes at the ends."""
        by_segment = self.version_set is not None and self.version_set.header is None
        return "/".join(part for part in (self.path, self.version if by_segment else None) if part)

    def keyed(self, t: Topology) -> bool:
        """Say whether its doors ask for API keys."""
        return any(isinstance(t.doors[door].auth, ApiKeyAuth) for door in self.doors)

    def versions(self, t: Topology) -> list[tuple[Name, str]]:
        """Return the topology's APIs of its doors, each with its version."""
        return _versions(t, self.doors)

    def title(self, t: Topology) -> str:
        """Return its name in the developer portal."""
        said = ", ".join(f"{t.apis[api].title or api} {version}" for api, version in self.versions(t)) or t.system
        return f"{said} /{self.begins}"


def apis(t: Topology) -> list[Api]:
    """Return the APIs of a system."""
    found: list[Api] = []
    by_path = sorted(groups(t).items())
    by_segment = _by_segment(t, dict(by_path))
    sets: dict[tuple[Name | None, str], VersionSet] = {}
    for path, doors in by_path:
        by_version: defaultdict[tuple[str, str] | None, list[Name]] = defaultdict(list)
        for door in doors:
            by_version[t.version_header(t.doors[door])].append(door)
        told = by_segment.get(path)
        header = next((version[0] for version in by_version if version), None)
        title = (t.apis[told].title or told) if told else "/" + "/".join(path)
        # Not the API's own name: one that is renamed would be made anew on a path that the old one still has, which Azure refuses.
        base = "/".join(path[:-1] if told else path) or "root"
        for version, members in by_version.items():
            value = path[-1] if told else version[1] if version else None
            if value and (told, base) not in sets:
                sets[told, base] = VersionSet(name=_identifier(base, {other.name for other in sets.values()}), title=title, header=header)
            found.append(
                Api(
                    name=_identifier(f"{base}-{value}" if value else base, {api.name for api in found}),
                    path="/".join(path[:-1] if told else path),
                    version=value,
                    version_set=sets[told, base] if value else None,
                    doors=tuple(members),
                    operations=tuple(_operations(t, path, members)),
                )
            )
    return found


def _by_segment(t: Topology, by_path: Mapping[Segments, list[Name]]) -> dict[Segments, Name]:
    """Return the paths that are versions of an API of the topology, told by their last segment, with that API.

    All doors there are of that version. What is before the segment belongs to no other API: Azure has one set of versions for one path
    ("Cannot create an API with the same Path unless it's a part of the same version set").
    """
    told: dict[Segments, Name] = {}
    for path, doors in by_path.items():
        of = _versions(t, doors)
        if len(of) == 1 and all(t.doors[door].api for door in doors):
            ((api, version),) = of
            if path and path[-1] == version and t.apis[api].version_header is None:
                told[path] = api
    before: dict[Name, set[Segments]] = {name: {path[:-1] for path, api in told.items() if api == name} for name in told.values()}
    owners = Counter(beginning for beginnings in before.values() for beginning in beginnings)
    alone = {name for name, beginnings in before.items() if len(beginnings) == 1 and not beginnings & by_path.keys()}
    return {path: name for path, name in told.items() if name in alone and owners[path[:-1]] == 1}


def _versions(t: Topology, doors: Iterable[Name]) -> list[tuple[Name, str]]:
    return list(dict.fromkeys((about.name, about.version) for door in doors if (about := t.doors[door].api)))


def groups(t: Topology) -> dict[Segments, list[Name]]:
    """Return the doors by the path of their API."""
    found: defaultdict[Segments, list[Name]] = defaultdict(list)
    for name, stem in _stems(t).items():
        found[stem].append(name)
    while pair := next(_captured(t, found), None):
        wide, narrow = pair
        found[wide] += found.pop(narrow)
    return dict(found)


def _stems(t: Topology) -> dict[Name, Segments]:
    """Return the beginning of each door's paths: that of its API version, where its segment tells the version and no other door is there."""
    own = {name: _stem(door.paths) for name, door in t.doors.items()}
    for members in _versions_by_path(t):
        about = t.doors[members[0]].api
        shared = _stem(tuple(path for name in members for path in t.doors[name].paths))
        if about is None or about.version not in shared:
            continue
        whole = shared[: shared.index(about.version) + 1]
        one_kind = len({isinstance(t.doors[name].auth, ApiKeyAuth) for name in members}) == 1
        if one_kind and not any(stem == whole for name, stem in own.items() if name not in members):
            own.update(dict.fromkeys(members, whole))
    return own


def _versions_by_path(t: Topology) -> list[list[Name]]:
    """Return the doors of each API version that no header tells."""
    found: defaultdict[tuple[Name, str], list[Name]] = defaultdict(list)
    for name, door in t.doors.items():
        if door.api and t.apis[door.api.name].version_header is None:
            found[door.api.name, door.api.version].append(name)
    return list(found.values())


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
                yield Operation(title=f"{door}{suffix}-{method.lower()}", door=door, method=method, template=template)


def _template(pattern: str) -> str:
    text = pattern
    for number in range(1, pattern.count(ANY_SEGMENT) + 1):
        text = text.replace(ANY_SEGMENT, f"{{p{number}}}", 1)
    return text


def _identifier(text: str, taken: set[str]) -> str:
    """Return an id of small letters, digits and hyphens that nothing else has, with room for a number."""
    plain = shortened(_words(text) or "api", LONGEST - 4)
    return next(name for number in range(len(taken) + 1) if (name := f"{plain}-{number + 1}" if number else plain) not in taken)


def _words(text: str) -> str:
    """Return a text in small letters, digits and hyphens."""
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")
