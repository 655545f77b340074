"""Random systems that keep every law: what the theorem is tried on besides the systems under `stacks/`."""

from typing import Any

from hypothesis import strategies as st

from tests.keys import PUBLIC_KEY
from tests.topology.details import detail
from topology.laws import admit
from topology.model.system import Topology

Document = dict[str, Any]

NAMES = (
    "account", "basket", "catalogue", "delivery", "email", "fraud", "gift-card", "history", "inventory", "ledger", "market-data", "notes",
)  # fmt: skip
"""As many as a random system may have services. Some hold a '-', which other names must not confuse."""

HOST, SECOND_HOST = "api.random.example", "feed.random.example"

PROTOCOLS = ("http", "http", "http", "grpc", "websocket", "tcp")
READS = (["GET"], ["GET", "HEAD"])
WRITES = (["POST"], ["GET", "POST"], ["PUT", "DELETE"], ["GET", "PATCH"])
ASKED = {
    "visitor": {"limits": [{"requests": 10, "per": "second", "burst": 20}]},
    "guest": {"limits": [{"requests": 3, "per": "second"}, {"requests": 100, "per": "minute"}]},
}
"""Tiers that doors without keys name."""
SENSITIVE = ("personal", "health", "payment")


def paths(word: str) -> st.SearchStrategy[list[str]]:
    """Return lists of one to three different patterns of every kind, all below `/<word>/`."""
    patterns = (f"/{word}/items", f"/{word}/items/*", f"/{word}/" + "{*}", f"/{word}/" + "{*}/parts", f"/{word}/*", f"/{word}/")
    return st.lists(st.sampled_from(patterns), min_size=1, max_size=3, unique=True)


def granted(name: str, protocol: str) -> st.SearchStrategy[list[Document]]:
    """Return operations that a caller of a service may be granted."""
    if protocol == "tcp":
        return st.just([])
    if protocol == "grpc":
        rpc = f"{name.replace('-', '')}.v1.Api/"
        return st.lists(st.sampled_from(["Get", "List", "*"]).map(rpc.__add__), min_size=1, max_size=2, unique=True).map(
            lambda rpcs: [{"rpcs": rpcs}]
        )
    methods = st.just(["GET"]) if protocol == "websocket" else st.sampled_from((*READS, *WRITES))
    return st.fixed_dictionaries({"methods": methods, "paths": paths(name)}).map(lambda operation: [operation])


@st.composite
def topologies(draw: st.DrawFn, *, max_services: int = len(NAMES)) -> Topology:
    """Return systems of 1 to `max_services` services with doors, calls, canaries, ways out, sometimes a second mesh with bridges."""
    names: list[str] = draw(st.lists(st.sampled_from(NAMES), min_size=1, max_size=max_services, unique=True))
    meshes = _meshes(draw, names)
    of = {name: (mesh if len(meshes) > 1 else None) for mesh, members in meshes.items() for name in members}
    document: Document = {
        "system": "random",
        "hosts": [HOST],
        "meshes": {name: _mesh(name, single=len(meshes) == 1) for name in meshes},
        "services": {name: _service(draw, of[name]) for name in names},
    }
    services: dict[str, Document] = document["services"]
    for members in meshes.values():
        _calls(draw, services, members)
    _doors(draw, document)
    if len(meshes) > 1:
        _bridges(draw, document, list(meshes.values()))
    _ways_out(draw, document, list(meshes.values()))
    for members in meshes.values():
        _composition(draw, document, members, of[members[0]])
    _use_everything(draw, document)
    _doors_inside_others(draw, document)
    _api_versions(draw, document)
    _tiers_of_tokens(draw, document)
    _clients(document)
    _browsers(draw, document)
    detail(draw, document)
    if draw(st.booleans()):
        document["datacenters"] = {"dc1": {"region": "north"}, "dc2": {"region": "south"}}
    return admit(Topology.model_validate(document))


def _meshes(draw: st.DrawFn, names: list[str]) -> dict[str, list[str]]:
    if len(names) < 2 or not draw(st.booleans()):
        return {"main": names}
    cut = draw(st.integers(1, len(names) - 1))
    return {"north": names[:cut], "south": names[cut:]}


