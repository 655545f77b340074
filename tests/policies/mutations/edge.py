"""What stands at the public address is weaker than it looks: nginx, the rules of the WAF, its pods."""

import re
from typing import Any

from tests.policies.mutations.mutation import Family, Table
from tests.policies.mutations.plan import Plan, namespace, pod_spec

TABLE = Table(Family.EDGE)


def _text(plan: Plan, pattern: str, replacement: str, *, count: int = 0) -> bool:
    found = plan.edge_files(pattern)
    if found is None:
        return False
    plan.replace_text(*found, pattern, replacement, count=count)
    return True


def _server(plan: Plan, block: str) -> bool:
    """Add a server; `gateway` in it stands for the upstream that the edge has."""
    found = plan.edge_files(r"^\s*upstream\s+\S+")
    if found is None:
        return False
    record, key = found
    text = record["inputs"]["data"][key]
    upstream = re.search(r"^\s*upstream\s+(\S+)", text, re.MULTILINE)
    assert upstream is not None
    plan.edit(record)["data"][key] = text.rstrip().removesuffix("}") + block.replace("gateway", upstream[1]) + "\n}\n"
    return True


def _rule(plan: Plan, line: str) -> bool:
    found = plan.edge_files("SecRuleEngine")
    if found is None:
        return False
    record, key = found
    plan.edit(record)["data"][key] += f"\n{line}\n"
    return True


def _pod(plan: Plan) -> dict[str, Any] | None:
    public = plan.edge_service()
    place = namespace(public["inputs"]) if public else ""
    workload = plan.first("Deployment", where=lambda i: namespace(i) == place)
    return pod_spec(plan.edit(workload)) if workload else None


def _container(plan: Plan, **fields: Any) -> bool:
    pod = _pod(plan)
    if pod is None:
        return False
    pod["containers"][0].update(fields)
    return True


@TABLE.mutation("W07", "paths that layers read differently are sent on")
def ambiguous_paths(plan: Plan) -> bool:
    return _text(plan, r"^\s*if \(\$refused\).*$", "")


@TABLE.mutation("W07", "one kind of such paths is forgotten")
def escaped_slashes(plan: Plan) -> bool:
    return _text(plan, r"^.*encoded-slash.*$", "")


@TABLE.mutation("W02", "a header ends the conditions that follow, and they refuse nothing")
def conditions_ended(plan: Plan) -> bool:
    return _text(plan, r"^(\s*)if \(\$refused\)", r"\1if ($http_x_debug) { break; }\n\1if ($refused)")


@TABLE.mutation("W07", "a connection for one host carries requests for another")
def any_server_name(plan: Plan) -> bool:
    found = plan.edge_files(r"^\s*if \(\$sni.*$")
    if found is None or found[0]["inputs"]["data"][found[1]].count("if ($sni") < 2:
        return False  # one host, and no handshake for any other: nothing to mix up
    return _text(plan, r"^\s*if \(\$sni.*$", "")


@TABLE.mutation("W07", "headers with underscores pass, which some programs take for others")
def underscores_pass(plan: Plan) -> bool:
    return _text(plan, r"^SecRule REQUEST_HEADERS_NAMES.*$", "")


@TABLE.mutation("W11", "a door's location lets every method through")
def every_method(plan: Plan) -> bool:
    return _text(plan, r"if \(\$request_method[^}]*\}", "")


@TABLE.mutation("W11", "a door's location lets one method more through")
def one_method_more(plan: Plan) -> bool:
    return _text(plan, r'\(\?:([A-Z|]+)\)\$"', r'(?:\1|TRACE)$"')


@TABLE.mutation("W11", "a server on a port that nothing leads to yet sends everything on")
def server_on_another_port(plan: Plan) -> bool:
    return _server(plan, "server { listen 9000 ssl; server_name internal.example; location / { proxy_pass https://gateway; } }")


@TABLE.mutation("W02", "and its requests are not inspected")
def uninspected_server(plan: Plan) -> bool:
    return _server(plan, "server { listen 9000 ssl; modsecurity off; location / { proxy_pass https://gateway; } }")


