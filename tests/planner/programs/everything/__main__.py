"""One of everything that a plan has to carry."""

import pulumi
import pulumi_kubernetes as k8s
from pulumi.dynamic import CreateResult, Resource, ResourceProvider

config = pulumi.Config()
provider = k8s.Provider("cluster", kubeconfig="{}", namespace="shop")


class KeyProvider(ResourceProvider):
    def create(self, props: dict[str, object]) -> CreateResult:
        return CreateResult(id_="key", outs={**props, "private": "made on deploy"})


class Key(Resource):
    private: pulumi.Output[str]

    def __init__(self, name: str, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(KeyProvider(), name, {"bits": 256, "private": None}, opts)


class Service(pulumi.ComponentResource):
    def __init__(self, name: str, port: int, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("test:workload:Service", name, {"name": name, "port": port, "token": pulumi.Output.secret("hunter2")}, opts)
        child = pulumi.ResourceOptions(parent=self)
        self.account = k8s.core.v1.ServiceAccount(f"{name}-account", metadata={"name": name, "namespace": "shop"}, opts=child)
        self.service = k8s.core.v1.Service(
            f"{name}-service",
            metadata={"namespace": "shop", "labels": {"app": name}},
            spec={"ports": [{"port": port, "targetPort": 8080}], "type": "LoadBalancer", "weight": 0.25},
            opts=child,
        )
        self.register_outputs(
            {"address": self.service.metadata["name"], "ip": self.service.status.apply(lambda status: status.load_balancer.ingress[0].ip)}
        )


class System(pulumi.ComponentResource):
    def __init__(self) -> None:
        super().__init__("test:system:System", "shop", {}, pulumi.ResourceOptions(providers=[provider]))
        child = pulumi.ResourceOptions(parent=self)
        self.orders = Service("orders", 80, child)
        self.stock = Service("stock", 81, child)
        self.register_outputs({})


system = System()
key = Key("signing")
secret = k8s.core.v1.Secret(
    "login",
    metadata={"name": "login"},
    string_data={"password": config.require_secret("password"), "user": "root-of-all"},
    opts=pulumi.ResourceOptions(provider=provider),
)
k8s.apiextensions.CustomResource(
    "policy",
    api_version="security.istio.io/v1",
    kind="AuthorizationPolicy",
    metadata={"name": "orders", "annotations": {"key": key.private, "service": system.orders.service.metadata["name"]}},
    spec={"selector": {"matchLabels": {"app": "orders"}}, "rules": [{}], "uid": secret.id},
    opts=pulumi.ResourceOptions(
        provider=provider,
        depends_on=[system.stock, key],
        protect=True,
        ignore_changes=["metadata.annotations"],
        retain_on_delete=True,
        deleted_with=system.orders.account,
        delete_before_replace=True,
        replace_on_changes=["spec"],
        custom_timeouts=pulumi.CustomTimeouts(create="1h30m", delete="10s"),
        aliases=[pulumi.Alias(name="old-policy"), pulumi.Alias(parent=pulumi.ROOT_STACK_RESOURCE, name="rootless")],
    ),
)
k8s.core.v1.ConfigMap("adopted", metadata={"name": "a"}, opts=pulumi.ResourceOptions(provider=provider, import_="shop/a"))
found = k8s.core.v1.ConfigMap.get("cluster-info", "kube-public/cluster-info", opts=pulumi.ResourceOptions(provider=provider))
k8s.core.v1.ConfigMap(
    "settings",
    metadata={"name": "settings"},
    data={
        "replicas": str(config.require_int("replicas")),
        "ratio": str(config.require_float("ratio")),
        "verbose": str(config.require_bool("verbose")),
        "switch": config.require("switch"),
        "tiers": ",".join(config.require_object("tiers")),
        "limits": config.require_secret_object("limits").apply(lambda limits: str(limits["requests"])),
        "copied": found.data.apply(lambda data: data["kubeconfig"]),
        "file": "a",
    },
    binary_data={"empty": "", "nothing": None},
    opts=pulumi.ResourceOptions(provider=provider),
)
pulumi.export("name", system.orders.service.metadata["name"])
pulumi.export("password", config.require_secret("password"))
pulumi.export("stock", {"labels": system.stock.service.metadata["labels"], "tiers": config.require_object("tiers")})
print("planned by", pulumi.get_organization(), pulumi.get_project(), pulumi.get_stack(), pulumi.runtime.is_dry_run())  # noqa: T201 # programs print
