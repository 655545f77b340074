"""M09: policies say what is allowed, not what is excluded."""

from collections.abc import Iterator, Mapping
from typing import Any, ClassVar, Final

from policies.checks import at
from policies.reading.resource import Resource
from policies.reading.stack import Stack
from policies.rule import Finding, ResourceRule, Severity

BYPASSED: Final = frozenset({"paths", "hosts", "methods"})
"""What a caller chooses the spelling of. A DENY that lists spellings misses the one that was not thought of."""


class M09(ResourceRule):
    """ALLOW matches positively, DENY negatively.

    Forbids:
        `not...` fields (notPaths, notMethods, notPrincipals, notValues ...) in ALLOW policies; paths, hosts or methods, and the
        conditions of the same meaning, in DENY policies.

    Why:
        An ALLOW with `notPaths: [/admin]` allows everything that is not spelt exactly so: `//admin`, `/admin/`, `/%61dmin`, and
        every path that is added later. A DENY with `paths: [/admin]` misses the same spellings (CVE-2021-31920, CVE-2021-39156,
        and for methods GHSA-w44g-8m76-8gc5). Both ways round a mistake refuses too much instead of too little.

    Instead:
        ALLOW exactly what the topology lists; where something must be denied, deny everything but that::

            action: DENY
            rules:
              - to: [{operation: {notPaths: [/orders/*]}}]
    """

    id = "M09"
    name = "match-what-is-allowed"
    severity = Severity.HIGH
    frameworks = ("CVE-2021-31920", "CVE-2021-39156", "GHSA-w44g-8m76-8gc5", "Istio security best practices")
    kinds: ClassVar = ("AuthorizationPolicy", "AuthorizationPolicyPatch")

    def check(self, resource: Resource, stack: Stack) -> Iterator[Finding]:
        """Check one policy."""
        action: str = resource.at("spec", "action", default="ALLOW")
        for index, rule in enumerate(resource.at("spec", "rules", default=[])):
            fields = set(_fields(rule or {}))
            if action == "ALLOW":
                for field in sorted(field for field in fields if field.startswith("not")):
                    yield self.broken(
                        resource,
                        f"rules[{index}] allows by exclusion ({field}): every spelling that is not listed is allowed",
                        "list what is allowed",
                    )
            elif action == "DENY":
                for field in sorted(fields & BYPASSED):
                    yield self.broken(
                        resource,
                        f"rules[{index}] denies by a list of {field}: another spelling of the same is not denied",
                        f"deny everything but what is allowed (not{field.capitalize()})",
                    )


def _fields(rule: Mapping[str, Any]) -> Iterator[str]:
    """Yield the fields that a rule matches by, conditions spelt like the field of the same meaning."""
    for each in rule.get("from") or ():
        yield from (field for field, value in at(each, "source", default={}).items() if value)
    for each in rule.get("to") or ():
        yield from (field for field, value in at(each, "operation", default={}).items() if value)
    for condition in rule.get("when") or ():
        if condition.get("notValues"):
            yield "notValues"
        if condition.get("values") and str(condition.get("key", "")).startswith("request.headers[:"):
            yield _PSEUDO_HEADERS.get(str(condition["key"]), "paths")


_PSEUDO_HEADERS: Final = {
    "request.headers[:path]": "paths",
    "request.headers[:authority]": "hosts",
    "request.headers[:method]": "methods",
}