def _mesh(name: str, *, single: bool) -> Document:
    if single:
        return {"trustDomain": "random.example"}
    parts = {"controlPlane": f"istio-{name}", "ingress": f"{name}-ingress", "egress": f"{name}-egress", "bridge": f"{name}-bridge"}
    return {"trustDomain": f"{name}.random.example", "namespace": name} | parts


def _service(draw: st.DrawFn, mesh: str | None) -> Document:
    protocol = draw(st.sampled_from(PROTOCOLS))
    service: Document = {
        "protocol": protocol,
        "port": draw(st.sampled_from((8080, 9090, 3000))),
        "data": draw(st.sampled_from(("internal", "public", *SENSITIVE))),
        "audit": draw(st.booleans()),
        "availability": {"replicas": draw(st.integers(1, 3))},
    }
    if mesh:
        service["mesh"] = mesh
    if draw(st.booleans()):
        weight = draw(st.sampled_from((0, 10, 50, 100)))
        service["versions"] = {"v1": {"weight": 100 - weight}, "v2": {"weight": weight}}
        if protocol != "tcp" and draw(st.booleans()):
            service["canary"] = {"header": "x-canary", "value": "true", "version": "v2"}
        if protocol == "http" and weight < 100 and draw(st.booleans()):
            service["mirror"] = {"version": "v2", "percent": 5}
    if protocol in {"http", "grpc"} and draw(st.booleans()):
        service["resilience"] = {"timeout": "5s", "retries": {"attempts": 2, "perTry": "1s"}}
    if protocol == "http" and draw(st.booleans()):
        service["limit"] = {"requests": 100, "per": "second"}
    return service


def _calls(draw: st.DrawFn, services: dict[str, Document], members: list[str]) -> None:
    """Let services of one mesh call each other, mostly down the list, sometimes back up: cycles are lawful."""
    for position, caller in enumerate(members):
        others = [name for name in members if name != caller]
        callees = draw(st.lists(st.sampled_from(others), max_size=3, unique=True)) if others else []
        for callee in callees:
            if members.index(callee) > position or draw(st.booleans()):
                services[caller].setdefault("calls", {})[callee] = draw(granted(callee, services[callee]["protocol"]))
                if services[callee]["protocol"] == "http" and draw(st.sampled_from((False, False, True))):
                    services[callee]["faults"] = [{"percent": 10, "abort": 503, "callers": [caller]}]


def _doors(draw: st.DrawFn, document: Document) -> None:
    candidates = [name for name, service in document["services"].items() if service["protocol"] != "tcp"]
    if candidates:
        for name in draw(st.lists(st.sampled_from(candidates), max_size=4, unique=True)):
            _door(draw, document, name)


def _door(draw: st.DrawFn, document: Document, service: str) -> None:
    """Open a door named like its service, on paths below `/<service>/`, so that these doors do not overlap."""
    about: Document = document["services"][service]
    protocol, data = about["protocol"], about["data"]
    auths: list[Document] = [{"jwt": "login"}, {"apiKey": ["partner"]}]
    if data not in SENSITIVE:
        auths.append({"public": "Chosen at random, for a system that does not exist."})
    door: Document = {"service": service, "auth": draw(st.sampled_from(auths))}
    if protocol == "grpc":
        door |= {"methods": ["POST"], "paths": [f"/{service.replace('-', '')}.v1.Api/{draw(st.sampled_from(('Get', '*')))}"]}
    else:
        methods = st.just(["GET"]) if protocol == "websocket" else st.sampled_from((*READS, *WRITES))
        door |= {"methods": draw(methods), "paths": draw(paths(service))}
    if "apiKey" not in door["auth"]:
        door["tiers"] = ["visitor"]
    if "versions" in about and draw(st.booleans()):
        door["version"] = "v2"
    if protocol == "http" and draw(st.booleans()):
        door["rewrite"] = {"prefix": f"/{service}/", "replacement": f"/v1/{service}/"}
    if draw(st.sampled_from((False, False, True))):
        document["hosts"] = [HOST, SECOND_HOST]
        door["host"] = SECOND_HOST
    if protocol == "http" and data == "public" and set(door["methods"]) <= {"GET", "HEAD"} and draw(st.booleans()):
        door["cache"] = {"ttl": "1m"}
    document.setdefault("doors", {})[service] = door


