"""API Management as the API gateway: the doors as APIs, the tiers as products, the consumers as subscriptions."""

from typing import Final

import pulumi
import pulumi_azure_native.apimanagement as apim

from components.azure.ids import shortened
from components.azure.land import land_of
from components.azure.zones import API_MANAGEMENT, MESH, address_record, private_zone
from components.binding import Binding
from components.component import Component
from components.contracts import Below, OutsideGatewayOutputs
from components.gateway.api_management import openapi, policies
from components.gateway.api_management.apis import Api, Operation, VersionSet, apis
from components.gateway.api_management.observation import log, trace
from components.gateway.api_management.portal import settle
from components.gateway.api_management.service import SERVICE, Service
from components.gateway.limits import consumers_of
from components.known import known
from topology.derive import names
from topology.model.base import Name
from topology.model.door import ApiKeyAuth, Lifecycle
from topology.model.system import Topology
from topology.preflights import by_door

STATUS: Final = "/status-0123456789abcdef"
"""Answers 200 on every gateway (Learn, `monitor-api-management` health probe)."""
READERS: Final = "developers"
"""A group that every service has: whoever has signed up in the developer portal."""


class ApiManagement(Component, layer="gateway"):
    """The service with everything in it, made one after the other: API Management takes one change at a time."""

    outputs: OutsideGatewayOutputs

    def __init__(self, binding: Binding, t: Topology, below: Below, *, parent: pulumi.Resource) -> None:
        """Register the service, then policies and backends, then the doors, and last who may use them."""
        super().__init__("gateway", {"product": "api-management", "hosts": list(t.public_hosts())}, parent=parent)
        land = self._land = land_of(below)
        self._t, self._discovery, self._answers = t, land.settings.discovery, by_door(t)
        made = self._made = Service(t, land, parent=self)
        self._service_name, self._service_id = (
            known(made.service_name, made.service),
            land.place.id(SERVICE, made.service_name),
        )
        self._servers = {mesh: ingress.server_name for mesh, ingress in below.mesh.ingress.items()}
        reachable = self._ingresses(below)
        self._waited: list[pulumi.Resource] = [*log(made, land, parent=self), *reachable]
        self._every_api()
        if made.portal:
            # Before there is anything to read.
            self._waited = settle(made, land, self._waited, parent=self)
        self._products = {tier: self._product(tier) for tier in _keyed_tiers(t)}
        found = apis(t)
        sets = dict.fromkeys(api.version_set for api in found if api.version_set)
        self._version_sets = {about: self._version_set(about) for about in sets}
        for api in found:
            self._api(api)
        for tier in self._products:
            for consumer in consumers_of(t, tier):
                self._subscription(consumer, tier, below.platform.api_keys[consumer])
        if land.settings.application_insights:
            self._waited = trace(made, land, self._waited, parent=self)
        self.outputs = OutsideGatewayOutputs(
            host=f"{made.service_name}.{API_MANAGEMENT}",
            port=names.HTTPS_PORT,
            authority=land.boundary.certificate,
            status_path=STATUS,
            left_in_answers=policies.LEFT_IN_ANSWERS,
            # The last change: it comes after the names, every policy and every door.
            ready=self._waited[-1],
        )
        documents = {api.name: openapi.document(t, api, self._discovery) for api in found}
        self.register_outputs({"service": made.service_name, "host": f"{made.service_name}.{API_MANAGEMENT}", "openapi": documents})

    def _next(self) -> pulumi.ResourceOptions:
        """Return the options of the next change: after the one before."""
        return self._made.inside(self, self._waited)

    def _ingresses(self, below: Below) -> list[pulumi.Resource]:
        """Register the names of the mesh ingresses, which only this network knows."""
        land = self._land
        zone, link = private_zone("mesh", MESH, land.place, land.network_id, parent=self)
        records = [
            address_record(f"ingress-{mesh}", mesh, str(address), zone=MESH, owner=zone, where=land.place, parent=self)
            for mesh, address in land.addresses.ingresses.items()
        ]
        return [link, *records, *(ingress.ready for ingress in below.mesh.ingress.values())]

    def _every_api(self) -> None:
        self._waited = [
            apim.Policy(
                "every-api",
                apim.PolicyArgs(
                    policy_id="policy",
                    service_name=self._service_name,
                    resource_group_name=self._land.place.group,
                    format=apim.PolicyContentFormat.XML,
                    value=policies.every_api(),
                ),
                opts=self._next(),
            )
        ]

    def _api(self, about: Api) -> None:
        """Register one version of an API with its doors; nobody is answered before an operation has its policy."""
        group = self._land.place.group
        backends = {mesh: self._backend(about, mesh) for mesh in dict.fromkeys(self._mesh_of(door) for door in about.doors)}
        made = apim.Api(
            f"api-{about.name}",
            apim.ApiArgs(
                api_id=about.name,
                service_name=self._service_name,
                resource_group_name=group,
                display_name=about.title(self._t),
                description=openapi.summary(self._t, about),
                path=about.path,
                api_type=apim.ApiType.HTTP,
                protocols=[apim.Protocol.HTTPS],
                subscription_required=about.keyed(self._t),
                subscription_key_parameter_names=apim.SubscriptionKeyParameterNamesContractArgs(
                    header=names.API_KEY_HEADER, query=names.API_KEY_HEADER
                ),
                api_version=about.version,
                api_version_description=self._announced(about),
                api_version_set_id=self._version_sets[about.version_set] if about.version_set else None,
            ),
            opts=self._next(),
        )
        self._waited = [made]
        api_id = known(about.name, made)
        for operation in about.operations:
            self._operation(about, operation, api_id, backends[self._mesh_of(operation.door)])
        for tier in self._tiers(about):
            self._waited = [
                apim.ProductApi(
                    f"{tier}-{about.name}",
                    apim.ProductApiArgs(
                        product_id=self._products[tier], api_id=api_id, service_name=self._service_name, resource_group_name=group
                    ),
                    opts=self._next(),
                )
            ]

    def _announced(self, about: Api) -> str | None:
        """Return what developers are told of a version that ends."""
        known = [self._t.apis[api].versions[version] for api, version in about.versions(self._t)]
        ending = [version.sunset for version in known if version.lifecycle is Lifecycle.DEPRECATED]
        return "; ".join(f"deprecated, ends {day}" if day else "deprecated" for day in ending) or None

    def _version_set(self, about: VersionSet) -> pulumi.Output[str]:
        """Register a set of versions and return its id."""
        scheme = apim.VersioningScheme.HEADER if about.header else apim.VersioningScheme.SEGMENT
        made = apim.ApiVersionSet(
            f"versions-{about.name}",
            apim.ApiVersionSetArgs(
                version_set_id=about.name,
                service_name=self._service_name,
                resource_group_name=self._land.place.group,
                display_name=about.title,
                versioning_scheme=scheme,
                version_header_name=about.header,
            ),
            opts=self._next(),
        )
        self._waited = [made]
        return known(f"{self._service_id}/apiVersionSets/{about.name}", made)

    def _backend(self, about: Api, mesh: Name) -> str:
        """Register the way from an API to a mesh, and return its id. The path that chose the API goes on with the request."""
        name = shortened(f"{about.name}-{mesh}")
        ingress = f"https://{self._servers[mesh]}"
        made = apim.Backend(
            f"backend-{name}",
            apim.BackendArgs(
                backend_id=name,
                service_name=self._service_name,
                resource_group_name=self._land.place.group,
                protocol=apim.BackendProtocol.HTTP,
                url=f"{ingress}/{about.begins}".removesuffix("/"),
                tls=apim.BackendTlsPropertiesArgs(validate_certificate_chain=True, validate_certificate_name=True),
            ),
            opts=self._next(),
        )
        self._waited = [made]
        return name

    def _operation(self, about: Api, operation: Operation, api_id: pulumi.Output[str], backend: str) -> None:
        group, said = self._land.place.group, openapi.described(self._t, about, operation)
        body = said.get("requestBody")
        made = apim.ApiOperation(
            f"operation-{about.name}-{operation.name}",
            apim.ApiOperationArgs(
                operation_id=operation.name,
                api_id=api_id,
                service_name=self._service_name,
                resource_group_name=group,
                display_name=operation.title,
                description=said["description"],
                method=operation.method,
                url_template=operation.template,
                template_parameters=[
                    apim.ParameterContractArgs(name=parameter, type="string", required=True) for parameter in operation.parameters
                ],
                request=apim.RequestContractArgs(description=body["description"]) if body else None,
                responses=[
                    apim.ResponseContractArgs(status_code=int(status), description=answer["description"])
                    for status, answer in said["responses"].items()
                    if status != "default"
                ],
            ),
            opts=self._next(),
        )
        self._waited = [made]
        self._waited = [
            apim.ApiOperationPolicy(
                f"policy-{about.name}-{operation.name}",
                apim.ApiOperationPolicyArgs(
                    policy_id="policy",
                    operation_id=known(operation.name, made),
                    api_id=api_id,
                    service_name=self._service_name,
                    resource_group_name=group,
                    format=apim.PolicyContentFormat.XML,
                    value=policies.door(self._t, operation.door, backend, self._discovery, self._answers.get(operation.door)),
                ),
                opts=self._next(),
            )
        ]

    def _product(self, tier: Name) -> pulumi.Output[str]:
        """Register a tier as a product, which developers see and may ask for, and return its id."""
        group = self._land.place.group
        made = apim.Product(
            f"product-{tier}",
            apim.ProductArgs(
                product_id=tier,
                service_name=self._service_name,
                resource_group_name=group,
                display_name=tier,
                description=", ".join(f"{rate.requests} requests per {rate.per}" for rate in self._t.tiers[tier].limits),
                subscription_required=True,
                approval_required=True,
                state=apim.ProductState.PUBLISHED,
            ),
            opts=self._next(),
        )
        self._waited = [made]
        product_id = known(tier, made)
        self._waited = [
            apim.ProductGroup(
                f"product-{tier}-readers",
                apim.ProductGroupArgs(product_id=product_id, group_id=READERS, service_name=self._service_name, resource_group_name=group),
                opts=self._next(),
            )
        ]
        return product_id

    def _subscription(self, consumer: Name, tier: Name, key: pulumi.Output[str]) -> None:
        """Register a consumer's subscription to its tier, with the key that was made for it."""
        scope = self._products[tier].apply(lambda product: f"{self._service_id}/products/{product}")
        self._waited = [
            apim.Subscription(
                f"subscription-{consumer}",
                apim.SubscriptionArgs(
                    sid=consumer,
                    service_name=self._service_name,
                    resource_group_name=self._land.place.group,
                    display_name=consumer,
                    scope=scope,
                    primary_key=key,
                    state=apim.SubscriptionState.ACTIVE,
                    allow_tracing=False,
                ),
                opts=self._next(),
            )
        ]

    def _mesh_of(self, door: Name) -> Name:
        return self._t.mesh_of(self._t.doors[door].service)

    def _tiers(self, about: Api) -> list[Name]:
        """Return the tiers whose keys open some door of an API."""
        auths = [self._t.doors[door].auth for door in about.doors]
        return sorted({tier for auth in auths if isinstance(auth, ApiKeyAuth) for tier in auth.api_key})


def _keyed_tiers(t: Topology) -> list[Name]:
    """Return the tiers whose consumers' keys open some door, in the order of the topology."""
    used = {tier for door in t.doors.values() if isinstance(door.auth, ApiKeyAuth) for tier in door.auth.api_key}
    return [tier for tier in t.tiers if tier in used]
