"""What is said of files that are no topology files, and of values that cannot be."""

from pathlib import Path

import pytest

from topology.findings import Finding, TopologyError, did_you_mean, spell
from topology.load import MOST_ALIASED, load, parse, read
from topology.model.system import Topology

ABC = (Path(__file__).parents[2] / "stacks" / "abc.topology.yaml").read_text(encoding="utf-8")


def said(text: str) -> list[str]:
    with pytest.raises(TopologyError) as caught:
        parse(text, file="f")
    return str(caught.value).splitlines()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", "f:1: (top): is empty (begin with `system: <name>`)"),
        ("# only a comment\n", "f:1: (top): is empty (begin with `system: <name>`)"),
        ("---\n...\n", "f:1: (top): must be a mapping (begin with `system: <name>`)"),
        ("- a\n", "f:1: (top): must be a mapping (begin with `system: <name>`)"),
        ("system", "f:1: (top): must be a mapping (begin with `system: <name>`)"),
        ("a: 1\n---\nb: 1\n", "f:2: (top): holds a second document (one file says one system)"),
        ("a: !!set {b}\n", "f:1: a: has the tag tag:yaml.org,2002:set, which means nothing here (remove it)"),
        ("a: !secret b\n", "f:1: a: has the tag !secret, which means nothing here (remove it)"),
        ("a: *b\n", "f:1: a: is an alias of &b, which is not defined above (define it, or write the value)"),
        ("a: &b [*b]\n", "f:1: a[0]: is an alias of &b, inside of which it stands (write the value)"),
        ("a: \x07\n", "f:1: (top): is not YAML: it holds the character U+0007 (remove it)"),
        ("é: 1\nb: \x07\n", "f:2: (top): is not YAML: it holds the character U+0007 (remove it)"),
    ],
    ids=lambda value: repr(value)[:30],
)
def test_a_text_that_is_no_topology_is_refused_with_its_line(text: str, expected: str) -> None:
    assert said(text) == [expected]


def test_what_is_written_twice_or_merged_hides_no_other_finding() -> None:
    text = ABC.replace("tiers:\n", "tiers: 5\ntiers:\n").replace("trustDomain: abc", "<<: {trustDomian: abc}\n    trustDomain: abc")
    assert said(text.replace("system: abc", "system: Abc").replace("jwt: customers", "jwt: nobody")) == [
        "f:3: system: \"Abc\" must be a name of lower-case letters, digits and inner '-', beginning with a letter, "
        "at most 53 characters (as in orders)",
        'f:9: meshes.main["<<"]: would merge keys that a reader does not see here (write the keys, or give a whole value an alias)',
        "f:18: tiers: 5 must be a mapping (as in {<name>: {limits: [{requests: 10, per: second}]}})",
        "f:19: tiers: is written twice, first on line 18 (merge the two)",
        'f:42: doors.a.auth.jwt: "nobody" is not an issuer (known: customers)',
    ]


def test_what_is_wrong_in_an_earlier_copy_is_found_with_its_line_and_what_stands_in_another_is_not_missing() -> None:
    text = ABC.replace("\n  c:\n", "\n  c:\n    port: 0\n    portt: 1\n    description: {}\n  c:\n    port: 70000\n  c:\n")
    found = said(text + "  a:\n    methods: [GET]\n    tiers: [standard]\n")
    assert [line.partition(" (")[0] for line in found][:5] == [
        "f:33: services.c.port: 0 must be at least 1",
        "f:34: services.c.portt: is not a known key",
        "f:35: services.c.description: must be a text",
        "f:36: services.c: is written twice, first on line 32",
        "f:37: services.c.port: 70000 must be at most 65535",
    ]
    assert "f:38: services.c: is written twice, first on line 32 (merge the two)" in found


