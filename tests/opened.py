"""A copy of the project whose program opens the boundary: what a judge is for, since no topology and no stack file says so."""

import shutil
from pathlib import Path

from tests.systems import ROOT

BUILT = "for name, value in build(stack_binding()).outputs.items():"
OPENED = """
from pulumi_kubernetes.core.v1 import Service

system = build(stack_binding())
Service(
    "open",
    metadata={"name": "open", "namespace": "abc"},
    spec={"type": "LoadBalancer", "selector": {"app": "c"}, "ports": [{"port": 80}]},
    opts=pulumi.ResourceOptions(parent=system),
)
for name, value in system.outputs.items():
"""
"""A service of `abc` that nobody but B may call gets an address of its own on the internet."""

PROGRAM = ("components", "policies", "stacks", "topology", "Pulumi.yaml", "__main__.py")


def opened_project(folder: Path) -> Path:
    """Return the copy, below a folder."""
    here = folder / "opened"
    here.mkdir()
    for name in PROGRAM:
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, here / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(ROOT / name, here / name)
    program = (here / "__main__.py").read_text(encoding="utf-8")
    assert program.count(BUILT) == 1
    (here / "__main__.py").write_text(program.replace(BUILT, OPENED), encoding="utf-8")
    return here
