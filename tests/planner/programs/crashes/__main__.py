"""Takes its interpreter down."""

import os
import sys

print("about to fail", file=sys.stderr)  # noqa: T201 # programs print
os._exit(7)
