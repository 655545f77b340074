"""The doors in OpenAPI."""

from typing import Any

import pytest
from openapi_spec_validator import validate

from components.gateway.api_management.apis import apis
from components.gateway.api_management.openapi import Document, document
from tests.components.azure.systems import CARRIED, at_api_management
from tests.components.edge.systems import system as written
from topology.derive import names

SYSTEMS = (*CARRIED, "brokerage")


def documents(name: str) -> dict[str, Document]:
    return {api.name: document(at_api_management(name), api, {}) for api in apis(at_api_management(name))}


def operation(auth: dict[str, Any], **more: Any) -> Document:
    login = {"issuer": "https://login.example.com", "audiences": ["shop"], "jwksUri": "https://login.example.com/keys"}
    tiers = {"tiers": {"gold": {"limits": [{"requests": 1, "per": "second"}]}}, "consumers": {"bob": {"tier": "gold"}}}
    t = written({"door": {"paths": ["/a/*"], "auth": auth, **more}}, issuers={"login": login}, **tiers)
    (api,) = apis(t)
    return document(t, api, {"login": "https://idp.example.com/configuration"})


@pytest.mark.parametrize("name", SYSTEMS)
def test_every_document_is_openapi(name: str) -> None:
    for found in documents(name).values():
        validate(found)


@pytest.mark.parametrize("name", SYSTEMS)
def test_every_operation_of_every_door_is_in_a_document_once(name: str) -> None:
    said = [about["operationId"] for found in documents(name).values() for path in found["paths"].values() for about in path.values()]
    assert sorted(said) == sorted(operation.name for api in apis(at_api_management(name)) for operation in api.operations)


@pytest.mark.parametrize("name", SYSTEMS)
def test_no_document_names_a_service_of_the_mesh(name: str) -> None:
    t = at_api_management(name)
    text = str([found["paths"] for found in documents(name).values()])
    assert not [service for service in t.services if f"the answer of {service}" in text or f"{service}.{t.namespace_of(service)}" in text]


def test_a_token_door_names_where_the_issuer_tells_its_keys() -> None:
    found = operation({"jwt": "login"})
    assert found["paths"]["/{p1}"]["get"]["security"] == [{"login": []}]
    assert found["components"]["securitySchemes"]["login"]["openIdConnectUrl"] == "https://idp.example.com/configuration"


def test_a_key_door_names_the_header_of_the_key() -> None:
    found = operation({"apiKey": ["gold"]})
    assert found["paths"]["/{p1}"]["get"]["security"] == [{"apiKey": []}]
    scheme = found["components"]["securitySchemes"]["apiKey"]
    assert (scheme["type"], scheme["in"], scheme["name"]) == ("apiKey", "header", names.API_KEY_HEADER)


def test_a_public_door_asks_for_nothing() -> None:
    found = operation({"public": "everybody may read it"})
    assert found["paths"]["/{p1}"]["get"]["security"] == []
    assert set(found["paths"]["/{p1}"]["get"]["responses"]) == {"default", "429"}


def test_a_body_is_described_with_its_limit_and_its_refusals() -> None:
    found = operation({"public": "everybody may write it"}, methods=["POST"], maxBody="2Ki")
    about = found["paths"]["/{p1}"]["post"]
    assert about["requestBody"]["description"] == "at most 2048 bytes"
    assert set(about["responses"]) == {"default", "411", "413", "429"}


def test_what_may_be_one_segment_or_several_is_the_last_parameter() -> None:
    (parameter,) = operation({"public": "everybody may read it"})["paths"]["/{p1}"]["get"]["parameters"]
    assert (parameter["name"], parameter["description"]) == ("p1", "one segment or more")


def test_a_version_told_by_a_header_is_a_parameter_and_a_version_that_ends_is_deprecated() -> None:
    (about,) = [path["get"] for path in documents("brokerage")["prices-v1-2"]["paths"].values()]
    assert about["deprecated"] is True
    (header,) = [parameter for parameter in about["parameters"] if parameter["in"] == "header"]
    assert (header["name"], header["schema"]["enum"]) == ("x-api-version", ["v1.2"])
