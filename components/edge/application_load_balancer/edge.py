"""Application Load Balancer: the only public address. TLS ends here and begins anew to the pods of the gateway."""

import math
from typing import Final

import pulumi
from pulumi_aws import lb, route53, wafv2

from components.aws.addresses import Tier
from components.aws.flows import Group, clients, edge_to_gateway
from components.aws.land import land_of
from components.aws.rules import allow
from components.binding import Binding
from components.component import Component
from components.contracts import Below, EdgeOutputs, GatewayOutputs
from components.edge.application_load_balancer.access_logs import PREFIX, AccessLogs
from components.edge.application_load_balancer.api_keys import ApiKeys
from components.edge.application_load_balancer.certificate import certificate
from components.edge.application_load_balancer.controller import LoadBalancerController
from components.edge.application_load_balancer.paths import Rule, is_grpc, rules
from components.edge.application_load_balancer.waf import Firewall
from components.known import known
from topology.derive import names
from topology.derive.manifest import manifest
from topology.model.base import seconds
from topology.model.system import Topology

TLS: Final = "ELBSecurityPolicy-TLS13-1-2-Res-2021-06"
"""TLS 1.2 and 1.3, with forward secrecy and authenticated encryption alone (ELB User Guide, `describe-ssl-policies`)."""
MARGIN: Final = 1.0
"""Seconds that the edge waits longer than the gateway, so that the gateway's own answer to a slow service arrives."""
LEAST_IDLE: Final = 300.0
"""Seconds without a byte after which a connection is closed, at least: Envoy's default for idle streams behind."""
HTTPS_GROUP: Final = "https"
GRPC_GROUP: Final = "grpc"
BINDINGS: Final = "elbv2.k8s.aws/v1beta1"
HSTS: Final = "max-age=31536000"