def test_a_copy_counts_wherever_its_values_are_repeated_by_aliases() -> None:
    text = "a: {x: &x {b: 1, c: [2]}}\na: {x: *x, y: 3}\na: [*x, *x]\n"
    assert [read(text, copy=copy).value for copy in (0, 1, 2)] == [
        {"a": {"x": {"b": 1, "c": [2]}}},
        {"a": {"x": {"b": 1, "c": [2]}, "y": 3}},
        {"a": [{"b": 1, "c": [2]}] * 2},
    ]
    assert read(text).value == read(text, copy=2).value
    assert read(text, copy=0).lines["a", "x", "b"] == 1


@pytest.mark.parametrize(("above", "place"), [("services:\n", "services"), ("hosts: [", "(top)")])
@pytest.mark.parametrize("key", ["? [x, y]\n{0}: {{b: [1]}}", "? {{x: y}}\n{0}: *z", "? *z\n{0}: 1"])
def test_a_key_that_is_no_text_hides_no_other_finding(above: str, place: str, key: str) -> None:
    indent = "  " if place != "(top)" else ""
    lines = "".join(f"{indent}{line}\n" for line in key.format("").splitlines())
    added = above + lines if indent else lines + above
    text = ABC.replace("system: abc", "system: &z Abc").replace(above, added, 1).replace("jwt: customers", "jwt: nobody")
    found = said(text)
    assert any(f" {place}: has a key that is not a text (write a plain name before the ':')" in line for line in found)
    assert any('system: "Abc" must be a name' in line for line in found)
    assert any('doors.a.auth.jwt: "nobody" is not an issuer' in line for line in found)
    assert len(found) == 3


def test_a_tab_is_named_as_such() -> None:
    (line,) = said("a:\n\tb: 1\n")
    assert line.startswith("f:2: (top): is not YAML: ")
    assert line.endswith("(the line is indented with a tab: use spaces)")


@pytest.mark.parametrize("text", ["a: [1\nb: 2", "a: 'x", "a: b: c", "%YAML 3.0\n---\na: 1\n", "a: {b", "\t", "@", "a: |\n\t\n b"])
def test_a_text_that_is_not_yaml_is_refused_in_one_finding(text: str) -> None:
    (line,) = said(text)
    assert line.startswith("f:")
    assert "(top): is not YAML" in line or "must be a mapping" in line


@pytest.mark.parametrize("bracket", ["[", "{a: "])
def test_a_text_nested_a_hundred_thousand_deep_neither_exhausts_the_stack_nor_passes(bracket: str) -> None:
    (line,) = said(bracket * 100_000)
    assert line.endswith("is nested deeper than a topology is")


def test_aliases_of_aliases_are_refused_before_they_fill_the_memory() -> None:
    rows = [f"a{level + 1}: &a{level + 1} [{', '.join([f'*a{level}'] * 10)}]" for level in range(9)]
    (line,) = said("\n".join(["a0: &a0 x", *rows]))
    assert line.endswith("repeats more values by aliases than a topology has (write them out)")
    assert MOST_ALIASED < 10**9


def test_an_alias_means_the_value_it_names_and_findings_inside_it_bear_the_line_where_it_is_written() -> None:
    text = ABC.replace('- {methods: [GET], paths: ["/b/*"]}', '- &read {methods: [GET], paths: ["/b/*"]}')
    t = parse(text.replace('- {methods: [GET], paths: ["/c/*"]}', "- *read"))
    assert t.services["b"].calls["c"] == t.services["a"].calls["b"]
    broken = text.replace('paths: ["/b/*"]', "paths: [b]").replace('- {methods: [GET], paths: ["/c/*"]}', "- *read")
    assert said(broken) == [
        "f:27: services.a.calls.b[0].paths[0]: \"b\" must begin with '/' (write /b)",
        "f:27: services.b.calls.c[0].paths[0]: \"b\" must begin with '/' (write /b)",
    ]


