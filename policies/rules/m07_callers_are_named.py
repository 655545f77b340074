"""M07: no policy allows a caller that it does not name."""

from collections.abc import Iterator, Mapping
from typing import Any, ClassVar, Final

from policies.checks import at
from policies.reading.resource import Resource
from policies.reading.stack import Stack
from policies.rule import Finding, ResourceRule, Severity

ANYBODY: Final = "*"
PRINCIPAL: Final = "source.principal"
CROWDS: Final[Mapping[str, str]] = {"principals": "identity", "namespaces": "namespace", "serviceAccounts": "ServiceAccount"}
"""Fields of a source and what `*` in them stands for."""

FIX: Final = "name the callers: from: [{source: {principals: [<trust domain>/ns/<namespace>/sa/<account>]}}]"


class M07(ResourceRule):
    """Every rule of an ALLOW policy says who, by identity.

    Forbids:
        In AuthorizationPolicies with action ALLOW: an empty rule (`rules: [{}]`), a rule without `from`, a source without
        principals (only addresses, only a token, only exclusions), and `*` as principal, namespace or ServiceAccount.

    Why:
        A rule without `from` allows every caller, with or without a certificate: an extra `-` before `to` is enough to write
        one. An address is not an identity, and a token says on whose behalf a request is made, not by whom.

    Instead:
        Write the callers' identities out, each in full::

            spec:
              selector: {matchLabels: {app: orders}}
              action: ALLOW
              rules:
                - from:
                    - source: {principals: [shop.example/ns/shop/sa/cart]}
                  to:
                    - operation: {methods: [POST], paths: [/orders]}
    """

    id = "M07"
    name = "every-allow-names-its-callers"
    severity = Severity.CRITICAL
    frameworks = ("Istio security best practices", "istio/istio#24665")
    kinds: ClassVar = ("AuthorizationPolicy", "AuthorizationPolicyPatch")

    def check(self, resource: Resource, stack: Stack) -> Iterator[Finding]:
        """Check one policy."""
        if resource.at("spec", "action", default="ALLOW") != "ALLOW":
            return
        for index, rule in enumerate(resource.at("spec", "rules", default=[])):
            yield from self._rule(resource, f"rules[{index}]", rule or {})

    def _rule(self, resource: Resource, where: str, rule: Mapping[str, Any]) -> Iterator[Finding]:
        if not any(rule.get(part) for part in ("from", "to", "when")):
            yield self.broken(resource, f"{where} is empty: it allows every request of everybody", "remove the empty rule")
            return
        named_by_condition = False
        for condition in rule.get("when") or ():
            if condition.get("key") == PRINCIPAL and condition.get("values"):
                named_by_condition = True
                if ANYBODY in condition["values"]:
                    yield self.broken(resource, f"{where} allows every identity ({PRINCIPAL} *)", FIX)
        sources: list[Mapping[str, Any]] = [at(each, "source", default={}) for each in rule.get("from") or ()]
        if not sources and not named_by_condition:
            yield self.broken(resource, f"{where} has no from: it allows every caller, with or without an identity", FIX)
        for source in sources:
            yield from self._source(resource, where, source, named_by_condition)

    def _source(self, resource: Resource, where: str, source: Mapping[str, Any], named: bool) -> Iterator[Finding]:
        for field, thing in CROWDS.items():
            if ANYBODY in (source.get(field) or ()):
                yield self.broken(resource, f"{where} allows every {thing} ({field}: *)", FIX)
        if not named and not any(source.get(field) for field in CROWDS):
            given = ", ".join(sorted(source)) or "nothing"
            yield self.broken(resource, f"{where} has a source without principals (it says {given}): that is no identity", FIX)
