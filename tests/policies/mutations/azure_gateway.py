"""API Management: credentials are not asked for, headers pass, requests go elsewhere."""

import re
from collections.abc import Callable, Mapping
from typing import Any

from tests.policies.mutations import azure_plan as azure
from tests.policies.mutations.mutation import CloudFamily, Table
from tests.policies.mutations.plan import MARKER, Plan

TABLE = Table(CloudFamily.GATEWAY)

CHECK = "<validate-jwt"


def _changed(plan: Plan, containing: str, change: Callable[[str], str]) -> bool:
    """Change the first policy of an operation in which a text stands."""
    found = azure.policy(plan, containing)
    if found is None:
        return False
    before = found["value"]
    found["value"] = change(before)
    assert found["value"] != before, "the policy has nothing to change in this way"
    return True


def _without(pattern: str) -> Callable[[str], str]:
    return lambda text: re.sub(pattern, "", text, count=1, flags=re.DOTALL)


def _with(pattern: str, replacement: str) -> Callable[[str], str]:
    return lambda text: re.sub(pattern, replacement, text, count=1, flags=re.DOTALL)


@TABLE.mutation("A06", "no token is asked for")
def token_not_asked(plan: Plan) -> bool:
    return _changed(plan, CHECK, _without(r"<validate-jwt.*?</validate-jwt>"))


@TABLE.mutation("A06", "the token's audience is not asked for")
def token_for_anybody(plan: Plan) -> bool:
    return _changed(plan, CHECK, _without(r"<audiences>.*?</audiences>"))


@TABLE.mutation("A06", "a token for another API is taken as well")
def token_for_another_api(plan: Plan) -> bool:
    return _changed(plan, CHECK, _with(r"<audiences>", "<audiences><audience>another-api</audience>"))


@TABLE.mutation("A06", "the token's issuer is not asked for")
def token_of_anybody(plan: Plan) -> bool:
    return _changed(plan, CHECK, _without(r"<issuers>.*?</issuers>"))


@TABLE.mutation("A06", "another issuer's tokens are taken as well")
def token_of_another_issuer(plan: Plan) -> bool:
    return _changed(plan, CHECK, _with(r"<issuers>", "<issuers><issuer>https://login.elsewhere.example</issuer>"))


@TABLE.mutation("A06", "tokens that nobody signed are taken")
def token_unsigned(plan: Plan) -> bool:
    return _changed(plan, CHECK, _with('require-signed-tokens="true"', 'require-signed-tokens="false"'))


@TABLE.mutation("A06", "tokens without end are taken")
def token_without_end(plan: Plan) -> bool:
    return _changed(plan, CHECK, _with('require-expiration-time="true"', 'require-expiration-time="false"'))


@TABLE.mutation("A06", "tokens are taken a year after they expired")
def token_long_expired(plan: Plan) -> bool:
    return _changed(plan, CHECK, _with(r'clock-skew="\d+"', 'clock-skew="31536000"'))


@TABLE.mutation("A06", "tokens are taken from the query")
def token_in_the_query(plan: Plan) -> bool:
    return _changed(plan, CHECK, _with('header-name="Authorization"', 'query-parameter-name="access_token"'))


@TABLE.mutation("A06", "keys to verify tokens come from somebody else")
def token_keys_from_elsewhere(plan: Plan) -> bool:
    return _changed(
        plan, CHECK, _with(r'openid-config url="[^"]*"', 'openid-config url="https://elsewhere.example/.well-known/openid-configuration"')
    )


@TABLE.mutation("A06", "a key of one's own verifies tokens as well")
def token_key_of_its_own(plan: Plan) -> bool:
    return _changed(plan, CHECK, _with("<audiences>", "<issuer-signing-keys><key>c2VjcmV0</key></issuer-signing-keys><audiences>"))


@TABLE.mutation("A06", "what is checked is a token of the gateway's own making")
def token_of_the_gateway(plan: Plan) -> bool:
    return _changed(plan, CHECK, _with("<validate-jwt ", '<validate-jwt token-value="@(context.Variables[&quot;x&quot;])" '))


@TABLE.mutation("A06", "keys are taken from the query")
def key_in_the_query(plan: Plan) -> bool:
    return _changed(
        plan, "Query.ContainsKey", _without(r"<choose>\s*<when condition=\"@\(context\.Request\.OriginalUrl\.Query.*?</choose>")
    )


