"""nginx: configuration files as pods see them, and the servers, locations and upstreams they define.

A pod's files are the ConfigMaps that it mounts. What nginx reads from the image instead is not known; a few files of every
nginx installation say nothing about routing and may be included without harm.
"""

import tempfile
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from functools import cached_property
from pathlib import Path, PurePosixPath
from typing import Any, Final

import crossplane  # pyright: ignore[reportMissingTypeStubs] # crossplane ships no types

from policies.reading.patterns import Pattern, exact, prefix, regex
from policies.reading.pods import Pod
from policies.reading.resource import Resource
from policies.reading.values import UnknownValueError, mapping, sequence

HARMLESS_INCLUDES: Final = (
    "/etc/nginx/mime.types",
    "/etc/nginx/modules-enabled/*.conf",
    "/etc/nginx/modules/*.conf",
    "/usr/share/nginx/modules/*.conf",
    "/etc/nginx/*_params",
    "/etc/nginx/koi-*",
    "/etc/nginx/win-utf",
)
"""Files of an nginx installation that say nothing about routing."""

MAIN: Final = "/etc/nginx/nginx.conf"


@dataclass(frozen=True, kw_only=True, eq=False)
class Directive:
    """One directive with its arguments; `block` is empty for a directive without one."""

    name: str
    args: tuple[str, ...]
    block: tuple["Directive", ...] = ()
    file: str = ""
    line: int = 0

    @cached_property
    def _inside(self) -> "Mapping[str, tuple[Directive, ...]]":
        found: defaultdict[str, list[Directive]] = defaultdict(list)
        for directive in self.block:
            found[directive.name].append(directive)
        return {name: tuple(directives) for name, directives in found.items()}

    def all(self, name: str) -> "tuple[Directive, ...]":
        """Return the directives of a name directly inside."""
        return self._inside.get(name, ())

    def get(self, name: str) -> "Directive | None":
        """Return the last directive of a name directly inside, which is the one that counts."""
        return next(reversed(self.all(name)), None)

    def walk(self) -> Iterator["Directive"]:
        """Yield every directive inside, at any depth."""
        for directive in self.block:
            yield directive
            yield from directive.walk()


@dataclass(frozen=True, kw_only=True, eq=False)
class Location:
    """One location of a server."""

    directive: Directive
    modifier: str
    """`=`, `^~`, `~`, `~*`, `@` (named), or empty for a plain prefix."""
    path: str
    inherited: tuple[Directive, ...]
    """The blocks around it, outermost first: main, http, server, location."""

    @property
    def patterns(self) -> tuple[Pattern, ...]:
        """Return the paths that it matches.

        Raises:
            UnknownValueError: for a regular expression that cannot be read.
        """
        match self.modifier:
            case "=":
                return (exact(self.path),)
            case "~":
                return regex(self.path, whole=False)
            case "" | "^~":
                return (prefix(self.path),)
            case _:
                raise UnknownValueError(f"location {self.modifier} {self.path}", "a location that cannot be read")

    def get(self, name: str) -> Directive | None:
        """Return the directive of a name that holds here: the location's own, else inherited from the blocks around it."""
        for block in (self.directive, *reversed(self.inherited)):
            if found := block.get(name):
                return found
        return None

    def every(self, name: str) -> tuple[Directive, ...]:
        """Return the directives of a name that hold here; as nginx inherits lists: all of the innermost block that has one."""
        for block in (self.directive, *reversed(self.inherited)):
            if found := block.all(name):
                return found
        return ()


@dataclass(frozen=True, kw_only=True)
class Listen:
    """One `listen` of a server."""

    port: int
    tls: bool
    default: bool
    loopback: bool


@dataclass(frozen=True, kw_only=True, eq=False)
class Server:
    """One server block."""

    pod: Pod
    config_map: Resource
    directive: Directive
    http: Directive
    main: Directive
    listens: tuple[Listen, ...]
    names: tuple[str, ...]
    locations: tuple[Location, ...]

    def __str__(self) -> str:
        """Name the server by its hosts."""
        return f"nginx server {' '.join(self.names) or '(without name)'} of {self.pod}"

    def get(self, name: str) -> Directive | None:
        """Return the directive of a name that holds for the server: its own, else the http block's, else the main one's."""
        return self.directive.get(name) or self.http.get(name) or self.main.get(name)


@dataclass(kw_only=True, eq=False)
class Nginx:
    """The configuration that one nginx container runs with."""

    pod: Pod
    config_map: Resource
    main: Directive
    files: Mapping[str, str]
    """Every file that the container sees from ConfigMaps, by path: also ModSecurity's."""
    servers: tuple[Server, ...] = ()
    upstreams: Mapping[str, tuple[str, ...]] = field(default_factory=dict[str, tuple[str, ...]])
    """Addresses (`host:port`) by upstream name."""


def nginx_of(pod: Pod, config_maps: Mapping[str, Resource]) -> Iterator[Nginx]:
    """Yield the nginx configurations of a pod; `config_maps` are those of its namespace by name.

    Raises:
        UnknownValueError: if a file that nginx reads is not known, or cannot be parsed.
    """
    for container in pod.containers:
        files, owners = _files(pod, container, config_maps)
        if (start := _start(container, files)) is None:
            continue
        owner = owners.get(start) or next(iter(owners.values()))
        top = _parse(start, files)
        main = Directive(name="main", args=(), block=top)
        http = next(iter(main.all("http")), None) or Directive(name="http", args=(), block=top)
        found = Nginx(pod=pod, config_map=owner, main=main, files=files)
        found.upstreams = {
            each.args[0]: tuple(server.args[0] for server in each.all("server")) for each in http.all("upstream") if each.args
        }
        found.servers = tuple(_server(pod, owner, each, http, main) for each in http.all("server"))
        yield found


