"""Exports a value that nothing ever gives, and makes a resource of it."""

import asyncio

import pulumi

never: asyncio.Future[str] = asyncio.get_event_loop().create_future()
pulumi.ComponentResource("test:index:Part", "waits", {"size": pulumi.Output.from_input(never)})
