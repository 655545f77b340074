"""What lies beneath the layers: namespaces closed by default, certificates, keys, counters."""

from components.cluster.platform import build_platform

__all__ = ["build_platform"]
