"""What a stack file may bind."""

import json
import re
from pathlib import Path
from typing import get_args

import pytest
import yaml
from pydantic import TypeAdapter

from components.aws import settings as aws
from components.azure import settings as azure
from components.binding import Binding, BindingError, EdgeKind, GatewayKind, read_binding
from components.part import AddressRange
from components.versions import CHARTS, IMAGES
from tests.components.aws.test_addresses import SETTINGS as AWS
from tests.components.azure.test_addresses import SETTINGS as AZURE

LAYERS = {
    "azure": {"edge": "application-gateway", "gateway": "api-management", "cluster": "aks"},
    "aws": {"edge": "application-load-balancer", "gateway": "envoy-gateway", "cluster": "eks"},
}
STACKS = Path(__file__).parents[2] / "stacks"


def read(**values: str) -> Binding:
    return read_binding({"topology": "stacks/abc.topology.yaml", **values}, "local")


def test_a_stack_that_names_only_its_topology_has_defaults() -> None:
    binding = read()
    assert (binding.edge, binding.gateway, binding.public_port) == (EdgeKind.NGINX, GatewayKind.ENVOY_GATEWAY, 30443)
    assert binding.collector is None


def test_structured_values_are_read_from_json() -> None:
    binding = read(
        publicPort="31000",
        gateway="kong",
        collector='{"namespace": "observability", "service": "otel", "podLabels": {"app": "otel"}}',
        replicas='{"istiod": 2}',
        rotation="2",
    )
    assert (binding.gateway, binding.public_port, binding.rotation, binding.replicas.istiod) == (GatewayKind.KONG, 31000, "2", 2)
    assert binding.collector
    assert binding.collector.port == 4317


def test_every_mistake_is_said_at_once() -> None:
    with pytest.raises(BindingError) as caught:
        read(gatway="kong", gateway="tyk", publicPort="443", charts='{"istoid": "./charts/istiod"}', images='{"waff": "x"}')
    lines = str(caught.value).splitlines()
    assert len(lines) == 5
    assert all(line.startswith("stacks/Pulumi.local.yaml: perimeter:") for line in lines)
    text = str(caught.value)
    assert 'perimeter:gatway: is not a known key (did you mean "gateway"?)' in text
    assert "perimeter:gateway: \"tyk\" must be 'envoy-gateway', 'kong' or 'api-management'" in text
    assert "perimeter:publicPort: 443 must be at least 30000" in text
    assert 'perimeter:charts.istoid: is not known (did you mean "istiod"?)' in text
    assert 'perimeter:images.waff: is not known (did you mean "waf"?)' in text


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ("10.30.5.1", "10.30.5.1"),
        ("10.30.5.9/24", "privateHosts.ledger 10.30.5.9/24 is no range of IPv4 addresses"),
        ("203.0.113.0/24", "privateHosts.ledger 203.0.113.0/24 is not private"),
        ("10.0.0.0/8", "privateHosts.ledger 10.0.0.0/8 is a whole network"),
    ],
)
def test_where_a_private_host_cannot_be_is_said(given: str, said: str) -> None:
    with pytest.raises(BindingError, match=re.escape(said)):
        read(privateHosts=json.dumps({"ledger": [given]}))


@pytest.mark.parametrize(
    ("given", "whose", "around"),
    [
        ("10.88.4.0/24", "clusterRanges.0 10.88.0.0/16", {"clusterRanges": '["10.88.0.0/16", "10.99.0.0/16"]'}),
        ("10.99.0.0/20", "clusterRanges.1 10.99.0.0/16", {"clusterRanges": '["10.88.0.0/16", "10.99.0.0/16"]'}),
        ("10.244.7.0/24", "azure.pods 10.244.0.0/16", {**LAYERS["azure"], "azure": json.dumps(AZURE)}),
        ("172.20.0.0/24", "aws.services 172.20.0.0/16", {**LAYERS["aws"], "aws": json.dumps(AWS)}),
    ],
)
def test_a_private_host_is_no_address_of_the_cluster_itself(given: str, whose: str, around: dict[str, str]) -> None:
    with pytest.raises(BindingError, match=re.escape(f"privateHosts.ledger {given} and {whose} overlap")):
        read(privateHosts=json.dumps({"ledger": [given]}), **around)
    read(privateHosts=json.dumps({"ledger": ["10.30.5.0/24"]}), **around)


