"""First previews of the AWS environments, for every system: what is made, and that it can be judged."""

import json
from typing import Any

import pytest

from components.cluster.eks import addons
from components.versions import EKS_ADDONS
from planner import wire
from planner.errors import PlanError
from planner.plan import Mode
from planner.program import plan_program
from tests.components.aws.systems import PLANS, WITH_NGINX, asked, named, of, registered, resources, system
from tests.systems import ROOT, topology_file
from topology.model.base import seconds

OF_A_PLAN = pytest.mark.parametrize(("stack", "name"), PLANS)
OF_NGINX = pytest.mark.parametrize(("stack", "name"), [(stack, name) for stack, name in PLANS if name in WITH_NGINX])
WITHOUT_NGINX = pytest.mark.parametrize(("stack", "name"), [(stack, name) for stack, name in PLANS if name not in WITH_NGINX])
ZONES = ["eu-central-1a", "eu-central-1b", "eu-central-1c"]

MADE_BY_AWS = frozenset({
    "vpcId", "subnetId", "subnets", "subnetIds", "routeTableId", "routeTableIds", "defaultRouteTableId", "gatewayId", "natGatewayId",
    "allocationId", "securityGroupId", "referencedSecurityGroupId", "securityGroups", "securityGroupIds", "vpcSecurityGroupIds", "vpcConfig",
    "launchTemplate", "loadBalancerArn", "listenerArn", "resourceArn", "webAclArn", "certificateArn", "validationRecordFqdns", "kmsKeyId",
    "targetKeyId", "encryptionConfig", "aliases", "actions", "secretId",
})  # fmt: skip
"""Properties that hold ids which AWS makes. Whoever reads a first preview follows what they are taken from."""
LATER = {
    *(("aws:route53/record:Record", key) for key in ("name", "type", "records")),
    ("aws:secretsmanager/secretVersion:SecretVersion", "secretString"),
}
"""What a certificate's proof must say, AWS says; API keys are made on deploy."""


def kubernetes(stack: str, name: str, kind: str) -> list[dict[str, Any]]:
    return [r for r in resources(stack, name) if r["type"].startswith("kubernetes:") and r["type"].endswith(f":{kind}")]


def behind(name: str) -> str:
    """Return the layer that the load balancer sends requests to; its namespace and Service have the same name."""
    return "edge" if name in WITH_NGINX else "gateway"


def allowed(stack: str, name: str, direction: str) -> list[dict[str, Any]]:
    return list(registered(stack, name, f"vpc/securityGroup{direction}Rule:SecurityGroup{direction}Rule"))


@OF_A_PLAN
def test_a_first_preview_knows_everything_but_ids_that_aws_makes(stack: str, name: str) -> None:
    for r in resources(stack, name):
        unknown = {key for key, value in r["inputs"].items() if wire.has_unknown(value)}
        if r["type"].startswith("aws:"):
            assert {key for key in unknown - MADE_BY_AWS if (r["type"], key) not in LATER} == set(), r["urn"]
            assert all(r["propertyDependencies"].get(key) for key in unknown), r["urn"]
        elif r["type"].startswith("kubernetes:"):
            assert unknown <= {"stringData"}, r["urn"]


@OF_A_PLAN
def test_the_load_balancer_is_the_only_public_door_and_addresses_belong_to_ways_out(stack: str, name: str) -> None:
    (balancer,) = registered(stack, name, "lb/loadBalancer:LoadBalancer")
    assert balancer["inputs"]["internal"] is False
    assert asked(balancer, "subnets") == {"public-a", "public-b", "public-c"}
    assert asked(balancer, "securityGroups") == {"edge"}
    taken = {urn for nat in registered(stack, name, "ec2/natGateway:NatGateway") for urn in asked(nat, "allocationId")}
    assert taken == {named(address) for address in registered(stack, name, "ec2/eip:Eip")}
    assert all(inputs["mapPublicIpOnLaunch"] is False for inputs in of(stack, name, "ec2/subnet:Subnet"))
    assert all(service["inputs"]["spec"].get("type", "ClusterIP") == "ClusterIP" for service in kubernetes(stack, name, "Service"))


