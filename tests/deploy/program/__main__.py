"""A small system: a namespace, a custom resource whose definition comes first, a release, a secret made from a dynamic resource's output."""

from typing import Any

import pulumi
from keys import Key
from pulumi_kubernetes.helm.v3 import Release

config = pulumi.Config()
colour, items, rotation = config.require("colour"), config.require_int("items"), config.get("rotation") or "1"


def add(
    api_version: str, kind: str, name: str, after: list[pulumi.Resource], namespace: str | None = "shop", **fields: Any
) -> pulumi.CustomResource:
    token = f"kubernetes:{api_version if '/' in api_version else f'core/{api_version}'}:{kind}"
    metadata = {"name": name, **({"namespace": namespace} if namespace else {})}
    document = {"apiVersion": api_version, "kind": kind, "metadata": metadata, **fields}
    return pulumi.CustomResource(token, f"{kind}-{name}", document, pulumi.ResourceOptions(depends_on=after))


shop = add("v1", "Namespace", "shop", [], None)
schema = {"openAPIV3Schema": {"type": "object", "properties": {"spec": {"type": "object", "properties": {"colour": {"type": "string"}}}}}}
definition = add(
    "apiextensions.k8s.io/v1", "CustomResourceDefinition", "shirts.shop.example", [], None,
    spec={
        "group": "shop.example", "scope": "Namespaced", "names": {"kind": "Shirt", "plural": "shirts"},
        "versions": [{"name": "v1", "served": True, "storage": True, "schema": schema}],
    },
)  # fmt: skip
shirt = add("shop.example/v1", "Shirt", "one", [shop, definition], spec={"colour": colour})
for number in range(items):
    add("v1", "ConfigMap", f"item-{number}", [shop], data={"colour": int(colour) if config.get_bool("typed") else colour})
if config.get_bool("immutable"):
    add("v1", "ConfigMap", "fixed", [shop], data={"colour": colour}, immutable=True)
key = Key("acme", rotation)
add("v1", "Secret", "key", [shop], stringData={"key": key.key}, type="Opaque")
Release(
    "chart", name="chart", namespace="shop", chart="./chart", values={"colour": colour}, timeout=60,
    opts=pulumi.ResourceOptions(depends_on=[shop]),
)  # fmt: skip
