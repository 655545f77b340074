"""nginx.conf and ModSecurity's files as text: what holds for every system, read back with a parser of nginx's language."""

from pathlib import Path
from typing import Any

import crossplane
import pytest

from components.edge.nginx import config, waf
from components.edge.nginx.headers import HIDDEN, REMOVED, SET
from tests.components.edge.systems import HOST, system
from tests.systems import SYSTEMS, topology
from topology.model.system import Topology

GATEWAY = "gateway.gateway.svc.cluster.local:443"
Block = list[dict[str, Any]]


def parsed(t: Topology, folder: Path) -> Block:
    file = folder / "nginx.conf"
    file.write_text(config.nginx_conf(t, GATEWAY))
    result: dict[str, Any] = crossplane.parse(str(file), single=True, strict=False)
    assert [error for error in result["errors"] if "modsecurity" not in error["error"]] == []
    return result["config"][0]["parsed"]


def inside(block: Block, name: str) -> list[dict[str, Any]]:
    return [directive for directive in block if directive["directive"] == name]


def everywhere(block: Block) -> Block:
    return [found for directive in block for found in (directive, *everywhere(directive.get("block") or []))]


def arguments(block: Block, name: str) -> list[list[str]]:
    return [directive["args"] for directive in inside(block, name)]


@pytest.fixture(params=SYSTEMS)
def http(request: pytest.FixtureRequest, tmp_path: Path) -> Block:
    return inside(parsed(topology(request.param), tmp_path), "http")[0]["block"]


@pytest.mark.parametrize("name", SYSTEMS)
def test_each_public_host_has_one_server_and_nobody_else_has_one(name: str, tmp_path: Path) -> None:
    servers = inside(inside(parsed(topology(name), tmp_path), "http")[0]["block"], "server")
    assert sorted(arguments(server["block"], "server_name") for server in servers) == sorted(
        [[], [[""]], *([[host]] for host in topology(name).public_hosts())]
    )


def test_every_server_but_the_kubelets_speaks_tls(http: Block) -> None:
    listening = [args for server in inside(http, "server") for args in arguments(server["block"], "listen")]
    assert sorted({tuple(args) for args in listening}) == [("8081",), ("8443", "ssl", "http2"), ("8443", "ssl", "http2", "default_server")]


def test_the_firewall_is_on_and_nowhere_off(http: Block) -> None:
    assert arguments(everywhere(http), "modsecurity") == [["on"]]
    assert arguments(everywhere(http), "modsecurity_rules_file") == [["/etc/waf/modsecurity.conf"]]


def test_every_request_goes_to_the_gateway_by_verified_tls(http: Block) -> None:
    for module in {"proxy", *(["grpc"] if inside(everywhere(http), "grpc_pass") else [])}:
        assert arguments(everywhere(http), f"{module}_ssl_verify") == [["on"]]
        assert arguments(everywhere(http), f"{module}_ssl_trusted_certificate") == [["/etc/edge/client/ca.crt"]]
        assert arguments(everywhere(http), f"{module}_ssl_certificate") == [["$client_identity/tls.crt"]]
        assert arguments(everywhere(http), f"{module}_ssl_name") == [["$server_name"]]
    upstreams = {upstream["args"][0]: arguments(upstream["block"], "server") for upstream in inside(http, "upstream")}
    assert set(map(str, upstreams.values())) == {str([[GATEWAY]])}
    passed = [args[0] for name in ("proxy_pass", "grpc_pass") for args in arguments(everywhere(http), name)]
    assert {address.partition("://")[0] for address in passed} <= {"https", "grpcs"}
    assert {address.partition("://")[2] for address in passed} == set(upstreams)


def test_headers_are_set_and_removed_once_for_all_locations(http: Block) -> None:
    changed = dict(arguments(http, "proxy_set_header"))
    assert changed == {**SET, **dict.fromkeys(REMOVED, "")}
    assert len(inside(everywhere(http), "proxy_set_header")) == len(changed), "a location with a list of its own would inherit none"
    assert [args[0] for args in arguments(http, "proxy_hide_header")] == list(HIDDEN)


def test_grpc_loses_the_same_headers(tmp_path: Path) -> None:
    services = {"app": {"protocol": "grpc"}}
    t = system({"door": {"paths": ["/a.B/C"], "methods": ["POST"]}}, services=services)
    http = inside(parsed(t, tmp_path), "http")[0]["block"]
    proxied, called = dict(arguments(http, "proxy_set_header")), dict(arguments(http, "grpc_set_header"))
    assert set(proxied) - set(called) == {"upgrade", "connection", "te"}, "HTTP/2 has no upgrade, and gRPC says `te: trailers` itself"
    assert all(proxied[header] == value for header, value in called.items())


