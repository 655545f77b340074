"""Ways to break a good stack: each is applied to real plans, and each must be noticed by the rule meant for it."""
