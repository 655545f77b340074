"""A fingerprint of a topology: the program sends it, the judge computes it again from the reviewed file and compares."""

import hashlib
import json

from topology.model.system import Topology


def digest(t: Topology) -> str:
    """Return the SHA-256 of the model's canonical JSON: independent of comments, order of keys and formatting."""
    canonical = json.dumps(t.model_dump(mode="json"), sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(canonical.encode()).hexdigest()
