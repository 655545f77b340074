"""Edits of good plans of Azure that were looked for field by field, and that a judge of fewer fields had passed: the gateway's policies."""

import re
from collections.abc import Callable

from tests.policies.mutations import azure_plan as azure
from tests.policies.mutations.mutation import CloudFamily, Table
from tests.policies.mutations.plan import Plan

TABLE = Table(CloudFamily.GATEWAY)

CHECKS = "<validate-jwt"
SENDS = "<set-backend-service"
COUNTS = "<rate-limit-by-key "
KEEPS = "<cache-lookup"
VARIES = '<set-header name="vary" exists-action="append">'
AUTHORIZATION = "@(context.Request.Headers.GetValueOrDefault(&quot;Authorization&quot;, &quot;&quot;))"


def _changed(plan: Plan, containing: str, change: Callable[[str], str], kind: str = "apimanagement:ApiOperationPolicy") -> bool:
    """Change the first policy in which a text stands."""
    record = azure.one(plan, kind, lambda i: containing in i["value"])
    if record is None:
        return False
    found = plan.edit(record)
    before, found["value"] = found["value"], change(found["value"])
    return found["value"] != before


def _before(mark: str, more: str) -> Callable[[str], str]:
    return lambda text: text.replace(mark, f"{more}{mark}", 1)


def _swapped(old: str, new: str) -> Callable[[str], str]:
    return lambda text: text.replace(old, new, 1)


def _without(pattern: str) -> Callable[[str], str]:
    return lambda text: re.sub(pattern, "", text, count=1, flags=re.DOTALL)


def _header(name: str, value: str, action: str = "override") -> str:
    return f'<set-header name="{name}" exists-action="{action}"><value>{value}</value></set-header>'


def _limited(inside: str) -> str:
    return f'<limit-concurrency key="all" max-count="1000">{inside}</limit-concurrency>'


# Policies that do what nobody reviewed


@TABLE.mutation("A14", "a limit of concurrency hides that requests go elsewhere")
def other_backend_within_a_limit(plan: Plan) -> bool:
    return _changed(plan, SENDS, _before("</inbound>", _limited('<set-backend-service base-url="https://elsewhere.example" />')))


@TABLE.mutation("B01", "the same, which the proof does not follow")
def other_backend_within_a_limit_not_followed(plan: Plan) -> bool:
    return other_backend_within_a_limit(plan)


@TABLE.mutation("A14", "a limit of concurrency hides that a copy of each request goes elsewhere")
def copy_within_a_limit(plan: Plan) -> bool:
    copy = '<send-one-way-request mode="copy"><set-url>https://elsewhere.example</set-url></send-one-way-request>'
    return _changed(plan, SENDS, _before(SENDS, _limited(copy)))


@TABLE.mutation("A14", "a limit of concurrency hides who is let in as whom")
def identity_within_a_limit(plan: Plan) -> bool:
    return _changed(plan, SENDS, _before(SENDS, _limited(_header("x-perimeter-subject", "root"))))


@TABLE.mutation("A14", "a trace writes tokens down")
def token_in_a_trace(plan: Plan) -> bool:
    return _changed(plan, SENDS, _before(SENDS, f'<trace source="all"><message>{AUTHORIZATION}</message></trace>'))


@TABLE.mutation("A14", "a metric writes tokens down")
def token_in_a_metric(plan: Plan) -> bool:
    return _changed(plan, SENDS, _before(SENDS, f'<emit-metric name="all"><dimension name="all" value="{AUTHORIZATION}" /></emit-metric>'))


@TABLE.mutation("A14", "the gateway goes wherever an answer says, with its certificate")
def redirects_followed(plan: Plan) -> bool:
    return _changed(plan, "follow-redirects", _swapped('follow-redirects="false"', 'follow-redirects="true"'))


@TABLE.mutation("A14", "the gateway waits longer, in milliseconds")
def waits_in_milliseconds(plan: Plan) -> bool:
    return _changed(plan, "<forward-request ", _swapped("<forward-request ", '<forward-request timeout-ms="300000" '))


@TABLE.mutation("A14", "a request is sent again many times")
def many_tries(plan: Plan) -> bool:
    return _changed(plan, "<retry ", _swapped('count="1"', 'count="50"'))


@TABLE.mutation("A14", "a request is sent again whatever was answered")
def always_again(plan: Plan) -> bool:
    return _changed(plan, "<retry ", _swapped("context.Response.StatusCode == 503", "true"))


@TABLE.mutation("A14", "a request that changes something is sent again")
def writes_sent_again(plan: Plan) -> bool:
    if azure.one(plan, "apimanagement:ApiOperation", lambda i: i["method"] == "POST") is None:
        return False
    again = '<retry condition="@(context.Response.StatusCode == 503)" count="1" interval="1">'
    posts = {i["inputs"]["operationId"] for i in azure.all_of(plan, "apimanagement:ApiOperation", lambda i: i["method"] == "POST")}
    record = azure.one(plan, "apimanagement:ApiOperationPolicy", lambda i: i["operationId"] in posts)
    assert record is not None
    found = plan.edit(record)
    found["value"] = re.sub(r"(<forward-request [^>]*/>)", rf"{again}\1</retry>", found["value"])
    return True