@TABLE.mutation("B01", "there is no policy of all APIs, and Azure's own sends requests on")
def no_policy_of_all_apis(plan: Plan) -> bool:
    policy = azure.one(plan, "apimanagement:Policy")
    assert policy is not None
    plan.remove(policy)
    return True


@TABLE.mutation("B01", "the token is asked for under a condition alone")
def token_asked_sometimes(plan: Plan) -> bool:
    def change(text: str) -> str:
        start = '<choose><when condition="@(context.Request.Headers.ContainsKey(&quot;x-debug&quot;) == false)">'
        return re.sub(r"(<validate-jwt.*?</validate-jwt>)", rf"{start}\1</when></choose>", text, count=1, flags=re.DOTALL)

    return _changed(plan, CHECK, change)


@TABLE.mutation("A06", "an API asks for no key")
def key_not_asked(plan: Plan) -> bool:
    if (found := azure.one(plan, "apimanagement:Api", lambda i: i["subscriptionRequired"] is True)) is None:
        return False
    own = plan.edit(found)
    own["subscriptionRequired"] = False
    pattern = r"<choose>\s*<when condition=\"@\(context\.Subscription == null.*?</choose>"
    for record in list(azure.all_of(plan, "apimanagement:ApiOperationPolicy", lambda i: i["apiId"] == own["apiId"])):
        policy = plan.edit(record)
        policy["value"] = re.sub(pattern, "", policy["value"], count=1, flags=re.DOTALL)
    return True


@TABLE.mutation("A06", "a product opens its APIs to everybody")
def product_open(plan: Plan) -> bool:
    if (found := azure.one(plan, "apimanagement:Product")) is None:
        return False
    name = plan.edit(found)
    name["subscriptionRequired"] = False
    pattern = r"<choose>\s*<when condition=\"@\(context\.Subscription == null.*?</choose>"
    for record in list(azure.all_of(plan, "apimanagement:ApiOperationPolicy")):
        if re.search(pattern, record["inputs"]["value"], re.DOTALL):
            policy = plan.edit(record)
            policy["value"] = re.sub(pattern, "", policy["value"], count=1, flags=re.DOTALL)
    return True


@TABLE.mutation("A06", "only a condition in a policy asks for a key")
def key_asked_by_a_condition_alone(plan: Plan) -> bool:
    if (found := azure.one(plan, "apimanagement:Api", lambda i: i["subscriptionRequired"] is True)) is None:
        return False
    plan.edit(found)["subscriptionRequired"] = False
    return True


@TABLE.mutation("A06", "whoever signs up gives himself a key")
def keys_without_approval(plan: Plan) -> bool:
    if (found := azure.one(plan, "apimanagement:Product")) is None:
        return False
    plan.edit(found)["approvalRequired"] = False
    return True


@TABLE.mutation("A06", "the client's key goes on to the mesh")
def key_goes_on(plan: Plan) -> bool:
    if (found := azure.one(plan, "apimanagement:Api", lambda i: i["subscriptionRequired"] is True)) is None:
        return False
    plan.edit(found)["subscriptionKeyParameterNames"]["header"] = "x-another-key"
    return True


@TABLE.mutation("A06", "the key of another tier opens a door")
def key_of_another_tier(plan: Plan) -> bool:
    return _changed(plan, "context.Product.Id)", _with(r"new\[\] \{ ", "new[] { &quot;another&quot;, "))


@TABLE.mutation("A06", "every key of the API opens a door")
def key_of_every_tier(plan: Plan) -> bool:
    return _changed(
        plan, "context.Subscription == null", _without(r"<choose>\s*<when condition=\"@\(context\.Subscription == null.*?</choose>")
    )


@TABLE.mutation("A06", "a key for all APIs")
def key_for_everything(plan: Plan) -> bool:
    if (found := azure.one(plan, "apimanagement:Subscription")) is None:
        return False
    own = plan.edit(found)
    own["scope"] = f"{own['scope'].partition('/products/')[0]}/apis"
    return True


@TABLE.mutation("A06", "a key of somebody who is no consumer")
def key_of_a_stranger(plan: Plan) -> bool:
    if (found := azure.one(plan, "apimanagement:Subscription")) is None:
        return False
    plan.edit(found)["sid"] = "stranger"
    return True


