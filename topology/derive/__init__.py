"""The documents that follow from a topology: Kubernetes objects, the same in every environment. Pure."""
