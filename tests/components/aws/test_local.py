"""What AWS costs an environment that has none of it: nothing."""

import subprocess
import sys

from tests.systems import ROOT

PROGRAM = """
import sys
from components import system
from components.adapters import adapter
from components.cluster import CLUSTERS
from components.edge import ADAPTERS as EDGES, CARRIES
from components.gateway import ADAPTERS as GATEWAYS
for reference in (EDGES["nginx"], GATEWAYS["envoy-gateway"], GATEWAYS["kong"], CLUSTERS["existing"], *CARRIES.values()):
    adapter(reference)
print(*sorted({name.partition(".")[0] for name in sys.modules} & {"pulumi_aws"}))
"""


def test_a_local_stack_imports_no_sdk_of_aws() -> None:
    done = subprocess.run([sys.executable, "-c", PROGRAM], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == ""