@TABLE.mutation("B01", "every request is sent twice")
def sent_twice(plan: Plan) -> bool:
    return _changed(plan, "<forward-request ", lambda text: re.sub(r"(<forward-request [^>]*/>)", r"\1\1", text, count=1))


@TABLE.mutation("A14", "a refusal sends clients elsewhere")
def refusal_leads_elsewhere(plan: Plan) -> bool:
    elsewhere = f'<set-status code="302" reason="Found" />{_header("Location", "https://elsewhere.example")}'
    return _changed(plan, CHECKS, _swapped('<set-status code="404" reason="Not Found" />', elsewhere))


@TABLE.mutation("A14", "a refusal repeats what it was asked")
def refusal_repeats(plan: Plan) -> bool:
    repeats = '<set-status code="404" reason="Not Found" /><set-body>@(context.Request.OriginalUrl.ToString())</set-body>'
    return _changed(plan, CHECKS, _swapped('<set-status code="404" reason="Not Found" />', repeats))


@TABLE.mutation("A14", "an error is answered as if all were well")
def errors_are_answers(plan: Plan) -> bool:
    answer = '<return-response><set-status code="200" reason="OK" /></return-response>'
    return _changed(plan, "</on-error>", _before("</on-error>", answer))


@TABLE.mutation("A14", "a refusal says a named value, which is a secret")
def refusal_says_a_secret(plan: Plan) -> bool:
    return _changed(plan, CHECKS, _swapped('error-message="Unauthorized"', 'error-message="{{insights-connection}}"'))


@TABLE.mutation("A14", "tokens of another scheme are taken")
def another_scheme(plan: Plan) -> bool:
    return _changed(plan, CHECKS, _swapped('require-scheme="Bearer"', 'require-scheme="Basic"'))


# Limits


@TABLE.mutation("A14", "no request counts")
def requests_count_nothing(plan: Plan) -> bool:
    return _changed(plan, COUNTS, lambda text: text.replace(COUNTS, f'{COUNTS}increment-count="0" '))


@TABLE.mutation("A14", "a limit is of a subscription, and clients with tokens have none")
def limit_of_subscriptions(plan: Plan) -> bool:
    pattern = r'<rate-limit-by-key (calls="\d+" renewal-period="\d+") counter-key="[^"]*" />'
    return _changed(plan, COUNTS, lambda text: re.sub(pattern, r"<rate-limit \1 />", text))


@TABLE.mutation("A11", "the longer of two limits is gone")
def longer_limit_gone(plan: Plan) -> bool:
    return _changed(
        plan, 'renewal-period="60" counter-key="@(&quot;users', _without(r'<rate-limit-by-key calls="\d+" renewal-period="60"[^>]*/>')
    )


@TABLE.mutation("A11", "clients of one tier have the limit of another")
def limit_of_another_tier(plan: Plan) -> bool:
    record = azure.one(plan, "apimanagement:ApiOperationPolicy", lambda i: len(re.findall(r"Product\.Id ==", i["value"])) > 1)
    if record is None:
        return False
    found = plan.edit(record)
    found["value"] = re.sub(r'(context\.Product\.Id == &quot;partner&quot;\)">\s*<[a-z-]+ calls=")\d+', r"\g<1>9000", found["value"])
    return True


@TABLE.mutation("A11", "whoever is of no tier is counted by nothing")
def clients_without_tier(plan: Plan) -> bool:
    return _changed(plan, "<otherwise>", _without(r"<otherwise>.*?</otherwise>"))


@TABLE.mutation("A11", "clients with tokens are counted anew for each address")
def tokens_by_address(plan: Plan) -> bool:
    address = "context.Request.Headers.GetValueOrDefault(&quot;x-forwarded-for&quot;, &quot;&quot;)"
    subject = "((Jwt)context.Variables[&quot;jwt&quot;]).Subject)"
    return _changed(plan, f"+ {subject}", lambda text: text.replace(f"+ {subject}", f"+ {address})"))


@TABLE.mutation("A11", "all clients are counted together, by the address of the edge")
def clients_by_the_edge(plan: Plan) -> bool:
    pattern = r'counter-key="@\(([^+]*)\+[^"]*"'
    return _changed(plan, COUNTS, lambda text: re.sub(pattern, r'counter-key="@(\1+ context.Request.IpAddress)"', text))


# Answers that are kept


@TABLE.mutation("A06", "answers are kept for a day")
def kept_for_a_day(plan: Plan) -> bool:
    return _changed(plan, "<cache-store ", lambda text: re.sub(r'duration="\d+"', 'duration="86400"', text))


@TABLE.mutation("A06", "answers are kept without what tells them apart")
def kept_for_every_language(plan: Plan) -> bool:
    return _changed(plan, "<vary-by-header>", _without(r"<vary-by-header>accept-language</vary-by-header>"))


