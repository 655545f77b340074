"""The judge: reads planned resources back and proves that they say what the topology says. Knows no generator."""
