"""K10: who may connect is who may call."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from policies.checks import at, attempt
from policies.layers import Layer, Workload, layers_of, workload
from policies.lifelines import DISCOVERY, cut
from policies.reading.network import EVERY_PORT, Direction, Opening, in_any_namespace
from policies.reading.patterns import meet_hosts
from policies.reading.pods import Pod
from policies.reading.resource import Resource
from policies.reading.stack import Stack
from policies.reading.values import UnknownValueError
from policies.rule import Finding, Rule, Severity


class K10(Rule):
    """A NetworkPolicy lets exactly the declared callers connect, on the port they call.

    Forbids:
        On pods of services and of a mesh's own gateways: rules without `from`, from address ranges, from pods that are no
        declared caller, on every port or on ports where nothing listens; and policies that keep a declared caller out, or a
        proxy of a mesh from its istiod or from the cluster's names. On pods that serve the layers alone (the counters of limits):
        rules without `from`, and services. On edge, API gateway and controllers (istiod, cert-manager, Envoy Gateway): services, but
        for proxies at istiod; on controllers rules without `from` but for their webhooks. In any policy of the program's own
        namespaces: peers in namespaces that are not named (`namespaceSelector: {}`, or one that does not ask for
        `kubernetes.io/metadata.name`).

    Why:
        The sidecar tells callers apart by certificate, the network by address: each holds where the other is broken. An empty
        `from` is everybody, nodes and other namespaces included. A policy that is wider than the call graph hides the day on
        which the AuthorizationPolicy is wrong; one that is narrower breaks a call that was declared. A label is no name: whoever
        makes a namespace gives it the labels that a selector asks for, and its pods too.

    Instead:
        Name the callers' pods and the port::

            ingress:
              - from:
                  - namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: shop}}
                    podSelector: {matchLabels: {app: cart}}
                ports: [{protocol: TCP, port: 8080}]
    """

    id = "K10"
    name = "network-is-the-call-graph"
    severity = Severity.HIGH
    frameworks = ("C-0054", "CIS Kubernetes 5.3.2", "NIST SP 800-207")

    def judge(self, stack: Stack) -> Iterator[Finding]:
        """Check what each pod of a service or of a mesh's gateways lets in."""
        graph = call_graph(stack)
        unread = unread_policies(stack)
        yield from (self.undecided(policy, str(error)) for policy, error in unread.items())
        unsure = frozenset(policy.namespace for policy in unread)
        for pod, expected in graph.senders.items():
            yield from attempt(self, pod.resource, self._pod(pod, expected, unsure, stack))
        for pod in others_of(graph, stack):
            yield from attempt(self, pod.resource, self._other(pod, stack))
        for pod in stack.pods:
            yield from attempt(self, pod.resource, self._cut(pod, unsure, stack))
        fronts = [pod for pod, layer in layers_of(stack).pods.items() if layer in {Layer.EDGE, Layer.GATEWAY}]
        for pod in (*fronts, *controllers_of(stack)):
            yield from attempt(self, pod.resource, self._controller(pod, stack))
        own = [each for each in stack.of("NetworkPolicy.networking.k8s.io") if each.namespace in stack.namespaces and each not in unread]
        yield from self.over(own, self._namespaces)  # the cluster's own namespaces serve all: so does its name service

    def _cut(self, pod: Pod, unsure: frozenset[str], stack: Stack) -> Iterator[Finding]:
        """Check that nothing keeps a proxy from what it needs before it carries any call."""
        member = stack.member(pod)
        if member is None or {pod.namespace, member[0].namespace} & unsure:
            return
        for decision, what in cut(pod, stack):
            yield self.broken(decision.resource, f"{'; '.join(decision.by)}: {pod} cannot reach {what}", "open it in the policies of both")

    def _other(self, pod: Pod, stack: Stack) -> Iterator[Finding]:
        """Check who may connect to what serves the layers alone, such as the counters of limits."""
        layers = layers_of(stack)
        for opening in stack.network.openings(pod, "Ingress"):
            if opening.anyone or opening.blocks:
                yield self.broken(opening.policy, f"a rule without from, or with addresses, lets others connect to {pod}", "name the pods")
            for sender in sorted((each for each in opening.pods - {pod} if each not in layers.pods and not each.maker), key=str):
                yield self.broken(opening.policy, f"it lets {sender} connect to {pod}, which serves no service", "name the layer's pods")

    def _controller(self, pod: Pod, stack: Stack) -> Iterator[Finding]:
        """Check that services connect to no controller or outer layer, and everybody to a controller's webhooks at most."""
        for opening in stack.network.openings(pod, "Ingress"):
            services = sorted(str(peer) for peer in opening.pods if peer.namespace in stack.app_namespaces and stack.member(peer))
            for port in opening.ports if services else ():
                if (pod.maker, port.first) != DISCOVERY or not port.is_one:
                    yield self.broken(
                        opening.policy,
                        f"it lets {services[0]} connect to {port} of {pod}: no service has business there",
                        "name the layers' pods",
                    )
            everybody = pod.maker in WEBHOOKS and (opening.anyone or any(block.may_hold_pods for block in opening.blocks))
            for port in opening.ports if everybody else ():
                if not port.is_one or port.first not in WEBHOOKS[pod.maker]:
                    yield self.broken(opening.policy, f"it lets everybody connect to {port} of {pod}", "name the pods that need it")

    def _namespaces(self, policy: Resource) -> Iterator[Finding]:
        """Check that a policy names the namespaces of its peers."""
        for direction, key in (("ingress", "from"), ("egress", "to")):
            for rule in policy.at("spec", direction, default=[]):
                for peer in filter(in_any_namespace, at(rule, key, default=[])):
                    yield self.broken(
                        policy,
                        f"its {direction} is open for {spelled(peer)}: whoever makes a namespace chooses its labels",
                        "name the namespace by kubernetes.io/metadata.name",
                    )

    def _pod(self, pod: Pod, expected: frozenset[Pod], unsure: frozenset[str], stack: Stack) -> Iterator[Finding]:
        ports = _ports(pod, stack)
        for opening, rule in openings_of(pod, "Ingress", stack):
            yield from self._opening(pod, opening, rule, expected, ports)
            yield from self._blocks(pod, opening, stack)
        for sender in expected:
            if {sender.namespace, pod.namespace} & unsure:
                continue  # a policy that cannot be read may open it
            for port in ports:
                decision = stack.network.flow(sender, pod, port)
                if not decision.allowed:
                    yield self.broken(
                        decision.resource,
                        f"it keeps {sender} from {pod} on port {port}, though the topology lets them call",
                        "open the port for this caller in the policies of both",
                    )

    def _blocks(self, pod: Pod, opening: Opening, stack: Stack) -> Iterator[Finding]:
        """Check that no addresses may connect but those of a layer that stands outside the cluster, such as a cloud's API gateway."""
        for block in opening.blocks:
            if not block.holds_outside and stack.ways.landed_on(pod).holds(block.addresses):
                continue
            yield self.broken(
                opening.policy, f"it lets the addresses {block} connect to {pod}: an address is no caller", "name the callers' pods"
            )

    def _opening(
        self, pod: Pod, opening: Opening, rule: Mapping[str, Any], expected: frozenset[Pod], ports: frozenset[int]
    ) -> Iterator[Finding]:
        policy = opening.policy
        if opening.anyone:
            yield self.broken(policy, f"a rule without from lets everybody connect to {pod}", "name the callers' pods")
        for stranger in strangers(opening, at(rule, "from", default=[])):
            yield self.broken(
                policy, f"it lets {spelled(stranger)}, which this stack does not show, connect to {pod}", "name the callers' pods"
            )
        undeclared = sorted(str(sender) for sender in opening.pods - expected - {pod})
        if undeclared:
            more = f" and {len(undeclared) - 1} more" if len(undeclared) > 1 else ""
            yield self.broken(
                policy,
                f"it lets {undeclared[0]}{more} connect to {pod}, whom the topology does not let call it",
                "name declared callers only",
            )
        if opening.ports == EVERY_PORT:
            yield self.broken(policy, f"a rule without ports opens every port of {pod}", "name the port of the service")
        else:
            for opened in opening.ports:
                if not opened.is_one or not any(opened.holds(port, "TCP", pod) for port in ports):
                    yield self.broken(policy, f"it opens {opened} of {pod}, which no Service leads to", "name the port of the service")


