"""How long judging takes: systems of any size, written as manifests without any generator of the product.

`python -m tests.policies.scale 30 100 300 1000` prints a table: resources, CPU seconds for reading the plan, for the proof and for
all rules, the same per service, and how judging grows from one size to the next (1.0: in step with the system).
"""

import gc
import math
import sys
import time
from collections.abc import Iterator
from copy import deepcopy
from datetime import date
from typing import Any

import yaml

from policies.harness import findings_of, judge
from policies.reading.normalise import normalise
from policies.reading.stack import Stack
from policies.registry import rules
from policies.rule import Rule
from tests.bench.systems import system
from tests.policies.building import baseline, key_of, records
from topology.load import parse
from topology.model.system import Topology

Manifest = dict[str, Any]
HOST = "api.bench.example"
OWN = frozenset("abc")


def topology(services: int) -> Topology:
    """Return the topology of a synthetic system."""
    return parse(yaml.safe_dump(system(services)), file="bench")


def manifests(t: Topology) -> Iterator[Manifest]:
    """Yield the manifests of a synthetic system: the platform of the baseline `abc`, and ten objects for each service."""
    callers: dict[str, list[str]] = {name: [] for name in t.services}
    for name, service in t.services.items():
        for callee in service.calls:
            callers[callee].append(name)
    exposed = {door.service for door in t.doors.values()}
    platform = {key_of(item): item for item in baseline("abc") if not _of_a_service(item)}
    yield from _platform(platform, t, sorted(exposed))
    templates = [item for item in baseline("abc") if _of_a_service(item) and item["metadata"]["name"] in {"b", "b-v1"}]
    for name in t.services:
        for template in templates:
            yield _service(template, name, callers[name], sorted(t.services[name].calls), exposed=name in exposed)


def _of_a_service(item: Manifest) -> bool:
    metadata = item.get("metadata") or {}
    return metadata.get("namespace") == "abc" and metadata["name"].removesuffix("-v1") in OWN


def _platform(items: dict[str, Manifest], t: Topology, exposed: list[str]) -> Iterator[Manifest]:
    login = next(iter(t.issuers.values())).issuer
    text = yaml.safe_dump_all(items.values(), sort_keys=False)
    for old, new in {
        "https://login.abc.example": login,
        "api.abc.example": HOST,
        "abc.example": "bench.example",
        "abc-api": "bench",
    }.items():
        text = text.replace(old, new)
    found = {key_of(item): item for item in yaml.load_all(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))}
    server = found["ConfigMap edge/edge"]["data"]
    opening, _, rest = server["nginx.conf"].partition("    location = /a { return 404; }\n")
    closing = rest[rest.index("    location / {") :]
    places = "".join(
        f'    location /{name}/ {{ if ($request_method !~ "^(?:GET)$") {{ return 405; }} proxy_pass https://gateway; }}\n'
        for name in exposed
    )
    server["nginx.conf"] = f"{opening}{places}{closing}"
    routes = found.pop("HTTPRoute gateway/a"), found.pop("SecurityPolicy gateway/a"), found.pop("BackendTrafficPolicy gateway/a")
    for name in exposed:
        for route in routes:
            copy = deepcopy(route)
            copy["metadata"]["name"] = name
            if route["kind"] == "HTTPRoute":
                copy["spec"]["rules"][0]["matches"] = [{"path": {"type": "RegularExpression", "value": f"/{name}/.*"}, "method": "GET"}]
            else:
                copy["spec"]["targetRefs"][0]["name"] = name
            yield copy
    ingress = found["AuthorizationPolicy istio-ingress/ingress"]["spec"]
    ingress["rules"] = [_door(ingress["rules"][0], name) for name in exposed]
    found["VirtualService istio-ingress/" + HOST]["spec"]["http"] = [
        {
            "match": [{"uri": {"prefix": f"/{name}/"}, "method": {"exact": "GET"}}],
            "route": [{"destination": {"host": f"{name}.abc.svc.cluster.local", "port": {"number": 8080}}}],
        }
        for name in exposed
    ]
    *_, to_services = found["NetworkPolicy istio-ingress/ingress"]["spec"]["egress"]
    to_services["to"] = [_peer("abc", name) for name in exposed]
    yield from found.values()


