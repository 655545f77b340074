"""Two Kubernetes providers lead to one cluster, or it is not known that they do."""

from typing import Any

import pytest

from policies.reading.clusters import same_cluster
from policies.reading.normalise import PROVIDER
from policies.reading.resource import Resource
from policies.reading.values import UNKNOWN_SENTINELS, known

CLUSTER = "urn:pulumi:dev::shop::aws:eks/cluster:Cluster::cluster"
HIDDEN = UNKNOWN_SENTINELS[0]


def provider(name: str, kubeconfig: str, *sources: str, **rest: Any) -> Resource:
    props = known({"kubeconfig": kubeconfig, "enableServerSideApply": True, **rest})
    return Resource(
        urn=f"urn:{name}",
        token=PROVIDER,
        kind=PROVIDER,
        name=name,
        props=props,
        property_dependencies={"kubeconfig": sources or (CLUSTER,)},
    )


@pytest.mark.parametrize("kubeconfig", [HIDDEN, "server: https://1.eks.example"])
def test_kubeconfigs_of_one_source_lead_to_one_cluster_before_and_after_it_is_made(kubeconfig: str) -> None:
    assert same_cluster(provider("system", kubeconfig), provider("apps", kubeconfig))


@pytest.mark.parametrize(
    "other",
    [
        pytest.param(provider("apps", "server: https://2.eks.example"), id="another cluster"),
        pytest.param(provider("apps", HIDDEN), id="a kubeconfig that cannot be read, beside one that can"),
        pytest.param(provider("apps", "server: https://1.eks.example", CLUSTER, "urn:other"), id="another source"),
        pytest.param(provider("apps", "server: https://1.eks.example", context="other"), id="another context"),
        pytest.param(provider("apps", "server: https://1.eks.example", context=HIDDEN), id="a context that cannot be read"),
    ],
)
def test_whatever_else_is_not_known_to_be_one_cluster(other: Resource) -> None:
    one = provider("system", "server: https://1.eks.example")
    assert not same_cluster(one, other)
    assert not same_cluster(other, one)


def test_kubeconfigs_that_come_from_no_resource_lead_anywhere() -> None:
    typed = Resource(urn="urn:typed", token=PROVIDER, kind=PROVIDER, props={"kubeconfig": "server: https://1.eks.example"})
    assert not same_cluster(typed, typed)
