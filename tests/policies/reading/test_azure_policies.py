"""Documents of API Management: scopes that are put together, and what is understood of them."""

import pytest

from policies.reading.cloud.azure.apis import Api, Operation
from policies.reading.cloud.azure.facts import Facts, facts_of
from policies.reading.cloud.azure.policy import Document, effective
from policies.reading.patterns import parse
from policies.reading.resource import Resource
from policies.reading.values import UnknownValueError

KIND = "azure-native:apimanagement:ApiOperationPolicy"


def document(inbound: str = "<base />", backend: str = "<base />", *, whole: str = "") -> Document:
    text = whole or f"<policies><inbound>{inbound}</inbound><backend>{backend}</backend></policies>"
    return Document(resource=Resource(urn="urn", token=KIND, kind=KIND, name="policy", props={"format": "xml", "value": text}))


def facts(*inbound: str) -> Facts:
    api = Api(
        resource=document().resource,
        name="a",
        prefix="/a",
        headers=(),
        keyed=False,
        key_header="x-api-key",
        key_parameter="x-api-key",
        products=(),
        operations=(),
    )
    documents = tuple(document(each, "<forward-request />") for each in inbound)
    operation = Operation(api=api, resource=api.resource, name="get", method="GET", pattern=parse("/a/*"), documents=documents)
    return facts_of(operation)


def when(condition: str, inside: str = "<return-response />") -> str:
    return f'<choose><when condition="{condition}">{inside}</when></choose>'


def test_base_stands_for_the_wider_scope() -> None:
    narrow, wide = document("<first /><base /><last />"), document("<middle />")
    assert [element.name for element in effective("inbound", (narrow, wide))] == ["first", "middle", "last"]


def test_without_base_the_wider_scope_is_forgotten() -> None:
    assert [element.name for element in effective("inbound", (document("<own />"), document("<middle />")))] == ["own"]


def test_a_section_that_is_not_written_is_the_wider_ones() -> None:
    narrow = document(whole="<policies><outbound /></policies>")
    assert [element.name for element in effective("inbound", (narrow, document("<middle />")))] == ["middle"]


@pytest.mark.parametrize(
    "text",
    [
        "no xml",
        "<other />",
        '<!DOCTYPE policies [<!ENTITY x "y">]><policies />',
        "<policies><inbound /><elsewhere /></policies>",
    ],
)
def test_what_is_no_document_of_policies_is_not_known(text: str) -> None:
    with pytest.raises(UnknownValueError):
        list(effective("inbound", (document(whole=text),)))


def test_a_document_at_an_address_is_not_known() -> None:
    linked = Document(resource=Resource(urn="urn", token=KIND, kind=KIND, name="p", props={"format": "xml-link", "value": "https://x"}))
    with pytest.raises(UnknownValueError, match="a way to give policies"):
        linked.section("inbound")


@pytest.mark.parametrize(
    "policy", ["<send-request />", "<include-fragment />", "<rewrite-uri />", "<set-method />", "<ip-filter />", "<unheard-of />"]
)
def test_a_policy_that_is_not_followed_is_not_known(policy: str) -> None:
    with pytest.raises(UnknownValueError, match="not followed"):
        facts(policy)


def test_a_condition_that_sends_elsewhere_is_not_known() -> None:
    with pytest.raises(UnknownValueError, match="more than refuse or count"):
        facts(when("@(true)", '<set-backend-service base-url="https://x.example" />'))


def test_a_condition_that_refuses_and_is_not_understood_is_said() -> None:
    assert facts(when("@(context.Request.IpAddress == &quot;198.51.100.7&quot;)")).unread


def test_hosts_and_lengths_are_read_from_refusals() -> None:
    found = facts(
        when("@(!context.Request.OriginalUrl.Host.Equals(&quot;Api.Example&quot;, StringComparison.OrdinalIgnoreCase))"),
        when(""),
    )
    assert found.hosts == {"api.example"}
    longer = when("@(long.Parse(context.Request.Headers.GetValueOrDefault(&quot;Content-Length&quot;, &quot;0&quot;)) &gt; 100)")
    assert facts(longer).body == 100


def test_a_condition_under_which_nothing_happens_refuses_nobody() -> None:
    other = "@(!context.Request.OriginalUrl.Host.Equals(&quot;api.example&quot;, StringComparison.OrdinalIgnoreCase))"
    assert facts(when(other, "")).hosts is None


def test_the_last_word_on_a_header_counts() -> None:
    delete = '<set-header name="X-User" exists-action="delete" />'
    skip = '<set-header name="x-user" exists-action="skip"><value>nobody</value></set-header>'
    assert "x-user" in facts(delete).removed
    assert "x-user" not in facts(skip).removed
    assert "x-user" not in facts(delete + skip.replace("skip", "append")).removed
