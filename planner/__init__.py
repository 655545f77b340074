"""Runs an unmodified Pulumi program, and an unmodified policy pack, over Pulumi's own protocols without engine, login or credentials.

Importing this package, `planner.plan`, `planner.program` or `planner.pack` loads neither Pulumi nor gRPC.
"""
