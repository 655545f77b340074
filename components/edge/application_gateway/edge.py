"""Application Gateway: the only public address. TLS ends here and begins anew to the API gateway, which keeps the host."""

import math
from typing import Final

import pulumi
import pulumi_azure_native.managedidentity as identities
import pulumi_azure_native.network as net

from components.authority import CertificateAuthority, Leaf, der
from components.azure.addresses import Subnet
from components.azure.diagnostics import DDOS_LOGS, send
from components.azure.ids import shortened
from components.azure.land import land_of
from components.azure.roles import Role, grant
from components.azure.vault import PKCS12, secret
from components.binding import Binding
from components.component import Component
from components.contracts import Below, EdgeOutputs, OutsideGatewayOutputs
from components.edge.application_gateway import headers, waf
from components.edge.application_gateway.paths import Path, paths
from components.known import known
from topology.derive import names
from topology.model.base import HeaderName, HostName, Name, seconds
from topology.model.system import Topology

CERTIFICATE: Final = "edge-server"
MARGIN: Final = 1.0
"""Seconds that the edge waits longer than the gateway, so that the gateway's own answer to a slow service arrives."""
LOGS: Final = ("ApplicationGatewayAccessLog", "ApplicationGatewayFirewallLog")
GATEWAY: Final = "gateway"
NOBODY: Final = "nobody"
"""The pool without members that answers for every path which is no door's."""
ROOT: Final = "boundary"
CLEAN: Final = "clean"