def test_a_key_is_its_text_whatever_yaml_would_take_it_for() -> None:
    text = "a: {2.0: x, no: x, 1: x, ~: x, 2026-01-01: x, 0x1F: x, 1_000: x}"
    assert list(read(text).value["a"]) == ["2.0", "no", "1", "~", "2026-01-01", "0x1F", "1_000"]


def test_an_api_version_may_be_written_without_quotes_as_a_key_but_not_as_a_value() -> None:
    text = ABC + "    api: {name: abc, version: 2.0}\napis: {abc: {versions: {2.0: {}}}}\n"
    assert said(text) == ["f:42: doors.a.api.version: 2.0 must be a text (write it in quotes)"]
    t = parse(text.replace("version: 2.0", 'version: "2.0"'))
    assert list(t.apis["abc"].versions) == ["2.0"]


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        # numbers
        ("c:\n    desc", "c:\n    port: 0\n    desc", "f:33: services.c.port: 0 must be at least 1"),
        ("c:\n    desc", "c:\n    port: 65536\n    desc", "f:33: services.c.port: 65536 must be at most 65535"),
        ("c:\n    desc", "c:\n    port: 8080.0\n    desc", "f:33: services.c.port: 8080.0 must be a whole number"),
        (
            "c:\n    desc",
            "c:\n    port: '8080'\n    desc",
            'f:33: services.c.port: "8080" must be a whole number (write it without quotes)',
        ),
        ("c:\n    desc", "c:\n    port: yes\n    desc", "f:33: services.c.port: yes must be a whole number"),
        ("c:\n    desc", "c:\n    port: http\n    desc", 'f:33: services.c.port: "http" must be a whole number'),
        ("c:\n    desc", "c:\n    port:\n    desc", "f:33: services.c.port: is empty, and must be a whole number"),
        ("c:\n    desc", "c:\n    mirror: {version: v1, percent: 0}\n    desc", "f:33: services.c.mirror.percent: 0 must be more than 0"),
        (
            "c:\n    desc",
            "c:\n    mirror: {version: v1, percent: .nan}\n    desc",
            "f:33: services.c.mirror.percent: .nan must be a finite number",
        ),
        (
            "c:\n    desc",
            "c:\n    mirror: {version: v1, percent: .inf}\n    desc",
            "f:33: services.c.mirror.percent: .inf must be a finite number",
        ),
        (
            "c:\n    desc",
            "c:\n    mirror: {version: v1, percent: all}\n    desc",
            'f:33: services.c.mirror.percent: "all" must be a number',
        ),
        ("c:\n    desc", "c:\n    audit: 1\n    desc", "f:33: services.c.audit: 1 must be true or false"),
        ("c:\n    desc", 'c:\n    audit: "yes"\n    desc', 'f:33: services.c.audit: "yes" must be true or false'),
        # texts
        (
            "system: abc",
            "system: 2.0",
            "f:3: system: 2.0 must be a name of lower-case letters, digits and inner '-', beginning with a letter, at most 53 characters "
            "(as in orders)",
        ),
        ("system: abc", "system: no", "f:3: system: no must be a text (write it in quotes)"),
        (
            "system: abc",
            "system: 2026-01-01",
            "f:3: system: 2026-01-01 must be a name of lower-case letters, digits and inner '-', beginning with a letter, "
            "at most 53 characters (as in orders)",
        ),
        (
            "    tiers: [standard]",
            "    tiers: [standard]\n    timeout: 60",
            "f:42: doors.a.timeout: 60 must be a length of time with one unit (ms, s, m or h), longer than none (write 60s)",
        ),
        (
            "    tiers: [standard]",
            "    tiers: [standard]\n    timeout: 1.5",
            "f:42: doors.a.timeout: 1.5 must be a length of time with one unit (ms, s, m or h), longer than none (as in 5s)",
        ),
        (
            "    tiers: [standard]",
            "    tiers: [standard]\n    maxBody: 1024",
            "f:42: doors.a.maxBody: 1024 must be a text (write it in quotes)",
        ),
        (
            "auth: {jwt: customers}",
            "auth: {public: true}",
            "f:40: doors.a.auth.public: true must be a reason that people can judge, of at least 10 characters "
            "(as in The catalogue is advertising; it holds no customer data.)",
        ),
        # bounds
        (
            "    tiers: [standard]",
            "    tiers: [standard]\n    timeout: 999999h",
            'f:42: doors.a.timeout: "999999h" must be at most 24h',
        ),
        (
            "    tiers: [standard]",
            "    tiers: [standard]\n    cache: {ttl: 9000h}",
            'f:42: doors.a.cache.ttl: "9000h" must be at most 8760h',
        ),
        (
            "    tiers: [standard]",
            "    tiers: [standard]\n    maxBody: 999999999Mi",
            'f:42: doors.a.maxBody: "999999999Mi" must be at most 1024Mi',
        ),
        (
            "requests: 20",
            "requests: 999999999999999999999",
            "f:20: tiers.standard.limits[0].requests: 999999999999999999999 must be at most 10000000",
        ),
        ("burst: 20", "burst: 10000001", "f:20: tiers.standard.limits[0].burst: 10000001 must be at most 10000000"),
        # paths
        (
            'paths: ["/a/*"]',
            "paths: [/labels/:id]",
            "f:38: doors.a.paths[0]: \"/labels/:id\" has the segment ':id', by which routers mean any segment, and which here would be "
            "those letters alone (write /labels/{*})",
        ),
        (
            'paths: ["/a/*"]',
            'paths: ["/labels/{id}/{part}"]',
            "f:38: doors.a.paths[0]: \"/labels/{id}/{part}\" has the segment '{id}', which is no pattern: '*' stands alone and last, "
            "'{*}' stands alone for one segment (write /labels/{*}/{*})",
        ),
        (
            'paths: ["/a/*"]',
            'paths: ["/a/x*"]',
            "f:38: doors.a.paths[0]: \"/a/x*\" has the segment 'x*', which is no pattern: '*' stands alone and last, "
            "'{*}' stands alone for one segment",
        ),
        # keys that people expect
        (
            "    tiers: [standard]",
            "    tiers: [standard]\n    origins: [https://app.abc.example]",
            "f:42: doors.a.origins: is not a known key (whose pages may use a door is written under `cors` at the top, and its name under "
            "the door's `cors`)",
        ),
        (
            "    tiers: [standard]",
            "    tiers: [standard]\n    zone: x",
            "f:42: doors.a.zone: is not a known key (known: api, auth, cache, cors, description, host, maxBody, methods, paths, requestHeaders, "
            "responseHeaders, rewrite, service, tiers, timeout, version)",
        ),
        (
            "c:\n    desc",
            "c:\n    replicas: 3\n    desc",
            "f:33: services.c.replicas: is not a known key (it stands deeper: availability.replicas)",
        ),
        (
            "c:\n    desc",
            "c:\n    image: x\n    desc",
            "f:33: services.c.image: is not a known key (it stands deeper: versions.<name>.image)",
        ),
        (
            "c:\n    desc",
            "c:\n    retries: {}\n    desc",
            "f:33: services.c.retries: is not a known key (it stands deeper: resilience.retries)",
        ),
        ("c:\n    desc", "c:\n    version: {}\n    desc", 'f:33: services.c.version: is not a known key (did you mean "versions"?)'),
        ("system: abc", "system: [abc]", "f:3: system: must be a text"),
        (
            "system: abc",
            "system: Abc",
            "f:3: system: \"Abc\" must be a name of lower-case letters, digits and inner '-', beginning with a letter, "
            "at most 53 characters (as in orders)",
        ),
        (
            "system: abc",
            'system: "abc\\n"',
            "f:3: system: \"abc\\n\" must be a name of lower-case letters, digits and inner '-', beginning with a letter, "
            "at most 53 characters (as in orders)",
        ),
        (
            "hosts: [api.abc.example]",
            "hosts: [api.abc.example, 10.0.0.1]",
            'f:5: hosts[1]: "10.0.0.1" must be a fully qualified host name in lower case, without wildcard, scheme or port '
            "(as in api.shop.example)",
        ),
        (
            "  c:\n    desc",
            "  c:\n    resilience: {timeout: 0s}\n    desc",
            'f:33: services.c.resilience.timeout: "0s" must be a length of time with one unit (ms, s, m or h), longer than none (as in 5s)',
        ),
        (
            "    tiers: [standard]",
            "    tiers: [standard]\n    maxBody: 0",
            "f:42: doors.a.maxBody: 0 must be a number of bytes with or without a unit (k, M, Ki or Mi), more than none (as in 1Mi)",
        ),
        (
            "    tiers: [standard]",
            "    tiers: [standard]\n    maxBody: '0'",
            'f:42: doors.a.maxBody: "0" must be a number of bytes with or without a unit (k, M, Ki or Mi), more than none (as in 1Mi)',
        ),
        (
            "jwksUri: https://login.abc.example/.well-known/jwks.json",
            "jwksUri: http://login.abc.example/",
            'f:15: issuers.customers.jwksUri: "http://login.abc.example/" must be an https URL without query or fragment '
            "(as in https://login.shop.example/keys)",
        ),
        (
            "auth: {jwt: customers}",
            "auth: {public: because}",
            'f:40: doors.a.auth.public: "because" must be a reason that people can judge, of at least 10 characters '
            "(as in The catalogue is advertising; it holds no customer data.)",
        ),
        (
            "c:\n    desc",
            "c:\n    versions: {v1: {image: nginx}}\n    desc",
            'f:33: services.c.versions.v1.image: "nginx" must be a container image with a tag or a digest '
            "(as in docker.io/istio/examples-bookinfo-details-v1:1.20.3)",
        ),
        # choices
        ("per: second", "per: day", "f:20: tiers.standard.limits[0].per: \"day\" must be 'second', 'minute' or 'hour'"),
        (
            "per: second",
            "per: Second",
            "f:20: tiers.standard.limits[0].per: \"Second\" must be 'second', 'minute' or 'hour' (did you mean \"second\"?)",
        ),
        (
            "    methods: [GET]\n",
            "    methods: [get]\n",
            "f:37: doors.a.methods[0]: \"get\" must be 'GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE' or 'OPTIONS' (did you mean \"GET\"?)",
        ),
        (
            "    methods: [GET]\n",
            "    methods: [TRACE]\n",
            "f:37: doors.a.methods[0]: \"TRACE\" must be 'GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE' or 'OPTIONS'",
        ),
        (
            "c:\n    desc",
            "c:\n    protocol: https\n    desc",
            "f:33: services.c.protocol: \"https\" must be 'http', 'grpc', 'websocket' or 'tcp' (did you mean \"http\"?)",
        ),
        # days
        (
            "hosts:",
            "apis: {abc: {versions: {v1: {lifecycle: deprecated, sunset: 2026-02-30}}}}\nhosts:",
            'f:5: apis.abc.versions.v1.sunset: "2026-02-30" must be a day of the calendar, as in 2027-01-31',
        ),
        (
            "hosts:",
            "apis: {abc: {versions: {v1: {lifecycle: deprecated, sunset: 20270101}}}}\nhosts:",
            "f:5: apis.abc.versions.v1.sunset: 20270101 must be a day of the calendar, as in 2027-01-31",
        ),
        # structure
        ("    methods: [GET]\n", "    methods: GET\n", 'f:37: doors.a.methods: "GET" must be a list (write [GET])'),
        ("    methods: [GET]\n", "    methods: []\n", "f:37: doors.a.methods: must hold at least 1, not 0 (as in [GET])"),
        ("    methods: [GET]\n", "    methods:\n", "f:37: doors.a.methods: is empty, and must be a list (as in [GET])"),
        ("    methods: [GET]\n", "", "f:36: doors.a.methods: is missing (as in methods: [GET])"),
        ("    methods: [GET]\n", "    method: [GET]\n", 'f:37: doors.a.method: is not a known key (did you mean "methods"?)'),
        (
            "trustDomain: abc.example",
            "trust_domain: abc.example",
            'f:9: meshes.main.trust_domain: is not a known key (did you mean "trustDomain"?)',
        ),
        (
            "main:\n    trustDomain: abc.example",
            "main: abc.example",
            'f:8: meshes.main: "abc.example" must be a mapping (as in {trustDomain: shop.example})',
        ),
        (
            "- {requests: 20, per: second, burst: 20}",
            "- 20/second",
            'f:20: tiers.standard.limits[0]: "20/second" must be a mapping (as in {requests: 10, per: second})',
        ),
        (
            '    calls:\n      b:\n        - {methods: [GET], paths: ["/b/*"]}\n',
            "    calls: [b]\n",
            "f:25: services.a.calls: must be a mapping (as in {<name>: [{methods: [GET], paths: [/v1/orders]}]})",
        ),
        (
            '      b:\n        - {methods: [GET], paths: ["/b/*"]}\n',
            "      b: all\n",
            'f:26: services.a.calls.b: "all" must be a list (as in [{methods: [GET], paths: [/v1/orders]}])',
        ),
        (
            "    auth: {jwt: customers}\n",
            "",
            "f:36: doors.a.auth: is missing (as in auth: {jwt: <name>} or {apiKey: [<name>]} or "
            "{public: The catalogue is advertising; it holds no customer data.})",
        ),
        ("system: abc\n", "", "f:3: system: is missing (as in system: <name>)"),
        (
            "auth: {jwt: customers}",
            "auth: none",
            'f:40: doors.a.auth: "none" must be a mapping with the key `jwt` or `apiKey` or `public` '
            "(as in {jwt: <name>} or {apiKey: [<name>]} or {public: The catalogue is advertising; it holds no customer data.})",
        ),
        (
            "auth: {jwt: customers}",
            "auth: {JWT: customers}",
            'f:40: doors.a.auth: must be a mapping with the key `jwt` or `apiKey` or `public` (did you mean "jwt"?)',
        ),
        (
            "auth: {jwt: customers}",
            "auth: {jwt: customers, apiKey: [standard]}",
            "f:40: doors.a.auth.apiKey: cannot stand beside the other keys (keep either `apiKey` or `jwt`)",
        ),
        (
            "  c:\n    desc",
            "  C:\n    desc",
            "f:32: services.C: \"C\" must be a name of lower-case letters, digits and inner '-', beginning with a letter, "
            "at most 53 characters (as in orders)",
        ),
    ],
    ids=lambda value: repr(value)[:40],
)
def test_a_value_that_cannot_be_is_told_with_what_it_must_be(old: str, new: str, expected: str) -> None:
    assert ABC.count(old) == 1
    assert expected in said(ABC.replace(old, new))


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("    methods: [GET]\n", "    methods: [get, GET]\n"),  # the list is not too short besides
        ("    methods: [GET]\n", "    method: [GET]\n"),  # methods is not missing besides
        ("system: abc", "system: Abc"),
        ("c:\n    desc", "c:\n    port: 0\n    desc"),
    ],
)
def test_one_mistake_is_told_once(old: str, new: str) -> None:
    assert len(said(ABC.replace(old, new))) == 1


