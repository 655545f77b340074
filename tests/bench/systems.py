"""Synthetic systems of any size, shaped like real ones: a few doors, shallow trees of calls, some shared services."""

from typing import Any

FAN_OUT = 3
"""Callees of a service: what a microservice calls on average in published call graphs is between two and four."""


def system(services: int) -> dict[str, Any]:
    """Return a topology document with that many services."""
    names = [f"s{number:04d}" for number in range(services)]
    calls = {
        name: [names[child] for child in range(position * FAN_OUT + 1, position * FAN_OUT + 1 + FAN_OUT) if child < services]
        for position, name in enumerate(names)
    }
    doors = names[: max(1, services // 30)]
    return {
        "system": "bench",
        "hosts": ["api.bench.example"],
        "meshes": {"main": {"trustDomain": "bench.example"}},
        "issuers": {
            "login": {
                "issuer": "https://login.bench.example",
                "audiences": ["bench"],
                "jwksUri": "https://login.bench.example/jwks.json",
            }
        },
        "tiers": {"standard": {"limits": [{"requests": 20, "per": "second"}]}},
        "services": {
            name: {"calls": {callee: [{"methods": ["GET"], "paths": [f"/{callee}/*"]}] for callee in calls[name]}} for name in names
        },
        "doors": {
            name: {"methods": ["GET"], "paths": [f"/{name}/*"], "service": name, "auth": {"jwt": "login"}, "tiers": ["standard"]}
            for name in doors
        },
    }
