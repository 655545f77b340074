"""Whom Kong knows: each consumer of the topology by its API key, and each issuer, whose key stands for all clients with its tokens.

There is no KongConsumerGroup: groups of consumers belong to Kong's enterprise edition. A tier is a group of `acl`, and a limit that
each consumer names.
"""

from collections.abc import Iterable, Mapping
from typing import Any, Final

from components.gateway.kong import keys, limits
from components.gateway.kong.plugins import ANNOTATION, API, issuer_group
from topology.derive import names
from topology.derive.manifest import Manifest, manifest
from topology.model.base import Name
from topology.model.door import ApiKeyAuth, Issuer, JwtAuth
from topology.model.system import Topology

CLASS: Final = {"kubernetes.io/ingress.class": "kong"}
"""Without it the controller leaves a KongConsumer alone."""
CREDENTIAL: Final = "konghq.com/credential"
"""Label of a Secret: which plugin reads it."""


def keyed(t: Topology) -> dict[Name, Name]:
    """Return the consumers whose keys open a door, each with its tier."""
    opening = {tier for door in t.doors.values() if isinstance(door.auth, ApiKeyAuth) for tier in door.auth.api_key}
    return {name: consumer.tier for name, consumer in t.consumers.items() if consumer.tier in opening}


def issuers(t: Topology) -> list[Name]:
    """Return the issuers whose tokens open a door, in the order of the topology."""
    used = {door.auth.jwt for door in t.doors.values() if isinstance(door.auth, JwtAuth)}
    return [name for name in t.issuers if name in used]


def key_secret(consumer: Name) -> str:
    """Return the name of the Secret with a consumer's API key."""
    return f"api-key-{consumer}"


def token_secret(issuer: Name) -> str:
    """Return the name of the Secret with an issuer's public key. It is no secret; Kong's controller reads credentials from nothing else."""
    return f"token.{issuer}"


def group_secret(group: str) -> str:
    """Return the name of the Secret that puts whoever names it into a group."""
    return f"group.{group}"


def api_key(consumer: Name, key: Any) -> Manifest:
    """Return a consumer's credential; `key` is an output that only a deployment knows."""
    return _credential(key_secret(consumer), "key-auth", {"key": key})


def credentials(t: Topology) -> list[Manifest]:
    """Return the credentials that hold nothing secret: issuers' public keys, and the groups."""
    pinned = [_credential(token_secret(name), "jwt", _public_key(t.issuers[name])) for name in issuers(t)]
    groups = dict.fromkeys([*keyed(t).values(), *(issuer_group(name) for name in issuers(t))])
    return [*pinned, *(_credential(group_secret(group), "acl", {"group": group}) for group in groups)]


def consumers(t: Topology) -> list[Manifest]:
    """Return everybody that Kong knows."""
    clients = [
        _consumer(name, [key_secret(name), group_secret(tier)], {ANNOTATION: limits.by_consumer(tier)}) for name, tier in keyed(t).items()
    ]
    tokens = [_consumer(issuer_group(name), [token_secret(name), group_secret(issuer_group(name))], {}) for name in issuers(t)]
    return [*clients, *tokens]


def _public_key(issuer: Issuer) -> dict[str, str]:
    """Return an issuer's key; its field is called `rsa_public_key` whatever its kind.

    Raises:
        ValueError: if there is no key, or none that Kong can use: `components.gateway.features` refuses such a topology before.
    """
    found = [(pem, algorithm) for pem in issuer.public_keys if (algorithm := keys.algorithm(pem))]
    if len(found) != 1:
        raise ValueError(f"{issuer.issuer} needs exactly one public key that Kong can use")
    [(pem, algorithm)] = found
    return {"key": issuer.issuer, "algorithm": algorithm, "rsa_public_key": pem}


def _consumer(name: str, held: Iterable[str], annotations: Mapping[str, str]) -> Manifest:
    return manifest(
        API,
        "KongConsumer",
        name,
        names.GATEWAY_NAMESPACE,
        annotations={**CLASS, **annotations},
        username=name,
        credentials=list(held),
    )


def _credential(name: str, plugin: str, fields: Mapping[str, Any]) -> Manifest:
    return manifest("v1", "Secret", name, names.GATEWAY_NAMESPACE, labels={CREDENTIAL: plugin}, type="Opaque", stringData=dict(fields))
