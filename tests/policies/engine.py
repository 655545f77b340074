"""The engine's side of the pack: a process of it, asked about every resource and then about the stack, as in a preview."""

import json
import os
import subprocess
import sys
from collections.abc import Generator, Iterable, Mapping
from contextlib import contextmanager
from typing import Any

from planner.analyzer import converse
from planner.pack import Diagnostic
from planner.plan import Plan
from policies.reading.stack_file import AWS, AZURE
from tests.systems import ROOT, config_of

Record = dict[str, Any]


def said_of_cloud(*stacks: str) -> dict[str, str]:
    """Return what stack files say of their clouds: several of different clouds, for a pack that is asked about all of them."""
    return {key: value for stack in stacks for key, value in config_of(stack).items() if key in {AWS, AZURE}}


@contextmanager
def pack(config: Mapping[str, str] = {}) -> Generator[str]:
    """Run the pack for as long as the context lasts, and say where it listens."""
    settings = {"PROJECT": "perimeter", "STACK": "dev", "DRY_RUN": "true", "CONFIG": json.dumps(dict(config))}
    environment = {**os.environ, **{f"PULUMI_{name}": value for name, value in settings.items()}}
    command = [sys.executable, "-u", "-m", "pulumi.policy", "127.0.0.1:1", "."]
    with subprocess.Popen(command, cwd=ROOT / "policies", env=environment, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            yield f"127.0.0.1:{int(process.stdout.readline())}"
        finally:
            process.terminate()


def said(address: str, resources: Iterable[Record]) -> tuple[Diagnostic, ...]:
    """Return what the pack says about resources: `inputs` are shown to its resource policies, `outputs` to its stack policies."""
    return tuple(converse(address, Plan(tuple(resources)), project="perimeter", stack="dev", config={}))
