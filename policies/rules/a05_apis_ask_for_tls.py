"""A05: APIs are published over TLS alone."""

from policies.cloud_rule import CloudRule
from policies.rule import Severity


class A05(CloudRule):
    """Every API of API Management is published over https (or wss) alone.

    Forbids:
        `protocols` of an API with `http` or `ws`.

    Why:
        An API that answers without TLS is asked without TLS, by whoever reaches the gateway: tokens and keys go over the network in
        clear, and nobody notices because it works.

    Instead:
        Name https alone::

            type: azure-native:apimanagement:Api
            inputs: {protocols: [https]}
    """

    id = "A05"
    name = "apis-ask-for-tls"
    severity = Severity.HIGH
    frameworks = ("PSRule Azure.APIM.HTTPEndpoint", "OWASP API8:2023")