@OF_A_PLAN
def test_no_security_group_is_open_to_everybody_but_the_edges_on_443(stack: str, name: str) -> None:
    open_ = [
        (asked(rule, "securityGroupId"), rule["inputs"]["fromPort"], rule["inputs"]["toPort"])
        for rule in allowed(stack, name, "Ingress")
        if "cidrIpv4" in rule["inputs"]
    ]
    assert open_ == [({"edge"}, 443, 443)]
    for rule in [*allowed(stack, name, "Ingress"), *allowed(stack, name, "Egress")]:
        peers = [key for key in ("cidrIpv4", "cidrIpv6", "prefixListId", "referencedSecurityGroupId") if key in rule["inputs"]]
        assert len(peers) == 1
        assert rule["inputs"]["ipProtocol"] in ("tcp", "udp")
        assert rule["inputs"]["description"]
    assert all("ingress" not in inputs and "egress" not in inputs for inputs in of(stack, name, "ec2/securityGroup:SecurityGroup"))
    (default,) = of(stack, name, "ec2/defaultSecurityGroup:DefaultSecurityGroup")
    assert (default["ingress"], default["egress"]) == ([], [])


@OF_A_PLAN
def test_each_layer_accepts_the_one_before_it_on_one_port(stack: str, name: str) -> None:
    (into_nodes,) = [r for r in allowed(stack, name, "Ingress") if asked(r, "referencedSecurityGroupId") == {"edge"}]
    (out_of_edge,) = [r for r in allowed(stack, name, "Egress") if asked(r, "securityGroupId") == {"edge"}]
    port = 8443 if stack == "aws-kong" or name in WITH_NGINX else 10443
    layer = behind(name)
    assert asked(into_nodes, "securityGroupId") == asked(out_of_edge, "referencedSecurityGroupId") == {"nodes"}
    for rule in (into_nodes, out_of_edge):
        assert (rule["inputs"]["fromPort"], rule["inputs"]["toPort"]) == (port, port)
    (fence,) = [p["inputs"] for p in kubernetes(stack, name, "NetworkPolicy") if named(p) == f"{layer}/{layer}"]
    public = [inputs["cidrBlock"] for inputs in of(stack, name, "ec2/subnet:Subnet") if inputs["tags"]["Name"].split("-")[-2] == "public"]
    assert fence["spec"]["ingress"] == [
        {"from": [{"ipBlock": {"cidr": cidr}} for cidr in public], "ports": [{"protocol": "TCP", "port": port}]}
    ]


@OF_A_PLAN
def test_each_zone_has_a_subnet_of_each_tier(stack: str, name: str) -> None:
    subnets = of(stack, name, "ec2/subnet:Subnet")
    assert sorted(inputs["availabilityZone"] for inputs in subnets) == sorted(ZONES * 3)


@OF_A_PLAN
def test_each_subnet_has_the_one_way_out_that_it_needs(stack: str, name: str) -> None:
    tables = {
        named_subnet: table
        for r in registered(stack, name, "ec2/routeTableAssociation:RouteTableAssociation")
        for named_subnet in asked(r, "subnetId")
        for table in asked(r, "routeTableId")
    }
    ways = {table: r["inputs"] for r in registered(stack, name, "ec2/route:Route") for table in asked(r, "routeTableId")}
    assert len(tables) == 9
    for subnet, table in tables.items():
        tier = subnet.rpartition("-")[0]
        wanted = {"public": "gatewayId", "private": "natGatewayId", "intra": None}[tier]
        assert (wanted in ways[table]) if wanted else (table not in ways)


def test_production_has_a_way_out_in_each_zone_and_small_has_one() -> None:
    assert len(of("aws-prod", "abc", "ec2/natGateway:NatGateway")) == 3
    assert len(of("aws-dev", "abc", "ec2/natGateway:NatGateway")) == 1


@OF_A_PLAN
def test_production_is_protected_from_deletion_and_small_is_not(stack: str, name: str) -> None:
    production = stack == "aws-prod"
    (cluster,) = of(stack, name, "eks/cluster:Cluster")
    (edge,) = of(stack, name, "lb/loadBalancer:LoadBalancer")
    assert (cluster["deletionProtection"], edge["enableDeletionProtection"]) == (production, production)


