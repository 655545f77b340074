"""A01: an API gateway of the cloud stands inside the network."""

from policies.cloud_rule import CloudRule
from policies.rule import Severity


class A01(CloudRule):
    """API Management is in the internal mode of a virtual network.

    Forbids:
        `virtualNetworkType` External or None.

    Why:
        In any other mode the gateway has a public address of its own, at which clients ask it without the WAF. Its policies hold
        there too, but nothing has looked at the request before, and headers that the edge removes arrive as they were sent.

    Instead:
        Put it into a subnet of its own, and let the WAF's subnet alone in::

            type: azure-native:apimanagement:ApiManagementService
            inputs:
              virtualNetworkType: Internal
              virtualNetworkConfiguration: {subnetResourceId: <subnet>}
    """

    id = "A01"
    name = "gateway-is-inside"
    severity = Severity.CRITICAL
    frameworks = ("CKV_AZURE_174", "AzPolicy ef619a2c")
