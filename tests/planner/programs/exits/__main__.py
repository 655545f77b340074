"""Ends itself before it has registered everything."""

import sys

import pulumi

pulumi.ComponentResource("test:index:Part", "a")
sys.exit(0)