def test_mistakes_of_form_and_of_meaning_come_at_once() -> None:
    text = (
        ABC.replace("system: abc", "system: Abc")
        .replace("jwt: customers", "jwt: custommers")
        .replace("    description: Reached by B alone.\n", "    prot: 1\n")
    )
    text += "  e: {methods: [GET], paths: [/e], service: ee, auth: {jwt: customers}, tiers: [standard]}\n"
    text += "  f: {methods: [GET], paths: [/f], service: c, auth: {jwt: customers}}\n"
    assert said(text) == [
        "f:3: system: \"Abc\" must be a name of lower-case letters, digits and inner '-', beginning with a letter, "
        "at most 53 characters (as in orders)",
        'f:33: services.c.prot: is not a known key (did you mean "port"?)',
        'f:40: doors.a.auth.jwt: "custommers" is not an issuer (did you mean "customers"?)',
        'f:42: doors.e.service: "ee" is not a service (known: a, b, c)',
        "f:43: doors.f.tiers: is missing: clients could ask without limit (name a tier)",
    ]


def test_what_a_broken_part_would_have_defined_is_not_told_to_be_missing() -> None:
    text = ABC.replace("  customers:\n", "  customers:\n    keyCache: soon\n").replace("    audiences: [abc-api]\n", "")
    assert [line.split(": ")[1] for line in said(text)] == ["issuers.customers.audiences", "issuers.customers.keyCache"]


