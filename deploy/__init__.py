"""Gets a plan onto a Kubernetes cluster: by the Pulumi CLI where there is one, else with kubectl and helm.

May import `planner` and nothing else of ours. Which cluster, and whether the plan may be deployed at all, is decided by the caller.
"""
