"""Ways to break a good stack in Amazon Web Services where nginx stands between the load balancer and the API gateway."""

from typing import Any

from policies.reading.cloud.aws import kinds
from tests.policies.mutations.aws import EVERYBODY, add, found, group, permit
from tests.policies.mutations.mutation import CloudFamily, Table
from tests.policies.mutations.plan import MARKER, UNKNOWN, Plan, Record, manifest, name, namespace

TABLE = Table(CloudFamily.NGINX)

TRUSTED = r"^(\s*)set_real_ip_from [\d./]+;$"
FIRST_SERVER = r"^(\s*)location / \{ return 421; \}$"
INTRA = "10.70.96.0/24"
"""A subnet of the network in which neither the load balancer nor nodes stand."""


def _conf(plan: Plan, pattern: str, replacement: str, *, count: int = 0) -> bool:
    """Change nginx.conf."""
    files = plan.edge_files(pattern)
    if files is None:
        return False
    plan.replace_text(*files, pattern, replacement, count=count)
    return True


def _fence(plan: Plan, wanted: str) -> dict[str, Any]:
    """Return what the NetworkPolicy of a layer lets in, for changing."""
    policy = plan.first("NetworkPolicy", where=lambda i: (namespace(i), name(i)) == (wanted, wanted))
    assert policy is not None
    return plan.edit(policy)["spec"]["ingress"][0]


def _service(plan: Plan) -> dict[str, Any] | None:
    service = plan.edge_service()
    return plan.edit(service)["spec"] if service and namespace(service["inputs"]) == "edge" else None


def _has_nginx(plan: Plan) -> bool:
    return _service(Plan(plan.resources)) is not None


# Who says which address a client has


@TABLE.mutation("W10", "everybody may say which address a client has")
def aws_nginx_believes_everybody(plan: Plan) -> bool:
    return _conf(plan, TRUSTED, rf"\1set_real_ip_from {EVERYBODY};", count=1)


@TABLE.mutation("W10", "half of the internet may say which address a client has")
def aws_nginx_believes_half_of_everybody(plan: Plan) -> bool:
    return _conf(plan, TRUSTED, r"\g<0>\n\1set_real_ip_from 0.0.0.0/1;", count=1)


@TABLE.mutation("W10", "pods may say which address a client has")
def aws_nginx_believes_the_network(plan: Plan) -> bool:
    return _conf(plan, TRUSTED, r"\g<0>\n\1set_real_ip_from 10.70.0.0/16;", count=1)


@TABLE.mutation("W10", "the load balancer's address is taken for the client's")
def aws_nginx_counts_the_balancer(plan: Plan) -> bool:
    return _conf(plan, TRUSTED, "")


@TABLE.mutation("W10", "one of the load balancer's subnets is forgotten")
def aws_nginx_counts_one_subnet(plan: Plan) -> bool:
    return _conf(plan, TRUSTED, "", count=1)


@TABLE.mutation("W10", "clients say their address in a header that the load balancer passes on")
def aws_nginx_believes_another_header(plan: Plan) -> bool:
    return _conf(plan, r"real_ip_header X-Forwarded-For;", "real_ip_header X-Real-IP;")


@TABLE.mutation("A07", "the client's own request id arrives")
def aws_nginx_passes_request_ids(plan: Plan) -> bool:
    return _conf(plan, r"^\s*(proxy|grpc)_set_header x-request-id .*$", "")


# Who reaches whom


@TABLE.mutation("A02", "the gateway takes the load balancer beside nginx")
def aws_gateway_takes_the_balancer(plan: Plan) -> bool:
    if _has_nginx(plan):
        peers = _fence(plan, "edge")["from"]
        _fence(plan, "gateway")["from"] += peers
        return True
    return False


@TABLE.mutation("A02", "the gateway asks for no certificate, though nginx has one to show")
def aws_gateway_asks_nginx_for_nothing(plan: Plan) -> bool:
    policy = plan.first("ClientTrafficPolicy", where=lambda i: "clientValidation" in i["spec"]["tls"])
    if policy is None:
        return False
    del plan.edit(policy)["spec"]["tls"]["clientValidation"]
    return True


@TABLE.mutation("A02", "everybody reaches nginx, past the firewall")
def aws_nginx_takes_everybody(plan: Plan) -> bool:
    if _has_nginx(plan):
        _fence(plan, "edge")["from"] = [{"ipBlock": {"cidr": EVERYBODY}}]
        return True
    return False