def _doors_inside_others(draw: st.DrawFn, document: Document) -> None:
    """Open doors on paths that others cover: for the same credential, with a method of theirs, and narrow enough that all layers agree."""
    services: dict[str, Document] = document["services"]
    wide = [(name, door) for name, door in document.get("doors", {}).items() if f"/{name}/*" in door["paths"]]
    for name, outer in wide:
        protocol = services[name]["protocol"]
        behind = [other for other, about in services.items() if about["protocol"] == protocol == "http"]
        behind = [other for other in behind if "public" not in outer["auth"] or services[other]["data"] not in SENSITIVE]
        if not behind or not draw(st.booleans()):
            continue
        exact, prefix = [f"/{name}/inside"], [f"/{name}/inside/*"]
        some = exact if any("{*}" in path for path in outer["paths"]) else draw(st.sampled_from((exact, prefix, exact + prefix)))
        same = {key: outer[key] for key in ("auth", "tiers", "host") if key in outer}
        inner = {"methods": [draw(st.sampled_from(outer["methods"]))], "paths": some, "service": draw(st.sampled_from(behind)), **same}
        if draw(st.booleans()):
            inner["rewrite"] = {"prefix": f"/{name}/", "replacement": f"/v1/{name}/"}
        if "tiers" in outer and draw(st.booleans()):
            inner["tiers"] = ["guest"]
        inner |= draw(st.sampled_from(({}, {"timeout": "3s"}, {"maxBody": "2Mi"}, {"timeout": "30s", "maxBody": "1Ki"})))
        document["doors"][f"{name}-inside"] = inner


def _bridges(draw: st.DrawFn, document: Document, meshes: list[list[str]]) -> None:
    services: dict[str, Document] = document["services"]
    for sources, targets in (meshes, meshes[::-1]):
        carried = [name for name in targets if services[name]["protocol"] != "tcp"]
        if carried and draw(st.booleans()):
            source, target = draw(st.sampled_from(sources)), draw(st.sampled_from(carried))
            operations = draw(granted(target, services[target]["protocol"]))
            document.setdefault("bridges", {})[f"{source}-{target}"] = {"source": source, "target": target, "operations": operations}


def _ways_out(draw: st.DrawFn, document: Document, meshes: list[list[str]]) -> None:
    for number, members in enumerate(meshes):
        for letter in draw(st.lists(st.sampled_from("ab"), max_size=2, unique=True)):
            users = draw(st.lists(st.sampled_from(members), min_size=1, max_size=3, unique=True))
            host = {
                "host": f"{letter}{number}.outside.example",
                "port": draw(st.sampled_from((443, 8443))),
                "protocol": draw(st.sampled_from(("http", "tcp"))),
                "services": users,
            }
            document.setdefault("egress", {})[f"{letter}{number}"] = host


def _composition(draw: st.DrawFn, document: Document, members: list[str], mesh: str | None) -> None:
    parts = [name for name in members if document["services"][name]["protocol"] == "http"][:3]
    if len(parts) < 2 or not draw(st.booleans()):
        return
    name = f"summary-{mesh or 'main'}"
    composition: Document = {"parts": {part.replace("-", ""): {"service": part, "path": f"/{part}/summary"} for part in parts}}
    if mesh:
        composition["mesh"] = mesh
    document.setdefault("compositions", {})[name] = composition
    door = {"methods": ["GET"], "paths": [f"/{name}"], "service": name, "auth": {"jwt": "login"}, "tiers": ["visitor"]}
    document.setdefault("doors", {})[name] = door


