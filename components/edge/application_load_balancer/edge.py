"""Application Load Balancer: the only public address. TLS ends here and begins anew to the pods behind it."""

from typing import Final

import pulumi
from pulumi_aws import lb, route53, wafv2

from components.aws.addresses import Tier
from components.aws.flows import Group, clients
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
from components.edge.application_load_balancer.targets import GRPC_GROUP, HTTPS_GROUP, Check, targets
from components.edge.application_load_balancer.waf import Firewall
from components.edge.application_load_balancer.waits import idle
from components.known import known
from topology.derive import names
from topology.derive.manifest import manifest
from topology.model.system import Topology

TLS: Final = "ELBSecurityPolicy-TLS13-1-2-Res-PQ-2025-09"
"""TLS 1.2 and 1.3, with forward secrecy and authenticated encryption alone, and keys that a quantum computer will not find where the client can.

What AWS recommends and its console gives (ELB User Guide, `describe-ssl-policies`, as of 2026); the API's own default has TLS 1.0."""
BINDINGS: Final = "elbv2.k8s.aws/v1beta1"
HSTS: Final = "max-age=31536000"


class ApplicationLoadBalancerEdge(Component, layer="edge"):
    """Public load balancer, web application firewall, and a rule for the paths of each public host."""

    outputs: EdgeOutputs

    def __init__(self, binding: Binding, t: Topology, gateway: GatewayOutputs, below: Below, *, parent: pulumi.Resource) -> None:
        """Register the edge; its listener last, so that nothing is public before everything behind it works."""
        super().__init__("edge", {"product": str(binding.edge), "hosts": list(t.public_hosts())}, parent=parent)
        self._t, self._land = t, land_of(below)
        self._own = pulumi.ResourceOptions(parent=self)
        land = self._land
        self._behind = targets(self, binding, t, gateway, below)
        opened = allow([clients(), self._behind.flow], land.network.groups, land.names, parent=self)
        controller = LoadBalancerController(binding, land, below, self._behind.namespace, parent=self).ready
        if below.platform.api_keys:
            ApiKeys(below.platform.api_keys, land, parent=self)
        firewall = Firewall(t, land, parent=self)
        self._balancer = self._load_balancer(AccessLogs(land, parent=self), idle(binding, t))
        guarded = wafv2.WebAclAssociation(
            "waf",
            wafv2.WebAclAssociationArgs(resource_arn=self._balancer.arn, web_acl_arn=firewall.arn),
            opts=self._own,
        )
        kinds = [HTTPS_GROUP, *([GRPC_GROUP] if any(is_grpc(t, name) for name in t.doors) else [])]
        self._groups = {kind: self._target_group(kind) for kind in kinds}
        bound = [self._bind(kind, controller) for kind in kinds]
        issued = certificate(t.public_hosts(), land, parent=self)
        listener = self._listener(issued, [*opened, guarded, firewall.logged, *bound, self._behind.ready])
        for number, rule in enumerate(rules(t), start=1):
            self._rule(number, rule, listener)
        self._records(listener)
        self.outputs = EdgeOutputs(name=self._balancer.dns_name, port=names.HTTPS_PORT, ready=listener)
        self.register_outputs({"name": self._balancer.dns_name, "port": names.HTTPS_PORT})

    def _load_balancer(self, logs: AccessLogs, idle_seconds: int) -> lb.LoadBalancer:
        land = self._land
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
                idle_timeout=idle_seconds,
                access_logs=lb.LoadBalancerAccessLogsArgs(bucket=logs.bucket, prefix=PREFIX, enabled=True),
                tags=land.names.tags("edge"),
            ),
            # AWS makes no public load balancer in a network that has no internet gateway yet.
            opts=pulumi.ResourceOptions(parent=self, depends_on=[logs.ready, land.network.way_in]),
        )

    def _target_group(self, kind: str) -> lb.TargetGroup:
        land, behind = self._land, self._behind
        name = f"{behind.name}-{kind}"
        return lb.TargetGroup(
            f"{behind.resource}-{kind}",
            lb.TargetGroupArgs(
                name=land.names.of(name),
                target_type="ip",
                vpc_id=land.network.vpc.id,
                port=behind.pod_port,
                protocol="HTTPS",
                protocol_version="GRPC" if kind == GRPC_GROUP else "HTTP1",
                deregistration_delay=30,
                health_check=_health(behind.checks[kind]),
                tags=land.names.tags(name),
            ),
            opts=self._own,
        )

    def _bind(self, kind: str, controller: pulumi.Resource) -> pulumi.Resource:
        """Register where the targets are: the pods behind a Service. It opens no security group: those are ours."""
        behind = self._behind
        spec = {
            # By name: its ARN is not known before it exists, and this says whom it reaches.
            "targetGroupName": known(self._land.names.of(f"{behind.name}-{kind}"), self._groups[kind]),
            "targetType": "ip",
            "serviceRef": {"name": behind.service, "port": behind.port},
        }
        document = manifest(BINDINGS, "TargetGroupBinding", kind, behind.namespace, spec)
        return self.add(document, after=[controller, behind.ready])

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
                actions=[lb.ListenerRuleActionArgs(type="forward", target_group_arn=self._groups[kind].arn)],
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
                route53.RecordArgs(zone_id=zone, name=host, type=route53.RecordType.A, aliases=[there]),
                opts=pulumi.ResourceOptions(parent=self, depends_on=[listener]),
            )


def _health(check: Check) -> lb.TargetGroupHealthCheckArgs:
    """Return how the load balancer asks whether a pod still answers. Whether it is ready at all, Kubernetes says: no other is registered."""
    return lb.TargetGroupHealthCheckArgs(
        enabled=True, protocol="HTTPS", port="traffic-port", path=check.path, matcher=check.refused, interval=15, timeout=5, healthy_threshold=2,
        unhealthy_threshold=2,
    )  # fmt: skip