@TABLE.mutation("A06", "answers are kept behind a credential, for whoever asks next")
def answers_kept_for_all(plan: Plan) -> bool:
    lookup = '<cache-lookup vary-by-developer="false" vary-by-developer-groups="false" allow-private-response-caching="true" />'
    return _changed(plan, CHECK, _with("<set-backend-service", f"{lookup}<set-backend-service"))


@TABLE.mutation("A12", "a policy forgets what holds for all APIs")
def base_removed(plan: Plan) -> bool:
    return _changed(plan, "<inbound>", _with(r"<inbound>\s*<base />", "<inbound>"))


@TABLE.mutation("A07", "the same: a client's own headers pass")
def base_removed_and_headers_pass(plan: Plan) -> bool:
    return base_removed(plan)


@TABLE.mutation("A12", "a policy does something before what holds for all APIs")
def base_comes_later(plan: Plan) -> bool:
    return _changed(plan, "<inbound>", _with(r"(<inbound>.*?)<base />", r'\1<set-header name="x-early" exists-action="delete" /><base />'))


@TABLE.mutation("A07", "the policy of all APIs keeps a client's certificate header")
def certificate_header_kept(plan: Plan) -> bool:
    own = azure.inputs(plan, "apimanagement:Policy")
    own["value"] = own["value"].replace('<set-header name="x-forwarded-client-cert" exists-action="delete" />', "", 1)
    return True


@TABLE.mutation("A07", "a policy writes the client's identity from a header")
def identity_from_a_header(plan: Plan) -> bool:
    chosen = '<set-header name="x-perimeter-subject" exists-action="override"><value>@(context.Request.Headers.GetValueOrDefault("x-user",""))</value></set-header>'
    return _changed(
        plan,
        "<set-backend-service",
        _with(
            "<set-backend-service",
            f"{chosen.replace(chr(34) + 'x-user' + chr(34), '&quot;x-user&quot;').replace('(&quot;x-user&quot;,' + chr(34) * 2 + ')', '(&quot;x-user&quot;,&quot;&quot;)')}<set-backend-service",
        ),
    )


@TABLE.mutation("A07", "a policy keeps an identity header where the client sent one")
def identity_header_skipped(plan: Plan) -> bool:
    kept = '<set-header name="x-forwarded-client-cert" exists-action="skip"><value>none</value></set-header>'
    return _changed(plan, "<inbound>", _with(r"<inbound>\s*<base />", f"<inbound>{kept}<base />")) and _also_in_all(plan)


def _also_in_all(plan: Plan) -> bool:
    own = azure.inputs(plan, "apimanagement:Policy")
    own["value"] = own["value"].replace(
        'name="x-forwarded-client-cert" exists-action="delete" />',
        'name="x-forwarded-client-cert" exists-action="skip"><value>none</value></set-header>',
        1,
    )
    return True


@TABLE.mutation("A04", "the mesh is asked without TLS")
def backend_plain(plan: Plan) -> bool:
    own = azure.inputs(plan, "apimanagement:Backend")
    own["url"] = own["url"].replace("https://", "http://")
    return True


@TABLE.mutation("A04", "the mesh's certificate is not verified")
def backend_not_verified(plan: Plan) -> bool:
    azure.inputs(plan, "apimanagement:Backend")["tls"]["validateCertificateChain"] = False
    return True


@TABLE.mutation("A04", "the gateway shows the mesh no certificate")
def certificate_not_shown(plan: Plan) -> bool:
    return _changed(plan, "<authentication-certificate", _without(r"<authentication-certificate [^>]*/>"))


@TABLE.mutation("A08", "a backend leads outside")
def backend_elsewhere(plan: Plan) -> bool:
    azure.inputs(plan, "apimanagement:Backend")["url"] = "https://mesh.elsewhere.example"
    return True


@TABLE.mutation("A08", "the mesh's private name leads elsewhere")
def mesh_name_moved(plan: Plan) -> bool:
    record = azure.one(plan, "privatedns:PrivateRecordSet", lambda i: i["privateZoneName"] == "mesh.internal")
    assert record is not None
    plan.edit(record)["aRecords"] = [{"ipv4Address": "10.60.0.17"}]
    return True


