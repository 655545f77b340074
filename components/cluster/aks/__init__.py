"""The Azure environment's ground: network, vault, workspace, and the Kubernetes cluster in it."""
