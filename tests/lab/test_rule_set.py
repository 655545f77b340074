from lab.rule_set import spaced

RULES = """SecRule TX:BLOCKING "@ge 5" \\
    "id:1,\\
    chain"
    SecRule TX:EARLY "@eq 1"
SecRule TX:SCORE "@ge 5" \\
    "id:2,deny"
"""


def test_a_rule_without_actions_does_not_take_the_next_statement_for_them() -> None:
    assert '"@eq 1"\n\nSecRule TX:SCORE' in spaced(RULES)


def test_nothing_but_empty_lines_is_added() -> None:
    assert [line for line in spaced(RULES).splitlines() if line] == RULES.splitlines()
