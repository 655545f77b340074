"""What an nginx refuses follows from its conditions and maps."""

import pytest

from policies.reading.nginx import Directive, Location, Server
from policies.reading.nginx_conditions import methods_of, refuses
from policies.reading.nginx_variables import Variables
from tests.policies.building import resources_of, stack_of

CONFIGURATION = r"""
events {}
http {
  map $request_uri $refused { default ""; "~*^[^?]*%2f" "escaped"; "~^[^?]*//" "empty"; }
  map "$wanted:$http_authorization" $told { default ""; "~^yes:Bearer (?<token>\S+)$" "Bearer $token"; }
  map $http_upgrade $upgrade { default ""; websocket websocket; }
  server {
    listen 8443 ssl;
    server_name api.abc.example;
    set $wanted yes;
    <condition>
    location /a/ { if ($request_method !~ "^(?:GET|POST)$") { return 405; } proxy_pass https://gateway; }
  }
}
"""


def server(condition: str) -> Server:
    config_map = {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": "edge", "namespace": "edge"},
        "data": {"nginx.conf": CONFIGURATION.replace("<condition>", condition)},
    }
    spec = {
        "containers": [{"name": "nginx", "image": "nginx:1", "volumeMounts": [{"name": "config", "mountPath": "/etc/nginx"}]}],
        "volumes": [{"name": "config", "configMap": {"name": "edge"}}],
    }
    pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "edge", "namespace": "edge"}, "spec": spec}
    assert len(resources_of([config_map, pod])) == 2
    (nginx,) = stack_of([config_map, pod]).nginx
    return nginx.servers[0]


@pytest.mark.parametrize(
    ("condition", "uri", "refused"),
    [
        ("if ($refused) { return 400; }", "/a%2Fb", True),
        ("if ($refused) { return 400; }", "/a//b", True),
        ("if ($refused) { return 400; }", "/a/b?x=%2f", False),
        ("if ($refused) { set $x 1; }", "/a%2Fb", False),
        ("if ($refused = escaped) { return 400; }", "/a%2Fb", True),
        ("if ($refused != escaped) { return 400; }", "/a%2Fb", False),
        ("if ($request_uri ~* %2f) { return 444; }", "/a%2Fb", True),
        ("if ($request_uri !~ ^/a/) { return 404; }", "/a/b", False),
        ("if ($unheard_of) { return 400; }", "/a%2Fb", False),
        ("", "/a%2Fb", False),
    ],
)
def test_a_request_is_refused_where_a_condition_holds(condition: str, uri: str, *, refused: bool) -> None:
    found = server(condition)
    assert refuses(found, (found.directive,), {"request_uri": uri}) is refused


def test_methods_follow_from_the_condition_of_a_location() -> None:
    (location,) = server("").locations
    assert methods_of(location.directive) == ("GET", "POST")
    assert methods_of(Directive(name="location", args=("/",))) is None


@pytest.mark.parametrize(
    ("text", "origins"),
    [
        ("$told", {"http_authorization"}),
        ("$upgrade", set[str]()),
        ("$http_x_a and $remote_addr", {"http_x_a", "remote_addr"}),
        ("plain", set[str]()),
    ],
)
def test_what_a_client_writes_is_followed_through_maps(text: str, origins: set[str]) -> None:
    found = server("")
    at = Location(directive=found.directive, modifier="", path="/", inherited=(found.main, found.http))
    assert Variables(server=found, location=at).origins(text) - {"wanted"} == origins


@pytest.mark.parametrize(
    ("entry", "origin"),
    [
        ('"~^(?<asked>[^?]*)" $asked;', "uri"),
        (r'"~^(?<asked>[\x21-\x3e\x40-\x7e]*)" $asked;', "uri"),
        ('"~^([^?]+)" $1;', "uri"),
        ('"~^(?<asked>.*)" $asked;', "request_uri"),
        ('"~^(?<asked>[^#]*)" $asked;', "request_uri"),
        ('"~(?<asked>[a-z]*)$" $asked;', "request_uri"),
        (r'"~^([^?]*)[?](.*)" $1$2;', "request_uri"),
    ],
)
def test_what_a_map_quotes_up_to_the_question_mark_is_the_path(entry: str, origin: str) -> None:
    found = server(f"}} map $request_uri $shown {{ {entry} }} server {{")
    variables = Variables(server=found, location=Location(directive=found.directive, modifier="", path="/", inherited=()))
    assert variables.origins("$shown") == {origin}
