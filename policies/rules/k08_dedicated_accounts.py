"""K08: an identity is one workload's."""

from collections import defaultdict
from collections.abc import Iterator

from policies.reading.pods import Pod
from policies.reading.stack import Stack
from policies.rule import Finding, Rule, Severity


class K08(Rule):
    """Each workload has a ServiceAccount of its own, whose token no pod gets by itself.

    Forbids:
        The `default` ServiceAccount; one ServiceAccount for two services; a ServiceAccount that is not declared; pods that mount
        the API server's token.

    Why:
        In the mesh the ServiceAccount is the identity: two services that share one cannot be told apart by any
        AuthorizationPolicy, so each is allowed what the other is. `default` is shared by everything that forgot to choose. A
        mounted token lets whoever breaks into the pod talk to the API server. Istio's own token is projected separately and
        does not need it.

    Instead:
        One account a service, shared only by the versions of the same service::

            apiVersion: v1
            kind: ServiceAccount
            metadata: {name: orders, namespace: shop}
            automountServiceAccountToken: false
            ---
            kind: Deployment
            spec:
              template:
                spec:
                  serviceAccountName: orders
                  automountServiceAccountToken: false
    """

    id = "K08"
    name = "one-account-per-workload"
    severity = Severity.HIGH
    frameworks = ("C-0189", "C-0190", "CKV_K8S_38", "CKV_K8S_41")

    def judge(self, stack: Stack) -> Iterator[Finding]:
        """Check the workloads of the program one by one, then every account with all its workloads."""
        pods = [pod for pod in stack.pods if not pod.maker]
        yield from self.over((pod.resource for pod in pods), _Checks({id(pod.resource): pod for pod in pods}, self, stack))
        by_account: defaultdict[tuple[str, str], list[Pod]] = defaultdict(list)
        for pod in stack.pods:
            by_account[pod.namespace, pod.service_account].append(pod)
        for (_, account), sharing in by_account.items():
            if account != "default":
                yield from self._shared(account, sharing, stack)

    def _shared(self, account: str, pods: list[Pod], stack: Stack) -> Iterator[Finding]:
        first = pods[0]
        roles = {pod: frozenset(service.name for service in stack.services_of(pod)) or frozenset({pod.name}) for pod in pods}
        for pod in pods[1:]:
            if not roles[pod] & roles[first]:
                yield self.broken(
                    pod.resource if not pod.maker else first.resource,
                    f"it has the ServiceAccount {account} like {first.resource}, behind another Service: no policy can tell them apart",
                    "give each service a ServiceAccount of its own",
                )


class _Checks:
    """What must be true of each workload by itself."""

    def __init__(self, pods: dict[int, Pod], rule: Rule, stack: Stack) -> None:
        self.pods, self.rule, self.stack = pods, rule, stack
        self.charted = {(resource.namespace, resource.name): resource for resource, _ in stack.derived if resource.kind == "ServiceAccount"}

    def __call__(self, resource: object) -> Iterator[Finding]:
        pod = self.pods[id(resource)]
        name = pod.service_account
        if name == "default":
            yield self.rule.broken(
                pod.resource,
                "it runs as the ServiceAccount default, an identity that every pod of the namespace may share",
                "give it a ServiceAccount of its own",
            )
            return
        account = self.stack.find("ServiceAccount", pod.namespace, name) or self.charted.get((pod.namespace, name))
        if account is None:
            yield self.rule.broken(
                pod.resource,
                f"its ServiceAccount {pod.namespace}/{name} is not declared: whoever makes it decides what it may do",
                "declare the ServiceAccount beside the workload",
            )
        mounts = pod.spec.get("automountServiceAccountToken")
        if mounts is None and account is not None:
            mounts = account.at("automountServiceAccountToken", default=True)
        if mounts is not False:
            yield self.rule.broken(
                pod.resource,
                "its pods mount a token for the API server",
                "set automountServiceAccountToken: false",
            )
