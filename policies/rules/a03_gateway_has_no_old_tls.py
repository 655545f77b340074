"""A03: an API gateway of the cloud speaks no withdrawn TLS."""

from policies.cloud_rule import CloudRule
from policies.rule import Severity


class A03(CloudRule):
    """API Management speaks no SSL 3.0, TLS 1.0 or 1.1, to clients or to backends, and none of the ciphers that came with them.

    Forbids:
        A custom property of the service that switches one of these on: `...Security.Protocols.*`, `...Security.Backend.Protocols.*`,
        or `...Security.Ciphers.*` of RSA key exchange, CBC or 3DES; nothing said of one of the versions or ciphers.

    Why:
        The versions are withdrawn (RFC 8996). The hop from the edge is inside the network, but the certificate there is all that
        tells the edge whom it sends tokens to.

    Instead:
        Say that they are off::

            type: azure-native:apimanagement:ApiManagementService
            inputs:
              customProperties:
                Microsoft.WindowsAzure.ApiManagement.Gateway.Security.Protocols.Tls10: "False"
    """

    id = "A03"
    name = "gateway-has-no-old-tls"
    severity = Severity.HIGH
    frameworks = ("CKV_AZURE_173", "PSRule Azure.APIM.Protocols", "PSRule Azure.APIM.Ciphers", "RFC 8996")
