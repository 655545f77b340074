"""What NetworkPolicies let pods of add-ons reach."""

from typing import Any

import pytest

from policies.reading.cloud.addresses import addresses
from policies.reading.cloud.egress import Egress
from tests.policies.building import stack_of

LABELS = {"app": "collector"}
DNS = {"k8s-app": "kube-dns"}
SYSTEM = {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "kube-system"}}, "podSelector": {"matchLabels": DNS}}
BLOCK = {"ipBlock": {"cidr": "10.0.0.0/16"}}


def egress(*rules: dict[str, Any], selector: dict[str, Any] = LABELS, place: str = "logs", **spec: Any) -> Egress:
    policy = {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": {"name": "out", "namespace": place},
        "spec": {"podSelector": {"matchLabels": selector}, "policyTypes": ["Egress"], "egress": list(rules), **spec},
    }
    return Egress("logs", LABELS, stack_of([policy]))


@pytest.mark.parametrize(
    ("rule", "reached"),
    [
        ({}, True),
        ({"to": [BLOCK]}, True),
        ({"to": [BLOCK], "ports": [{"port": 443}]}, True),
        ({"to": [BLOCK], "ports": [{"port": 400, "endPort": 500}]}, True),
        ({"to": [BLOCK], "ports": [{"port": 443, "protocol": "UDP"}]}, False),
        ({"to": [BLOCK], "ports": [{"port": "https"}]}, False),
        ({"to": [BLOCK], "ports": [{"port": 80}]}, False),
        ({"to": [{"ipBlock": {"cidr": "10.0.0.0/25"}}, {"ipBlock": {"cidr": "10.0.0.128/25"}}]}, True),
        ({"to": [{"ipBlock": {"cidr": "10.0.0.0/25"}}]}, False),
        ({"to": [{"ipBlock": {"cidr": "10.0.0.0/16", "except": ["10.0.0.7/32"]}}]}, False),
        ({"to": [{"ipBlock": {"cidr": "::/0"}}]}, False),
        ({"to": [SYSTEM]}, False),
    ],
)
def test_addresses_are_reached_where_rules_together_hold_them_all(rule: dict[str, Any], reached: bool) -> None:
    assert egress(rule).reaches(addresses("10.0.0.0/24"), 443) is reached


@pytest.mark.parametrize(
    ("rule", "reached"),
    [
        ({}, True),
        ({"to": [SYSTEM]}, True),
        ({"to": [{"namespaceSelector": {}}]}, True),
        ({"to": [{"podSelector": {"matchLabels": DNS}}]}, False),
        ({"to": [{**SYSTEM, "podSelector": {"matchLabels": LABELS}}]}, False),
        ({"to": [{"ipBlock": {"cidr": "0.0.0.0/0"}}]}, False),
        ({"to": [SYSTEM], "ports": [{"port": 53, "protocol": "UDP"}]}, True),
        ({"to": [SYSTEM], "ports": [{"port": 53}]}, False),
    ],
)
def test_pods_are_reached_by_their_labels_and_the_name_of_their_namespace(rule: dict[str, Any], reached: bool) -> None:
    assert egress(rule).reaches_pods("kube-system", DNS, 53, "UDP") is reached


def test_policies_of_others_and_for_what_comes_in_let_nobody_out() -> None:
    for other in (egress({}, selector={"app": "other"}), egress({}, place="other"), egress({}, policyTypes=["Ingress"])):
        assert not other.reaches(addresses("10.0.0.0/24"), 443)
