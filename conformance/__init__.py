"""Probing a running system: each question that the topology raises, put from its place, and who answered it.

Nothing here knows how the system was made, nor which cluster it runs on.
"""
