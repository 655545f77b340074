"""What holds for logs in every cloud."""

from typing import Final

LEAST_DAYS: Final = 30
"""For which logs are kept at least: the shortest time that any size of an environment has."""
WRITTEN_DOWN: Final = "who connected to whom in it is written down nowhere"
