"""In which headers clients show API keys, as the gateway's own resources name them."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from policies.reading.kong import Plugin, credential_headers
from policies.reading.values import mapping, sequence

if TYPE_CHECKING:
    from policies.reading.stack import Stack

KEY_AUTH: Final = "key-auth"
"""The plugin of Kong that asks for an API key."""


def key_headers(stack: "Stack") -> frozenset[str]:
    """Return the headers in which any route of the stack looks for an API key.

    Raises:
        UnknownValueError: if a name is not known.
    """
    locks = (mapping(policy.at("spec", "apiKeyAuth", default={})) for policy in stack.of("SecurityPolicy.gateway.envoyproxy.io"))
    plugins = (
        Plugin(resource=each, name=KEY_AUTH, config=mapping(each.at("config", default={})))
        for each in stack.of("KongPlugin", "KongClusterPlugin")
        if each.at("plugin", default="") == KEY_AUTH
    )
    return credential_headers(plugins).union(*map(asked_in, locks))


def asked_in(api_key_auth: Mapping[str, Any]) -> frozenset[str]:
    """Return the headers in which Envoy Gateway looks for an API key by an `apiKeyAuth` of a SecurityPolicy."""
    sources = map(mapping, sequence(api_key_auth.get("extractFrom")))
    return frozenset(str(name).lower() for source in sources for name in sequence(source.get("headers")))
