from typing import Any, cast

import pytest

from deploy.api import Api
from deploy.awaits import Failed, check_of, timeout_of
from deploy.settling import settles, unsettled

NO_API = cast(Api, None)
"""These kinds are judged by what they say themselves."""


def missing(document: dict[str, Any]) -> str:
    check = check_of(document)
    assert check is not None
    return check(NO_API, document)


def deployment(generation: int = 1, replicas: int = 2, **status: object) -> dict[str, Any]:
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "a", "generation": generation},
        "spec": {"replicas": replicas},
        "status": {"observedGeneration": 1, **status},
    }


@pytest.mark.parametrize(
    ("document", "ready"),
    [
        (deployment(updatedReplicas=2, availableReplicas=2, replicas=2), True),
        (deployment(updatedReplicas=2, availableReplicas=1, replicas=2), False),
        (deployment(updatedReplicas=1, availableReplicas=2, replicas=2), False),
        (deployment(updatedReplicas=2, availableReplicas=2, replicas=3), False),
        (deployment(generation=2, updatedReplicas=2, availableReplicas=2, replicas=2), False),
        (deployment(replicas=0), True),
    ],
)
def test_a_deployment_is_ready_when_all_pods_are_of_its_newest_revision_and_available(document: dict[str, Any], ready: bool):
    assert (missing(document) == "") is ready


def test_a_deployment_whose_rollout_is_given_up_fails_at_once():
    progressing = {"type": "Progressing", "status": "False", "reason": "ProgressDeadlineExceeded", "message": "timed out"}
    with pytest.raises(Failed, match="timed out"):
        missing(deployment(conditions=[progressing]))


def test_a_job_is_ready_when_it_is_complete_and_fails_when_it_failed():
    job = {"apiVersion": "batch/v1", "kind": "Job", "metadata": {}}
    assert missing(job)
    assert not missing({**job, "status": {"conditions": [{"type": "Complete", "status": "True"}]}})
    with pytest.raises(Failed):
        missing({**job, "status": {"conditions": [{"type": "Failed", "status": "True"}]}})


@pytest.mark.parametrize("spec", [{"type": "ExternalName"}, {"clusterIP": "None", "selector": {"app": "a"}}, {"clusterIP": "10.0.0.1"}])
def test_a_service_that_selects_no_pods_by_itself_is_ready_at_once(spec: dict[str, Any]):
    assert not missing({"apiVersion": "v1", "kind": "Service", "metadata": {}, "spec": spec})


def test_a_load_balancer_without_an_address_is_not_ready():
    assert missing({"apiVersion": "v1", "kind": "Service", "metadata": {}, "spec": {"type": "LoadBalancer"}})


def test_a_program_may_say_that_nothing_is_waited_for():
    assert check_of({**deployment(), "metadata": {"annotations": {"pulumi.com/skipAwait": "true"}}}) is None


@pytest.mark.parametrize(
    ("annotation", "ready"),
    [
        ("condition=Programmed", True),
        ("condition=Programmed=true", True),
        ("condition=Accepted", False),
        ("jsonpath={.status.phase}=Active", True),
        ("jsonpath={.status.phase}", True),
        ("jsonpath={.status.phase}=Gone", False),
        ("jsonpath={.status.conditions[0].type}=Programmed", True),
        ('["condition=Programmed", "jsonpath={.status.none}"]', False),
    ],
)
def test_a_program_may_say_what_is_waited_for(annotation: str, ready: bool):
    document = {
        "apiVersion": "example/v1",
        "kind": "Thing",
        "metadata": {"annotations": {"pulumi.com/waitFor": annotation}},
        "status": {"phase": "Active", "conditions": [{"type": "Programmed", "status": "True"}]},
    }
    assert (missing(document) == "") is ready


def test_the_options_of_a_resource_outrank_its_annotation_and_ten_minutes_are_the_default():
    annotated = {"metadata": {"annotations": {"pulumi.com/timeoutSeconds": "30"}}}
    assert (timeout_of(annotated, 5), timeout_of(annotated, None), timeout_of({}, None)) == (5, 30, 600)


def accepted(**changes: object) -> dict[str, object]:
    return {"type": "Accepted", "status": "True", "observedGeneration": 2, "reason": "Accepted", "message": "", **changes}


def route(*conditions: dict[str, object]) -> dict[str, Any]:
    return {
        "apiVersion": "gateway.networking.k8s.io/v1",
        "kind": "HTTPRoute",
        "metadata": {"generation": 2},
        "status": {"parents": [{"conditions": list(conditions)}]},
    }


@pytest.mark.parametrize(
    ("document", "said"),
    [
        (route(accepted(), accepted(type="ResolvedRefs")), ""),
        (route(accepted()), "no condition ResolvedRefs"),
        (
            route(accepted(), accepted(type="ResolvedRefs", status="False", reason="BackendNotFound", message="no b")),
            "BackendNotFound: no b",
        ),
        (route(accepted(observedGeneration=1), accepted(type="ResolvedRefs")), "earlier generation"),
        ({**route(), "status": {}}, "no controller"),
    ],
)
def test_a_route_has_taken_effect_when_every_parent_accepts_its_newest_generation(document: dict[str, Any], said: str):
    assert said in unsettled(document)
    assert bool(said) == bool(unsettled(document))


@pytest.mark.parametrize(
    ("programmed", "said"),
    [
        (accepted(type="Programmed", reason="Programmed"), ""),
        (accepted(type="Programmed", status="False", reason="AddressNotAssigned", message="no address"), "AddressNotAssigned: no address"),
        # Its Service says whether pods are ready; Envoy Gateway may go on saying so after they are.
        (accepted(type="Programmed", status="False", reason="NoResources", message="Envoy replicas unavailable"), ""),
    ],
)
def test_a_gateway_has_taken_effect_when_it_and_its_listeners_are_programmed(programmed: dict[str, object], said: str):
    listener = {"name": "https", "conditions": [accepted(), accepted(type="Programmed"), accepted(type="ResolvedRefs")]}
    document: dict[str, Any] = {
        "apiVersion": "gateway.networking.k8s.io/v1",
        "kind": "Gateway",
        "metadata": {"generation": 2},
        "status": {"conditions": [accepted(), programmed], "listeners": [listener]},
    }
    assert said in unsettled(document)
    assert bool(said) == bool(unsettled(document))
    listener["conditions"] = [accepted(), accepted(type="Programmed", status="False", reason="Invalid", message="no certificate")]
    assert (said or "listener https") in unsettled(document)


def test_what_was_said_about_a_parent_that_a_route_no_longer_names_does_not_count():
    refused = accepted(observedGeneration=1, status="False", reason="NoMatchingParent", message="")
    document = route(accepted(), accepted(type="ResolvedRefs"))
    document["status"]["parents"].insert(0, {"conditions": [refused]})
    assert not unsettled(document)
    document["status"]["parents"].pop()
    assert "NoMatchingParent" in unsettled(document)


def test_kinds_that_say_nothing_about_their_effect_are_not_waited_for():
    assert not settles("networking.istio.io", "VirtualService")
    assert not unsettled({"apiVersion": "networking.istio.io/v1", "kind": "VirtualService"})
    assert settles("cert-manager.io", "Certificate")
