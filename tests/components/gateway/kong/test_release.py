import pytest

from components.binding import Binding
from components.gateway.kong import network, release
from tests.components.gateway.kong.given import BINDING, MARKET

WATCHED = ("gateway", "goods-ingress", "prices-ingress")
VALUES = release.values(BINDING, MARKET, WATCHED)
SERVER = {key.removeprefix("nginx_proxy_"): value for key, value in VALUES["env"].items() if key.startswith("nginx_proxy_")}


def test_the_chart_makes_no_service_for_proxy_admin_manager_or_portal() -> None:
    assert all(VALUES[part]["enabled"] is False for part in ("proxy", "admin", "manager", "portal", "portalapi", "enterprise"))


def test_the_proxy_listens_on_one_port_with_tls_alone() -> None:
    assert VALUES["proxy"]["http"] == {"enabled": False}
    assert VALUES["proxy"]["tls"] == {"enabled": True, "containerPort": 8443, "parameters": ["http2"]}


def test_the_admin_api_is_on_loopback_with_tls() -> None:
    assert VALUES["admin"] == {"enabled": False, "addresses": ["127.0.0.1"], "http": {"enabled": False}, "tls": {"enabled": True}}


def test_the_pods_bear_the_labels_by_which_fence_and_service_find_them() -> None:
    assert {"app": VALUES["fullnameOverride"], **VALUES["podLabels"]} == network.LABELS


def test_the_controller_knows_the_gateway_by_our_own_service() -> None:
    assert VALUES["proxy"]["nameOverride"] == "gateway"
    assert VALUES["env"]["port_maps"] == "443:8443"


def test_the_controller_looks_at_the_namespaces_of_gateway_and_ingresses_alone() -> None:
    assert VALUES["ingressController"]["watchNamespaces"] == list(WATCHED)


def test_the_controller_configures_this_gateway_and_by_these_kinds_alone() -> None:
    flags = VALUES["ingressController"]["env"]
    assert flags["gateway_to_reconcile"] == "gateway/gateway"
    off = {flag.removeprefix("enable_controller_") for flag, value in flags.items() if value == "false" and flag.startswith("enable_")}
    assert off == {
        "ingress_networkingv1",
        "ingress_class_networkingv1",
        "ingress_class_parameters",
        "udpingress",
        "tcpingress",
        "kongingress",
        "kongclusterplugin",
        "kong_upstream_policy",
        "kong_service_facade",
        "kong_vault",
        "kong_license",
        "kong_custom_entity",
    }


def test_nothing_stands_between_the_api_server_and_the_secrets_of_the_cluster() -> None:
    assert VALUES["ingressController"]["admissionWebhook"] == {"enabled": False}
    assert VALUES["ingressController"]["createIngressClass"] is False


def test_kong_runs_no_programs_from_its_configuration_and_loads_no_plugin_that_no_door_has() -> None:
    assert VALUES["env"]["untrusted_lua"] == "off"
    assert set(VALUES["env"]["plugins"].split(",")) == set(release.PLUGINS)
    assert not {"pre-function", "post-function", "bundled"} & set(release.PLUGINS)


def test_whoever_connects_shows_a_certificate_of_the_boundary() -> None:
    assert SERVER["ssl_verify_client"] == "on"
    assert SERVER["ssl_client_certificate"] == "/etc/secrets/gateway-client/ca.crt"
    assert VALUES["env"]["ssl_cipher_suite"] == "intermediate"


@pytest.mark.parametrize("module", ["proxy", "grpc"])
def test_every_upstream_is_verified_and_shown_the_gateways_certificate(module: str) -> None:
    said = {key.removeprefix(f"{module}_ssl_"): value for key, value in SERVER.items() if key.startswith(f"{module}_ssl_")}
    assert said == {
        "verify": "on",
        "verify_depth": "1",
        "trusted_certificate": "/etc/secrets/gateway-client/ca.crt",
        "certificate": "$gateway_identity/tls.crt",
        "certificate_key": "$gateway_identity/tls.key",
        "protocols": "TLSv1.2 TLSv1.3",
    }


