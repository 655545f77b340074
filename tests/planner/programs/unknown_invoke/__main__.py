"""Asks a provider's plugin for a value."""

import pulumi

answer = pulumi.runtime.invoke("aws:index/getRegion:getRegion", {})
pulumi.export("region", answer.value["name"])