WEBHOOKS: Final[Mapping[str, frozenset[int]]] = {
    "chart istiod": frozenset({15017}),
    "chart cert-manager": frozenset({10250}),
    "chart gateway-helm": frozenset({9443}),
}
"""Ports on which the API server, which is no pod, asks what a chart makes; whoever else connects has to show a certificate there."""


def controllers_of(stack: Stack) -> Iterator[Pod]:
    """Yield the pods that charts make beside the layers: istiod, cert-manager, the gateway's controller."""
    layers = layers_of(stack).pods
    return (pod for pod in stack.pods if pod.maker in WEBHOOKS and pod not in layers)


def others_of(graph: "CallGraph", stack: Stack) -> Iterator[Pod]:
    """Yield the program's own pods that are neither services nor a layer on the way of requests."""
    layers = layers_of(stack).pods
    return (pod for pod in stack.pods if not pod.maker and pod not in graph.senders and pod not in layers)


def openings_of(pod: Pod, direction: Direction, stack: Stack) -> Iterator[tuple[Opening, Mapping[str, Any]]]:
    """Yield what is opened for a pod in a direction, each opening with the rule as it is written."""
    for policy in stack.network.policies_on(pod, direction):
        openings = [opening for opening in stack.network.openings(pod, direction) if opening.policy is policy]
        yield from zip(openings, policy.at("spec", direction.lower(), default=[]), strict=True)


