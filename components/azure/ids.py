"""Names and resource ids of Azure, which follow from the stack file: known before anything exists."""

import hashlib
from dataclasses import dataclass
from typing import Final

import pulumi

from components.azure.settings import AzureSettings
from components.known import known

LONGEST: Final = 80
"""Of the name of a part of an Application Gateway, and of a backend or version set in API Management (Learn, `resource-name-rules`)."""


@dataclass(frozen=True, kw_only=True)
class Place:
    """The resource group of an environment: what every name and id in it begins with."""

    subscription: str
    name: str
    location: str
    part: str = ""
    """Ends the group's name, where an environment has several: what lies in this one."""
    owner: pulumi.Resource | None = None
    """The resource group; None while it is not registered."""

    @property
    def group_name(self) -> str:
        """Name of the resource group."""
        return f"rg-{self.name}{self.part and f'-{self.part}'}"

    @property
    def group(self) -> pulumi.Output[str]:
        """Name of the resource group, for what is made in it and so after it."""
        return known(self.group_name, *([self.owner] if self.owner else []))

    @property
    def group_id(self) -> str:
        """Id of the resource group."""
        return f"/subscriptions/{self.subscription}/resourceGroups/{self.group_name}"

    def of(self, kind: str) -> str:
        """Return the name of the only resource of a kind: `vnet-shop-dev`."""
        return f"{kind}-{self.name}"

    def unique(self, kind: str) -> str:
        """Return a name that no other subscription has, for what shares one name space with all of Azure: `apim-shop-dev-1f0c2a`."""
        digest = hashlib.sha256(f"{self.subscription}/{self.name}".encode()).hexdigest()
        return f"{kind}-{self.name}-{digest[:6]}"

    def id(self, resource_type: str, *names: str) -> str:
        """Return the id of a resource: its type as in `Microsoft.Network/virtualNetworks/subnets`, and a name for each level."""
        provider, *kinds = resource_type.split("/")
        path = "/".join(f"{kind}/{name}" for kind, name in zip(kinds, names, strict=True))
        return f"{self.group_id}/providers/{provider}/{path}"


def shortened(text: str, longest: int = LONGEST) -> str:
    """Return a name that follows from a text: itself, or its beginning and digits of the whole, so that no two texts have one name."""
    return text if len(text) <= longest else f"{text[: longest - 13]}-{hashlib.sha256(text.encode()).hexdigest()[:12]}"


def place(settings: AzureSettings) -> Place:
    """Return where an environment is."""
    return Place(subscription=settings.subscription_id, name=settings.name, location=settings.location)
