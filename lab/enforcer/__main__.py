"""`python -m lab.enforcer`: enforce a cluster's NetworkPolicies on this node until told to stop."""

import argparse
import logging
from pathlib import Path

from lab.enforcer.process import run

parser = argparse.ArgumentParser(prog="python -m lab.enforcer", description=__doc__)
parser.add_argument("--kubeconfig", type=Path, required=True, metavar="FILE", help="names the API server")
parser.add_argument("--pods", required=True, metavar="CIDR", help="the range that all pod addresses come from")
parser.add_argument("--ready", type=Path, metavar="FILE", help="is made once the cluster's policies are in force")
arguments = parser.parse_args()
logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
run(arguments.kubeconfig, pods=arguments.pods, ready=arguments.ready)