def test_every_location_that_passes_on_checks_methods_and_bounds_bodies(http: Block) -> None:
    for server in inside(http, "server"):
        for location in inside(server["block"], "location"):
            if not any(directive["directive"].endswith("_pass") for directive in location["block"]):
                continue
            assert len(inside(location["block"], "if")) == 1
            assert inside(location["block"], "if")[0]["args"][:2] == ["$request_method", "!~"]
            assert len(inside(location["block"], "client_max_body_size")) == 1


def test_what_is_no_door_is_not_found(http: Block) -> None:
    for server in inside(http, "server"):
        if arguments(server["block"], "server_name") in ([], [[""]]):
            continue
        rest = [location for location in inside(server["block"], "location") if location["args"] == ["/"]]
        assert [arguments(location["block"], "return") for location in rest] == [[["404"]]]


def test_no_log_holds_a_query_string_a_header_or_a_body(http: Block) -> None:
    (log,) = inside(http, "log_format")
    forbidden = ("$request ", '"$request"', "$request_uri", "$args", "$query_string", "$http_", "$request_body", "$uri")
    assert not [variable for variable in forbidden if variable in " ".join(log["args"])]


@pytest.mark.parametrize("name", SYSTEMS)
def test_the_rule_engine_blocks_and_inspects_bodies_up_to_the_largest_door(name: str) -> None:
    text = waf.modsecurity_conf(topology(name), "/etc/waf")
    lines = dict(line.split(" ", 1) for line in text.splitlines() if line.startswith("Sec") and not line.startswith("SecRule "))
    assert lines["SecRuleEngine"] == "On"
    assert lines["SecRequestBodyAccess"] == "On"
    assert lines["SecRequestBodyLimitAction"] == "Reject"
    assert int(lines["SecRequestBodyLimit"]) == waf.largest_body(topology(name))
    assert set(lines["SecAuditLogParts"]) & set("BCEFIJ") == set(), "headers and bodies hold credentials"
    assert text.splitlines()[-2:] == ["Include /etc/waf/crs-setup.conf", "Include /opt/owasp-crs/rules/*.conf"]
    assert "SecRuleRemove" not in text


def test_the_rule_set_knows_the_methods_of_the_doors_and_no_other() -> None:
    t = system({"one": {"paths": ["/a"], "methods": ["PUT", "GET"]}, "two": {"paths": ["/b"], "methods": ["DELETE"]}})
    assert "tx.allowed_methods=DELETE GET PUT'" in waf.crs_setup_conf(t)


def test_grpc_bodies_are_allowed_only_where_a_door_speaks_grpc() -> None:
    grpc = system({"door": {"paths": ["/a.B/C"], "methods": ["POST"]}}, services={"app": {"protocol": "grpc"}})
    assert "|application/grpc|" in waf.crs_setup_conf(grpc)
    assert "grpc" not in waf.crs_setup_conf(system({"door": {"paths": ["/a"]}}))


def test_the_time_to_wait_is_longer_than_the_gateways() -> None:
    t = system({"door": {"paths": ["/a"], "timeout": "2s"}})
    assert "proxy_read_timeout 3000ms;" in config.nginx_conf(t, GATEWAY)


def test_a_websocket_may_be_silent_as_long_as_the_proxies_behind_allow() -> None:
    t = system({"door": {"paths": ["/a"], "timeout": "2s"}}, services={"app": {"protocol": "websocket"}})
    assert "proxy_read_timeout 300000ms;" in config.nginx_conf(t, GATEWAY)


def test_nothing_is_kept_where_no_public_door_asks_for_it() -> None:
    assert "proxy_cache" not in config.nginx_conf(system({"door": {"paths": ["/a"]}}), GATEWAY)


def test_connections_of_different_hosts_are_not_mixed() -> None:
    t = system({"one": {"paths": ["/a"]}, "two": {"paths": ["/a"], "host": "b.test.example"}}, hosts=[HOST, "b.test.example"])
    text = config.nginx_conf(t, GATEWAY)
    assert text.count("upstream gateway_api_test_example {") == text.count("upstream gateway_b_test_example {") == 1


def test_connections_of_grpc_and_of_others_to_one_host_are_not_mixed() -> None:
    services = {"app": {"protocol": "grpc"}, "other": {}}
    t = system({"call": {"paths": ["/a.B/C"], "methods": ["POST"]}, "page": {"paths": ["/a"], "service": "other"}}, services=services)
    text = config.nginx_conf(t, GATEWAY)
    assert text.count("upstream gateway_api_test_example {") == text.count("upstream gateway_api_test_example_grpc {") == 1
    assert "proxy_pass https://gateway_api_test_example;" in text
    assert "grpc_pass grpcs://gateway_api_test_example_grpc;" in text
