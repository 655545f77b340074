"""How much longer than a door an edge may wait for an answer."""

from typing import Final

SLACK: Final = 5.0
"""Seconds that the edge may wait longer than a door, so that the gateway answers before it."""