@TABLE.mutation("A08", "a policy sends requests to an address of its own")
def base_url(plan: Plan) -> bool:
    return _changed(
        plan,
        "<set-backend-service",
        _with(r'<set-backend-service backend-id="[^"]*" />', '<set-backend-service base-url="https://elsewhere.example" />'),
    )


@TABLE.mutation("B01", "a policy sends a copy of the request elsewhere")
def request_copied(plan: Plan) -> bool:
    copy = '<send-one-way-request mode="copy"><set-url>https://elsewhere.example</set-url></send-one-way-request>'
    return _changed(plan, "<set-backend-service", _with("<set-backend-service", f"{copy}<set-backend-service"))


@TABLE.mutation("B01", "a policy takes in a fragment from elsewhere")
def fragment(plan: Plan) -> bool:
    return _changed(plan, "<set-backend-service", _with("<set-backend-service", '<include-fragment fragment-id="x" /><set-backend-service'))


@TABLE.mutation("B01", "a policy is fetched from an address")
def policy_from_an_address(plan: Plan) -> bool:
    found = azure.policy(plan, "<inbound>")
    assert found is not None
    found |= {"format": "xml-link", "value": "https://policies.example/one.xml"}
    return True


@TABLE.mutation("B01", "requests are rewritten on their way to the mesh")
def backend_path(plan: Plan) -> bool:
    own = azure.inputs(plan, "apimanagement:Backend")
    own["url"] = "https://main.mesh.internal/elsewhere"
    return True


@TABLE.mutation("A05", "an API is published without TLS")
def api_plain(plan: Plan) -> bool:
    azure.inputs(plan, "apimanagement:Api")["protocols"] = ["http", "https"]
    return True


@TABLE.mutation("A03", "the gateway accepts TLS 1.0")
def gateway_tls_old(plan: Plan) -> bool:
    azure.service(plan)["customProperties"]["Microsoft.WindowsAzure.ApiManagement.Gateway.Security.Protocols.Tls10"] = "True"
    return True


@TABLE.mutation("A03", "the gateway speaks SSL 3.0 to the mesh")
def gateway_backend_tls_old(plan: Plan) -> bool:
    azure.service(plan)["customProperties"]["Microsoft.WindowsAzure.ApiManagement.Gateway.Security.Backend.Protocols.Ssl30"] = "true"
    return True


def _another_operation(plan: Plan, method: str, template: str) -> bool:
    """Publish one operation more, with the policy of another."""
    like = azure.one(plan, "apimanagement:ApiOperation")
    policy = like and azure.one(plan, "apimanagement:ApiOperationPolicy", lambda i: i["operationId"] == like["inputs"]["operationId"])
    assert like is not None
    assert policy is not None
    plan.add_resource(
        "azure-native:apimanagement:ApiOperation", {**like["inputs"], "operationId": MARKER, "method": method, "urlTemplate": template}
    )
    plan.add_resource("azure-native:apimanagement:ApiOperationPolicy", {**policy["inputs"], "operationId": MARKER})
    return True


@TABLE.mutation("A09", "the gateway answers for every host")
def gateway_every_host(plan: Plan) -> bool:
    return _changed(
        plan, "OriginalUrl.Host.Equals", _without(r"<choose>\s*<when condition=\"@\(!context\.Request\.OriginalUrl\.Host.*?</choose>")
    )


@TABLE.mutation("A09", "the condition on the host is there, and nothing happens under it")
def host_refusal_emptied(plan: Plan) -> bool:
    return _changed(plan, "OriginalUrl.Host.Equals", _without(r"<return-response>.*?</return-response>"))


@TABLE.mutation("A09", "an operation publishes a management path")
def management_path(plan: Plan) -> bool:
    root = azure.one(plan, "apimanagement:Api", lambda i: not i["path"])
    if root is None:
        azure.inputs(plan, "apimanagement:Api")["path"] = "metrics"
        return True
    return _another_operation(plan, "GET", "/metrics")


