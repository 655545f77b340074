"""Conditions in policies of API Management that are understood; they are C#, and any other is not read.

https://learn.microsoft.com/azure/api-management/api-management-policy-expressions
"""

import re
from typing import Final

_TEXT: Final = r'"((?:[^"\\]|\\.)*)"'
_HEADER: Final = rf"context\.Request\.Headers\.GetValueOrDefault\({_TEXT}, {_TEXT}\)"
_LIST: Final = r"new\[\] \{ ((?:\"[^\"]*\"(?:, )?)+) \}"

OTHER_HOST: Final = re.compile(rf"@\(!context\.Request\.OriginalUrl\.Host\.Equals\({_TEXT}, StringComparison\.OrdinalIgnoreCase\)\)")
CHUNKED: Final = re.compile(r'@\(context\.Request\.Headers\.GetValueOrDefault\("Transfer-Encoding", ""\) != ""\)')
TOO_LONG: Final = re.compile(r'@\(long\.Parse\(context\.Request\.Headers\.GetValueOrDefault\("Content-Length", "0"\)\) > (\d+)\)')
KEY_IN_QUERY: Final = re.compile(rf"@\(context\.Request\.OriginalUrl\.Query\.ContainsKey\({_TEXT}\)\)")
NO_KEY: Final = re.compile(
    rf"@\(context\.Subscription == null \|\| context\.Product == null \|\| !{_LIST}\.Contains\(context\.Product\.Id\)\)"
)
NO_SUBJECT: Final = re.compile(r'@\(string\.IsNullOrEmpty\(\(\(Jwt\)context\.Variables\["(\w+)"\]\)\.Subject\)\)')
OF_TIER: Final = re.compile(
    rf'@\((?:context\.Product\.Id|\(\(Jwt\)context\.Variables\["(\w+)"\]\)\.Claims\.GetValueOrDefault\({_TEXT}, ""\)) == {_TEXT}\)'
)

SUBJECT: Final = re.compile(r'@\(\(\(Jwt\)context\.Variables\["(\w+)"\]\)\.Subject\)')
CLAIM: Final = re.compile(rf'@\(\(\(Jwt\)context\.Variables\["(\w+)"\]\)\.Claims\.GetValueOrDefault\({_TEXT}, ""\)\)')
HOLDER: Final = frozenset({"@(context.Subscription.Id)"})
PRODUCT: Final = frozenset({"@(context.Product.Id)"})
COUNTED_BY: Final = re.compile(
    rf'@\({_TEXT} \+ (?:(?P<subject>\(\(Jwt\)context\.Variables\["\w+"\]\)\.Subject)|(?P<key>context\.Subscription\.Id)'
    rf"|(?P<header>{_HEADER})(?:\.Split\(','\)\[0\])?|(?P<address>context\.Request\.IpAddress))\)"
)
"""What a limit counts by, behind a text of its own."""


def listed(match: re.Match[str]) -> frozenset[str]:
    """Return the texts of a list in a condition."""
    return frozenset(re.findall(r'"([^"]*)"', match[1]))


def is_dynamic(value: str) -> bool:
    """Say whether a value is computed, or taken from a named value, and no plain text."""
    return "@(" in value or "@{" in value or "{{" in value
