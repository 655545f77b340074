"""Names no provider, in a folder below the project's."""

import pulumi
import pulumi_kubernetes as k8s

config = pulumi.Config()
k8s.core.v1.ConfigMap("settings", metadata={"name": "settings"}, data={"size": config.require("size"), "zone": config.require("zone")})
k8s.core.v1.ConfigMap("more", metadata={"name": "more"})
