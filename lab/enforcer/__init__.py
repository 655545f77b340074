"""The lab's NetworkPolicy enforcer: what the cluster's NetworkPolicies say becomes one nftables table on the lab's node.

`objects` reads Kubernetes objects, `semantics` says what they mean, `rules` writes that as nft text, `watch` follows the API server,
`process` joins them. Start it as `python -m lab.enforcer --kubeconfig FILE --pods 10.88.0.0/16` or by `process.run`.

Judged is every new IPv4 connection that the node forwards from or to a pod, and every new one from a pod to the node's own addresses. Decisions
where the standard leaves room, or where a single node has to play several machines:

* What the node itself sends to its pods always passes: kubelet probes, and calls of the API server to webhooks.
* A pod's call to an address of the node needs an `ipBlock`, as a call to any machine does: in the lab the node is also the API server and the internet.
* Pods of the host's network are the node; selectors never mean them.
* A pod address that the API server has not named yet may neither call nor be called: a pod is isolated before it starts.
* Services are seen after kube-proxy translated them: pod addresses count. A pod that reaches itself through a Service passes.
* Connections that were established stay, whatever changes.
* Only IPv4. Pods must be routed one by one (CNI plugin `ptp`): what a bridge carries between pods never meets these rules.
"""