@TABLE.mutation("W11", "a server on the public port takes another host")
def server_of_another_host(plan: Plan) -> bool:
    return _server(plan, "server { listen 8443 ssl; server_name internal.example; location / { proxy_pass https://gateway; } }")


@TABLE.mutation("W05", "the port for probes sends requests on")
def probe_port_proxies(plan: Plan) -> bool:
    return _server(plan, "server { listen 8082; location = /healthz { proxy_pass https://gateway; } }")


@TABLE.mutation("W11", "the edge sends clients to wherever the request says")
def open_redirect(plan: Plan) -> bool:
    return _text(plan, r"location / \{ return 404; \}", "location / { return 302 http://$arg_u; }", count=1)


@TABLE.mutation("W11", "the edge answers with what it was asked")
def reflected_answer(plan: Plan) -> bool:
    return _text(plan, r"location / \{ return 404; \}", 'location / { return 200 "<p>$arg_u</p>"; }', count=1)


@TABLE.mutation("W11", "the edge writes what the client chose into answers")
def cookie_from_the_request(plan: Plan) -> bool:
    return _text(plan, r"^(\s*)add_header Strict", r"\1add_header Set-Cookie $arg_c;\n\1add_header Strict", count=1)


@TABLE.mutation("W03", "rules are taken away for an application")
def application_exclusions(plan: Plan) -> bool:
    return _rule(plan, 'SecAction "id:1990,phase:1,nolog,pass,t:none,setvar:tx.crs_exclusions_wordpress=1"')


@TABLE.mutation("W03", "methods of no door pass the rules")
def more_methods(plan: Plan) -> bool:
    return _text(plan, r"tx\.allowed_methods=", "tx.allowed_methods=TRACE CONNECT ")


@TABLE.mutation("W03", "bodies of any text pass the rules")
def more_content_types(plan: Plan) -> bool:
    return _text(plan, r"tx\.allowed_request_content_type=", "tx.allowed_request_content_type=|text/plain| ")


@TABLE.mutation("W03", "nobody takes JSON apart")
def json_not_parsed(plan: Plan) -> bool:
    return _text(plan, r"^SecRule.*requestBodyProcessor=JSON.*$", "")


@TABLE.mutation("W03", "bodies that cannot be parsed pass")
def unparsed_bodies_pass(plan: Plan) -> bool:
    return _text(plan, r"^SecRule REQBODY_ERROR.*$", "")


@TABLE.mutation("W03", "every body is taken for a form")
def bodies_misread(plan: Plan) -> bool:
    return _rule(plan, 'SecAction "id:1991,phase:1,nolog,pass,ctl:requestBodyProcessor=URLENCODED"')


@TABLE.mutation("W03", "a rule runs a program")
def rule_runs_a_program(plan: Plan) -> bool:
    return _rule(plan, 'SecRule ARGS:u "@rx ." "id:1992,phase:1,pass,exec:/tmp/x.lua"')


@TABLE.mutation("W04", "the access log keeps tokens")
def tokens_logged(plan: Plan) -> bool:
    return _text(plan, r'"path":"\$path"', '"path":"$path","token":"$http_authorization"')


@TABLE.mutation("W04", "the access log goes elsewhere")
def log_sent_away(plan: Plan) -> bool:
    return _text(plan, r"access_log /dev/stdout", "access_log syslog:server=elsewhere.example:514")


@TABLE.mutation("W04", "headers and bodies are logged")
def bodies_logged(plan: Plan) -> bool:
    return _text(plan, r"SecAuditLogParts \w+", "SecAuditLogParts ABCIJDEFHZ")


@TABLE.mutation("W06", "a cipher without forward secrecy")
def weak_cipher(plan: Plan) -> bool:
    return _text(plan, r"ssl_ciphers ", "ssl_ciphers AES128-SHA:")


@TABLE.mutation("W10", "the edge's limit is one that nobody reaches")
def rate_without_meaning(plan: Plan) -> bool:
    return _text(plan, r"rate=\d+r/s", "rate=999999r/s")