def test_the_certificates_folder_is_named_by_a_variable_so_that_a_renewed_one_is_read() -> None:
    assert SERVER["set"] == "$gateway_identity /etc/secrets/gateway-client"
    assert VALUES["secretVolumes"] == ["gateway-client"]


def test_kong_tells_clients_and_services_nothing_of_itself() -> None:
    env = VALUES["env"]
    assert (env["headers"], env["headers_upstream"], env["anonymous_reports"]) == ("off", "off", "off")
    assert VALUES["ingressController"]["env"]["anonymous_reports"] == "false"


def test_the_clients_address_is_the_one_that_the_edge_says() -> None:
    env = VALUES["env"]
    assert (env["real_ip_header"], env["real_ip_recursive"]) == ("X-Forwarded-For", "off")
    assert env["trusted_ips"] == "10.0.0.0/8,172.16.0.0/12,192.168.0.0/16,100.64.0.0/10,169.254.0.0/16"


def test_no_header_slips_by_unread_or_under_another_spelling() -> None:
    assert VALUES["env"]["lua_max_req_headers"] == "1000"
    assert SERVER["underscores_in_headers"] == "off"


def test_no_body_is_larger_than_the_largest_of_all_doors() -> None:
    assert VALUES["env"]["nginx_http_client_max_body_size"] == str(2**20)


def test_the_scratch_volume_holds_many_of_the_largest_bodies() -> None:
    upload = MARKET.doors["basket"].model_copy(update={"max_body": "64Mi"})
    t = MARKET.model_copy(update={"doors": {"basket": upload}})
    assert VALUES["deployment"] == {"prefixDir": {"sizeLimit": "288Mi"}}
    assert release.values(BINDING, t, WATCHED)["deployment"] == {"prefixDir": {"sizeLimit": "2304Mi"}}


def test_each_request_is_one_line_of_json_without_query_string_or_credential() -> None:
    env = VALUES["env"]
    assert env["proxy_access_log"] == "/dev/stdout requests"
    assert env["nginx_http_log_format"].startswith('requests escape=json \'{"time":"$time_iso8601",')
    for forbidden in ("$request_uri", "$args", '"$request"', "$http_authorization", "$http_x_api_key", "$query_string"):
        assert forbidden not in env["nginx_http_log_format"]


def test_every_setting_is_text_because_the_chart_would_turn_off_into_a_boolean() -> None:
    assert all(isinstance(value, str) for value in {**VALUES["env"], **VALUES["ingressController"]["env"]}.values())


def test_pods_keep_the_restricted_standard() -> None:
    container = VALUES["containerSecurityContext"]
    assert VALUES["securityContext"]["runAsNonRoot"] is True
    assert container["runAsNonRoot"] is True
    assert container["allowPrivilegeEscalation"] is False
    assert container["capabilities"] == {"drop": ["ALL"]}
    assert container["seccompProfile"] == {"type": "RuntimeDefault"}


@pytest.mark.parametrize(
    ("image", "repository", "tag"),
    [
        ("docker.io/kong:3.9.3", "docker.io/kong", "3.9.3"),
        ("kong:3.9.3", "kong", "3.9.3"),
        ("registry.local:5000/kong:3.9.3@sha256:0f", "registry.local:5000/kong", "3.9.3@sha256:0f"),
    ],
)
def test_an_image_is_split_where_its_tag_begins(image: str, repository: str, tag: str) -> None:
    binding = BINDING.model_copy(update={"images": {"kong": image}})
    assert release.values(binding, MARKET, WATCHED)["image"] == {"repository": repository, "tag": tag}


def test_one_instance_has_no_disruption_budget_that_would_keep_its_node_from_being_drained() -> None:
    three = Binding.model_validate({"topology": "x", "replicas": {"gateway": 3}})
    assert VALUES["podDisruptionBudget"]["enabled"] is False
    assert release.values(three, MARKET, WATCHED)["podDisruptionBudget"] == {"enabled": True, "maxUnavailable": 1}
    assert release.values(three, MARKET, WATCHED)["replicaCount"] == 3
