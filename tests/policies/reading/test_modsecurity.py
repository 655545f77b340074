"""ModSecurity's configuration language."""

from policies.reading.modsecurity import CORE_RULE_SET, Action, directives, followed, value_of

TEXT = """\
# a comment
SecRuleEngine On
  SecRequestBodyAccess  On

SecRule REQUEST_HEADERS:Content-Type "^application/json" \\
    "id:200001,\\
    phase:1,pass,nolog,\\
    ctl:requestBodyProcessor=JSON"
SecAction "id:900110,phase:1,nolog,pass,setvar:'tx.allowed_methods=GET HEAD, POST',setvar:tx.inbound_anomaly_score_threshold=5"
SecRule ARGS "@rx a\\"b" "id:1,deny,msg:'no, not \\'this\\''"
"""


def test_directives_keep_their_line_and_their_arguments() -> None:
    found = directives(TEXT, "/etc/waf/modsecurity.conf")
    assert [(d.name, d.line) for d in found] == [
        ("SecRuleEngine", 2),
        ("SecRequestBodyAccess", 3),
        ("SecRule", 5),
        ("SecAction", 9),
        ("SecRule", 10),
    ]
    assert found[0].arguments == ("On",)
    assert found[1].place == "/etc/waf/modsecurity.conf:3"
    assert found[4].arguments[:2] == ("ARGS", '@rx a"b')


def test_a_rule_that_goes_over_several_lines_is_one_directive() -> None:
    rule = directives(TEXT, "f")[2]
    assert [action.name for action in rule.actions] == ["id", "phase", "pass", "nolog", "ctl"]
    assert rule.actions[-1] == Action(name="ctl", value="requestBodyProcessor=JSON")


def test_quoted_values_of_actions_may_hold_commas() -> None:
    action = directives(TEXT, "f")[3]
    assert [str(a) for a in action.actions if a.name == "setvar"] == [
        "setvar:tx.allowed_methods=GET HEAD, POST",
        "setvar:tx.inbound_anomaly_score_threshold=5",
    ]


def test_the_last_directive_of_a_name_holds() -> None:
    found = directives("SecRuleEngine On\nSecRuleEngine DetectionOnly\n", "f")
    engine = value_of("secruleengine", found)
    assert engine is not None
    assert engine.arguments == ("DetectionOnly",)
    assert value_of("SecAuditEngine", found) is None


def test_included_files_stand_in_place_of_their_include() -> None:
    files = {
        "/etc/waf/modsecurity.conf": "SecRuleEngine On\nInclude setup.conf\nInclude /opt/owasp-crs/rules/*.conf\nInclude /etc/waf/late-*.conf\n",
        "/etc/waf/setup.conf": "SecRequestBodyAccess On\n",
        "/etc/waf/late-1.conf": "SecRuleRemoveById 1\nInclude /etc/waf/modsecurity.conf\n",
    }
    found = [str(directive) for directive in followed("/etc/waf/modsecurity.conf", files)]
    assert found[:4] == ["SecRuleEngine On", "SecRequestBodyAccess On", "Include /opt/owasp-crs/rules/*.conf", "SecRuleRemoveById 1"]
    assert len(found) == 4, "a file that includes itself is not followed for ever"


def test_the_core_rule_set_is_known_by_where_images_keep_it() -> None:
    assert CORE_RULE_SET.match("/opt/owasp-crs/rules/*.conf")
    assert CORE_RULE_SET.match("/usr/share/modsecurity-crs/rules/*.conf")
    assert not CORE_RULE_SET.match("/opt/owasp-crs/rules/REQUEST-901-INITIALIZATION.conf")
    assert not CORE_RULE_SET.match("/etc/waf/rules/*.conf")