@OF_A_PLAN
def test_the_load_balancer_controller_has_its_rights_by_pod_identity_alone(stack: str, name: str) -> None:
    (association,) = (
        each for each in registered(stack, name, "eks/podIdentityAssociation:PodIdentityAssociation") if named(each) == "load-balancer"
    )
    (cluster,) = of(stack, name, "eks/cluster:Cluster")
    given = association["inputs"]
    who = ("aws-load-balancer", "aws-load-balancer-controller")
    assert (given["clusterName"], given["namespace"], given["serviceAccount"]) == (cluster["name"], *who)
    assert asked(association, "roleArn") == {"role-load-balancer"}
    (role,) = (each for each in of(stack, name, "iam/role:Role") if each["name"] == given["roleArn"].rpartition("/")[2])
    (statement,) = json.loads(role["assumeRolePolicy"])["Statement"]
    assert statement["Principal"] == {"Service": "pods.eks.amazonaws.com"}
    tags = statement["Condition"]["StringEquals"]
    assert (tags["aws:RequestTag/kubernetes-namespace"], tags["aws:RequestTag/kubernetes-service-account"]) == who
    assert "eks-pod-identity-agent" in {addon["addonName"] for addon in of(stack, name, "eks/addon:Addon")}


@OF_A_PLAN
def test_nodes_are_in_private_subnets_in_our_group_alone_and_keep_their_credentials_from_pods(stack: str, name: str) -> None:
    (group,) = registered(stack, name, "eks/nodeGroup:NodeGroup")
    (template,) = registered(stack, name, "ec2/launchTemplate:LaunchTemplate")
    assert asked(group, "subnetIds") == {"private-a", "private-b", "private-c"}
    assert asked(group, "launchTemplate") == {"nodes"}
    assert asked(template, "vpcSecurityGroupIds") == {"nodes"}
    given = template["inputs"]
    assert given["metadataOptions"] == {"httpEndpoint": "enabled", "httpTokens": "required", "httpPutResponseHopLimit": 1}
    assert all(device["ebs"]["encrypted"] == "true" for device in given["blockDeviceMappings"])
    assert "networkInterfaces" not in given


@OF_A_PLAN
def test_the_kubernetes_api_is_for_named_addresses_or_private(stack: str, name: str) -> None:
    (cluster,) = registered(stack, name, "eks/cluster:Cluster")
    given = cluster["inputs"]
    assert given["vpcConfig"]["endpointPrivateAccess"] is True
    if stack == "aws-prod":
        assert given["vpcConfig"]["endpointPublicAccess"] is False
        assert "publicAccessCidrs" not in given["vpcConfig"]
    else:
        assert given["vpcConfig"]["publicAccessCidrs"] == ["203.0.113.10/32"]
    assert given["accessConfig"] == {"authenticationMode": "API", "bootstrapClusterCreatorAdminPermissions": False}
    assert given["bootstrapSelfManagedAddons"] is False
    assert set(given["enabledClusterLogTypes"]) == {"api", "audit", "authenticator", "controllerManager", "scheduler"}
    assert given["encryptionConfig"]["resources"] == ["secrets"]
    assert asked(cluster, "encryptionConfig") == {"key-secrets"}
    assert asked(cluster, "vpcConfig") == {"api", "intra-a", "intra-b", "intra-c"}


@OF_A_PLAN
def test_network_policies_hold_from_the_first_packet_and_awss_own_pods_have_theirs_before_they_run(stack: str, name: str) -> None:
    found = {r["inputs"]["addonName"]: r for r in registered(stack, name, "eks/addon:Addon")}
    assert {key: r["inputs"]["addonVersion"] for key, r in found.items()} == EKS_ADDONS
    said = json.loads(found["vpc-cni"]["inputs"]["configurationValues"])
    assert said == {"enableNetworkPolicy": "true", "env": {"NETWORK_POLICY_ENFORCING_MODE": "strict"}}
    fences = {"kube-system/name-service", "kube-system/metrics-server", "kube-system/fluent-bit"}
    for addon in (*(addon.name for addon in addons.AFTER_NODES), "fluent-bit"):
        assert {urn.rpartition("::")[2] for urn in found[addon]["dependencies"]} >= {"nodes", *fences}
    (nodes,) = registered(stack, name, "eks/nodeGroup:NodeGroup")
    assert {addon.name for addon in addons.BEFORE_NODES} <= {urn.rpartition("::")[2] for urn in nodes["dependencies"]}


