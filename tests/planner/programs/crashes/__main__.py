"""Takes its interpreter down."""

import os
import sys

print("about to fail", file=sys.stderr)
os._exit(7)