class ApplicationGatewayEdge(Component, layer="edge"):
    """Public address, web application firewall, and a listener for each public host."""

    outputs: EdgeOutputs

    def __init__(self, binding: Binding, t: Topology, gateway: OutsideGatewayOutputs, below: Below, *, parent: pulumi.Resource) -> None:
        """Register the edge last, so that nothing is public before everything behind it works."""
        super().__init__("edge", {"product": str(binding.edge), "hosts": list(t.public_hosts())}, parent=parent)
        self._t, self._gateway = t, gateway
        land = self._land = land_of(below)
        where = land.place
        self._gateway_name = where.of("agw")
        identity = identities.UserAssignedIdentity(
            "edge-identity",
            resource_name_=where.of("id-edge"),
            resource_group_name=where.group,
            location=where.location,
            opts=pulumi.ResourceOptions(parent=self),
        )
        url, right = self._certificate(identity)
        label = where.unique("edge")
        address = self._address(label)
        self._policies = {waf.SMALL: waf.policy(waf.SMALL, t, land, parent=self)}
        if any(waf.is_large(door) for door in t.doors.values()):
            self._policies[waf.LARGE] = waf.policy(waf.LARGE, t, land, parent=self)
        identity_id = known(where.id("Microsoft.ManagedIdentity/userAssignedIdentities", where.of("id-edge")), identity)
        made = self._application_gateway(identity_id, url, address, [right, *land.vault_ready, gateway.ready])
        made_id = known(where.id("Microsoft.Network/applicationGateways", self._gateway_name), made)
        send("edge", land, of=made_id, logs=LOGS, parent=self)
        fqdn = f"{label}.{where.location}.cloudapp.azure.com"
        self.outputs = EdgeOutputs(name=fqdn, port=names.HTTPS_PORT, ready=made)
        self.register_outputs({"name": fqdn, "port": names.HTTPS_PORT})

    def _certificate(self, identity: identities.UserAssignedIdentity) -> tuple[pulumi.Input[str], pulumi.Resource]:
        """Return where the certificate that clients see is, and the edge's right to read it."""
        land, own = self._land, self._land.settings.public_certificate
        if own:
            name = own.vault.rpartition("/")[2]
            url: pulumi.Input[str] = f"https://{name}.vault.azure.net/secrets/{own.secret}"
            scope_id = f"{own.vault}/secrets/{own.secret}"
            scope: pulumi.Input[str] = scope_id
        else:
            public = CertificateAuthority("public", "perimeter public", parent=self).outputs
            server = Leaf(CERTIFICATE, public, usage="server", dns_names=self._t.public_hosts(), parent=self)
            kept = secret(CERTIFICATE, server.secret, land, parent=self, content_type=PKCS12)
            scope_id = land.secret_id(CERTIFICATE)
            url, scope = known(land.secret_url(CERTIFICATE), kept), known(scope_id, kept)
        right = grant(
            land.place,
            Role.KEY_VAULT_SECRETS_USER,
            name="edge-reads-certificate",
            scope=scope,
            scope_id=scope_id,
            to=identity.principal_id,
            parent=self,
        )
        return url, right

    def _address(self, label: str) -> pulumi.Output[str]:
        where, protected = self._land.place, self._land.settings.ddos_protection
        made = net.PublicIPAddress(
            "edge-address",
            net.PublicIPAddressInitArgs(
                public_ip_address_name=where.of("pip-edge"),
                resource_group_name=where.group,
                location=where.location,
                sku=net.PublicIPAddressSkuArgs(name=net.PublicIPAddressSkuName.STANDARD),
                public_ip_allocation_method=net.IPAllocationMethod.STATIC,
                zones=list(self._land.sizing.zones),
                dns_settings=net.PublicIPAddressDnsSettingsArgs(domain_name_label=label),
                ddos_settings=net.DdosSettingsArgs(protection_mode=net.DdosSettingsProtectionMode.ENABLED) if protected else None,
            ),
            opts=pulumi.ResourceOptions(parent=self),
        )
        address = known(where.id("Microsoft.Network/publicIPAddresses", where.of("pip-edge")), made)
        if protected:
            send("edge-address", self._land, of=address, logs=DDOS_LOGS, parent=self)
        return address

    def _application_gateway(
        self, identity: pulumi.Input[str], certificate: pulumi.Input[str], address: pulumi.Input[str], after: list[pulumi.Resource]
    ) -> net.ApplicationGateway:
        where, size, hosts = self._land.place, self._land.sizing, self._t.public_hosts()
        return net.ApplicationGateway(
            "application-gateway",
            net.ApplicationGatewayArgs(
                application_gateway_name=self._gateway_name,
                resource_group_name=where.group,
                location=where.location,
                zones=list(size.zones),
                sku=net.ApplicationGatewaySkuArgs(name=net.ApplicationGatewaySkuName.WA_F_V2, tier=net.ApplicationGatewayTier.WA_F_V2),
                autoscale_configuration=net.ApplicationGatewayAutoscaleConfigurationArgs(
                    min_capacity=size.edge.least, max_capacity=size.edge.most
                ),
                identity=net.ManagedServiceIdentityArgs(type=net.ResourceIdentityType.USER_ASSIGNED, user_assigned_identities=[identity]),
                enable_http2=True,
                firewall_policy=net.SubResourceArgs(id=self._policies[waf.SMALL]),
                ssl_policy=net.ApplicationGatewaySslPolicyArgs(
                    policy_type=net.ApplicationGatewaySslPolicyType.PREDEFINED,
                    policy_name=net.ApplicationGatewaySslPolicyName.APP_GW_SSL_POLICY20220101_S,
                ),
                gateway_ip_configurations=[
                    net.ApplicationGatewayIPConfigurationArgs(
                        name="subnet", subnet=net.SubResourceArgs(id=self._land.subnet_id(Subnet.EDGE))
                    )
                ],
                frontend_ip_configurations=[
                    net.ApplicationGatewayFrontendIPConfigurationArgs(name="public", public_ip_address=net.SubResourceArgs(id=address))
                ],
                frontend_ports=[net.ApplicationGatewayFrontendPortArgs(name="https", port=names.HTTPS_PORT)],
                ssl_certificates=[net.ApplicationGatewaySslCertificateArgs(name=CERTIFICATE, key_vault_secret_id=certificate)],
                trusted_root_certificates=[
                    net.ApplicationGatewayTrustedRootCertificateArgs(name=ROOT, data=self._gateway.authority.apply(der))
                ],
                backend_address_pools=[
                    net.ApplicationGatewayBackendAddressPoolArgs(
                        name=GATEWAY, backend_addresses=[net.ApplicationGatewayBackendAddressArgs(fqdn=self._gateway.host)]
                    ),
                    net.ApplicationGatewayBackendAddressPoolArgs(name=NOBODY, backend_addresses=[]),
                ],
                probes=[self._probe(host) for host in hosts],
                backend_http_settings_collection=[self._backend(host) for host in hosts],
                http_listeners=[self._listener(host) for host in hosts],
                rewrite_rule_sets=[_rewriting(hidden) for hidden in self._hidings()],
                url_path_maps=[self._path_map(host) for host in hosts],
                request_routing_rules=[self._rule(number, host) for number, host in enumerate(hosts, start=1)],
            ),
            opts=pulumi.ResourceOptions(parent=self, depends_on=after),
        )

    def _part(self, kind: str, name: str) -> net.SubResourceArgs:
        """Return a reference to a part of the gateway by what it is named after."""
        parent = f"Microsoft.Network/applicationGateways/{kind}"
        return net.SubResourceArgs(id=self._land.place.id(parent, self._gateway_name, shortened(name)))

    def _probe(self, host: HostName) -> net.ApplicationGatewayProbeArgs:
        return net.ApplicationGatewayProbeArgs(
            name=shortened(host),
            protocol=net.ApplicationGatewayProtocol.HTTPS,
            host=host,
            path=self._gateway.status_path,
            interval=30,
            timeout=30,
            unhealthy_threshold=3,
            match=net.ApplicationGatewayProbeHealthResponseMatchArgs(status_codes=["200"]),
        )

    def _backend(self, host: HostName) -> net.ApplicationGatewayBackendHttpSettingsArgs:
        longest = max((seconds(door.timeout) for door in self._t.doors.values() if self._t.host_of(door) == host), default=0.0)
        return net.ApplicationGatewayBackendHttpSettingsArgs(
            name=shortened(host),
            protocol=net.ApplicationGatewayProtocol.HTTPS,
            port=self._gateway.port,
            # The name it asks for, verifies and says as Host.
            host_name=host,
            trusted_root_certificates=[self._part("trustedRootCertificates", ROOT)],
            cookie_based_affinity=net.ApplicationGatewayCookieBasedAffinity.DISABLED,
            request_timeout=math.ceil(longest + MARGIN),
            connection_draining=net.ApplicationGatewayConnectionDrainingArgs(enabled=True, drain_timeout_in_sec=30),
            probe=self._part("probes", host),
        )

    def _listener(self, host: HostName) -> net.ApplicationGatewayHttpListenerArgs:
        return net.ApplicationGatewayHttpListenerArgs(
            name=shortened(host),
            protocol=net.ApplicationGatewayProtocol.HTTPS,
            host_name=host,
            require_server_name_indication=True,
            frontend_ip_configuration=self._part("frontendIPConfigurations", "public"),
            frontend_port=self._part("frontendPorts", "https"),
            ssl_certificate=self._part("sslCertificates", CERTIFICATE),
        )

    def _path_map(self, host: HostName) -> net.ApplicationGatewayUrlPathMapArgs:
        return net.ApplicationGatewayUrlPathMapArgs(
            name=shortened(host),
            default_backend_address_pool=self._part("backendAddressPools", NOBODY),
            default_backend_http_settings=self._part("backendHttpSettingsCollection", host),
            default_rewrite_rule_set=self._part("rewriteRuleSets", _rewriting_name(())),
            path_rules=[self._path_rule(number, host, path) for number, path in enumerate(paths(self._t, host), start=1)],
        )

    def _path_rule(self, number: int, host: HostName, path: Path) -> net.ApplicationGatewayPathRuleArgs:
        large = any(waf.is_large(self._t.doors[door]) for door in path.doors)
        return net.ApplicationGatewayPathRuleArgs(
            name=_rule_name(number, path.doors),
            paths=[path.path],
            backend_address_pool=self._part("backendAddressPools", GATEWAY),
            backend_http_settings=self._part("backendHttpSettingsCollection", host),
            rewrite_rule_set=self._part("rewriteRuleSets", _rewriting_name(self._hidden(path))),
            firewall_policy=net.SubResourceArgs(id=self._policies[waf.LARGE]) if large else None,
        )

    def _hidden(self, path: Path) -> tuple[HeaderName, ...]:
        """Return the headers that a door of a path wants out of its answers, and the gateway cannot take out."""
        asked = {header for door in path.doors for header in self._t.doors[door].response_headers.remove}
        return tuple(sorted(asked & self._gateway.left_in_answers))

    def _hidings(self) -> list[tuple[HeaderName, ...]]:
        """Return what has to be taken out of answers somewhere, each combination once; nothing comes first."""
        asked = [self._hidden(path) for host in self._t.public_hosts() for path in paths(self._t, host)]
        return list(dict.fromkeys([(), *asked]))

    def _rule(self, number: int, host: HostName) -> net.ApplicationGatewayRequestRoutingRuleArgs:
        return net.ApplicationGatewayRequestRoutingRuleArgs(
            name=shortened(host),
            priority=number * 10,
            rule_type=net.ApplicationGatewayRequestRoutingRuleType.PATH_BASED_ROUTING,
            http_listener=self._part("httpListeners", host),
            url_path_map=self._part("urlPathMaps", host),
        )


def _rule_name(number: int, doors: tuple[Name, ...]) -> str:
    return shortened(f"{number}-{'-'.join(doors)}")


def _rewriting_name(hidden: tuple[HeaderName, ...]) -> str:
    return shortened("-without-".join((CLEAN, *hidden)))


def _rewriting(hidden: tuple[HeaderName, ...]) -> net.ApplicationGatewayRewriteRuleSetArgs:
    """Return the changes of every request, and of its answer; an empty value removes a header."""
    changes = {**headers.SET, **dict.fromkeys(headers.REMOVED, "")}
    return net.ApplicationGatewayRewriteRuleSetArgs(
        name=_rewriting_name(hidden),
        rewrite_rules=[
            net.ApplicationGatewayRewriteRuleArgs(
                name=CLEAN,
                rule_sequence=100,
                action_set=net.ApplicationGatewayRewriteRuleActionSetArgs(
                    request_header_configurations=[
                        net.ApplicationGatewayHeaderConfigurationArgs(header_name=name, header_value=value)
                        for name, value in changes.items()
                    ],
                    response_header_configurations=[
                        net.ApplicationGatewayHeaderConfigurationArgs(header_name=name, header_value="") for name in hidden
                    ]
                    or None,
                ),
            )
        ],
    )