def test_a_cloud_says_its_clusters_ranges_by_its_own_keys() -> None:
    with pytest.raises(BindingError, match="cluster eks has no use for the key clusterRanges"):
        read(**LAYERS["aws"], aws=json.dumps(AWS), clusterRanges='["10.88.0.0/16"]')


def test_a_missing_topology_is_said() -> None:
    with pytest.raises(BindingError, match="perimeter:topology: is missing"):
        read_binding({}, "local")


def test_a_chart_comes_from_elsewhere_when_the_stack_says_so() -> None:
    charts = (
        '{"istiod": "./charts/istiod", "kong": {"repository": "https://mirror.example.org"}, "cert-manager": "oci://mirror/cert-manager"}'
    )
    binding = read(charts=charts)
    assert (binding.chart("istiod").chart, binding.chart("istiod").version) == ("./charts/istiod", "")
    assert (binding.chart("kong").chart, binding.chart("kong").repository) == (CHARTS["kong"].chart, "https://mirror.example.org")
    assert binding.chart("cert-manager").version == CHARTS["cert-manager"].version
    assert binding.chart("istio-base") == CHARTS["istio-base"]


def test_a_folder_with_a_version_is_looked_for_in_no_repository() -> None:
    binding = read(charts='{"istiod": {"chart": "./charts/istiod", "version": "1.31.1"}, "kong": {"chart": "oci://mirror/kong"}}')
    istiod, kong = binding.chart("istiod"), binding.chart("kong")
    assert (istiod.chart, istiod.version, istiod.repository) == ("./charts/istiod", "1.31.1", "")
    assert (kong.chart, kong.version, kong.repository) == ("oci://mirror/kong", CHARTS["kong"].version, "")


def test_an_image_comes_from_elsewhere_when_the_stack_says_so() -> None:
    binding = read(images='{"demo": "registry.example.org/demo:1"}')
    assert (binding.image("demo"), binding.image("redis")) == ("registry.example.org/demo:1", IMAGES["redis"])


@pytest.mark.parametrize("file", sorted(STACKS.glob("Pulumi.*.yaml")), ids=lambda file: file.name)
def test_every_shipped_stack_file_can_be_read_and_forbids_a_forgotten_provider(file: Path) -> None:
    config = yaml.safe_load(file.read_text(encoding="utf-8"))["config"]
    given = {key.removeprefix("perimeter:"): value for key, value in config.items() if key.startswith("perimeter:")}
    own = {key: json.dumps(value) if isinstance(value, dict | list) else str(value) for key, value in given.items()}
    binding = read_binding(own, file.name)
    assert (STACKS.parent / binding.topology).is_file()
    clouds = [*(["azure-native"] if binding.azure else []), *(["aws"] if binding.aws else [])]
    assert config["pulumi:disable-default-providers"] == ["kubernetes", *clouds]


def test_products_that_cannot_stand_together_are_refused_with_those_that_can() -> None:
    with pytest.raises(BindingError) as caught:
        read(edge="application-gateway", gateway="kong")
    assert str(caught.value) == (
        "stacks/Pulumi.local.yaml: perimeter: edge application-gateway stands in front of gateway api-management in cluster aks, "
        "not of gateway kong and cluster existing: change one of them"
    )


def test_a_cluster_of_azure_needs_to_know_where() -> None:
    with pytest.raises(BindingError, match="cluster aks needs the key azure"):
        read(edge="application-gateway", gateway="api-management", cluster="aks")