@TABLE.mutation("A06", "an operation without any policy of its own, where the policy of all APIs sends requests on")
def policy_removed_and_forwarded(plan: Plan) -> bool:
    policy = azure.one(plan, "apimanagement:ApiOperationPolicy", lambda i: CHECK in i["value"])
    if policy is None:
        return False
    plan.remove(policy)
    own = azure.inputs(plan, "apimanagement:Policy")
    own["value"] = own["value"].replace("<backend />", "<backend><forward-request /></backend>", 1)
    return True


@TABLE.mutation("B01", "an operation has lost its policy: its door answers nobody")
def policy_removed(plan: Plan) -> bool:
    policy = azure.one(plan, "apimanagement:ApiOperationPolicy")
    assert policy is not None
    plan.remove(policy)
    return True


@TABLE.mutation("A11", "nobody is limited at a door")
def no_limit(plan: Plan) -> bool:
    return _changed(plan, "rate-limit-by-key", lambda text: re.sub(r"<(rate-limit|quota)-by-key [^>]*/>", "", text))


@TABLE.mutation("A11", "a limit is wider than every tier")
def limit_too_wide(plan: Plan) -> bool:
    return _changed(plan, "rate-limit-by-key", _with(r'<rate-limit-by-key calls="\d+"', '<rate-limit-by-key calls="1000000"'))


@TABLE.mutation("A11", "a limit counts by a header that clients choose")
def limit_by_a_header(plan: Plan) -> bool:
    chosen = "&quot;x&quot; + context.Request.Headers.GetValueOrDefault(&quot;x-client&quot;, &quot;&quot;)"
    return _changed(plan, "rate-limit-by-key", _with(r'counter-key="[^"]*"', f'counter-key="@({chosen})"'))


@TABLE.mutation("A11", "a limit counts by another address than the first, and whose that is is not known")
def limit_by_a_later_address(plan: Plan) -> bool:
    return _changed(plan, "Split(',')[0]", lambda text: text.replace("Split(',')[0]", "Split(',')[1]"))


@TABLE.mutation("A11", "bodies may be of any length")
def body_unlimited(plan: Plan) -> bool:
    return _changed(plan, "Content-Length", _without(r"<choose>\s*<when condition=\"@\(long\.Parse.*?</choose>"))


@TABLE.mutation("A11", "the gateway waits for an answer as long as it can")
def waits_for_ever(plan: Plan) -> bool:
    return _changed(plan, "<forward-request", _with(r'(<forward-request )timeout="\d+"', r'\1timeout="240"'))


@TABLE.mutation("A09", "the policy of all APIs sends requests on, whatever operation they are for")
def every_api_sends_on(plan: Plan) -> bool:
    found = azure.inputs(plan, "apimanagement:Policy")
    found["value"] = re.sub(r"<backend\s*/>", "<backend><forward-request /></backend>", found["value"])
    assert "<forward-request" in found["value"]
    return True


@TABLE.mutation("A09", "the policy of all APIs says where requests go, for operations that do not")
def every_api_has_a_backend(plan: Plan) -> bool:
    backend = azure.inputs(plan, "apimanagement:Backend")["backendId"]
    found = azure.inputs(plan, "apimanagement:Policy")
    found["value"] = found["value"].replace("<inbound>", f'<inbound><set-backend-service backend-id="{backend}" />', 1)
    return True


@TABLE.mutation("A09", "the policy of one API sends requests on under a retry")
def an_api_sends_on(plan: Plan) -> bool:
    api = azure.inputs(plan, "apimanagement:Api")
    sends = '<retry condition="@(context.Response.StatusCode == 503)" count="1" interval="0"><forward-request /></retry>'
    plan.add_resource(
        "azure-native:apimanagement:ApiPolicy",
        {
            **{key: api[key] for key in ("apiId", "serviceName", "resourceGroupName")},
            "policyId": "policy",
            "format": "xml",
            "value": f"<policies><inbound><base /></inbound><backend>{sends}</backend>"
            "<outbound><base /></outbound><on-error><base /></on-error></policies>",
        },
    )
    return True


@TABLE.mutation("P07", "an older revision of an API is still there")
def api_revision(plan: Plan) -> bool:
    azure.inputs(plan, "apimanagement:Api")["apiRevision"] = "2"
    return True


@TABLE.mutation("P02", "a gateway of one's own takes the same APIs elsewhere")
def self_hosted_gateway(plan: Plan) -> bool:
    found = azure.service(plan)
    plan.add_resource("azure-native:apimanagement:Gateway", {"serviceName": found["serviceName"], "gatewayId": MARKER})
    return True


