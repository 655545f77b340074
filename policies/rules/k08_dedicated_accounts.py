"""K08: an identity is one workload's."""

from collections import defaultdict
from collections.abc import Iterator, Mapping

from policies.checks import attempt
from policies.reading.pods import Pod
from policies.reading.resource import Resource
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
        charted = {(made.namespace, made.name): made for made, _ in stack.derived if made.kind == "ServiceAccount"}
        by_account: defaultdict[tuple[str, str], list[Pod]] = defaultdict(list)
        for pod in stack.pods:
            if not pod.maker:
                yield from attempt(self, pod.resource, self._pod(pod, stack, charted))
            if account := stack.reading(pod.resource, lambda pod=pod: pod.service_account):
                by_account[pod.namespace, account].append(pod)
        for (_, account), sharing in by_account.items():
            if account != "default":
                yield from self._shared(account, sharing, stack)

    def _pod(self, pod: Pod, stack: Stack, charted: Mapping[tuple[str, str], Resource]) -> Iterator[Finding]:
        name = pod.service_account
        if name == "default":
            yield self.broken(
                pod.resource,
                "it runs as the ServiceAccount default, an identity that every pod of the namespace may share",
                "give it a ServiceAccount of its own",
            )
            return
        account = stack.find("ServiceAccount", pod.namespace, name) or charted.get((pod.namespace, name))
        if account is None:
            yield self.broken(
                pod.resource,
                f"its ServiceAccount {pod.namespace}/{name} is not declared: whoever makes it decides what it may do",
                "declare the ServiceAccount beside the workload",
            )
        mounts = pod.spec.get("automountServiceAccountToken")
        if mounts is None and account is not None:
            mounts = account.at("automountServiceAccountToken", default=True)
        if mounts is None or mounts:
            yield self.broken(pod.resource, "its pods mount a token for the API server", "set automountServiceAccountToken: false")

    def _shared(self, account: str, pods: list[Pod], stack: Stack) -> Iterator[Finding]:
        first = pods[0]
        behind = {pod: frozenset(service.name for service in stack.services_of(pod)) or frozenset({pod.name}) for pod in pods}
        for pod in pods[1:]:
            if not behind[pod] & behind[first]:
                yield self.broken(
                    pod.resource if not pod.maker else first.resource,
                    f"it has the ServiceAccount {account} like {first.resource}, behind another Service: no policy can tell them apart",
                    "give each service a ServiceAccount of its own",
                )