@OF_A_PLAN
def test_what_runs_in_the_cluster_waits_for_nodes_names_and_administrators(stack: str, name: str) -> None:
    (provider,) = [r for r in resources(stack, name) if r["type"] == "pulumi:providers:kubernetes" and named(r) == "cluster"]
    assert {urn.rpartition("::")[2] for urn in provider["dependencies"]} >= {"nodes", "coredns", "metrics-server", "administrator-1"}


@OF_A_PLAN
def test_every_resource_has_an_explicit_provider(stack: str, name: str) -> None:
    for r in resources(stack, name):
        if r["type"].startswith("aws:"):
            assert "::pulumi:providers:aws::aws::" in r["provider"], r["urn"]
        if r["type"].startswith("kubernetes:"):
            own = "cluster-system" if named(r).startswith("kube-system/") else "cluster"
            assert f"::pulumi:providers:kubernetes::{own}::" in r["provider"], r["urn"]


@OF_A_PLAN
def test_whatever_takes_tags_says_its_name_and_environment(stack: str, name: str) -> None:
    (cluster,) = of(stack, name, "eks/cluster:Cluster")
    untagged = {
        "ec2/route:Route", "ec2/routeTableAssociation:RouteTableAssociation", "iam/rolePolicy:RolePolicy",
        "iam/rolePolicyAttachment:RolePolicyAttachment", "kms/alias:Alias", "eks/accessPolicyAssociation:AccessPolicyAssociation",
        "lb/targetGroupAttachment:TargetGroupAttachment", "wafv2/webAclAssociation:WebAclAssociation",
        "wafv2/webAclLoggingConfiguration:WebAclLoggingConfiguration", "cloudwatch/logResourcePolicy:LogResourcePolicy",
        "s3/bucketPolicy:BucketPolicy", "s3/bucketPublicAccessBlock:BucketPublicAccessBlock",
        "s3/bucketOwnershipControls:BucketOwnershipControls", "s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration",
        "s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration", "route53/record:Record",
        "acm/certificateValidation:CertificateValidation", "secretsmanager/secretVersion:SecretVersion",
    }  # fmt: skip
    for r in resources(stack, name):
        if r["type"].startswith("aws:") and r["type"].removeprefix("aws:") not in untagged:
            tags = r["inputs"]["tags"]
            assert tags["perimeter.dev/environment"] == cluster["name"], r["urn"]
            assert tags["Name"].startswith(f"{cluster['name']}-"), r["urn"]
    (provider,) = [r for r in resources(stack, name) if r["type"] == "pulumi:providers:aws"]
    assert system(name).system in str(provider["inputs"]["defaultTags"])


@OF_A_PLAN
def test_the_load_balancer_takes_modern_tls_and_one_reading_of_a_request(stack: str, name: str) -> None:
    (balancer,) = of(stack, name, "lb/loadBalancer:LoadBalancer")
    assert balancer["dropInvalidHeaderFields"] is True
    assert balancer["desyncMitigationMode"] == "strictest"
    assert balancer["enableWafFailOpen"] is False
    assert balancer["xffHeaderProcessingMode"] == "append"
    assert balancer["accessLogs"]["enabled"] is True
    assert balancer["enableDeletionProtection"] is (stack == "aws-prod")
    (listener,) = of(stack, name, "lb/listener:Listener")
    assert (listener["port"], listener["protocol"]) == (443, "HTTPS")
    assert listener["sslPolicy"] == "ELBSecurityPolicy-TLS13-1-2-Res-PQ-2025-09"
    (default,) = listener["defaultActions"]
    assert (default["type"], default["fixedResponse"]["statusCode"]) == ("fixed-response", "404")


@OF_A_PLAN
def test_the_load_balancer_comes_after_the_route_to_the_internet_gateway(stack: str, name: str) -> None:
    (balancer,) = registered(stack, name, "lb/loadBalancer:LoadBalancer")
    (route,) = [r for r in registered(stack, name, "ec2/route:Route") if "gatewayId" in r["inputs"]]
    assert route["urn"] in balancer["dependencies"]
    assert asked(route, "gatewayId") == {"internet"}


