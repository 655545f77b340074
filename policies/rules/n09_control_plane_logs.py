"""N09: the control plane writes down who asked for what."""

from policies.cloud_rule import CloudRule
from policies.rule import Severity


class N09(CloudRule):
    """The control plane logs who asked the Kubernetes API for what, the network who connected to whom; both stay here, for a month.

    Forbids:
        An EKS cluster whose `enabledClusterLogTypes` lack `api`, `audit` or `authenticator`; an AKS cluster whose diagnostic
        settings lack the audit log.

        A network without a flow log. A flow log, a diagnostic setting or a collection of containers' logs that goes to a workspace,
        an account or a log group that the program does not make. A workspace, a log group, a bucket or a flow log that forgets
        within 30 days, or empties itself on a day.

        In Azure: a gateway, a vault or a workspace of which nothing is written down; an API Management that writes down some requests; an AKS
        cluster of whose containers not all is collected (`omsagent`, DataCollectionRule).

        In AWS: an EKS cluster of whose containers not all is collected by the add-on `fluent-bit`, as it comes or as it is configured, or whose
        collector has no role or region in which it may write it down, or no NetworkPolicy by which it reaches the name service, the agent that
        knows its role, and CloudWatch. What its configuration leaves open is undecided: filters, other outputs, other files.

        A log of AWS that nobody may write any more, because its role, its key or its group does not let who writes it, or on conditions of which
        it is not known that they hold; a flow log whose format leaves out who connected to whom. Subnets of a network that the program does not make are undecided.

    Why:
        Policies, routes and identities are objects of the Kubernetes API. Who changed one, and who tried to, stands in the audit
        log and nowhere else; it cannot be switched on for yesterday. Whoever owns the place of a log reads it, and may throw it away.

    Instead:
        Switch it on from the start::

            type: aws:eks/cluster:Cluster
            inputs:
              enabledClusterLogTypes: [api, audit, authenticator, controllerManager, scheduler]
    """

    id = "N09"
    name = "control-plane-logs"
    severity = Severity.MEDIUM
    frameworks = ("EKS.8", "CKV_AWS_37", "CKV_AZURE_4", "CIS EKS 2.1.1", "PSRule Azure.AKS.AuditLogs")