def strangers(opening: Opening, peers: Iterable[Mapping[str, Any]]) -> Iterator[Mapping[str, Any]]:
    """Yield those of a rule's peers that are pods which no resource of the stack shows."""
    return (peer for peer in peers if str(peer) in opening.strangers)


def spelled(peer: Mapping[str, Any]) -> str:
    """Return a peer as people say it: `pods k8s-app=kube-dns of namespaces kubernetes.io/metadata.name=kube-system`."""
    pods = f"pods {_selected(at(peer, 'podSelector', default={}))}"
    return pods if "namespaceSelector" not in peer else f"{pods} of namespaces {_selected(peer['namespaceSelector'])}"


def _selected(selector: Mapping[str, Any]) -> str:
    labels: Mapping[str, str] = at(selector, "matchLabels", default={})
    said = [f"{name}={value}" for name, value in labels.items()]
    said += [
        f"{each['key']} {each['operator']} {', '.join(each.get('values') or ())}".strip()
        for each in at(selector, "matchExpressions", default=[])
    ]
    return ", ".join(said) or "(any)"


def unread_policies(stack: Stack) -> Mapping[Resource, UnknownValueError]:
    """Return the NetworkPolicies that cannot be read, and why."""
    _ = stack.network  # reading them notes those that cannot be read
    return {resource: error for resource, error in stack.unreadable if resource.kind == "NetworkPolicy"}


@dataclass(frozen=True, kw_only=True, eq=False)
class CallGraph:
    """Which pods the topology lets connect to which: services among themselves, and with the gateways of their mesh."""

    senders: Mapping[Pod, frozenset[Pod]]
    """By receiver: every pod of a service and of a mesh's own gateways has an entry."""
    receivers: Mapping[Pod, frozenset[Pod]]
    """The same by sender."""


def call_graph(stack: Stack) -> CallGraph:
    """Return the pairs of pods that the topology lets connect."""
    layers = layers_of(stack)
    by_workload: defaultdict[Workload, list[Pod]] = defaultdict(list)
    for pod in stack.pods:
        if pod.namespace in stack.app_namespaces:
            by_workload[workload(pod)].append(pod)
    places = {layer: layers.of(layer) for layer in Layer}
    targets = layers.bridge_targets()
    senders: dict[Pod, frozenset[Pod]] = {}
    for found, pods in by_workload.items():
        callers = {pod for caller in layers.callers.get(found, ()) for pod in by_workload.get(caller, ())}
        for pod in pods:
            own = {*callers}
            own |= _near(pod, places[Layer.INGRESS], stack) if found in layers.doors else set()
            own |= _near(pod, places[Layer.BRIDGE], stack) if found in targets else set()
            senders[pod] = frozenset(own)
    for pod in places[Layer.INGRESS]:
        senders[pod] = frozenset(_leading_to(pod, stack))
    for layer, callers in ((Layer.EGRESS, layers.exits), (Layer.BRIDGE, layers.bridged)):
        for pod in places[layer]:
            apps = {app for caller in callers for app in by_workload.get(caller, ())}
            others = {
                other
                for other in places[layer]
                if layer is Layer.BRIDGE and (_domain(other, stack), _domain(pod, stack)) in layers.crossings
            }
            senders[pod] = frozenset({*_near(pod, apps, stack), *others})
    for pod in places[Layer.LIMITER]:
        senders[pod] = frozenset(_near(pod, layers.limited, stack))
    receivers: defaultdict[Pod, set[Pod]] = defaultdict(set)
    for receiver, its in senders.items():
        for sender in its:
            receivers[sender].add(receiver)
    return CallGraph(senders=senders, receivers={sender: frozenset(its) for sender, its in receivers.items()})


def _leading_to(ingress: Pod, stack: Stack) -> Iterator[Pod]:
    """Yield the pods of the API gateways that serve the host of a door into the mesh of an ingress."""
    t, domain = stack.intent, _domain(ingress, stack)
    hosts = {t.host_of(door) for door in t.doors.values() if t.meshes[t.mesh_of(door.service)].trust_domain == domain}
    for gateway in stack.gateways:
        if any(meet_hosts(host, listener.hostname) for host in hosts for listener in gateway.listeners):
            yield from gateway.pods


def _near(pod: Pod, others: frozenset[Pod] | set[Pod], stack: Stack) -> set[Pod]:
    """Return those of other pods that belong to the same mesh as a pod."""
    mesh = stack.member(pod)
    return {other for other in others if (its := stack.member(other)) and mesh and its[0] is mesh[0]}


def _domain(pod: Pod, stack: Stack) -> str:
    member = stack.member(pod)
    return member[0].trust_domain if member else ""


def _ports(pod: Pod, stack: Stack) -> frozenset[int]:
    """Return the ports of a pod that Services lead to."""
    numbers = {pod.port_number(port.target) for service in stack.services_of(pod) for port in service.ports if port.transport == "TCP"}
    return frozenset(number for number in numbers if number is not None)
