"""Topologies for tests of this folder."""

from typing import Any

from topology.model.system import Topology

HOST = "api.test.example"


def system(doors: dict[str, dict[str, Any]], **more: Any) -> Topology:
    """Return a system, not held to the laws, whose doors all lead to the service `app`, unless they say otherwise. A door is public unless it says otherwise."""
    public = {"public": "Open to everybody, for a test."}
    document: dict[str, Any] = {
        "system": "test",
        "hosts": [HOST],
        "meshes": {"main": {"trustDomain": "test.example"}},
        "services": {"app": {"data": "public"}},
        "tiers": {"gold": {"limits": [{"requests": 100, "per": "second", "burst": 100}]}},
        "consumers": {"acme": {"tier": "gold"}},
        "issuers": {"login": {"issuer": "https://login.example.com", "audiences": ["test"], "jwksUri": "https://login.example.com/keys"}},
        "doors": {name: _door({"methods": ["GET"], "service": "app", "auth": public, **door}) for name, door in doors.items()},
        **more,
    }
    return Topology.model_validate(document)


def _door(door: dict[str, Any]) -> dict[str, Any]:
    return door if "apiKey" in door["auth"] else {"tiers": ["gold"], **door}
