from typing import Any

import pytest

from policies.reading.nginx import Nginx, nginx_of
from policies.reading.nginx_variables import Variables
from policies.reading.pods import pod_of
from policies.reading.values import UnknownValueError
from tests.policies.building import resources_of


def nginx(files: dict[str, Any], *, command: list[str] | None = None, mount: dict[str, Any] | None = None) -> list[Nginx]:
    pod = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "edge", "namespace": "edge"},
        "spec": {
            "containers": [
                {
                    "name": "nginx",
                    "image": "nginx:1",
                    "command": command or ["nginx", "-c", "/conf/nginx.conf"],
                    "volumeMounts": [mount or {"name": "conf", "mountPath": "/conf"}],
                }
            ],
            "volumes": [{"name": "conf", "configMap": {"name": "conf"}}],
        },
    }
    config_map = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "conf", "namespace": "edge"}, "data": files}
    read, maps = resources_of([pod, config_map])
    found = pod_of(read)
    assert found is not None
    return list(nginx_of(found, {"conf": maps}))


SERVER = """
events {}
http {
  client_max_body_size 1m;
  proxy_set_header X-One 1;
  upstream behind { server gateway.gateway.svc.cluster.local:443; }
  map $want $given { default ""; yes "$http_authorization"; "~^(?<part>\\w+):x$" "part $part"; }
  server {
    listen 8443 ssl default_server;
    server_name a.example b.example;
    set $want yes;
    location / { return 404; }
    location /x/ { proxy_set_header X-Two 2; proxy_pass https://behind; }
    location = /y { set $want no; proxy_pass https://behind/z; }
    location ~ ^/z/[^/]+$ { proxy_pass https://behind; }
  }
}
"""


def test_servers_locations_and_upstreams_are_read() -> None:
    (found,) = nginx({"nginx.conf": SERVER})
    (server,) = found.servers
    assert server.names == ("a.example", "b.example")
    assert [(listen.port, listen.tls, listen.default) for listen in server.listens] == [(8443, True, True)]
    assert found.upstreams == {"behind": ("gateway.gateway.svc.cluster.local:443",)}
    patterns = [str(pattern) for location in server.locations for pattern in location.patterns]
    assert patterns == ["/*", "/x/*", "/y", "/z/{*}"]


def test_what_a_location_does_not_say_is_inherited_and_a_list_replaces_the_outer_one() -> None:
    server = nginx({"nginx.conf": SERVER})[0].servers[0]
    outer, inner = server.locations[0], server.locations[1]
    assert inner.get("client_max_body_size") is not None
    assert [each.args for each in outer.every("proxy_set_header")] == [("X-One", "1")]
    assert [each.args for each in inner.every("proxy_set_header")] == [("X-Two", "2")]


def test_included_files_are_read_from_the_config_maps() -> None:
    files = {"nginx.conf": "http { include /etc/nginx/mime.types; include more/*.conf; }", "more": "ignored"}
    with pytest.raises(UnknownValueError, match="a file that no ConfigMap of the program holds"):
        nginx(files)
    (found,) = nginx({"nginx.conf": "events {} http { include server.conf; }", "server.conf": "server { listen 80; }"})
    assert [listen.port for listen in found.servers[0].listens] == [80]


def test_a_mounted_server_file_is_read_as_nginx_includes_it() -> None:
    mount = {"name": "conf", "mountPath": "/etc/nginx/conf.d"}
    (found,) = nginx({"site.conf": "server { listen 8080; server_name a.example; }"}, command=["run"], mount=mount)
    assert found.servers[0].names == ("a.example",)


def test_a_pod_that_reads_no_server_file_is_no_nginx() -> None:
    assert nginx({"settings.json": "{}"}) == []


def test_text_that_is_no_configuration_is_not_decided() -> None:
    with pytest.raises(UnknownValueError, match="not an nginx configuration"):
        nginx({"nginx.conf": "http { server { listen 80; "})


def test_an_unknown_file_is_not_decided() -> None:
    with pytest.raises(UnknownValueError):
        nginx({"nginx.conf": "<unknown>"})


def test_variables_follow_from_set_from_maps_and_from_headers() -> None:
    server = nginx({"nginx.conf": SERVER})[0].servers[0]
    door, other = server.locations[1], server.locations[2]
    shown = {"authorization": "Bearer x"}
    assert Variables(server=server, location=door, headers=shown).text("$given") == "Bearer x"
    assert Variables(server=server, location=door).text("$given") == ""
    assert Variables(server=server, location=other, headers=shown).text("$given") == ""
    assert Variables(server=server, location=door).text("https://${server_name}/") == "https://a.example/"
    assert Variables(server=server, location=door).text("$remote_addr") is None