def _use_everything(draw: st.DrawFn, document: Document) -> None:
    """Give a service that nothing uses a door, or a way out where a door cannot lead to it."""
    services: dict[str, Document] = document["services"]
    used = {name for name, service in services.items() if service.get("calls")}
    used |= {callee for service in services.values() for callee in service.get("calls", {})}
    used |= {door["service"] for door in document.get("doors", {}).values()}
    used |= {end for bridge in document.get("bridges", {}).values() for end in (bridge["source"], bridge["target"])}
    used |= {name for exit_ in document.get("egress", {}).values() for name in exit_["services"]}
    used |= {part["service"] for composition in document.get("compositions", {}).values() for part in composition["parts"].values()}
    for name, service in services.items():
        if name in used:
            continue
        if service["protocol"] == "tcp":
            document.setdefault("egress", {})[f"of-{name}"] = {"host": f"{name}.outside.example", "services": [name]}
        else:
            _door(draw, document, name)


def _api_versions(draw: st.DrawFn, document: Document) -> None:
    """Put another version beside some doors, at the same paths, told apart by a header; the later one may lead to another service."""
    services, doors = document["services"], document.get("doors", {})
    alone = [name for name in doors if name in services and f"{name}-inside" not in doors and services[name]["protocol"] == "http"]
    chosen = draw(st.lists(st.sampled_from(alone), max_size=2, unique=True)) if alone else []
    for name in chosen:
        door: Document = doors[name]
        data = services[name]["data"]
        others = [other for other, about in services.items() if about["protocol"] == "http" and about["data"] == data]
        later: Document = {key: value for key, value in door.items() if key not in {"version", "rewrite", "cache"}}
        doors[f"{name}-next"] = later | {"service": draw(st.sampled_from(others)), "api": {"name": "shared", "version": "v2"}}
        door["api"] = {"name": "shared", "version": "v1"}
    if chosen:
        ending = {"lifecycle": "deprecated", "deprecatedSince": "2026-01-15", "sunset": "2027-01-15"}
        versions = {"v1": draw(st.sampled_from(({}, ending))), "v2": {}, "v3": {"lifecycle": "draft"}}
        document["apis"] = {"shared": {"title": "Shared", "versionHeader": "x-version", "versions": versions}}


def _tiers_of_tokens(draw: st.DrawFn, document: Document) -> None:
    """Let tokens name the tier of their clients, and some doors take several."""
    mine = [door for door in document.get("doors", {}).values() if "jwt" in door["auth"]]
    if mine and draw(st.sampled_from((False, False, True))):
        document["issuers"] = {"login": {"tierClaim": "plan"}}
        for door in mine:
            door["tiers"] = draw(st.sampled_from((["visitor"], ["visitor", "guest"], ["guest", "visitor"])))


def _clients(document: Document) -> None:
    """Define what the doors name: issuer, tiers and consumers."""
    auths = [door["auth"] for door in document.get("doors", {}).values()]
    tiers: Document = {}
    if any("jwt" in auth for auth in auths):
        login = "https://login.random.example"
        issuer = document.setdefault("issuers", {}).setdefault("login", {})
        issuer |= {"issuer": login, "audiences": ["random"], "jwksUri": f"{login}/keys", "publicKeys": [PUBLIC_KEY]}
    named = {tier for door in document.get("doors", {}).values() for tier in door.get("tiers", ())}
    tiers |= {name: limits for name, limits in ASKED.items() if name in named}
    if any("apiKey" in auth for auth in auths):
        tiers["partner"] = {"limits": [{"requests": 1000, "per": "minute"}]}
        document["consumers"] = {"acme": {"tier": "partner"}}
    if tiers:
        document["tiers"] = tiers


def _browsers(draw: st.DrawFn, document: Document) -> None:
    """Let scripts of other pages use some doors; there is one policy for each host, so that doors which meet name the same."""
    spoken = {name: service["protocol"] for name, service in document["services"].items()}
    chosen = [door for door in document.get("doors", {}).values() if spoken.get(door["service"], "http") == "http" and draw(st.booleans())]
    for door in chosen:
        door["cors"] = "feeds" if door.get("host") == SECOND_HOST else "pages"
    policies = {
        name: {"origins": [f"https://{name}.random.example"], "credentials": draw(st.booleans())}
        for name in sorted({door["cors"] for door in chosen})
    }
    if policies:
        document["cors"] = policies
