"""Resources as they are planned, turned into who can reach whom.

What a rule may ask of a `Stack` (all computed once, on first use, and shared):

| accessor | gives |
| --- | --- |
| `stack.of("Service", "Gateway.networking.istio.io")` | resources of the program by kind, optionally with group |
| `stack.find(kind, namespace, name)` | one resource or None |
| `stack.sources(resource, field)` | resources from which a property takes its value, as the engine says |
| `stack.intent`, `stack.expected`, `stack.app_namespaces` | the topology, its edges, the namespaces of its services |
| `stack.unreadable`, `stack.reading(resource, read)` | what views had to leave out; read something that may be unknown |
| `stack.releases`, `stack.derived` | Helm releases; objects that known charts and gateway controllers will create, with their maker |
| `stack.pods` (`pods.Pods`) | `Pod` of every workload kind: labels, annotations, service_account, containers, volumes, env(), config_maps() |
| `stack.pods.selected(namespace, selector)`, `.with_labels(namespace, labels)`, `.of_namespace(namespace)` | pods by LabelSelector, by labels |
| `stack.services` (`services.Service`), `stack.service(namespace, name)`, `stack.services_of(pod)` | type, selector, ports (`ServicePort.protocol`, `.target`, `.node_port`), pods, fqdn |
| `services.host_of(host, namespace)` | name and namespace of the Service that a host may mean |
| `stack.namespaces`, `stack.namespace(name)` | labels, `.revision` (the Istio revision that injects it) |
| `stack.meshes` (`meshes.Mesh`) | control planes: trust_domain, root_namespace, revision(s), config (MeshConfig), values, discovers(), reads() |
| `stack.member(pod)` | (`Mesh`, `Proxy.SIDECAR` or `Proxy.GATEWAY`), or None outside every mesh |
| `stack.identity(pod)`, `stack.holders(identity)`, `stack.identities` | SPIFFE identity without scheme; pods by identity |
| `charts.chart_name(release)`, `charts.is_known(release)` | known charts |
| `controllers.class_of(gateway, stack.find)` | controller and parameters (EnvoyProxy) of a Gateway API Gateway |
| `selectors.matches(selector, labels)` | a LabelSelector on labels |
| `stack.exposures` (`exposure.Exposure`) | everything with a public address: Service, port, pods, why |
| `stack.network` (`network.Network`) | NetworkPolicies: `.flow(source_pod, target_pod, port)`, `.senders(pod, port)`, `.openings(pod, direction)`, `.policies_on(pod, direction)` |
| `stack.nginx` (`nginx.Nginx`) | every nginx, read from the ConfigMaps that pods mount: hosts, listen, locations, upstreams, TLS, directives |
| `stack.gateways` (`gateways.ApiGateway`) | API gateways: controller, Gateway, listeners, pods, routes with filters, policies, backends |
| `stack.mesh_gateways` (`istio_gateways.MeshGateway`) | Istio Gateways: servers, TLS, pods, the VirtualServices bound to them |
| `stack.mesh_ingress` | pods of mesh ingresses |
| `stack.traffic` (`traffic.Traffic`) | Sidecars, VirtualServices, DestinationRules, ServiceEntries: sees(), mesh_routes(), client_tls(), entry() |
| `stack.certificates`, `stack.envoy_policies`, `stack.kong_plugins` | cert-manager's Certificates by Secret and identity; policies and plugins by what they hold for |
| `stack.guard(pod)` (`authorization.Guard`) | AuthorizationPolicies and mTLS that hold for a pod: what is accepted from whom |
| `stack.observed`, `stack.ways` (`read.Observed`) | the edges read back; each with the hops that make it possible, refusals, doubts |
"""
