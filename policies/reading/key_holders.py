"""Whose API keys open a route: the names that gateways know the holders of keys by."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, Final

from policies.reading.kong import Plugin
from policies.reading.resource import Resource
from policies.reading.values import UnknownValueError, mapping, sequence

CREDENTIAL: Final = "konghq.com/credential"

Find = Callable[[str, str, str], Resource | None]


def of_policy(policy: Resource, find: Find) -> Iterator[str]:
    """Yield the client ids whose keys a SecurityPolicy of Envoy Gateway accepts: the fields of the Secrets that it names.

    Raises:
        UnknownValueError: if a Secret, or which fields it has, is not known.
    """
    refs: list[Mapping[str, Any]] = policy.at("spec", "apiKeyAuth", "credentialRefs", default=[])
    for ref in refs:
        secret = find("Secret", ref.get("namespace") or policy.namespace, ref["name"])
        if secret is None:
            raise UnknownValueError(f"{policy}: Secret {ref['name']}", "not among the resources of the program: whose keys it holds")
        for part in ("stringData", "data"):
            yield from mapping(secret.props.get(part))


def of_plugins(plugins: Iterable[Plugin], consumers: Iterable[Resource], find: Find) -> Iterator[str]:
    """Yield the consumers of Kong whose keys open a route: those with a key, and in a group that the route's `acl` lets in.

    Raises:
        UnknownValueError: if the groups are not known.
    """
    lists = [set(sequence(plugin.config.get("allow"))) for plugin in plugins if plugin.name == "acl"]
    for consumer in consumers:
        if (groups := groups_of(consumer, find)) is not None and all(allowed & groups for allowed in lists):
            yield username(consumer)


def groups_of(consumer: Resource, find: Find) -> set[str] | None:
    """Return the groups of a consumer of Kong that has a key; None for one without.

    Raises:
        UnknownValueError: if its credentials are not known.
    """
    names: list[str] = consumer.at("credentials", default=[])
    secrets = [secret for name in names if (secret := find("Secret", consumer.namespace, name)) is not None]
    if len(secrets) != len(names):
        raise UnknownValueError(f"{consumer}: credentials", "not all among the resources of the program")
    if not any(secret.labels.get(CREDENTIAL) == "key-auth" for secret in secrets):
        return None
    lists = [secret for secret in secrets if secret.labels.get(CREDENTIAL) == "acl"]
    return {str(mapping(secret.props.get("stringData")).get("group")) for secret in lists}


def username(consumer: Resource) -> str:
    """Return the name by which Kong knows a consumer."""
    return str(consumer.at("username", default=consumer.name))
