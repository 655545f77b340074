"""Kong's settings for TLS toward every backend: nginx directives that its chart puts into Kong's own configuration.

A variable `nginx_proxy_<directive>` of the chart's `env` becomes a directive of the server block that proxies (Kong 3.9,
`kong/templates/nginx_kong.lua`), so `nginx_proxy_proxy_ssl_certificate` is `proxy_ssl_certificate` for all Services at once.
"""

import re
from collections.abc import Iterable, Mapping
from typing import Any, Final

from policies.reading.charts import chart_name
from policies.reading.resource import Resource

SECRETS: Final = "/etc/secrets/"
"""Where the chart mounts each Secret named in `secretVolumes`."""

_SET = re.compile(r"^(\$\w+)\s+(\S+)$")


def tls_settings(releases: Iterable[Resource], protocol: str) -> Mapping[str, str]:
    """Return the `..._ssl_...` settings of Kong's Release for backends of a protocol (`https`, `grpcs`), by what follows `ssl_`.

    Raises:
        UnknownValueError: if the chart's values are not known.
    """
    return _settings(releases, f"nginx_proxy_{'grpc' if protocol == 'grpcs' else 'proxy'}_ssl_")


def client_settings(releases: Iterable[Resource]) -> Mapping[str, str]:
    """Return the `ssl_...` settings for Kong's own clients, by what follows `ssl_`.

    Raises:
        UnknownValueError: if the chart's values are not known.
    """
    return _settings(releases, "nginx_proxy_ssl_")


def _settings(releases: Iterable[Resource], beginning: str) -> Mapping[str, str]:
    for release in releases:
        if chart_name(release) == "kong":
            env: Mapping[str, Any] = release.at("values", "env", default={})
            variable = _SET.match(str(env.get("nginx_proxy_set") or ""))
            return {key.removeprefix(beginning): _expanded(str(value), variable) for key, value in env.items() if key.startswith(beginning)}
    return {}


def secret_of(path: str) -> str:
    """Return the name of the Secret that a file of Kong's pod comes from; empty for any other file."""
    return path.removeprefix(SECRETS).partition("/")[0] if path.startswith(SECRETS) else ""


def _expanded(value: str, variable: re.Match[str] | None) -> str:
    return value.replace(variable[1], variable[2]) if variable else value