def test_a_cluster_of_aws_needs_to_know_where_and_has_no_use_for_azure() -> None:
    with pytest.raises(BindingError, match="cluster eks needs the key aws"):
        read(edge="application-load-balancer", gateway="kong", cluster="eks")


@pytest.mark.parametrize(
    ("cloud", "change", "said"),
    [
        ("azure", {"name": "abc-development"}, ".name: \"abc-development\" must be 2 to 12 lower-case letters, digits and inner '-'"),
        ("azure", {"tenantId": "abc"}, '.tenantId: "abc" must be an id'),
        ("azure", {"operators": ["203.0.113.10"]}, '.operators[0]: "203.0.113.10" must be an address, a slash and'),
        ("azure", {"operater": []}, '.operater: is not a known key (did you mean "operators"?)'),
        ("aws", {"accountId": 12}, '.accountId: 12 must be the twelve digits of an account (as in "111122223333")'),
        ("aws", {"administrators": []}, ".administrators: must hold at least 1, not 0"),
        ("aws", {"hostedZone": "abc.example"}, '.hostedZone: "abc.example" must be the id of a hosted zone'),
    ],
)
def test_a_mistake_in_the_settings_of_a_cloud_is_said_in_words(cloud: str, change: dict[str, object], said: str) -> None:
    settings = {"azure": AZURE, "aws": AWS}[cloud]
    with pytest.raises(BindingError) as caught:
        read(**LAYERS[cloud], **{cloud: json.dumps({**settings, **change})})
    (finding,) = caught.value.findings
    assert f"perimeter:{cloud}{said}" in finding
    assert "[a-z]" not in finding


@pytest.mark.parametrize(
    "kind",
    [AddressRange, aws.Label, aws.Principal, aws.CertificateArn, aws.HostedZone, azure.Guid, azure.Label, azure.ZoneId],
)
def test_what_is_suggested_is_accepted(kind: object) -> None:
    _, text = get_args(kind)
    for example in text.examples:
        assert TypeAdapter(kind).validate_python(example) == example


def test_what_the_settings_of_a_cloud_cannot_be_together_are_findings_of_their_own() -> None:
    given = json.dumps({**AZURE, "network": "10.60.0.0/24", "operators": ["0.0.0.0/0"]})
    with pytest.raises(BindingError) as caught:
        read(**LAYERS["azure"], azure=given)
    assert [finding.rpartition("perimeter:azure: ")[2] for finding in caught.value.findings] == [
        "network 10.60.0.0/24 is too small for the plan of subnets: give it a /20 or larger",
        "operators 0.0.0.0/0 is every address: name your own",
    ]


def test_a_mistake_deep_in_a_stack_file_is_said_with_its_path() -> None:
    with pytest.raises(BindingError, match=r"perimeter:azure\.location: is missing"):
        read(edge="application-gateway", gateway="api-management", cluster="aks", azure='{"name": "shop-dev"}')


@pytest.mark.parametrize(
    ("edge", "alternative", "reason"),
    [
        ("nginx", '{"edge": "load-balancer", "gateway": "kong"}', "nothing can stand beside edge nginx in cluster existing: remove it"),
        (
            "application-gateway",
            '{"edge": "nginx", "gateway": "kong"}',
            "edge nginx cannot stand beside application-gateway in cluster aks: name load-balancer",
        ),
        (
            "application-gateway",
            '{"edge": "load-balancer", "gateway": "api-management"}',
            "edge load-balancer stands in front of gateway envoy-gateway or kong in cluster aks, not of gateway api-management",
        ),
        ("application-gateway", "load-balancer", '"load-balancer" must be a mapping'),
    ],
)
def test_an_alternative_is_pods_beside_an_edge_outside_the_cluster(edge: str, alternative: str, reason: str) -> None:
    around = {"gateway": "api-management", "cluster": "aks"} if edge == "application-gateway" else {}
    with pytest.raises(BindingError) as caught:
        read(edge=edge, **around, alternative=alternative)
    assert f"alternative: {reason}" in str(caught.value)
