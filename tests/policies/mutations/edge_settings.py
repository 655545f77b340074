"""Settings of the edge that hold for every request."""

from tests.policies.mutations.mutation import Family, Table
from tests.policies.mutations.plan import Plan

TABLE = Table(Family.EDGE)


def _text(plan: Plan, pattern: str, replacement: str) -> bool:
    found = plan.edge_files(pattern)
    if found is None:
        return False
    plan.replace_text(*found, pattern, replacement, count=1)
    return True


def _set(plan: Plan, directive: str, value: str) -> bool:
    return _text(plan, rf"^(\s*){directive} [^;]*;", rf"\g<1>{directive} {value};")


def _add(plan: Plan, line: str) -> bool:
    return _text(plan, r"^http \{", f"http {{\n    {line}")


@TABLE.mutation("W13", "a client may take a day for its headers")
def slow_headers(plan: Plan) -> bool:
    return _set(plan, "client_header_timeout", "1d")


@TABLE.mutation("W13", "a client may take a day for its body")
def slow_bodies(plan: Plan) -> bool:
    return _set(plan, "client_body_timeout", "1d")


@TABLE.mutation("W13", "a client may take a day for an answer")
def slow_readers(plan: Plan) -> bool:
    return _set(plan, "send_timeout", "1d")


@TABLE.mutation("W13", "the edge waits longer than any door")
def edge_waits_for_a_day(plan: Plan) -> bool:
    return _set(plan, "proxy_read_timeout", "1d")


@TABLE.mutation("W13", "a connection carries any number of requests at once")
def any_number_of_streams(plan: Plan) -> bool:
    return _set(plan, "http2_max_concurrent_streams", "100000")


@TABLE.mutation("W13", "a connection takes gigabytes of headers")
def headers_of_any_length(plan: Plan) -> bool:
    return _set(plan, "large_client_header_buffers", "1000 10m")


@TABLE.mutation("W13", "the edge trusts the authorities of its image")
def edge_trusts_the_image(plan: Plan) -> bool:
    return _set(plan, "proxy_ssl_trusted_certificate", "/etc/ssl/certs/ca-certificates.crt")


@TABLE.mutation("W13", "the edge speaks TLS 1.0 to the gateway")
def edge_speaks_old_tls_inside(plan: Plan) -> bool:
    return _set(plan, "proxy_ssl_protocols", "TLSv1 TLSv1.2")


@TABLE.mutation("W13", "the edge's log holds headers")
def edge_logs_like_a_debugger(plan: Plan) -> bool:
    return _set(plan, "error_log", "stderr debug")


@TABLE.mutation("W13", "browsers are told to forget that the host speaks TLS")
def strict_transport_forgotten(plan: Plan) -> bool:
    return _set(plan, "add_header Strict-Transport-Security", "max-age=0 always")


@TABLE.mutation("W13", "browsers are told nothing of TLS")
def strict_transport_removed(plan: Plan) -> bool:
    return _text(plan, r"^\s*add_header Strict-Transport-Security [^;]*;", "")


@TABLE.mutation("W13", "browsers forget within the hour that the host speaks TLS")
def strict_transport_for_an_hour(plan: Plan) -> bool:
    return _set(plan, "add_header Strict-Transport-Security", "max-age=3600 always")


@TABLE.mutation("W13", "a header of one location takes the place of all those around it")
def strict_transport_replaced(plan: Plan) -> bool:
    return _text(plan, r"^(\s*)(proxy|grpc)_pass ", r"\1add_header X-Edge 1 always;\n\g<0>")


@TABLE.mutation("W13", "a header that protects browsers is taken out of every answer")
def edge_hides_protection(plan: Plan) -> bool:
    return _add(plan, "proxy_hide_header Content-Security-Policy;")


@TABLE.mutation("W13", "scripts of other origins read every answer")
def edge_shares_answers(plan: Plan) -> bool:
    return _add(plan, 'add_header Access-Control-Allow-Origin "*" always;')


@TABLE.mutation("W04", "the access log keeps query strings")
def query_strings_logged(plan: Plan) -> bool:
    return _text(plan, r'"path":"\$path"', '"path":"$request_uri"')


@TABLE.mutation("W04", "the access log keeps whole request lines")
def request_lines_logged(plan: Plan) -> bool:
    return _text(plan, r'"path":"\$path"', '"asked":"$request"')


@TABLE.mutation("W04", "what the access log takes for a path has the query string behind it")
def path_with_query_logged(plan: Plan) -> bool:
    return _text(plan, r'^(\s*)"~\^\(\?<asked>[^"]*"', r'\1"~^(?<asked>.*)"')


@TABLE.mutation("W04", "the access log is in nginx's own format")
def combined_log(plan: Plan) -> bool:
    return _set(plan, "access_log", "/dev/stdout")


@TABLE.mutation("W04", "nothing is said of an access log")
def access_log_not_written(plan: Plan) -> bool:
    return _text(plan, r"^\s*access_log /dev/stdout requests;", "")


@TABLE.mutation("W04", "the access log leaves requests out")
def some_requests_logged(plan: Plan) -> bool:
    return _set(plan, "access_log", "/dev/stdout requests if=$refused")


@TABLE.mutation("W06", "session tickets are on")
def session_tickets(plan: Plan) -> bool:
    return _set(plan, "ssl_session_tickets", "on")


@TABLE.mutation("W06", "nothing is said of session tickets")
def session_tickets_by_default(plan: Plan) -> bool:
    return _text(plan, r"^\s*ssl_session_tickets off;", "")


@TABLE.mutation("W03", "rules see other arguments than programs do")
def other_separator_of_arguments(plan: Plan) -> bool:
    return _text(plan, "^SecArgumentSeparator &$", "SecArgumentSeparator ;")


@TABLE.mutation("W03", "rules see other cookies than programs do")
def other_format_of_cookies(plan: Plan) -> bool:
    return _text(plan, "^SecCookieFormat 0$", "SecCookieFormat 1")