@TABLE.mutation("P02", "an authorization server of one's own")
def opaque_kind(plan: Plan) -> bool:
    plan.add_resource("azure-native:apimanagement:AuthorizationServer", {"authsid": MARKER})
    return True


@TABLE.mutation("P08", "a consumer's key stands in the plan")
def key_in_clear(plan: Plan) -> bool:
    if (found := azure.one(plan, "apimanagement:Subscription")) is None:
        return False
    plan.edit(found)["primaryKey"] = "0123456789abcdef0123456789abcdef"
    return True


@TABLE.mutation("P05", "changes of the gateway's policy are ignored")
def policy_changes_ignored(plan: Plan) -> bool:
    policy = azure.one(plan, "apimanagement:ApiOperationPolicy")
    assert policy is not None
    plan.options(policy)["ignoreChanges"] = ["value"]
    return True


@TABLE.mutation("P05", "more than the number of nodes of a pool is ignored")
def pool_changes_ignored(plan: Plan) -> bool:
    cluster = azure.one(plan, "containerservice:ManagedCluster")
    assert cluster is not None
    plan.options(cluster)["ignoreChanges"] = ["agentPoolProfiles[0]"]
    return True


@TABLE.mutation("P05", "changes of the firewall are ignored")
def firewall_changes_ignored(plan: Plan) -> bool:
    policy = azure.one(plan, "network:WebApplicationFirewallPolicy")
    assert policy is not None
    plan.options(policy)["ignoreChanges"] = ["policySettings.mode"]
    return True


@TABLE.mutation("A15", "scripts of every page may read answers")
def apim_cors_for_every_origin(plan: Plan) -> bool:
    return _told(plan, _with(r"<origin>.*?</origin>", "<origin>*</origin>"))


@TABLE.mutation("A15", "scripts of every page may read what cookies open")
def apim_cors_for_every_origin_with_cookies(plan: Plan) -> bool:
    def change(text: str) -> str:
        return _with("<origin>.*?</origin>", "<origin>*</origin>")(text).replace('allow-credentials="false"', 'allow-credentials="true"')

    return _told(plan, change)


@TABLE.mutation("A15", "scripts of another origin may read answers")
def apim_cors_for_another_origin(plan: Plan) -> bool:
    return _told(plan, _with(r"<allowed-origins>", "<allowed-origins><origin>https://elsewhere.example</origin>"))


@TABLE.mutation("A15", "browsers send cookies along")
def apim_cors_with_cookies(plan: Plan) -> bool:
    return _told(plan, _with('allow-credentials="false"', 'allow-credentials="true"'))


@TABLE.mutation("A15", "browsers send cookies along, as an expression says")
def apim_cors_with_computed_cookies(plan: Plan) -> bool:
    return _told(plan, _with('allow-credentials="false"', 'allow-credentials="@(true)"'))


@TABLE.mutation("A15", "scripts may use every method")
def apim_cors_with_every_method(plan: Plan) -> bool:
    return _told(plan, _with(r"<method>.*?</method>", "<method>*</method>"))


@TABLE.mutation("A15", "scripts may set every header")
def apim_cors_with_every_header(plan: Plan) -> bool:
    return _told(plan, _with(r"<header>.*?</header>", "<header>*</header>"))


@TABLE.mutation("A15", "scripts may read another header")
def apim_cors_shows_another_header(plan: Plan) -> bool:
    return _told(plan, _with("</cors>", "<expose-headers><header>x-elsewhere</header></expose-headers></cors>"))


@TABLE.mutation("A15", "no methods are named, by which GET and POST are meant, and no time")
def apim_cors_without_methods(plan: Plan) -> bool:
    return _told(plan, _without(r"<allowed-methods.*?</allowed-methods>"))


@TABLE.mutation("A15", "methods are named in two places")
def apim_cors_with_methods_twice(plan: Plan) -> bool:
    return _told(plan, _with("</allowed-methods>", "</allowed-methods><allowed-methods><method>DELETE</method></allowed-methods>"))


@TABLE.mutation("A15", "browsers ask once a year")
def apim_cors_kept_long(plan: Plan) -> bool:
    return _told(plan, _with(r'preflight-result-max-age="\d+"', 'preflight-result-max-age="31536000"'))