def test_a_file_that_is_not_there_is_told_with_the_nearest_that_is(tmp_path: Path) -> None:
    (tmp_path / "shop.topology.yaml").write_text(ABC, encoding="utf-8")
    with pytest.raises(TopologyError) as caught:
        load(tmp_path / "shp.topology.yaml")
    file = tmp_path / "shp.topology.yaml"
    assert str(caught.value) == f'{file}: (top): cannot be read: No such file or directory (did you mean "shop.topology.yaml"?)'
    with pytest.raises(TopologyError, match=r"there is no folder .*/nowhere"):
        load(tmp_path / "nowhere" / "shop.topology.yaml")
    with pytest.raises(TopologyError, match="cannot be read: Is a directory"):
        load(tmp_path)


def test_a_file_that_is_not_utf_8_is_told_with_the_first_wrong_byte(tmp_path: Path) -> None:
    file = tmp_path / "shop.topology.yaml"
    file.write_bytes("system: café".encode("latin-1"))
    with pytest.raises(TopologyError) as caught:
        load(file)
    assert str(caught.value) == f"{file}: (top): is not UTF-8: byte 0xe9 at offset 11 (save it as UTF-8)"


def test_a_byte_order_mark_and_windows_line_ends_change_nothing(tmp_path: Path) -> None:
    file = tmp_path / "shop.topology.yaml"
    file.write_bytes(b"\xef\xbb\xbf" + ABC.replace("\n", "\r\n").encode())
    assert load(file) == parse(ABC)


def test_a_path_is_spelled_as_people_write_it() -> None:
    assert spell(("apis", "shop", "versions", "v2.0", "sunset")) == 'apis.shop.versions["v2.0"].sunset'
    assert spell(("services", "cart", "calls", "b", 0, "paths", 1)) == "services.cart.calls.b[0].paths[1]"
    assert spell(()) == "(top)"


def test_a_long_given_value_is_cut() -> None:
    assert str(Finding(path=("a",), given="x" * 100, reason="is long")) == f'a: "{"x" * 76}... is long'


def test_suggestions_look_past_case_and_list_no_more_names_than_people_read() -> None:
    assert did_you_mean("Cart", ["cart", "order"]) == 'did you mean "cart"?'
    assert did_you_mean("zzz", [f"n{number:02}" for number in range(30)]).endswith("n28, n29")
    assert did_you_mean("zzz", [f"n{number:02}" for number in range(31)]).endswith("n29, ...")
    assert did_you_mean("zzz", []) == "none is defined"


def test_a_topology_cannot_be_changed_after_it_was_admitted() -> None:
    t = parse(ABC)
    assert isinstance(t, Topology)
    with pytest.raises(ValueError, match="frozen"):
        t.system = "other"
