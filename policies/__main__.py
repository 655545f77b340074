"""The policy pack: `pulumi preview --policy-pack policies`. `PolicyPack(...)` starts a server and never returns."""

from pulumi_policy import EnforcementLevel, PolicyPack

from policies.pack import NAME, policies

PolicyPack(name=NAME, enforcement_level=EnforcementLevel.MANDATORY, policies=policies())