class ApplicationLoadBalancerEdge(Component, layer="edge"):
    """Public load balancer, web application firewall, and a rule for the paths of each public host."""

    outputs: EdgeOutputs

    def __init__(self, binding: Binding, t: Topology, gateway: GatewayOutputs, below: Below, *, parent: pulumi.Resource) -> None:
        """Register the edge; its listener last, so that nothing is public before everything behind it works."""
        super().__init__("edge", {"product": str(binding.edge), "hosts": list(t.public_hosts())}, parent=parent)
        self._t, self._gateway, self._land = t, gateway, land_of(below)
        self._own = pulumi.ResourceOptions(parent=self)
        land = self._land
        opened = allow([clients(), edge_to_gateway(gateway.pod_port)], land.network.groups, land.names, parent=self)
        controller = LoadBalancerController(binding, land, below, parent=self).ready
        if below.platform.api_keys:
            ApiKeys(below.platform.api_keys, land, parent=self)
        firewall = Firewall(t, land, parent=self)
        self._balancer = self._load_balancer(AccessLogs(land, parent=self))
        guarded = wafv2.WebAclAssociation(
            "waf",
            wafv2.WebAclAssociationArgs(resource_arn=self._balancer.arn, web_acl_arn=firewall.arn),
            opts=self._own,
        )
        kinds = [HTTPS_GROUP, *([GRPC_GROUP] if any(is_grpc(t, name) for name in t.doors) else [])]
        self._targets = {kind: self._target_group(kind) for kind in kinds}
        bound = [self._bind(kind, controller) for kind in kinds]
        issued = certificate(t.public_hosts(), land, parent=self)
        listener = self._listener(issued, [*opened, guarded, firewall.logged, *bound, gateway.ready])
        for number, rule in enumerate(rules(t), start=1):
            self._rule(number, rule, listener)
        self._records(listener)
        self.outputs = EdgeOutputs(name=self._balancer.dns_name, port=names.HTTPS_PORT, ready=listener)
        self.register_outputs({"name": self._balancer.dns_name, "port": names.HTTPS_PORT})

    def _load_balancer(self, logs: AccessLogs) -> lb.LoadBalancer:
        land, t = self._land, self._t
        longest = max((seconds(door.timeout) for door in t.doors.values()), default=0.0)
        return lb.LoadBalancer(
            "edge",
            lb.LoadBalancerArgs(
                name=land.names.of("edge"),
                load_balancer_type="application",
                internal=False,
                ip_address_type="ipv4",
                subnets=land.network.ids(Tier.PUBLIC),
                security_groups=[land.network.groups[Group.EDGE].id],
                drop_invalid_header_fields=True,
                desync_mitigation_mode="strictest",
                # Of several addresses in X-Forwarded-For the last is the one that the load balancer has seen itself.
                xff_header_processing_mode="append",
                preserve_host_header=True,
                enable_http2=True,
                # Where the firewall cannot be asked, nobody is let in.
                enable_waf_fail_open=False,
                enable_deletion_protection=land.sizing.deletion_protection,
                idle_timeout=math.ceil(max(LEAST_IDLE, longest + MARGIN)),
                access_logs=lb.LoadBalancerAccessLogsArgs(bucket=logs.bucket, prefix=PREFIX, enabled=True),
                tags=land.names.tags("edge"),
            ),
            opts=pulumi.ResourceOptions(parent=self, depends_on=[logs.ready]),
        )

    def _target_group(self, kind: str) -> lb.TargetGroup:
        land = self._land
        return lb.TargetGroup(
            f"gateway-{kind}",
            lb.TargetGroupArgs(
                name=land.names.of(f"gw-{kind}"),
                target_type="ip",
                vpc_id=land.network.vpc.id,
                port=self._gateway.pod_port,
                protocol="HTTPS",
                protocol_version="GRPC" if kind == GRPC_GROUP else "HTTP1",
                deregistration_delay=30,
                health_check=_health(kind),
                tags=land.names.tags(f"gw-{kind}"),
            ),
            opts=self._own,
        )

    def _bind(self, kind: str, controller: pulumi.Resource) -> pulumi.Resource:
        """Register where the targets are: the pods behind the gateway's Service. It opens no security group: those are ours."""
        spec = {
            # By name: its ARN is not known before it exists, and this says who reaches the gateway.
            "targetGroupName": known(self._land.names.of(f"gw-{kind}"), self._targets[kind]),
            "targetType": "ip",
            "serviceRef": {"name": self._gateway.service, "port": self._gateway.port},
        }
        document = manifest(BINDINGS, "TargetGroupBinding", kind, self._gateway.namespace, spec)
        return self.add(document, after=[controller, self._gateway.ready])

    def _listener(self, issued: pulumi.Input[str], after: list[pulumi.Resource]) -> lb.Listener:
        nobody = lb.ListenerDefaultActionFixedResponseArgs(status_code="404", content_type="text/plain", message_body="")
        return lb.Listener(
            "https",
            lb.ListenerArgs(
                load_balancer_arn=self._balancer.arn,
                port=names.HTTPS_PORT,
                protocol="HTTPS",
                ssl_policy=TLS,
                certificate_arn=issued,
                default_actions=[lb.ListenerDefaultActionArgs(type="fixed-response", fixed_response=nobody)],
                routing_http_response_server_enabled=False,
                routing_http_response_strict_transport_security_header_value=HSTS,
                tags=self._land.names.tags("https"),
            ),
            opts=pulumi.ResourceOptions(parent=self, depends_on=after),
        )

    def _rule(self, number: int, rule: Rule, listener: lb.Listener) -> None:
        kind = GRPC_GROUP if rule.grpc else HTTPS_GROUP
        lb.ListenerRule(
            f"doors-{number}",
            lb.ListenerRuleArgs(
                listener_arn=listener.arn,
                priority=number,
                conditions=[
                    lb.ListenerRuleConditionArgs(host_header=lb.ListenerRuleConditionHostHeaderArgs(values=[rule.host])),
                    lb.ListenerRuleConditionArgs(path_pattern=lb.ListenerRuleConditionPathPatternArgs(values=list(rule.paths))),
                ],
                actions=[lb.ListenerRuleActionArgs(type="forward", target_group_arn=self._targets[kind].arn)],
                tags=self._land.names.tags(f"doors-{number}"),
            ),
            opts=self._own,
        )

    def _records(self, listener: lb.Listener) -> None:
        """Register the hosts' addresses, where their zone is given."""
        zone = self._land.settings.hosted_zone
        if zone is None:
            return
        for host in self._t.public_hosts():
            there = route53.RecordAliasArgs(name=self._balancer.dns_name, zone_id=self._balancer.zone_id, evaluate_target_health=True)
            route53.Record(
                f"host-{host}",
                route53.RecordArgs(zone_id=zone, name=host, type="A", aliases=[there]),
                opts=pulumi.ResourceOptions(parent=self, depends_on=[listener]),
            )


def _health(kind: str) -> lb.TargetGroupHealthCheckArgs:
    """Return how the load balancer asks whether a pod still answers over TLS: for a path of no host, which is refused as it should be.

    Whether a pod is ready at all, Kubernetes says: the controller registers no other.
    """
    refused, path = ("12", "/perimeter.Health/Check") if kind == GRPC_GROUP else ("404", "/")
    return lb.TargetGroupHealthCheckArgs(
        enabled=True, protocol="HTTPS", port="traffic-port", path=path, matcher=refused, interval=15, timeout=5, healthy_threshold=2,
        unhealthy_threshold=2,
    )  # fmt: skip
