"""API keys of consumers: made on deploy, secret in the state, in no file and in no plan."""

import secrets
from typing import Any, Final

import pulumi
from pulumi import dynamic

from topology.model.base import Name

BYTES: Final = 32
"""256 random bits: what the WebCrypto and OWASP guides ask of a bearer secret, twice over."""


class KeyProvider(dynamic.ResourceProvider):
    """Makes a key once, and a new one when its rotation changes. It talks to nobody."""

    def create(self, props: dict[str, Any]) -> dynamic.CreateResult:
        """Return a new key."""
        return dynamic.CreateResult(id_=secrets.token_hex(8), outs={**props, "key": secrets.token_urlsafe(BYTES)})

    def diff(self, _id: str, _olds: dict[str, Any], _news: dict[str, Any]) -> dynamic.DiffResult:
        """Replace the key when its consumer or its rotation is another."""
        changed = [key for key in ("consumer", "rotation") if _olds.get(key) != _news.get(key)]
        return dynamic.DiffResult(changes=bool(changed), replaces=changed, delete_before_replace=False)


class ApiKey(dynamic.Resource, module="perimeter", name="ApiKey"):
    """The API key of one consumer."""

    key: pulumi.Output[str]

    def __init__(self, consumer: Name, rotation: str, *, parent: pulumi.Resource) -> None:
        """Register the key; any other `rotation` makes a new one."""
        options = pulumi.ResourceOptions(parent=parent, additional_secret_outputs=["key"])
        super().__init__(KeyProvider(), f"api-key-{consumer}", {"consumer": consumer, "rotation": rotation, "key": None}, options)

    @property
    def secret(self) -> pulumi.Output[str]:
        """The key, which stays secret in whatever it is put into."""
        return pulumi.Output.secret(self.key)
