"""Fails before it can be asked."""

raise RuntimeError("no rules today")
