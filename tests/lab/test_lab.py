import json
from pathlib import Path

import pytest

from components.binding import read_binding
from lab import Lab, LabError, addons
from lab.certificates import Authority, Pair
from lab.progress import Estimate


@pytest.fixture
def lab() -> Lab:
    return Lab(bin=Path("/cache/tools"), charts={"istiod": Path("/cache/charts/istiod.tgz")})


def test_its_stack_configuration_is_one_that_the_program_takes(lab: Lab) -> None:
    given = {key.removeprefix("perimeter:"): value for key, value in lab.stack_config(echo=True).items()}
    binding = read_binding({"topology": "stacks/abc.topology.yaml", **given}, "local")
    assert binding.collector is not None
    assert binding.image("demo") == "lab.local/echo:1"
    assert binding.values["istiod"]["env"]["PILOT_ENABLE_ALPN_FILTER"] == "false"


def test_podinfo_and_no_traces_are_a_choice(lab: Lab) -> None:
    assert set(lab.stack_config(traces=False)) == {"perimeter:values", "perimeter:kubeconfig", "perimeter:context"}


def test_a_chart_is_found_by_what_releases_call_it(lab: Lab) -> None:
    assert lab.mirror("istiod") == Path("/cache/charts/istiod.tgz")
    assert lab.mirror("oci://elsewhere/istiod") is None


def test_names_with_a_dot_lead_outside_and_others_nowhere() -> None:
    assert "match ^[^.]+\\.([^.]+\\.)+$" in addons.COREFILE
    assert '"{{ .Name }} 60 IN A 203.0.113.10"' in addons.COREFILE
    assert addons.COREFILE.count("{") == addons.COREFILE.count("}")


def test_objects_of_the_cluster_have_a_kind_and_a_name(tmp_path: Path) -> None:
    for document in (*addons.rights(), *addons.names(), *addons.traces()):
        assert document["kind"]
        assert document["metadata"]["name"]
        json.dumps(document)


def test_an_error_says_what_why_what_to_do_and_where_to_look() -> None:
    error = LabError("istio", "`go build` ended with 1", todo="Make room", log=Path("/cache/logs/istio.log"))
    assert str(error) == "lab: istio: `go build` ended with 1. Make room. Log: /cache/logs/istio.log"


def test_the_time_left_follows_the_pace_of_this_machine() -> None:
    estimate = Estimate()
    estimate.expect([("helm", 100), ("istio", 100)])
    assert estimate.left(0) == 200
    estimate.advance("helm", 0.0, 0)
    estimate.advance("helm", 1.0, 300)
    assert estimate.left(300) == 300


def test_an_authority_signs_servers_and_clients(tmp_path: Path) -> None:
    authority = Authority.load_or_make(Pair.at(tmp_path, "ca"), "lab")
    again = Authority.load_or_make(Pair.at(tmp_path, "ca"), "lab")
    assert again.certificate == authority.certificate
    pair = Pair.at(tmp_path, "server")
    authority.issue(pair, "server", names=("login.example", "192.0.2.1"))
    assert pair.key.stat().st_mode & 0o777 == 0o600
