"""The services of the topology: each with an identity, a fence and a policy of its own."""

from components.workload.workloads import build_workloads

__all__ = ["build_workloads"]
