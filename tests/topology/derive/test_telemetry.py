"""What is logged and traced."""

from tests.topology.derive.documents import relations, spec
from topology.derive import telemetry

TEXT = """
services:
  a: {audit: true}
  b: {calls: {a: [{methods: [GET], paths: [/a]}]}}
doors:
  a: {methods: [GET], paths: [/a], service: a, auth: {jwt: clients}, tiers: [standard]}
"""


def test_an_audited_service_logs_and_traces_everything_and_so_does_the_ingress_before_it() -> None:
    r = relations(TEXT)
    everything = {
        "accessLogging": [{"providers": [{"name": "access-log"}]}],
        "tracing": [{"providers": [{"name": "traces"}], "randomSamplingPercentage": 100.0}],
    }
    assert spec(telemetry.service(r, "a", traced=True)) == {"selector": {"matchLabels": {"app": "a"}}, **everything}
    (ingress,) = telemetry.audited(r, "main", traced=True)
    assert spec(ingress) == {"selector": {"matchLabels": {"app": "ingress", "istio": "ingress"}}, **everything}


def test_other_services_log_what_failed() -> None:
    r = relations(TEXT)
    assert telemetry.service(r, "b", traced=True) is None
    assert spec(telemetry.mesh_wide(r, "main", traced=False)) == {
        "accessLogging": [{"providers": [{"name": "access-log"}], "filter": {"expression": "response.code >= 400 || response.code == 0"}}]
    }


def test_a_log_line_holds_no_query_and_no_credential() -> None:
    line = " ".join(telemetry.LOG_FORMAT.values()).lower()
    assert "%req(:path)%" not in line
    for header in ("authorization", "cookie", "x-api-key", "x-forwarded-client-cert"):
        assert header not in line
