"""What a preview of an object's first update still shows, and the update takes away."""

from typing import Any

import pytest

from policies.reading.running import said
from policies.reading.takeover import AT_ONCE, without_what_goes

MADE = "2026-11-23T03:11:29Z"
LATER = "2026-11-23T03:19:06Z"


def owner(manager: str, operation: str, time: str, spec: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"manager": manager, "operation": operation, "time": time, "fieldsV1": {"f:spec": spec}, **more}


def maker(spec: dict[str, Any], time: str = MADE) -> dict[str, Any]:
    return owner("pulumi-kubernetes", "Update", time, {".": {}, **spec})


def changer(spec: dict[str, Any]) -> dict[str, Any]:
    return owner("pulumi-kubernetes-1a2b3c4d", "Apply", LATER, spec)


def answer(spec: dict[str, Any], *managers: dict[str, Any]) -> dict[str, Any]:
    return {"metadata": {"name": "x", "creationTimestamp": MADE, "managedFields": list(managers)}, "spec": spec}


PORTS = [{"name": "http", "number": 80, "protocol": "HTTP", "targetPort": 443}, {"name": "tcp", "number": 443, "protocol": "TCP"}]
OLD: dict[str, Any] = {
    "f:ports": {".": {}, 'k:{"name":"http"}': {".": {}, "f:name": {}, "f:number": {}, "f:protocol": {}, "f:targetPort": {}}}
}
NEW: dict[str, Any] = {"f:addresses": {}, "f:ports": {'k:{"name":"tcp"}': {".": {}, "f:name": {}, "f:number": {}, "f:protocol": {}}}}


def test_an_entry_that_the_program_no_longer_gives_goes() -> None:
    """As an API server answered the preview of a ServiceEntry that changes from HTTP to TCP."""
    status: dict[str, Any] = {
        **owner("pilot-discovery", "Update", MADE, {}, subresource="status"),
        "fieldsV1": {"f:status": {"f:addresses": {}}},
    }
    shown = answer({"addresses": ["240.241.1.1"], "ports": PORTS}, changer(NEW), status, maker({**OLD, "f:hosts": {}}))
    assert said(shown) == {"metadata": {"name": "x"}, "spec": {"addresses": ["240.241.1.1"], "ports": [PORTS[1]]}}


def test_a_field_that_the_program_no_longer_gives_goes() -> None:
    shown = answer(
        {"cors": {"maxAge": "1h"}, "jwt": {"a": 1}}, changer({"f:jwt": {"f:a": {}}}), maker({"f:cors": {}, "f:jwt": {"f:a": {}}})
    )
    assert said(shown)["spec"] == {"jwt": {"a": 1}}


def test_a_value_of_a_set_and_a_field_of_an_entry_go() -> None:
    shown = answer(
        {"names": ["a", "b"], "ports": [{"name": "a", "number": 1, "old": 2}]},
        changer({"f:names": {'v:"a"': {}}, "f:ports": {'k:{"name":"a"}': {".": {}, "f:name": {}, "f:number": {}}}}),
        maker({"f:names": {'v:"a"': {}, 'v:"b"': {}}, "f:ports": {'k:{"name":"a"}': {".": {}, "f:name": {}, "f:number": {}, "f:old": {}}}}),
    )
    assert said(shown)["spec"] == {"names": ["a"], "ports": [{"name": "a", "number": 1}]}


def test_what_somebody_else_owns_too_stays() -> None:
    spec = {"replicas": 3, "ports": PORTS}
    somebody = owner("kubectl-edit", "Update", LATER, {"f:replicas": {}, "f:ports": {'k:{"name":"http"}': {"f:number": {}}}})
    shown = answer(spec, changer(NEW), maker({**OLD, "f:replicas": {}}), somebody)
    left = {"name": "http", "number": 80}
    assert said(shown)["spec"] == {"replicas": 3, "ports": [left, PORTS[1]]}


def test_a_list_that_is_owned_as_a_whole_stays_as_the_program_gives_it() -> None:
    shown = answer({"hosts": ["b"]}, changer({"f:hosts": {}}), maker({"f:hosts": {}}))
    assert said(shown)["spec"] == {"hosts": ["b"]}


@pytest.mark.parametrize(
    "managers",
    [
        (maker(OLD),),  # nothing is updated
        (changer(NEW),),  # it has been updated before
        (changer(NEW), maker(OLD, LATER)),  # somebody wrote as the provider since
        (changer(NEW), {**maker(OLD), "subresource": "scale"}),
        (changer(NEW), owner("kubectl", "Update", MADE, OLD)),
        (owner("kubectl", "Apply", LATER, NEW), maker(OLD)),
        (changer(NEW), {key: value for key, value in maker(OLD).items() if key != "time"}),
        (),
    ],
)
def test_where_no_first_update_is_previewed_everything_stays(managers: tuple[dict[str, Any], ...]) -> None:
    shown = answer({"ports": PORTS}, *managers)
    assert without_what_goes(shown) == shown
    assert said(shown)["spec"] == {"ports": PORTS}


def test_what_was_made_is_told_from_what_came_later_by_less_than_people_need() -> None:
    assert AT_ONCE.total_seconds() <= 30


@pytest.mark.parametrize("props", [{}, {"metadata": None}, {"metadata": "04da6b54-80e4-46f7-96ec-b56ff0331ba9", "spec": {}}])
def test_what_shows_no_owners_stays_as_it_is(props: dict[str, Any]) -> None:
    assert without_what_goes(props) == props
