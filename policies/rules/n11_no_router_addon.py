"""N11: no add-on of the cluster publishes Services by itself."""

from policies.cloud_rule import CloudRule
from policies.rule import Severity


class N11(CloudRule):
    """No add-on of AKS makes public load balancers and DNS names for Ingresses.

    Forbids:
        `httpApplicationRouting`, `ingressApplicationGateway` and `webAppRouting` switched on.

    Why:
        Each installs a controller with a public load balancer of its own, beside the WAF. From then on an Ingress in any namespace
        is a way in, and none of it is a resource of the program.

    Instead:
        Say that they are off::

            type: azure-native:containerservice:ManagedCluster
            inputs:
              addonProfiles: {httpApplicationRouting: {enabled: false}}
              ingressProfile: {webAppRouting: {enabled: false}}
    """

    id = "N11"
    name = "no-router-addon"
    severity = Severity.HIGH
    frameworks = ("PSRule Azure.AKS.HttpAppRouting",)