@TABLE.mutation("A06", "an answer that is kept for one origin is given to another")
def apim_kept_for_every_origin(plan: Plan) -> bool:
    return _changed(plan, "<vary-by-header>Origin", _without(r"<vary-by-header>Origin</vary-by-header>"))


@TABLE.mutation("W13", "nothing tells caches that answers differ by origin")
def apim_vary_forgotten(plan: Plan) -> bool:
    return _changed(plan, VARIES, lambda text: re.sub(rf"{VARIES}.*?</set-header>", "", text, flags=re.DOTALL))


@TABLE.mutation("W13", "Origin takes the place of what a service says its answers differ by")
def apim_vary_overwritten(plan: Plan) -> bool:
    return _changed(plan, VARIES, _swapped(VARIES, VARIES.replace("append", "override")))


@TABLE.mutation("A06", "kept answers are given before anybody is counted")
def kept_before_limits(plan: Plan) -> bool:
    pattern = r"(<rate-limit-by-key[^>]*/>\s*)(<cache-lookup.*?</cache-lookup>)"
    return _changed(plan, KEEPS, lambda text: re.sub(pattern, r"\2\1", text, count=1, flags=re.DOTALL))


@TABLE.mutation("A06", "kept answers are given before a token is verified")
def kept_before_tokens(plan: Plan) -> bool:
    lookup = f'{KEEPS} vary-by-developer="false" vary-by-developer-groups="false" allow-private-response-caching="true">'
    kept = f"{lookup}<vary-by-header>Authorization</vary-by-header></cache-lookup>"
    return _changed(plan, CHECKS, lambda text: _before("</outbound>", '<cache-store duration="60" />')(_before(CHECKS, kept)(text)))


@TABLE.mutation("A14", "answers are told apart by one parameter of the query alone")
def kept_for_every_query(plan: Plan) -> bool:
    return _changed(plan, KEEPS, _swapped("</cache-lookup>", "<vary-by-query-parameter>id</vary-by-query-parameter></cache-lookup>"))


@TABLE.mutation("A14", "everybody on the way may keep answers")
def kept_on_the_way(plan: Plan) -> bool:
    return _changed(plan, KEEPS, _swapped('downstream-caching-type="none"', 'downstream-caching-type="public"'))


# Headers


@TABLE.mutation("A07", "the gateway tells services something of which the topology says nothing")
def told_services(plan: Plan) -> bool:
    return _changed(plan, SENDS, _before(SENDS, _header("x-role", "admin")))


@TABLE.mutation("A07", "the gateway says with the client's words where a request comes from")
def address_of_the_clients_choice(plan: Plan) -> bool:
    return _changed(plan, SENDS, _before(SENDS, _header("x-forwarded-for", AUTHORIZATION)))


@TABLE.mutation("A07", "the gateway says nothing of what a door says to services")
def door_says_nothing(plan: Plan) -> bool:
    return _changed(plan, 'name="x-channel"', _without(r'<set-header name="x-channel".*?</set-header>'))


@TABLE.mutation("B01", "a request is for two hosts at once")
def two_hosts(plan: Plan) -> bool:
    pattern = r'(<set-header name="Host" exists-action="override">\s*<value>[^<]*</value>)'
    return _changed(plan, 'name="Host"', lambda text: re.sub(pattern, r"\1<value>another.example</value>", text))


def _answers(name: str, description: str, more: str, section: str = "outbound", kind: str = "apimanagement:ApiOperationPolicy") -> None:
    def change(plan: Plan) -> bool:
        return _changed(plan, f"</{section}>", _before(f"</{section}>", more), kind)

    change.__name__ = name
    TABLE.mutation("W13", description)(change)


_answers("answers_for_other_origins", "the gateway lets scripts of other origins read answers", _header("Access-Control-Allow-Origin", "*"))
_answers(
    "errors_for_other_origins",
    "the gateway lets scripts of other origins read errors of every API",
    _header("Access-Control-Allow-Origin", "*"),
    "on-error",
    "apimanagement:Policy",
)
_answers("answers_lead_elsewhere", "the gateway sends browsers elsewhere", _header("Location", "https://elsewhere.example"))
_answers("answers_repeat_tokens", "the gateway repeats the client's token in answers", _header("x-debug", AUTHORIZATION))
_answers("answers_say_secrets", "the gateway says a named value in answers", _header("x-debug", "{{insights-connection}}"))
_answers("errors_say_why", "the gateway says what went wrong inside", _header("x-error", "@(context.LastError.Message)"), "on-error")
_answers(
    "answers_without_protection",
    "the gateway takes a header out of answers that protects browsers",
    '<set-header name="Content-Security-Policy" exists-action="delete" />',
)
_answers(
    "errors_without_tls",
    "the gateway does not tell browsers to keep to TLS where something fails",
    '<set-header name="strict-transport-security" exists-action="delete" />',
    "on-error",
    "apimanagement:Policy",
)
