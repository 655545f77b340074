"""What a mutation is."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from tests.policies.mutations.plan import Plan


class Family(StrEnum):
    """Rows of the table of mutations."""

    EXPOSURE = "exposure"
    WAF_AND_GATEWAY = "WAF and gateway"
    EDGE = "edge"
    GATEWAY = "gateway options"
    IDENTITY = "identity"
    BYPASS = "bypass"
    HAIRPIN = "hairpin"
    NETWORK_POLICY = "NetworkPolicy"
    WORKLOADS = "workloads and secrets"
    PLATFORM = "platform"
    MISSING = "missing parts"
    EVASION = "evasion"


class CloudFamily(StrEnum):
    """Rows of the table for plans of a cloud."""

    NETWORK = "cloud network"
    EDGE = "cloud edge"
    NGINX = "cloud edge with nginx"
    GATEWAY = "cloud gateway"
    CLUSTER = "cloud cluster"
    RIGHTS = "cloud rights"
    EVASION = "cloud evasion"


@dataclass(frozen=True, kw_only=True)
class Mutation:
    """One way to break a good stack."""

    id: str
    family: Family | CloudFamily
    description: str
    rule: str
    """The rule that is meant to notice it; others may notice it as well."""
    change: Callable[[Plan], bool]

    def apply(self, resources: list[dict[str, Any]]) -> list[dict[str, Any]] | None:
        """Return the resources of the broken plan, or None where the system has nothing to break in this way."""
        plan = Plan(resources)
        return plan.resources if self.change(plan) else None


class Table:
    """Mutations of one family, collected by a decorator."""

    def __init__(self, family: Family | CloudFamily) -> None:
        self.family = family
        self.mutations: list[Mutation] = []

    def mutation(self, rule: str, description: str) -> Callable[[Callable[[Plan], bool]], Callable[[Plan], bool]]:
        """Enter a function into the table; it returns False where it does not apply."""

        def enter(change: Callable[[Plan], bool]) -> Callable[[Plan], bool]:
            name = change.__name__.replace("_", "-")
            self.mutations.append(Mutation(id=name, family=self.family, description=description, rule=rule, change=change))
            return change

        return enter
