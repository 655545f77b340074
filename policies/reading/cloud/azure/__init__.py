"""Azure: Application Gateway, API Management, AKS, and the network around them."""

from typing import TYPE_CHECKING

from policies.reading.cloud.azure.fields import ACCEPTED as ACCEPTED
from policies.reading.cloud.azure.fields import REQUIRED as REQUIRED
from policies.reading.cloud.azure.readers import READERS as READERS
from policies.reading.cloud.azure.secret_looks import CREDENTIALS as CREDENTIALS
from policies.reading.cloud.azure.view import Azure
from policies.reading.cloud.model import Cloud

if TYPE_CHECKING:
    from policies.reading.stack import Stack


def read(stack: "Stack") -> Cloud:
    """Return what a stack has in Azure."""
    return Azure(stack=stack).cloud
