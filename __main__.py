"""The Pulumi program: read what the stack binds, load and admit its topology, build the system, export where it is."""

import pulumi

from components.binding import stack_binding
from components.system import build

for name, value in build(stack_binding()).outputs.items():
    pulumi.export(name, value)
