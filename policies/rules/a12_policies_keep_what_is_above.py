"""A12: a policy keeps what the scopes above it say."""

from policies.cloud_rule import CloudRule
from policies.rule import Severity


class A12(CloudRule):
    """Every policy of API Management begins with what the wider scopes say (`<base />`).

    Forbids:
        A policy of an operation, API or product whose `inbound` does not begin with `<base />` (before it may stand `cors`, which
        [A15](A15.md) reads), or whose `outbound` or `on-error` does not have it.

    Why:
        The policy of all APIs removes the headers by which layers speak to each other, and gives every request its id. A narrower
        policy without `<base />` replaces it: for that one operation a client's own `x-forwarded-client-cert` goes through. What
        stands before `<base />` sees the request as the client sent it.

    Instead:
        Begin each section with it::

            type: azure-native:apimanagement:ApiOperationPolicy
            inputs:
              value: |
                <policies>
                  <inbound><base /> ... </inbound>
                  <backend><forward-request /></backend>
                  <outbound><base /></outbound>
                  <on-error><base /></on-error>
                </policies>
    """

    id = "A12"
    name = "policies-keep-what-is-above"
    severity = Severity.MEDIUM
    frameworks = ("PSRule Azure.APIM.PolicyBase",)
