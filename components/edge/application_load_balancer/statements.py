"""What a rule of the web application firewall looks at, in few words."""

from collections.abc import Sequence
from enum import StrEnum

from pulumi_aws import wafv2

Statement = wafv2.WebAclRuleStatementArgs
Field = wafv2.WebAclRuleStatementRegexMatchStatementFieldToMatchArgs


class Change(StrEnum):
    """What is done to a part of a request before it is looked at."""

    NONE = "NONE"
    LOWERCASE = "LOWERCASE"


METHOD = Field(method=wafv2.WebAclRuleStatementRegexMatchStatementFieldToMatchMethodArgs())
PATH = Field(uri_path=wafv2.WebAclRuleStatementRegexMatchStatementFieldToMatchUriPathArgs())
QUERY = Field(query_string=wafv2.WebAclRuleStatementRegexMatchStatementFieldToMatchQueryStringArgs())
HEADER_NAMES = Field(
    headers=[
        wafv2.WebAclRuleStatementRegexMatchStatementFieldToMatchHeaderArgs(
            match_scope="KEY",
            # Beyond 200 headers or 8 KB the firewall sees nothing: such a request counts as a match.
            oversize_handling="MATCH",
            match_pattern=wafv2.WebAclRuleStatementRegexMatchStatementFieldToMatchHeaderMatchPatternArgs(
                all=wafv2.WebAclRuleStatementRegexMatchStatementFieldToMatchHeaderMatchPatternAllArgs()
            ),
        )
    ]
)


def header(name: str) -> Field:
    """Return the value of a header."""
    return Field(single_header=wafv2.WebAclRuleStatementRegexMatchStatementFieldToMatchSingleHeaderArgs(name=name))


def matches(field: Field, regex: str, change: Change = Change.NONE) -> Statement:
    """Say that a part of the request holds an expression; no more than 512 characters of one."""
    changed = wafv2.WebAclRuleStatementRegexMatchStatementTextTransformationArgs(priority=0, type=change)
    return Statement(
        regex_match_statement=wafv2.WebAclRuleStatementRegexMatchStatementArgs(
            field_to_match=field, regex_string=regex, text_transformations=[changed]
        )
    )


def labelled(label: str) -> Statement:
    """Say that an earlier rule has put a label on the request."""
    return Statement(label_match_statement=wafv2.WebAclRuleStatementLabelMatchStatementArgs(scope="LABEL", key=label))


def none_of(statement: Statement) -> Statement:
    """Say the contrary."""
    return Statement(not_statement=wafv2.WebAclRuleStatementNotStatementArgs(statement=statement))


def any_of(statements: Sequence[Statement]) -> Statement:
    """Say that one of them holds at least."""
    if len(statements) == 1:
        return statements[0]
    return Statement(or_statement=wafv2.WebAclRuleStatementOrStatementArgs(statements=list(statements)))


def all_of(statements: Sequence[Statement]) -> Statement:
    """Say that they all hold."""
    return Statement(and_statement=wafv2.WebAclRuleStatementAndStatementArgs(statements=list(statements)))
