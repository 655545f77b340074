"""The Gateway API's definitions, for a gateway whose chart does not bring them."""

from functools import cache
from pathlib import Path
from typing import Final

import yaml

from topology.derive.manifest import Manifest

FILE: Final = Path(__file__).with_name("gateway-api.yaml")


@cache
def definitions() -> tuple[Manifest, ...]:
    """Return the custom resource definitions."""
    return tuple(yaml.safe_load_all(FILE.read_text(encoding="utf-8")))