@OF_A_PLAN
def test_the_listener_comes_after_everything_that_guards_it(stack: str, name: str) -> None:
    (listener,) = registered(stack, name, "lb/listener:Listener")
    waited = {urn.rpartition("::")[2] for urn in listener["dependencies"]}
    layer = behind(name)
    flow = "in-nodes-edge-to-nginx" if name in WITH_NGINX else "in-nodes-edge-to-gateway"
    assert waited >= {"waf", "waf-logs", f"{layer}/https", f"{layer}/{layer}", flow}


@OF_A_PLAN
def test_rules_lead_to_target_groups_that_hold_the_pods_of_the_layer_behind_alone(stack: str, name: str) -> None:
    groups = {named(r): r["inputs"] for r in registered(stack, name, "lb/targetGroup:TargetGroup")}
    layer, begins = behind(name), "nginx" if name in WITH_NGINX else "gateway"
    kinds = {f"{begins}-https": "HTTP1", **({f"{begins}-grpc": "GRPC"} if name == "brokerage" else {})}
    assert {key: group["protocolVersion"] for key, group in groups.items()} == kinds
    assert all((group["targetType"], group["protocol"]) == ("ip", "HTTPS") for group in groups.values())
    bindings = kubernetes(stack, name, "TargetGroupBinding")
    assert {b["inputs"]["spec"]["targetGroupName"] for b in bindings} == {group["name"] for group in groups.values()}
    for binding in bindings:
        assert binding["inputs"]["metadata"]["namespace"] == layer
        assert binding["inputs"]["spec"]["serviceRef"] == {"name": layer, "port": 443}
        assert "networking" not in binding["inputs"]["spec"]
    for rule in registered(stack, name, "lb/listenerRule:ListenerRule"):
        assert asked(rule, "actions") <= set(groups)
    (controller,) = [r["inputs"] for r in kubernetes(stack, name, "Release") if r["inputs"]["name"] == "aws-load-balancer-controller"]
    assert controller["values"]["watchNamespace"] == layer
    priorities = [inputs["priority"] for inputs in of(stack, name, "lb/listenerRule:ListenerRule")]
    assert priorities == list(range(1, len(priorities) + 1))


@WITHOUT_NGINX
def test_the_gateway_is_asked_without_a_name_in_tls_and_tells_hosts_apart_by_its_routes(stack: str, name: str) -> None:
    (gateway,) = [r["inputs"] for r in kubernetes(stack, name, "Gateway") if r["type"].startswith("kubernetes:gateway.networking")]
    (listener,) = gateway["spec"]["listeners"]
    assert "hostname" not in listener
    routes = [r["inputs"]["spec"] for kind in ("HTTPRoute", "GRPCRoute") for r in kubernetes(stack, name, kind)]
    assert routes
    assert all(spec["hostnames"] and spec["parentRefs"][0]["sectionName"] == listener["name"] for spec in routes)


@OF_NGINX
def test_nginx_stands_before_the_gateway_which_takes_its_certificate_alone(stack: str, name: str) -> None:
    (fence,) = [p["inputs"]["spec"] for p in kubernetes(stack, name, "NetworkPolicy") if named(p) == "gateway/gateway"]
    (peer,) = fence["ingress"][0]["from"]
    assert peer["namespaceSelector"]["matchLabels"] == {"kubernetes.io/metadata.name": "edge"}
    (policy,) = [r["inputs"]["spec"] for r in kubernetes(stack, name, "ClientTrafficPolicy")]
    assert policy["tls"]["clientValidation"]["subjectAltNames"]["uris"][0]["value"].endswith("/ns/edge/sa/edge")
    (gateway,) = [r["inputs"] for r in kubernetes(stack, name, "Gateway") if r["type"].startswith("kubernetes:gateway.networking")]
    assert [listener["hostname"] for listener in gateway["spec"]["listeners"]] == list(system(name).public_hosts())


@OF_NGINX
def test_nginx_takes_the_clients_address_from_the_load_balancers_subnets_alone(stack: str, name: str) -> None:
    (files,) = [r["inputs"]["data"] for r in kubernetes(stack, name, "ConfigMap") if named(r) == "edge/edge"]
    public = [inputs["cidrBlock"] for inputs in of(stack, name, "ec2/subnet:Subnet") if inputs["tags"]["Name"].split("-")[-2] == "public"]
    trusted = [line.strip() for line in files["nginx.conf"].splitlines() if "set_real_ip_from" in line]
    assert trusted == [f"set_real_ip_from {cidr};" for cidr in public]
    assert "real_ip_header X-Forwarded-For;" in files["nginx.conf"]