def _files(pod: Pod, container: Mapping[str, Any], config_maps: Mapping[str, Resource]) -> tuple[dict[str, str], dict[str, Resource]]:
    sources: dict[str, Any] = {volume["name"]: volume for volume in pod.volumes}
    files: dict[str, str] = {}
    owners: dict[str, Resource] = {}
    for mount in sequence(container.get("volumeMounts")):
        volume = mapping(sources.get(mount["name"]))
        maps = [volume["configMap"]] if volume.get("configMap") else []
        maps += [source["configMap"] for source in sequence(mapping(volume.get("projected")).get("sources")) if source.get("configMap")]
        for reference in maps:
            config_map = config_maps.get(reference["name"])
            if config_map is None:
                if reference.get("optional"):
                    continue
                raise UnknownValueError(f"{pod}: ConfigMap {reference['name']}", "not among the resources of the program")
            data: Mapping[str, Any] = config_map.at("data", default={})
            items = reference.get("items")
            named: dict[str, Any] = {item["path"]: data.get(item["key"]) for item in items} if items else dict(data)
            for path, text in named.items():
                place = mount["mountPath"].rstrip("/")
                if mount.get("subPath"):
                    if mount["subPath"] != path:
                        continue
                else:
                    place = f"{place}/{path}"
                if text is None:
                    continue
                if not isinstance(text, str):  # an unknown raises here
                    raise UnknownValueError(f"{config_map}: data.{path}", f"not a text but {type(text).__name__}")
                files[place] = text
                owners[place] = config_map
    return files, owners


def _start(container: Mapping[str, Any], files: Mapping[str, str]) -> str | None:
    """Return the file that nginx starts from; None where the container is no nginx that reads its ConfigMaps."""
    words = [*sequence(container.get("command")), *sequence(container.get("args"))]
    for position, word in enumerate(words[:-1]):
        if word == "-c":
            return words[position + 1] if words[position + 1] in files else None
    if MAIN in files:
        return MAIN
    image = str(container.get("image") or "")
    if "nginx" in image and any(fnmatchcase(path, "/etc/nginx/conf.d/*.conf") for path in files):
        return ""
    return None


def _parse(start: str, files: Mapping[str, str]) -> tuple[Directive, ...]:
    with tempfile.TemporaryDirectory() as folder:
        parsed: dict[str, list[dict[str, Any]]] = {}

        def read(path: str) -> list[dict[str, Any]]:
            if path not in parsed:
                file = Path(folder) / f"{len(parsed)}.conf"
                file.write_text(files[path], encoding="utf-8")
                result: dict[str, Any] = crossplane.parse(str(file), single=True, check_ctx=False, check_args=False)  # pyright: ignore[reportUnknownMemberType, reportUnknownVariableType]
                if result["errors"]:
                    raise UnknownValueError(path, f"not an nginx configuration: {result['errors'][0]['error']}")
                parsed[path] = result["config"][0]["parsed"]
            return parsed[path]

        def build(statements: list[dict[str, Any]], path: str, depth: int) -> Iterator[Directive]:
            for statement in statements:
                name, args = statement["directive"], tuple(statement["args"])
                if name == "include":
                    for other in _included(args[0], path, files):
                        if depth > 10:
                            raise UnknownValueError(other, "a file that includes itself")
                        yield from build(read(other), other, depth + 1)
                    continue
                block = tuple(build(statement.get("block") or [], path, depth))
                yield Directive(name=name, args=args, block=block, file=path, line=statement["line"])

        if not start:
            parts = [build(read(path), path, 0) for path in sorted(files) if fnmatchcase(path, "/etc/nginx/conf.d/*.conf")]
            return (Directive(name="http", args=(), block=tuple(each for part in parts for each in part)),)
        return tuple(build(read(start), start, 0))


def _included(pattern: str, path: str, files: Mapping[str, str]) -> list[str]:
    full = pattern if pattern.startswith("/") else str(PurePosixPath(path).parent / pattern)
    found = sorted(file for file in files if fnmatchcase(file, full))
    if not found and (".." in full or not any(fnmatchcase(full, harmless) for harmless in HARMLESS_INCLUDES)):
        raise UnknownValueError(f"{path}: include {pattern}", "a file that no ConfigMap of the program holds")
    return found


def _server(pod: Pod, config_map: Resource, directive: Directive, http: Directive, main: Directive) -> Server:
    listens = tuple(_listen(each) for each in directive.all("listen")) or (Listen(port=80, tls=False, default=False, loopback=False),)
    names = tuple(name for each in directive.all("server_name") for name in each.args)
    around = (main, http, directive)
    return Server(
        pod=pod,
        config_map=config_map,
        directive=directive,
        http=http,
        main=main,
        listens=listens,
        names=names,
        locations=tuple(_locations(directive, around)),
    )


def _locations(block: Directive, around: tuple[Directive, ...]) -> Iterator[Location]:
    for directive in block.all("location"):
        modifier, path = directive.args if len(directive.args) == 2 else ("", directive.args[0])
        if path.startswith("@") and not modifier:
            modifier = "@"
        yield Location(directive=directive, modifier=modifier, path=path, inherited=around)
        yield from _locations(directive, (*around, directive))


def _listen(directive: Directive) -> Listen:
    address, *options = directive.args
    host, _, port = address.rpartition(":")
    if not port.isdigit():
        host, port = address, "80"
    return Listen(
        port=int(port),
        tls="ssl" in options or "quic" in options,
        default="default_server" in options or "default" in options,
        loopback=host in {"127.0.0.1", "[::1]", "localhost"},
    )
