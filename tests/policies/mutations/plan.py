"""A plan that a mutation may change, and questions about it that every mutation asks."""

import copy
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

Record = dict[str, Any]

PLURAL_TOKENS = {"v1": "core/v1"}
UNKNOWN = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"
"""How the engine spells a value of any type that is not known."""

MARKER = "mutated"

AZURE_INTERNAL = "service.beta.kubernetes.io/azure-load-balancer-internal"


class Plan:
    """Resources of a plan: a list of records of which each is copied only when it is about to be changed."""

    def __init__(self, resources: list[Record]) -> None:
        self.resources = list(resources)

    # Questions

    def records(
        self, kind: str, *, group: str | None = None, where: Callable[[Mapping[str, Any]], bool] = lambda _: True
    ) -> Iterator[Record]:
        """Yield the records of a kind whose inputs pass a test."""
        for record in self.resources:
            inputs = record.get("inputs") or {}
            if inputs.get("kind") != kind or not record.get("custom", True):
                continue
            if group is not None and group_of(inputs) != group:
                continue
            if where(inputs):
                yield record

    def first(self, kind: str, *, group: str | None = None, where: Callable[[Mapping[str, Any]], bool] = lambda _: True) -> Record | None:
        """Return the first record of a kind whose inputs pass a test."""
        return next(self.records(kind, group=group, where=where), None)

    def release(self, chart: str, where: Callable[[Mapping[str, Any]], bool] = lambda _: True) -> Record | None:
        """Return the first Release of a chart."""
        for record in self.resources:
            inputs = record.get("inputs") or {}
            if (
                record["type"] == "kubernetes:helm.sh/v3:Release"
                and str(inputs.get("chart", "")).rsplit("/", 1)[-1] == chart
                and where(inputs)
            ):
                return record
        return None

    def app_namespaces(self) -> list[str]:
        """Return the namespaces of services: those in which workloads with versions have Sidecars of their own."""
        versioned = {namespace(r["inputs"]) for r in self.records("Deployment", where=lambda i: "version" in pod_labels(i))}
        scoped = {namespace(r["inputs"]) for r in self.records("Sidecar", where=lambda i: bool(i["spec"].get("workloadSelector")))}
        return sorted(versioned & scoped)

    def exposed(self) -> set[str]:
        """Return `namespace/name` of every Service that a VirtualService of a mesh ingress leads to."""
        found: set[str] = set()
        for record in self.records("VirtualService"):
            if set(record["inputs"]["spec"].get("gateways") or ["mesh"]) != {"mesh"}:
                for host in re.findall(r"'host': '([a-z0-9-]+)\.([a-z0-9-]+)\.svc", str(record["inputs"]["spec"])):
                    found.add(f"{host[1]}/{host[0]}")
        return found

    def internal_service(self) -> Record | None:
        """Return a Service of the topology that no door leads to; the last one, which is usually the innermost."""
        apps, exposed = self.app_namespaces(), self.exposed()
        found = [
            r
            for r in self.records("Service")
            if namespace(r["inputs"]) in apps and f"{namespace(r['inputs'])}/{name(r['inputs'])}" not in exposed
        ]
        return found[-1] if found else None

    def some_service(self) -> Record | None:
        """Return a Service of the topology, an internal one where there is one."""
        return self.internal_service() or self.app("Service")

    def app(self, kind: str, *, group: str | None = None, where: Callable[[Mapping[str, Any]], bool] = lambda _: True) -> Record | None:
        """Return the first record of a kind in the namespaces of services."""
        apps = self.app_namespaces()
        return self.first(kind, group=group, where=lambda i: namespace(i) in apps and where(i))

    def caller(self) -> Record | None:
        """Return a Deployment whose workload may call something: one whose Sidecar names hosts."""
        for record in self.records("Sidecar", where=lambda i: bool(i["spec"].get("workloadSelector"))):
            spec = record["inputs"]["spec"]
            hosts = [host for egress in spec.get("egress") or [] for host in egress.get("hosts") or []]
            if any(not host.startswith("~") for host in hosts):
                labels = spec["workloadSelector"]["labels"]
                place = namespace(record["inputs"])
                if found := self.first(
                    "Deployment", where=lambda i, p=place, w=labels: namespace(i) == p and w.items() <= pod_labels(i).items()
                ):
                    return found
        return None

    def callee_policy(self) -> Record | None:
        """Return the AuthorizationPolicy of a service whose callers are other services, not the ingress alone."""
        apps = self.app_namespaces()
        fallback = None
        for record in self.records("AuthorizationPolicy", where=lambda i: namespace(i) in apps and bool(i["spec"].get("rules"))):
            fallback = fallback or record
            if any(f"/ns/{app}/sa/" in str(record["inputs"]["spec"]) for app in apps):
                return record
        return fallback

    def ingress_policy(self) -> Record | None:
        """Return the AuthorizationPolicy of a mesh ingress that asks for a token."""
        return self.first("AuthorizationPolicy", where=lambda i: "requestPrincipals" in str(i["spec"]))

    def ingress_gateway(self) -> Record | None:
        """Return the Istio Gateway that asks the API gateway for its certificate."""
        return self.first(
            "Gateway", group="networking.istio.io", where=lambda i: "MUTUAL'" in str(i["spec"]) and "'ISTIO_MUTUAL'" not in str(i["spec"])
        )

    def ingress_virtual_service(self) -> Record | None:
        """Return a VirtualService of a mesh ingress."""
        mutual = self.ingress_gateway()
        if mutual is None:
            return None
        place, gateway = namespace(mutual["inputs"]), name(mutual["inputs"])
        names = {gateway, f"{place}/{gateway}"}
        return self.first("VirtualService", where=lambda i: bool(names & set(i["spec"].get("gateways") or ())))

    def public_service(self) -> Record | None:
        """Return the Service that the outside reaches."""
        return self.first("Service", where=lambda i: i["spec"].get("type") in {"NodePort", "LoadBalancer"} and not is_internal(i))

    def edge_service(self) -> Record | None:
        """Return the Service of the edge's pods: the one that the outside reaches, or the one that a load balancer's targets come from."""
        binding = self.first("TargetGroupBinding")
        if (public := self.public_service()) is not None or binding is None:
            return public
        place, bound = namespace(binding["inputs"]), binding["inputs"]["spec"]["serviceRef"]["name"]
        return self.first("Service", where=lambda i: (namespace(i), name(i)) == (place, bound))

    def edge_files(self, pattern: str) -> tuple[Record, str] | None:
        """Return the ConfigMap and the key of the edge's file in which a pattern is found."""
        service = self.edge_service()
        if service is None:
            return None
        place = namespace(service["inputs"])
        for record in self.records("ConfigMap", where=lambda i: namespace(i) == place):
            for key, text in (record["inputs"].get("data") or {}).items():
                if re.search(pattern, text, re.MULTILINE):
                    return record, key
        return None

    def gateway(self) -> Record | None:
        """Return the Gateway API gateway."""
        return self.first("Gateway", group="gateway.networking.k8s.io")

    def is_kong(self) -> bool:
        """Say whether the API gateway is Kong."""
        return self.release("kong") is not None

    # Changes

    def edit(self, record: Record) -> dict[str, Any]:
        """Return the inputs of a copy of the record, which takes the record's place."""
        fresh = copy.deepcopy(record)
        self.resources[self.resources.index(record)] = fresh
        fresh["outputs"] = fresh.get("outputs", {})
        return fresh["inputs"]

    def options(self, record: Record) -> Record:
        """Return a copy of the record itself, which takes the record's place: for its options."""
        fresh = copy.deepcopy(record)
        self.resources[self.resources.index(record)] = fresh
        return fresh

    def remove(self, record: Record) -> None:
        """Take a record out of the plan."""
        self.resources.remove(record)

    def add(self, manifest: dict[str, Any], *, type_: str | None = None) -> None:
        """Register an object in the plan, beside the others."""
        api_version, kind = manifest["apiVersion"], manifest["kind"]
        place = manifest.get("metadata", {}).get("namespace", "")
        called = manifest.get("metadata", {}).get("name", MARKER)
        self.add_resource(
            type_ or f"kubernetes:{PLURAL_TOKENS.get(api_version, api_version)}:{kind}", manifest, f"{place}/{called}" if place else called
        )

    def add_resource(self, token: str, inputs: dict[str, Any], called: str = MARKER, *, custom: bool = True) -> None:
        """Register a resource of any type."""
        like = next(record for record in self.resources if record["type"].startswith("kubernetes:"))
        prefix = like["urn"].split("::")
        urn = f"{prefix[0]}::{prefix[1]}::{token}::{called}-{MARKER}"
        record: Record = {"urn": urn, "custom": custom, "type": token, "inputs": inputs, "outputs": {}, "parent": like.get("parent", "")}
        if token.startswith("kubernetes:") and "provider" in like:
            record["provider"] = like["provider"]
        self.resources.append(record)

    def replace_text(self, record: Record, key: str, pattern: str, replacement: str, *, count: int = 0) -> None:
        """Change a file of a ConfigMap, and whatever digest of it stays as it was."""
        data = self.edit(record)["data"]
        changed, times = re.subn(pattern, replacement, data[key], count=count, flags=re.MULTILINE)
        if not times:
            raise AssertionError(f"{pattern} is not in {key}")
        data[key] = changed