@OF_NGINX
def test_the_load_balancer_waits_longer_than_nginx_which_waits_longer_than_the_gateway(stack: str, name: str) -> None:
    (balancer,) = of(stack, name, "lb/loadBalancer:LoadBalancer")
    longest = max(seconds(door.timeout) for door in system(name).doors.values())
    assert longest + 2 <= balancer["idleTimeout"]
    (files,) = [r["inputs"]["data"] for r in kubernetes(stack, name, "ConfigMap") if named(r) == "edge/edge"]
    assert f"keepalive_timeout {balancer['idleTimeout'] + 10}s;" in files["nginx.conf"]


@OF_NGINX
def test_nginx_runs_before_it_is_bound_and_the_gateway_before_nginx(stack: str, name: str) -> None:
    (deployment,) = [r for r in kubernetes(stack, name, "Deployment") if named(r) == "edge/edge"]
    assert "gateway/gateway" in {urn.rpartition("::")[2] for urn in deployment["dependencies"]}
    (service,) = [r for r in kubernetes(stack, name, "Service") if named(r) == "edge/edge"]
    assert deployment["urn"] in service["dependencies"]
    for binding in kubernetes(stack, name, "TargetGroupBinding"):
        assert {urn.rpartition("::")[2] for urn in binding["dependencies"]} >= {
            "edge/edge",
            "aws-load-balancer/aws-load-balancer-controller",
        }


@WITHOUT_NGINX
def test_what_runs_outside_the_cluster_has_no_namespace_inside(stack: str, name: str) -> None:
    namespaces = {r["inputs"]["metadata"]["name"] for r in kubernetes(stack, name, "Namespace")}
    assert "edge" not in namespaces
    assert {"gateway", "aws-load-balancer"} <= namespaces


@OF_A_PLAN
def test_every_layer_keeps_its_logs_encrypted_and_for_a_time(stack: str, name: str) -> None:
    groups = of(stack, name, "cloudwatch/logGroup:LogGroup")
    (cluster,) = of(stack, name, "eks/cluster:Cluster")
    own = cluster["name"]
    containers = f"/aws/containerinsights/{own}/application"
    assert {inputs["name"] for inputs in groups} == {f"/vpc/{own}/flow", f"/aws/eks/{own}/cluster", f"aws-waf-logs-{own}", containers}
    assert all(inputs["retentionInDays"] and "kmsKeyId" in inputs for inputs in groups)
    (flow,) = of(stack, name, "ec2/flowLog:FlowLog")
    assert flow["trafficType"] == "ALL"
    assert all(inputs["enableKeyRotation"] is True for inputs in of(stack, name, "kms/key:Key"))


@OF_A_PLAN
def test_what_containers_say_goes_to_a_log_group_by_a_role_that_may_do_nothing_else(stack: str, name: str) -> None:
    (collector,) = (each for each in registered(stack, name, "eks/addon:Addon") if named(each) == "fluent-bit")
    (cluster,) = of(stack, name, "eks/cluster:Cluster")
    config = json.loads(collector["inputs"]["configurationValues"])["config"]
    group = f"/aws/containerinsights/{cluster['name']}/application"
    assert f"log_group_name {group}\n" in config["outputs"]
    assert "auto_create_group Off\n" in config["outputs"]
    assert config["filters"] == ""
    assert group in {each["name"] for each in of(stack, name, "cloudwatch/logGroup:LogGroup")}
    # In the namespace in which its NetworkPolicy is before it, and after all that it writes by.
    assert collector["inputs"]["namespaceConfig"] == {"namespace": "kube-system"}
    waited = {urn.rpartition("::")[2] for urn in collector["dependencies"]}
    assert waited >= {"container-logs", "container-logs-rights", "nodes", "kube-system/fluent-bit"}
    (rights,) = (each["inputs"] for each in registered(stack, name, "iam/rolePolicy:RolePolicy") if named(each) == "container-logs-rights")
    (statement,) = json.loads(rights["policy"])["Statement"]
    assert statement["Action"] == ["logs:CreateLogStream", "logs:PutLogEvents"]
    assert [each.partition(":log-group:")[2] for each in statement["Resource"]] == [f"{group}:*"]


