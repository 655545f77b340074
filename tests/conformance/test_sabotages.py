"""The ways to break abc fit what is deployed of it: each changes an object of the plan, and differently from all others."""

from typing import Any

import pytest

from tests.e2e.sabotage import SABOTAGES, Change, Sabotage
from tests.systems import plan

KINDS = {
    "configmap": "ConfigMap",
    "deployment": "Deployment",
    "networkpolicy": "NetworkPolicy",
    "authorizationpolicies": "AuthorizationPolicy",
    "backendtrafficpolicies": "BackendTrafficPolicy",
    "gateways": "Gateway",
    "peerauthentications": "PeerAuthentication",
    "securitypolicies": "SecurityPolicy",
    "sidecars": "Sidecar",
    "virtualservices": "VirtualService",
}
CHANGES = [pytest.param(change, id=f"{each.name}: {change.kind} {change.name}") for each in SABOTAGES for change in each.changes]


def planned(change: Change) -> list[dict[str, Any]]:
    """Return the objects of abc's plan that a change means; `gateways` are Istio's."""
    kind, _, group = change.kind.partition(".")
    found: list[dict[str, Any]] = []
    for resource in plan("abc").resources:
        inputs: Any = resource["inputs"]
        about = inputs.get("metadata") or {}
        wanted = (KINDS.get(kind), change.name, change.namespace)
        if (inputs.get("kind"), about.get("name"), about.get("namespace")) == wanted and str(inputs["apiVersion"]).startswith(group):
            found.append(inputs)
    return found


@pytest.mark.parametrize("change", CHANGES)
def test_a_change_is_of_an_object_that_is_deployed_or_makes_one_that_is_not(change: Change) -> None:
    assert (change.manifest is None) is (len(planned(change)) == 1)


@pytest.mark.parametrize("sabotage", SABOTAGES, ids=lambda each: each.name)
def test_there_is_something_to_change(sabotage: Sabotage) -> None:
    for change in sabotage.changes:
        if change.edit is not None:
            (before,) = planned(change)
            after = _copied(before)
            change.edit(after)
            assert after != _copied(before)


def test_there_are_a_dozen_and_more_ways_and_each_has_a_name() -> None:
    assert len({sabotage.name for sabotage in SABOTAGES}) == len(SABOTAGES) >= 12


def _copied(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _copied(inner) for key, inner in value.items()}
    return [_copied(inner) for inner in value] if isinstance(value, list | tuple) else value