@TABLE.mutation("W10", "a burst of any size passes the limit")
def burst_without_meaning(plan: Plan) -> bool:
    return _text(plan, r"burst=\d+", "burst=99999999")


@TABLE.mutation("W10", "requests may be larger than any door takes")
def larger_than_any_door(plan: Plan) -> bool:
    return _text(plan, r"client_max_body_size \d{3,}", "client_max_body_size 100g")


@TABLE.mutation("A07", "a client says where it comes from")
def client_names_its_address(plan: Plan) -> bool:
    return _text(plan, r"x-forwarded-for \$remote_addr", "x-forwarded-for $http_x_forwarded_for")


@TABLE.mutation("A07", "a client says which host is asked")
def client_names_the_host(plan: Plan) -> bool:
    return _text(plan, r"_set_header host \$server_name", "_set_header host $http_host")


@TABLE.mutation("A07", "a client upgrades to any protocol")
def client_upgrades(plan: Plan) -> bool:
    return _text(plan, r"upgrade \$edge_upgrade", "upgrade $http_upgrade")


@TABLE.mutation("A07", "an API key may stand in the address")
def key_from_the_query(plan: Plan) -> bool:
    return _text(plan, r"x-api-key \$edge_api_key", "x-api-key $arg_key")


@TABLE.mutation("A07", "a client names the path that a framework serves")
def path_named_by_a_header(plan: Plan) -> bool:
    return _text(plan, r"^.*_set_header x-original-url.*$", "")


@TABLE.mutation("W12", "the image has the right name, in a registry of somebody else")
def image_of_another_registry(plan: Plan) -> bool:
    return _container(plan, image="images.example/owasp/modsecurity-crs:4.28.0-nginx-alpine-202607160307")


@TABLE.mutation("W12", "the image's rules are old")
def image_with_old_rules(plan: Plan) -> bool:
    return _container(plan, image="docker.io/owasp/modsecurity-crs:3.3.2-nginx-202201010000")


@TABLE.mutation("W12", "the image is whatever is newest")
def image_without_version(plan: Plan) -> bool:
    return _container(plan, image="docker.io/owasp/modsecurity-crs:nginx-alpine")


@TABLE.mutation("W02", "a container runs before the WAF")
def container_before_the_waf(plan: Plan) -> bool:
    pod = _pod(plan)
    if pod is None:
        return False
    pod["initContainers"] = [{"name": "first", "image": "images.example/first:1"}]
    return True


@TABLE.mutation("W02", "a hook of the WAF's container calls somebody")
def hook_calls_somebody(plan: Plan) -> bool:
    return _container(plan, lifecycle={"postStart": {"httpGet": {"host": "elsewhere.example", "path": "/", "port": 80}}})


@TABLE.mutation("W02", "a variable changes what the image does")
def variable_of_the_image(plan: Plan) -> bool:
    return _container(plan, env=[{"name": "MODSEC_RULE_ENGINE", "value": "Off"}])


@TABLE.mutation("W02", "an argument more for nginx")
def argument_more(plan: Plan) -> bool:
    return _container(plan, args=["-p", "/srv"])


@TABLE.mutation("W02", "nginx starts in another folder")
def another_folder(plan: Plan) -> bool:
    return _container(plan, workingDir="/srv")


@TABLE.mutation("W02", "the WAF's pods ask names elsewhere")
def names_asked_elsewhere(plan: Plan) -> bool:
    pod = _pod(plan)
    if pod is None:
        return False
    pod["dnsPolicy"] = "Default"
    return True


@TABLE.mutation("W02", "the WAF's pods hold the API gateway's key")
def holds_the_gateways_key(plan: Plan) -> bool:
    pod = _pod(plan)
    if pod is None:
        return False
    pod["volumes"].append({"name": "key", "secret": {"secretName": "gateway-client"}})
    return True


@TABLE.mutation("W10", "nodes put their own addresses in the place of clients'")
def addresses_of_clients_lost(plan: Plan) -> bool:
    if (service := plan.public_service()) is None:
        return False
    plan.edit(service)["spec"]["externalTrafficPolicy"] = "Cluster"
    return True