def _door(rule: Manifest, name: str) -> Manifest:
    copy = deepcopy(rule)
    copy["to"][0]["operation"]["paths"] = [f"/{name}/*"]
    return copy


def _peer(namespace: str, app: str) -> Manifest:
    return {
        "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": namespace}},
        "podSelector": {"matchLabels": {"app": app}},
    }


def _service(template: Manifest, name: str, callers: list[str], callees: list[str], *, exposed: bool) -> Manifest:
    item = deepcopy(template)
    item["metadata"]["name"] = item["metadata"]["name"].replace("b", name, 1)
    text = yaml.safe_dump(item.get("spec") or {}).replace("app: b\n", f"app: {name}\n").replace("b.abc.svc", f"{name}.abc.svc")
    spec = yaml.safe_load(text.replace("serviceAccountName: b\n", f"serviceAccountName: {name}\n"))
    match item["kind"]:
        case "AuthorizationPolicy":
            principals = [f"bench.example/ns/abc/sa/{caller}" for caller in callers]
            principals += ["bench.example/ns/istio-ingress/sa/ingress"] if exposed else []
            operation = {"methods": ["GET"], "paths": [f"/{name}/*"], "ports": ["8080"]}
            spec["rules"] = [{"from": [{"source": {"principals": [each]}}], "to": [{"operation": operation}]} for each in principals]
        case "Sidecar":
            spec["egress"] = [{"hosts": [f"abc/{callee}.abc.svc.cluster.local" for callee in callees] or ["~/*"]}]
        case "NetworkPolicy":
            peers = [_peer("abc", caller) for caller in callers] + ([_peer("istio-ingress", "ingress")] if exposed else [])
            spec["ingress"] = [{"from": peers, "ports": [{"protocol": "TCP", "port": 8080}]}] if peers else []
            spec["egress"] = [
                *spec["egress"][:2],
                *([{"to": [_peer("abc", each) for each in callees], "ports": [{"port": 8080}]}] if callees else []),
            ]
        case "DestinationRule":
            spec["exportTo"] = [".", "istio-ingress"]
        case _:
            pass
    return {**item, "spec": spec} if "spec" in item else item


def stack(services: int) -> Stack:
    """Return a synthetic system as the judge sees it."""
    t = topology(services)
    made = [{**item, "metadata": {**item["metadata"]}} if "metadata" in item else item for item in manifests(t)]
    return Stack(normalise(records(made)), _placed(t))


def _placed(t: Topology) -> Topology:
    """Return the topology with its services in the namespace of the baseline."""
    return t.model_copy(
        update={"services": {name: service.model_copy(update={"namespace": "abc"}) for name, service in t.services.items()}}
    )


def proof() -> list[Rule]:
    """Return the proof rules."""
    return [rule for rule in rules() if rule.id.startswith("B")]


def measure(services: int) -> tuple[int, float, float, float]:
    """Return the number of resources, and CPU seconds for reading the plan, for the proof and for all rules."""
    t = _placed(topology(services))
    made = records(list(manifests(topology(services))))
    gc.collect()
    start = time.process_time()
    resources = normalise(made)
    read = time.process_time()
    first = Stack(resources, t)
    for rule in proof():
        findings_of(rule, first)
    proved = time.process_time()
    judge(Stack(resources, t), rules(), today=date.today())
    return len(resources), read - start, proved - read, time.process_time() - proved


def main(sizes: list[int]) -> None:
    """Print a line for each size."""
    print(f"{'services':>9} {'resources':>10} {'read s':>8} {'proof s':>8} {'all s':>8} {'ms/service':>11} {'growth':>7}")  # noqa: T201
    before: tuple[int, float] | None = None
    for size in sizes:
        count, read, proved, judged = measure(size)
        growth = math.log(judged / before[1]) / math.log(size / before[0]) if before else math.nan
        per = 1000 * (read + judged) / size
        print(f"{size:>9} {count:>10} {read:>8.2f} {proved:>8.2f} {judged:>8.2f} {per:>11.2f} {growth:>7.2f}")  # noqa: T201
        before = (size, judged)


if __name__ == "__main__":
    main([int(argument) for argument in sys.argv[1:]] or [30, 100, 300, 1000])