@TABLE.mutation("A02", "pods of services reach nginx")
def aws_nginx_takes_pods(plan: Plan) -> bool:
    if _has_nginx(plan):
        home = {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": plan.app_namespaces()[0]}}}
        _fence(plan, "edge")["from"].append(home)
        return True
    return False


@TABLE.mutation("A02", "no NetworkPolicy lies around nginx")
def aws_nginx_without_fence(plan: Plan) -> bool:
    fences = list(plan.records("NetworkPolicy", where=lambda i: namespace(i) == "edge"))
    for each in fences:
        plan.remove(each)
    return bool(fences)


@TABLE.mutation("A02", "another subnet reaches nginx's port on the nodes")
def aws_nodes_take_another_subnet(plan: Plan) -> bool:
    if _has_nginx(plan):
        permit(plan, "nodes", cidrIpv4=INTRA, fromPort=8443, toPort=8443)
        return True
    return False


@TABLE.mutation("A02", "another subnet reaches the gateway's port on the nodes")
def aws_nodes_take_another_subnet_at_the_gateway(plan: Plan) -> bool:
    if _has_nginx(plan):
        permit(plan, "nodes", cidrIpv4=INTRA, fromPort=10443, toPort=10443)
        return True
    return False


@TABLE.mutation("W09", "the nodes take the load balancer at the gateway's port, too")
def aws_nodes_take_the_balancer_at_the_gateway(plan: Plan) -> bool:
    if _has_nginx(plan):
        permit(plan, "nodes", group(plan, "edge"), fromPort=10443, toPort=10443)
        return True
    return False


@TABLE.mutation("W08", "nginx has a port on every node beside the load balancer")
def aws_nginx_on_nodes(plan: Plan) -> bool:
    if (spec := _service(plan)) is None:
        return False
    spec |= {"type": "NodePort", "externalTrafficPolicy": "Local"}
    return True


@TABLE.mutation("W08", "nginx has a load balancer of its own, without a firewall")
def aws_nginx_has_a_balancer(plan: Plan) -> bool:
    if (spec := _service(plan)) is None:
        return False
    spec |= {"type": "LoadBalancer", "externalTrafficPolicy": "Local"}
    return True


# Where the load balancer leads


def _binding(plan: Plan, place: str, service: str, wanted: str) -> None:
    spec = {"targetGroupName": wanted, "targetType": "ip", "serviceRef": {"name": service, "port": 443}}
    plan.add(manifest("elbv2.k8s.aws/v1beta1", kinds.TARGET_BINDING, MARKER, place, spec=spec))


@TABLE.mutation("K04", "the target group gets the gateway's pods beside nginx's")
def aws_group_past_nginx(plan: Plan) -> bool:
    if _has_nginx(plan):
        _binding(plan, "gateway", "gateway", found(plan, kinds.TARGET_GROUP)["inputs"]["name"])
        return True
    return False


@TABLE.mutation("W09", "the target group gets the gateway's pods instead of nginx's")
def aws_group_of_the_gateway(plan: Plan) -> bool:
    binding = plan.first(kinds.TARGET_BINDING, where=lambda i: namespace(i) == "edge")
    if binding is None:
        return False
    inputs = plan.edit(binding)
    inputs["metadata"]["namespace"] = "gateway"
    inputs["spec"]["serviceRef"]["name"] = "gateway"
    return True


@TABLE.mutation("W09", "a rule of the listener leads to the gateway, past nginx")
def aws_rule_past_nginx(plan: Plan) -> bool:
    if not _has_nginx(plan):
        return False
    made: Record = add(
        plan,
        kinds.TARGET_GROUP,
        {"name": "past", "port": 10443, "protocol": "HTTPS", "targetType": "ip", "vpcId": UNKNOWN},
        vpcId=[found(plan, kinds.VPC)],
    )
    _binding(plan, "gateway", "gateway", "past")
    rule = plan.options(found(plan, kinds.LISTENER_RULE))
    rule["propertyDependencies"] = {**rule["propertyDependencies"], "actions": [made["urn"]]}
    return True


@TABLE.mutation("W09", "requests come to nginx without TLS")
def aws_nginx_in_clear(plan: Plan) -> bool:
    if not _has_nginx(plan):
        return False
    plan.edit(found(plan, kinds.TARGET_GROUP))["protocol"] = "HTTP"
    return True


@TABLE.mutation("B01", "nginx rejects connections that ask for no name, as the load balancer's do")
def aws_nginx_asks_for_a_name(plan: Plan) -> bool:
    return _conf(plan, FIRST_SERVER, r"\1ssl_reject_handshake on;")


@TABLE.mutation("B01", "nginx refuses requests on connections that were opened for no name")
def aws_nginx_compares_names(plan: Plan) -> bool:
    return _conf(plan, r"^(\s*)if \(\$refused\)", r"\1if ($ssl_server_name != $server_name) { return 421; }\n\g<0>")


@TABLE.mutation("W11", "requests of no host of ours are sent on")
def aws_nginx_passes_every_host(plan: Plan) -> bool:
    named = plan.edge_files(r"^\s*upstream (\S+) ")
    if named is None:
        return False
    upstream = next(line.split()[1] for line in named[0]["inputs"]["data"][named[1]].splitlines() if line.strip().startswith("upstream "))
    return _conf(plan, FIRST_SERVER, rf"\1location / {{ proxy_pass https://{upstream}; }}")


MUTATIONS = tuple(TABLE.mutations)
