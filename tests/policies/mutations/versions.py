"""Versions of a service get other requests than those that the topology gives them."""

from collections.abc import Callable, Iterator
from typing import Any

from tests.policies.mutations.mutation import Family, Table
from tests.policies.mutations.plan import MARKER, Plan, Record, name, namespace, pod_labels, pod_spec

TABLE = Table(Family.MISSING)

Route = dict[str, Any]


def _is_canary(route: Route) -> bool:
    """Say whether a route is for requests with a header; those of a gateway's doors have paths besides."""
    return any("headers" in match for match in route.get("match") or ())


def _subsets(route: Route) -> list[str]:
    return [each["destination"]["subset"] for each in route.get("route") or () if "subset" in each["destination"]]


def _change(plan: Plan, which: Callable[[Route], object], change: Callable[[Route], object], *, bound: bool = False) -> bool:
    """Change the first route that fits: of a service's callers, or of a gateway."""
    for record in plan.records("VirtualService", where=lambda i: bool(i["spec"].get("gateways")) is bound):
        for number, route in enumerate(record["inputs"]["spec"].get("http") or ()):
            if _subsets(route) and which(route):
                change(plan.edit(record)["spec"]["http"][number])
                return True
    return False


def _several(route: Route) -> bool:
    return len(route["route"]) > 1


def _turn(route: Route) -> None:
    weights = [each["weight"] for each in route["route"]]
    for each, weight in zip(route["route"], [weights[-1] + 1, *weights[:-1]], strict=True):
        each["weight"] = weight


def _match(route: Route, headers: dict[str, Any]) -> None:
    for match in route["match"]:
        match["headers"] = headers


@TABLE.mutation("M27", "versions get other shares of their callers' requests")
def weights_turned(plan: Plan) -> bool:
    return _change(plan, _several, _turn)


@TABLE.mutation("M27", "versions get other shares of the requests of a door")
def weights_of_a_door_turned(plan: Plan) -> bool:
    return _change(plan, _several, _turn, bound=True)


@TABLE.mutation("M27", "the weight of a version is a text")
def weight_as_text(plan: Plan) -> bool:
    return _change(plan, _several, lambda route: route["route"][0].update(weight="90"))


@TABLE.mutation("M27", "whichever instance is next answers, of whichever version")
def versions_mixed(plan: Plan) -> bool:
    def change(route: Route) -> None:
        route["route"] = [{"destination": {key: value for key, value in route["route"][0]["destination"].items() if key != "subset"}}]

    return _change(plan, lambda route: not _is_canary(route), change)


@TABLE.mutation("M27", "a tester's requests are told by another header")
def canary_by_another_header(plan: Plan) -> bool:
    return _change(plan, _is_canary, lambda route: _match(route, {"x-other": {"exact": "yes"}}))


@TABLE.mutation("M27", "a tester's requests are told by another value")
def canary_by_another_value(plan: Plan) -> bool:
    def change(route: Route) -> None:
        _match(route, {header: {"exact": MARKER} for match in route["match"] for header in match["headers"]})

    return _change(plan, _is_canary, change)


@TABLE.mutation("M27", "a tester's requests get any version")
def canary_as_all(plan: Plan) -> bool:
    def change(route: Route) -> None:
        del route["route"][0]["destination"]["subset"]

    return _change(plan, _is_canary, change)


@TABLE.mutation("M27", "everybody's requests come before a tester's")
def canary_last(plan: Plan) -> bool:
    for record in plan.records("VirtualService", where=lambda i: any(map(_is_canary, i["spec"].get("http") or ()))):
        if not record["inputs"]["spec"].get("gateways"):
            http = plan.edit(record)["spec"]["http"]
            rest = next(route for route in http if not _is_canary(route))
            # With a match, it is not the route for everything else, which comes last wherever it stands.
            http.insert(0, {**rest, "match": [{"uri": {"prefix": "/"}, "method": {"regex": "GET|POST"}}]})
            return True
    return False


