"""Fails in a module of its own."""

import parts

parts.build({"web": 80})
