"""What is said of a stack file: every mistake that can be seen, in our words, at its line."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pulumi_aws
import pytest
from pydantic import BaseModel, ValidationError

from components.aws.regions import REGIONS
from components.aws.settings import AwsSettings
from components.azure.regions import ZONAL, ZONELESS
from components.azure.settings import AzureSettings
from components.binding import Binding, BindingError, read_binding
from tests.components.aws.test_addresses import SETTINGS as AWS
from tests.components.azure.test_addresses import SETTINGS as AZURE
from tests.components.test_binding import LAYERS
from topology.explain import WORDING, explain

OURS = {*WORDING, "value_error", "unknown_name", "refused_name"}
"""Kinds of error whose words are ours."""
WRONG: tuple[Any, ...] = (None, True, 0, -1, 1.5, 10**30, "", "x", "two", [], ["x"], [1], {}, {"x": 1}, {"x": {"y": 1}})


def findings(file: Path | None = None, **values: Any) -> list[str]:
    given = {key: value if isinstance(value, str) else json.dumps(value) for key, value in values.items()}
    with pytest.raises(BindingError) as caught:
        read_binding({"topology": "t.yaml", **given}, "local", file)
    return [finding.removeprefix("stacks/Pulumi.local.yaml") for finding in caught.value.findings]


def keys(model: type[BaseModel]) -> Iterator[str]:
    yield from (field.alias or name for name, field in model.model_fields.items())


@pytest.mark.parametrize(
    "part", [(), ("azure",), ("aws",), ("azure", "publisher"), ("azure", "publicCertificate"), ("replicas",), ("collector",)], ids=".".join
)
def test_whatever_is_wrong_is_told_in_our_words(part: tuple[str, ...]) -> None:
    whole: dict[str, Any] = {"topology": "t.yaml", "azure": dict(AZURE), "aws": dict(AWS), "replicas": {}, "collector": {}}
    whole["azure"]["publicCertificate"] = {}
    model: Any = {"azure": AzureSettings, "aws": AwsSettings}.get(".".join(part), Binding)
    here = whole
    for key in part:
        here = here[key]
    for key in {*here, *keys(model)}:
        kept = here.pop(key, None)
        for value in WRONG:
            error = error_of(whole, here, key, value)
            assert {item["type"] for item in error.errors()} <= OURS
            assert not [finding for finding in explain(error, Binding) if "Input should" in finding.said]
        if kept is not None:
            here[key] = kept


def error_of(whole: dict[str, Any], here: dict[str, Any], key: str, value: object) -> ValidationError:
    """Return what is wrong with a stack file that says this; something always is, for it has two clouds and neither cluster."""
    here[key] = value
    with pytest.raises(ValidationError) as caught:
        Binding.model_validate(whole)
    with pytest.raises(BindingError):
        read_binding({name: json.dumps(each) for name, each in whole.items()}, "local")
    del here[key]
    return caught.value


def test_a_number_that_is_none_is_told_as_in_a_topology() -> None:
    assert sorted(findings(replicas={"edge": "two", "gateway": 1.5}, collector={"namespace": "a", "service": "b", "port": "c"})) == [
        ': perimeter:collector.port: "c" must be a whole number',
        ': perimeter:replicas.edge: "two" must be a whole number',
        ": perimeter:replicas.gateway: 1.5 must be a whole number",
    ]


def test_each_finding_has_the_line_of_its_key_however_that_is_written(tmp_path: Path) -> None:
    file = tmp_path / "stack.yaml"
    file.write_text(
        """
# a comment
config:
  perimeter:edge: tyk
  perimeter:config:replicas:
    gateway: 0
  azure:
    network: 10.60.0.0/24
    operators:
      - 10.60.0.0/16
      - nobody