@TABLE.mutation("A15", "requests of other origins end with an empty answer")
def apim_cors_ends_others(plan: Plan) -> bool:
    return _told(plan, _with('terminate-unmatched-request="false"', 'terminate-unmatched-request="true"'))


@TABLE.mutation("A15", "nothing is said of requests of other origins, which end then")
def apim_cors_ends_others_unsaid(plan: Plan) -> bool:
    return _told(plan, _without(' terminate-unmatched-request="false"'))


@TABLE.mutation("A15", "an operation inherits what its API tells every page")
def apim_cors_inherited(plan: Plan) -> bool:
    return _at_its_api(plan, _with("<origin>.*?</origin>", "<origin>*</origin>"), keeps_its_own=False)


@TABLE.mutation("A15", "an operation and its API both speak to browsers")
def apim_cors_nested(plan: Plan) -> bool:
    return _at_its_api(plan, lambda text: text, keeps_its_own=True)


@TABLE.mutation("A15", "an operation inherits nothing, and says nothing by itself")
def apim_cors_not_inherited(plan: Plan) -> bool:
    return _told(plan, _without(r"<cors.*?</cors>\s*<base />"))


@TABLE.mutation("A15", "an operation takes preflights, of which no policy is asked then")
def apim_operation_of_preflights(plan: Plan) -> bool:
    told = azure.policy(plan, "<cors")
    if told is None:
        return False
    own = azure.inputs(plan, "apimanagement:ApiOperation", lambda i: _same_operation(i, told))
    own["method"] = "OPTIONS"
    return True


@TABLE.mutation("A15", "something is asked before browsers are answered")
def apim_cors_comes_later(plan: Plan) -> bool:
    return _told(plan, _with(r"(<cors.*?</cors>)\s*<base />", r"<base />\1"))


@TABLE.mutation("A15", "a door that names no policy speaks to browsers")
def apim_cors_for_all(plan: Plan) -> bool:
    own = azure.inputs(plan, "apimanagement:Policy")
    told = (
        "<inbound><cors><allowed-origins><origin>https://elsewhere.example</origin></allowed-origins>"
        "<allowed-headers><header>accept</header></allowed-headers></cors>"
    )
    own["value"] = own["value"].replace("<inbound>", told, 1)
    return True


@TABLE.mutation("A15", "an operation speaks to browsers by itself")
def apim_speaks_by_itself(plan: Plan) -> bool:
    said = '<set-header name="Access-Control-Allow-Origin" exists-action="override"><value>*</value></set-header>'
    return _changed(plan, "<inbound>", _with(r"(<outbound>\s*<base />)", rf"\1{said}"))


@TABLE.mutation("A15", "a refusal speaks to browsers by itself")
def apim_refusal_speaks_by_itself(plan: Plan) -> bool:
    said = '<set-header name="access-control-allow-origin" exists-action="override"><value>*</value></set-header>'
    return _changed(plan, "<return-response>", _with("</return-response>", f"{said}</return-response>"))


def _told(plan: Plan, change: Callable[[str], str]) -> bool:
    """Change what browsers are told by the first operation that tells them anything; False where none does."""
    return azure.policy(plan, "<cors") is not None and _changed(plan, "<cors", change)


def _at_its_api(plan: Plan, change: Callable[[str], str], *, keeps_its_own: bool) -> bool:
    """Let the API of the first operation that tells browsers anything say it, too, or in its place; False where none does."""
    own = azure.policy(plan, "<cors")
    if own is None:
        return False
    told = re.search("<cors.*?</cors>", own["value"], re.DOTALL)
    assert told is not None
    wide = f"<policies><inbound>{change(told[0])}<base /></inbound><backend><base /></backend>"
    plan.add_resource(
        "azure-native:apimanagement:ApiPolicy",
        {
            **{key: own[key] for key in ("apiId", "serviceName", "resourceGroupName", "format", "policyId")},
            "value": f"{wide}<outbound><base /></outbound><on-error><base /></on-error></policies>",
        },
    )
    if not keeps_its_own:
        own["value"] = own["value"].replace(told[0], "")
    return True


def _same_operation(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    return all(one[key] == other[key] for key in ("apiId", "operationId"))
