"""In which headers clients show API keys, as the gateway's own resources name them."""

from typing import TYPE_CHECKING

from policies.reading.values import mapping, sequence

if TYPE_CHECKING:
    from policies.reading.stack import Stack


def key_headers(stack: "Stack") -> frozenset[str]:
    """Return the headers in which any route of the stack looks for an API key.

    Raises:
        UnknownValueError: if a name is not known.
    """
    found: set[str] = set()
    for policy in stack.of("SecurityPolicy.gateway.envoyproxy.io"):
        for source in sequence(mapping(policy.at("spec", "apiKeyAuth", default={})).get("extractFrom")):
            found |= {str(name).lower() for name in sequence(mapping(source).get("headers"))}
    for plugin in stack.of("KongPlugin", "KongClusterPlugin"):
        if plugin.at("plugin", default="") == "key-auth":
            found |= {str(name).lower() for name in sequence(plugin.at("config", "key_names", default=["apikey"]))}
    return frozenset(found)
