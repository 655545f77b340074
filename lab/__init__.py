"""The embedded cluster: a real single-node Kubernetes for a Linux machine that has root and Python, and nothing else.

Imports nothing of ours. Other rooms use what stands in `__all__`; everything else may change.
"""

from lab.api import Lab, current, reset, start, status, stop
from lab.errors import LabError
from lab.issuer import Algorithm, Forgery, Issuer
from lab.progress import ConsoleProgress, Progress

__all__ = [
    "Algorithm",
    "ConsoleProgress",
    "Forgery",
    "Issuer",
    "Lab",
    "LabError",
    "Progress",
    "current",
    "reset",
    "start",
    "status",
    "stop",
]
