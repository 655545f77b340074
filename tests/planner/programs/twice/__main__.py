"""Registers two components twice; nothing else is wrong."""

import pulumi

for name in ("a", "b"):
    pulumi.ComponentResource("test:index:Part", name)
for name in ("a", "b"):
    pulumi.ComponentResource("test:index:Part", name)