@TABLE.mutation("M27", "requests of a door that is for one version go to another")
def door_of_another_version(plan: Plan) -> bool:
    def other(route: Route) -> list[str]:
        host = route["route"][0]["destination"]["host"]
        rule = plan.first("DestinationRule", where=lambda i: i["spec"].get("host") == host)
        names = [each["name"] for each in rule["inputs"]["spec"].get("subsets") or ()] if rule else []
        return [each for each in names if each not in _subsets(route)]

    return _change(
        plan,
        lambda route: "name" in route and not (_several(route) or _is_canary(route)) and other(route),
        lambda route: route["route"][0]["destination"].update(subset=other(route)[0]),
        bound=True,
    )


@TABLE.mutation("M27", "every request is copied, not a share of them")
def everything_is_mirrored(plan: Plan) -> bool:
    return _change(plan, lambda route: "mirrors" in route, lambda route: route["mirrors"][0].pop("percentage"))


@TABLE.mutation("M27", "no request is copied")
def nothing_is_mirrored(plan: Plan) -> bool:
    return _change(plan, lambda route: "mirrors" in route, lambda route: route.pop("mirrors"))


def _of_a_version(plan: Plan) -> tuple[Record, str] | None:
    """Return a DestinationRule and its last subset."""
    rule = plan.app("DestinationRule", where=lambda i: len(i["spec"].get("subsets") or ()) > 1)
    return (rule, rule["inputs"]["spec"]["subsets"][-1]["name"]) if rule else None


def _unrouted(http: list[Route], host: str, subset: str) -> Iterator[Route]:
    """Yield routes as they are where a version of a host was never heard of."""

    def others(given: list[dict[str, Any]]) -> list[dict[str, Any]]:
        return [each for each in given if (each["destination"]["host"], each["destination"].get("subset")) != (host, subset)]

    for route in http:
        kept = others(route["route"])
        if len(kept) < len(route["route"]):
            kept = [{**each, "weight": 100 // len(kept)} for each in kept]
        if kept:
            yield {**route, "route": kept, **({"mirrors": others(route["mirrors"])} if "mirrors" in route else {})}


def _forget(plan: Plan) -> tuple[Record, str] | None:
    """Remove a version's subset and every route to it."""
    if (found := _of_a_version(plan)) is None:
        return None
    rule, subset = found
    host = rule["inputs"]["spec"]["host"]
    spec = plan.edit(rule)["spec"]
    spec["subsets"] = [each for each in spec["subsets"] if each["name"] != subset]
    for record in list(plan.records("VirtualService", where=lambda i: f"'subset': '{subset}'" in str(i["spec"].get("http")))):
        spec = plan.edit(record)["spec"]
        spec["http"] = list(_unrouted(spec["http"], host, subset))
    return found


@TABLE.mutation("M27", "a version is taken out of all routes and of its service's subsets")
def version_forgotten(plan: Plan) -> bool:
    return _forget(plan) is not None


@TABLE.mutation("P04", "a version is gone with its routes, its subset and its workload")
def version_removed(plan: Plan) -> bool:
    found = _forget(plan)
    if found is None:
        return False
    rule, subset = found
    wanted = next(each for each in rule["inputs"]["spec"]["subsets"] if each["name"] == subset)["labels"] | {"app": name(rule["inputs"])}
    place = namespace(rule["inputs"])
    for each in list(plan.records("Deployment", where=lambda i: namespace(i) == place and wanted.items() <= pod_labels(i).items())):
        plan.remove(each)
    return True


@TABLE.mutation("K13", "the workload of one version runs the program of another")
def versions_run_each_other(plan: Plan) -> bool:
    for place in plan.app_namespaces():
        by_app: dict[str, list[Record]] = {}
        for record in plan.records("Deployment", where=lambda i, place=place: namespace(i) == place):
            by_app.setdefault(pod_labels(record["inputs"])["app"], []).append(record)
        for one, *others in by_app.values():
            for other in others:
                mine, its = (pod_spec(each["inputs"])["containers"][0] for each in (one, other))
                if mine["image"] != its["image"] or mine.get("env") != its.get("env"):
                    pod_spec(plan.edit(one))["containers"][0] = its
                    return True
    return False
