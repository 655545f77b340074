"""An Azure environment with an alternative: pods serve one host beside Application Gateway and API Management, which serve the others."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from planner import wire
from planner.plan import Mode
from planner.program import plan_program
from tests.components.azure.systems import NGINX, at_api_management, resources
from tests.systems import ROOT, topology, topology_file

AZURE = "azure-native:"
SYSTEM = "brokerage"
STREAM = "stream.brokerage.example"
EVERY_STACK = pytest.mark.parametrize("stack", ["azure-dev", "azure-prod"])


def of(stack: str, type_: str) -> list[dict[str, Any]]:
    return [r["inputs"] for r in resources(stack, SYSTEM) if r["type"] in {type_, AZURE + type_}]


def named(stack: str, type_: str, namespace: str, name: str) -> dict[str, Any]:
    (found,) = [i for i in of(stack, type_) if (i["metadata"].get("namespace"), i["metadata"]["name"]) == (namespace, name)]
    return found


@EVERY_STACK
def test_each_host_is_served_by_one_edge_and_one_gateway(stack: str) -> None:
    (edge,) = of(stack, "network:ApplicationGateway")
    assert {each["hostName"] for each in edge["httpListeners"]} == set(at_api_management(SYSTEM).public_hosts())
    (config,) = [i for i in of(stack, "kubernetes:core/v1:ConfigMap") if i["metadata"]["namespace"] == "edge"]
    assert f"server_name {STREAM};" in str(config["data"])
    assert "api.brokerage.example" not in str(config["data"])
    (gateway,) = of(stack, "kubernetes:gateway.networking.k8s.io/v1:Gateway")
    assert [listener["hostname"] for listener in gateway["spec"]["listeners"]] == [STREAM]


@EVERY_STACK
def test_the_ingress_that_both_gateways_call_accepts_both_and_the_other_the_one_outside(stack: str) -> None:
    outside = {"ipBlock": {"cidr": "10.60.5.0/27"}}

    def callers(namespace: str) -> list[dict[str, Any]]:
        (rule,) = named(stack, "kubernetes:networking.k8s.io/v1:NetworkPolicy", namespace, "ingress")["spec"]["ingress"]
        return rule["from"]

    assert callers("banking-ingress") == [outside]
    (first, pods) = callers("trading-ingress")
    assert first == outside
    assert pods["namespaceSelector"] == {"matchLabels": {"kubernetes.io/metadata.name": "gateway"}}


@EVERY_STACK
def test_one_authority_signs_every_certificate_between_the_layers(stack: str) -> None:
    roots = {i["metadata"]["name"] for i in of(stack, "kubernetes:cert-manager.io/v1:Certificate") if i["spec"].get("isCA")}
    assert roots == {"perimeter-public", "perimeter-bridge"}
    secret = named(stack, "kubernetes:core/v1:Secret", "cert-manager", "perimeter-boundary")
    assert set(secret["stringData"]) == {"tls.crt", "tls.key"}
    server = named(stack, "kubernetes:cert-manager.io/v1:Certificate", "edge", "edge-server")
    assert server["spec"]["dnsNames"] == [STREAM]


@EVERY_STACK
def test_the_cluster_may_join_the_edges_address_and_a_first_preview_misses_its_number_alone(stack: str) -> None:
    (cluster,) = [r for r in resources(stack, SYSTEM) if r["type"] == f"{AZURE}containerservice:ManagedCluster"]
    assert sum("RoleAssignment::aks-joins" in urn for urn in cluster["dependencies"]) == 4

    def unknown(stack: str, name: str) -> set[tuple[str, str]]:
        made = [r for r in resources(stack, name) if r["type"].startswith(AZURE)]
        return {(r["type"], key) for r in made for key, value in r["inputs"].items() if wire.UNKNOWN in str(value)}

    assert unknown(stack, SYSTEM) - unknown(stack, "payments") <= unknown(NGINX, SYSTEM)


def test_a_stack_says_where_each_host_is_to_be_found() -> None:
    config = {"perimeter:topology": str(topology_file(SYSTEM))}
    plan = plan_program(ROOT, "azure-dev", config, mode=Mode.OPTIMISTIC)
    (system,) = [r for r in plan.resources if r["type"] == "perimeter:system:System"]
    edges: dict[str, str] = system["outputs"]["edges"]
    assert set(edges) == set(topology(SYSTEM).public_hosts())
    assert edges["api.brokerage.example"] == edges["partners.brokerage.example"] != edges[STREAM]


def test_where_every_host_goes_the_other_way_the_authority_is_the_one_of_both_ways_and_nothing_else_is_left(tmp_path: Path) -> None:
    """Were it another, certificates in use would be trusted by nobody once a host comes that stays."""
    document = yaml.safe_load(topology_file("brokerage").read_text(encoding="utf-8"))
    document["doors"] = {name: door | {"host": STREAM} for name, door in document["doors"].items() if door.get("host") == STREAM}
    document |= {"hosts": [STREAM], "apis": {}, "issuers": {"clients": document["issuers"]["clients"]}, "consumers": {}}
    document["tiers"] = {name: document["tiers"][name] for name in ("retail", "institutional")}
    file = tmp_path / "stream.topology.yaml"
    file.write_text(yaml.safe_dump(document, sort_keys=False), encoding="utf-8")
    plan = plan_program(ROOT, "azure-dev", {"perimeter:topology": str(file)}, mode=Mode.PESSIMISTIC)

    def names(type_: str) -> set[str]:
        return {r["inputs"]["metadata"]["name"] for r in plan.resources if r["type"] == f"kubernetes:{type_}"}

    assert "perimeter-boundary" in names("core/v1:Secret")
    assert "perimeter-boundary" not in names("cert-manager.io/v1:Certificate")
    assert not [r for r in plan.resources if r["type"].startswith((f"{AZURE}apimanagement:", f"{AZURE}network:ApplicationGateway"))]
    assert not [r for r in plan.resources if "internal-subnet" in str(r["inputs"].get("metadata"))]