@OF_A_PLAN
def test_the_bucket_of_access_logs_is_closed(stack: str, name: str) -> None:
    (block,) = of(stack, name, "s3/bucketPublicAccessBlock:BucketPublicAccessBlock")
    assert all(block[key] is True for key in ("blockPublicAcls", "blockPublicPolicy", "ignorePublicAcls", "restrictPublicBuckets"))
    (bucket,) = of(stack, name, "s3/bucket:Bucket")
    assert len(bucket["bucket"]) <= 63
    assert bucket["forceDestroy"] is (stack != "aws-prod")


@OF_A_PLAN
def test_no_secret_is_in_the_plan(stack: str, name: str) -> None:
    assert "PRIVATE KEY" not in str(resources(stack, name))
    for inputs in of(stack, name, "secretsmanager/secretVersion:SecretVersion"):
        assert inputs["secretString"] in (wire.KNOWN_SECRET, wire.UNKNOWN_SECRET)


@OF_A_PLAN
def test_each_consumers_key_is_kept_for_whoever_hands_it_out(stack: str, name: str) -> None:
    kept = {inputs["name"].rpartition("/")[2] for inputs in of(stack, name, "secretsmanager/secret:Secret")}
    assert kept == set(system(name).consumers)
    assert all(asked(r, "kmsKeyId") == {"key-api-keys"} for r in registered(stack, name, "secretsmanager/secret:Secret"))


def test_the_hosts_get_a_certificate_and_their_addresses_where_their_zone_is_given() -> None:
    t = system("brokerage")
    (asked_for,) = of("aws-dev", "brokerage", "acm/certificate:Certificate")
    assert [asked_for["domainName"], *asked_for["subjectAlternativeNames"]] == list(t.public_hosts())
    aliases = {inputs["name"] for inputs in of("aws-dev", "brokerage", "route53/record:Record") if "aliases" in inputs}
    assert aliases == set(t.public_hosts())


def test_a_certificate_of_yours_is_used_as_it_is() -> None:
    assert of("aws-prod", "abc", "acm/certificate:Certificate") == of("aws-prod", "abc", "route53/record:Record") == []
    (listener,) = of("aws-prod", "abc", "lb/listener:Listener")
    assert listener["certificateArn"].startswith("arn:aws:acm:eu-central-1:000000000000:certificate/")


def test_private_operators_are_one_more_way_to_the_api_and_none_to_anything_else() -> None:
    settings = {
        "accountId": "123456789012", "region": "eu-central-1", "name": "abc-prod", "certificate": f"arn:aws:acm:eu-central-1:123456789012:certificate/{'0' * 36}",
        "administrators": ["arn:aws:iam::123456789012:role/admin"], "privateOperators": ["10.8.0.0/24"],
    }  # fmt: skip
    config = {"perimeter:topology": str(topology_file("abc")), "perimeter:aws": json.dumps(settings)}
    made = plan_program(ROOT, "aws-prod", config).resources
    ranges = [r for r in made if r["type"].startswith("aws:vpc/securityGroupIngress") and "cidrIpv4" in r["inputs"]]
    assert [(asked(r, "securityGroupId"), r["inputs"]["cidrIpv4"], r["inputs"]["toPort"]) for r in ranges] == [
        ({"api"}, "10.8.0.0/24", 443),
        ({"edge"}, "0.0.0.0/0", 443),
    ]


def test_the_program_also_runs_where_outputs_are_known() -> None:
    plan = plan_program(ROOT, "aws-dev", {"perimeter:topology": str(topology_file("abc"))}, mode=Mode.OPTIMISTIC)
    assert any(r["type"] == "aws:lb/listener:Listener" for r in plan.resources)


def test_kong_cannot_fetch_key_sets_here_either() -> None:
    config = {"perimeter:topology": str(topology_file("abc"))}
    with pytest.raises(PlanError, match=r"doors\.a\.auth\.jwt.*perimeter:gateway: envoy-gateway"):
        plan_program(ROOT, "aws-kong", config)
