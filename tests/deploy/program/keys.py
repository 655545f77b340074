"""A dynamic resource whose output is secret."""

import secrets
from typing import Any

import pulumi
from pulumi import dynamic


class KeyProvider(dynamic.ResourceProvider):
    def create(self, props: dict[str, Any]) -> dynamic.CreateResult:
        return dynamic.CreateResult("key", {**props, "key": secrets.token_hex(8)})

    def diff(self, _id: str, _olds: dict[str, Any], _news: dict[str, Any]) -> dynamic.DiffResult:
        changed = [name for name in ("owner", "rotation") if _olds.get(name) != _news.get(name)]
        return dynamic.DiffResult(changes=bool(changed), replaces=changed)


class Key(dynamic.Resource, module="shop", name="Key"):
    key: pulumi.Output[str]

    def __init__(self, owner: str, rotation: str) -> None:
        super().__init__(
            KeyProvider(),
            owner,
            {"owner": owner, "rotation": rotation, "key": None},
            pulumi.ResourceOptions(additional_secret_outputs=["key"]),
        )
