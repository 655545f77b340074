"""The meshes: Istio's control plane and gateways for each, and the policies that close it."""

from components.mesh.meshes import build_meshes

__all__ = ["build_meshes"]