""",
        encoding="utf-8",
    )
    azure = {**AZURE, "network": "10.60.0.0/24", "operators": ["10.60.0.0/16", "nobody"], "name": 1}
    found = findings(file, edge="tyk", replicas={"gateway": 0}, azure=azure, context="", charts={"istoid": "x"})
    assert {finding.split(": ")[1]: finding.split(": ")[0] for finding in found} == {
        "perimeter:charts.istoid": ":3",  # given by whoever runs the program: the file has no such key
        "perimeter:edge": ":4",
        "perimeter:replicas.gateway": ":6",
        "perimeter:azure.name": ":7",
        "perimeter:azure": ":8",
        "perimeter:azure.operators[1]": ":11",
    }


def test_a_file_that_cannot_be_read_leaves_findings_without_lines(tmp_path: Path) -> None:
    (found,) = findings(tmp_path / "nowhere", publicPort=443)
    assert found == ": perimeter:publicPort: 443 must be at least 30000"


def test_what_ranges_cannot_be_together_is_told_beside_values_that_cannot_be_read() -> None:
    wrong = {"pods": "10.60.0.0/16", "privateOperators": ["203.0.113.0/24"], "size": "huge", "tenantId": 7}
    found = findings(**LAYERS["azure"], azure={**AZURE, **wrong}, publicPort=443)
    assert [finding.partition(": ")[2] for finding in found if "perimeter:azure: " in finding] == [
        "perimeter:azure: network 10.60.0.0/16 and pods 10.60.0.0/16 overlap",
        "perimeter:azure: privateOperators 203.0.113.0/24 is not private: give a part of 10.0.0.0/8, 172.16.0.0/12, 192.168.0.0/16, "
        "100.64.0.0/10, and public addresses in operators",
    ]
    assert len(found) == 5


def test_nothing_is_concluded_from_a_value_that_cannot_be_read() -> None:
    refused = {"network": "10.244.0.0", "region": "eu-central-7", "certificate": "mine", "accountId": "1", "operators": ["10.0.0.0/8", "x"]}
    found = findings(**LAYERS["aws"], aws={**AWS, **refused, "hostedZone": None, "services": "10.0.0.0/7"})
    assert [finding for finding in found if "perimeter:aws: " in finding] == [
        ": perimeter:aws: services 10.0.0.0/7 is refused by EKS: give it a range between /24 and /12",
        ": perimeter:aws: services 10.0.0.0/7 is refused by EKS: give it a part of 10.0.0.0/8, 172.16.0.0/12, 192.168.0.0/16",
    ]


def test_products_that_cannot_stand_together_are_told_beside_other_mistakes() -> None:
    found = findings(edge="nginx", gateway="api-management", publicPort=443)
    assert any("edge nginx stands in front of" in finding for finding in found)
    assert len(found) == 2
    assert len(findings(edge="tyk", gateway="api-management")) == 1


def test_a_cloud_that_cannot_be_read_is_there_all_the_same() -> None:
    found = findings(azure={**AZURE, "size": "huge"})
    assert any("cluster existing has no use for the key azure: remove it" in finding for finding in found)
    assert not any("needs the key" in finding for finding in findings(**LAYERS["azure"], azure={**AZURE, "size": "huge"}))


@pytest.mark.parametrize("operator", ["10.0.0.0/8", "203.0.113.10/32", "100.64.0.0/10"])
def test_operators_of_azure_come_from_the_internet(operator: str) -> None:
    (found,) = findings(**LAYERS["azure"], azure={**AZURE, "operators": [operator]})
    assert f"operators {operator} is nobody's address on the internet, where AKS is reached: give your public address" in found
    AzureSettings.model_validate({**AZURE, "operators": ["9.9.9.9/32"]})


@pytest.mark.parametrize(("email", "is_one"), [("parcel", False), ("a@b", False), ("a b@c.example", False), ("api+1@shop.example", True)])
def test_a_publisher_has_an_email_address(email: str, is_one: bool) -> None:
    settings = {**AZURE, "publisher": {"name": "Shop", "email": email}}
    if is_one:
        AzureSettings.model_validate(settings)
    else:
        (found,) = findings(**LAYERS["azure"], azure=settings)
        assert f'perimeter:azure.publisher.email: "{email}" must be an e-mail address (as in api@shop.example)' in found


@pytest.mark.parametrize(
    ("cloud", "change", "said"),
    [
        (
            "azure",
            {"location": "westeurop"},
            'azure.location: "westeurop" is no region of Azure with availability zones that is known here: did you mean "westeurope"?',
        ),
        ("azure", {"location": "westus"}, 'azure.location: "westus" has no availability zones: name a region that has'),
        (
            "aws",
            {"region": "eu-central-7"},
            'aws.region: "eu-central-7" is no region of the partition aws that is known here: did you mean "eu-central-',
        ),
        ("aws", {"region": "us-gov-1"}, 'aws.region: "us-gov-1" is no region'),
    ],
)
def test_a_region_that_is_none_is_told_with_the_nearest(cloud: str, change: dict[str, str], said: str) -> None:
    (found,) = findings(**LAYERS[cloud], **{cloud: {**{"azure": AZURE, "aws": AWS}[cloud], **change}})
    assert said in found


def test_regions_are_those_of_the_sdk_that_is_locked() -> None:
    partition = {
        str(region.value) for region in pulumi_aws.Region if not region.value.startswith(("cn-", "eusc-", "us-gov-", "us-iso", "eu-iso"))
    }
    assert partition == REGIONS
    assert not ZONAL & ZONELESS