def namespace(inputs: Mapping[str, Any]) -> str:
    """Return an object's namespace."""
    return (inputs.get("metadata") or {}).get("namespace", "")


def is_internal(inputs: Mapping[str, Any]) -> bool:
    """Say whether the load balancer of a Service is inside a network of Azure."""
    annotations = (inputs.get("metadata") or {}).get("annotations") or {}
    return inputs["spec"].get("type") == "LoadBalancer" and annotations.get(AZURE_INTERNAL) == "true"


def name(inputs: Mapping[str, Any]) -> str:
    """Return an object's name."""
    return (inputs.get("metadata") or {}).get("name", "")


def group_of(inputs: Mapping[str, Any]) -> str:
    """Return an object's API group."""
    return str(inputs.get("apiVersion", "")).rpartition("/")[0]


def pod_labels(inputs: Mapping[str, Any]) -> dict[str, str]:
    """Return the labels of the pods of a workload."""
    return ((inputs["spec"].get("template") or {}).get("metadata") or {}).get("labels") or {}


def pod_spec(inputs: Mapping[str, Any]) -> dict[str, Any]:
    """Return the pod spec of a workload."""
    return inputs["spec"]["template"]["spec"]


def manifest(api_version: str, kind: str, called: str, place: str, **fields: Any) -> dict[str, Any]:
    """Return an object."""
    return {"apiVersion": api_version, "kind": kind, "metadata": {"name": called, "namespace": place}, **fields}
