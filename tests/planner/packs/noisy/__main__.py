"""Prints where its port is expected."""

import time

print("hello")  # noqa: T201 # what a pack must not do
time.sleep(60)
