"""What is read of Kubernetes objects, and what is known after lists and events."""

from typing import Any

import pytest

from lab.enforcer.objects import Json, Known, NamedPort
from tests.lab.enforcer import world
from tests.lab.enforcer.world import DB, WEB


def pods() -> Known:
    known = Known()
    known.replace("namespaces", world.NAMESPACES)
    known.replace("networkpolicies", ())
    known.replace("pods", world.PODS)
    return known


def test_nothing_is_complete_before_every_kind_was_listed() -> None:
    known = Known()
    assert not known.complete
    known.replace("pods", ())
    known.replace("namespaces", ())
    assert not known.complete
    known.replace("networkpolicies", ())
    assert known.complete


def test_a_pod_is_known_by_its_address_with_labels_and_named_ports() -> None:
    pod = pods().cluster().pods[DB]
    assert (pod.namespace, pod.labels) == ("shop", {"app": "db", "tier": "back"})
    assert pod.ports == {NamedPort("sql", "TCP", 81), NamedPort("http", "TCP", 8080)}


def test_ports_of_sidecars_that_are_init_containers_count_and_nameless_ports_do_not() -> None:
    given = world.pod("shop/x", "10.88.0.50")
    spec = {
        "containers": [{"name": "app", "ports": [{"containerPort": 1}]}],
        "initContainers": [{"name": "s", "ports": [{"name": "m", "containerPort": 15020}]}],
    }
    known = pods()
    known.put("pods", {**given, "spec": spec})
    assert known.cluster().pods["10.88.0.50"].ports == {NamedPort("m", "TCP", 15020)}


def changed(pod: Json, **status: Any) -> Json:
    return {**pod, "status": {**pod["status"], **status}}


@pytest.mark.parametrize("status", [{"phase": "Succeeded"}, {"phase": "Failed"}, {"podIP": ""}])
def test_a_pod_that_ended_or_lost_its_address_is_forgotten(status: dict[str, str]) -> None:
    known = pods()
    assert known.put("pods", changed(world.PODS[0], **status))
    assert WEB not in known.cluster().pods


def test_events_that_say_nothing_new_are_told_from_those_that_do() -> None:
    known, web = pods(), world.PODS[0]
    assert not known.put("pods", changed(web, conditions=[{"type": "Ready", "status": "False"}]))
    assert known.put("pods", {**web, "metadata": {**web["metadata"], "labels": {"app": "other"}}})
    assert known.remove("pods", web)
    assert not known.remove("pods", web)
    assert not known.replace("namespaces", world.NAMESPACES)
    assert known.replace("namespaces", world.NAMESPACES[:1])


def test_a_pod_without_an_address_yet_is_nothing_new() -> None:
    assert not pods().put("pods", changed(world.pod("shop/new", ""), phase="Pending"))
