"""What proves hosts of Azure opens: who takes on cert-manager's identity, what that may do, and whom it asks for certificates."""

from typing import Any

from tests.policies.mutations import azure_plan as azure
from tests.policies.mutations.mutation import CloudFamily, Table
from tests.policies.mutations.plan import MARKER, Plan

TABLE = Table(CloudFamily.RIGHTS)

TRUST = "managedidentity:FederatedIdentityCredential"


def _issuer(plan: Plan) -> dict[str, Any]:
    record = plan.first("ClusterIssuer", where=lambda i: "acme" in i["spec"])
    assert record is not None
    return plan.edit(record)


@TABLE.mutation("N12", "a service takes on the identity that writes into the zone")
def zone_for_a_service(plan: Plan) -> bool:
    azure.inputs(plan, TRUST)["subject"] = f"system:serviceaccount:{plan.app_namespaces()[0]}:a"
    return True


@TABLE.mutation("N12", "any pod of the namespace takes it on")
def zone_for_a_namespace(plan: Plan) -> bool:
    azure.inputs(plan, TRUST)["subject"] = "system:serviceaccount:cert-manager:*"
    return True


@TABLE.mutation("N12", "something else runs as cert-manager")
def another_runs_as_cert_manager(plan: Plan) -> bool:
    deployment = plan.app("Deployment")
    assert deployment is not None
    copied = plan.edit(deployment)
    copied["metadata"]["namespace"] = "cert-manager"
    copied["spec"]["template"]["spec"]["serviceAccountName"] = "cert-manager"
    return True


@TABLE.mutation("N12", "pods of another cluster take it on")
def zone_for_another_cluster(plan: Plan) -> bool:
    trust = azure.one(plan, TRUST)
    assert trust is not None
    fresh = plan.options(trust)
    fresh["inputs"]["issuer"] = "https://westeurope.oic.prod-aks.azure.com/another/cluster/"
    fresh["propertyDependencies"]["issuer"] = []
    return True


@TABLE.mutation("N12", "the same, though the issuer depends on the program's own cluster")
def zone_for_a_cluster_that_was_typed(plan: Plan) -> bool:
    azure.inputs(plan, TRUST)["issuer"] = "https://westeurope.oic.prod-aks.azure.com/another/cluster/"
    return True


@TABLE.mutation("N12", "cert-manager may write into a stranger's zone, of the name of the program's own")
def zone_of_another_group(plan: Plan) -> bool:
    grant = azure.inputs(plan, "authorization:RoleAssignment", lambda i: "/dnsZones/" in i["scope"])
    grant["scope"] = grant["scope"].replace("/resourceGroups/rg-", "/resourceGroups/rg-other-")
    return True


@TABLE.mutation("P07", "tokens for other audiences are taken as well")
def other_audiences(plan: Plan) -> bool:
    azure.inputs(plan, TRUST)["audiences"].append("https://kubernetes.default.svc")
    return True


@TABLE.mutation("N12", "cert-manager may write into every zone of the group")
def every_zone_of_the_group(plan: Plan) -> bool:
    grant = azure.inputs(plan, "authorization:RoleAssignment", lambda i: "/dnsZones/" in i["scope"])
    grant["scope"] = grant["scope"].partition("/providers/")[0]
    return True


@TABLE.mutation("P07", "a host has the address of somebody else")
def host_elsewhere(plan: Plan) -> bool:
    record = azure.inputs(plan, "dns:RecordSet")
    del record["targetResource"]
    record["aRecords"] = [{"ipv4Address": "198.51.100.7"}]
    return True


@TABLE.mutation("N10", "a host has the address of the nodes' way out")
def host_at_the_way_out(plan: Plan) -> bool:
    way_out = azure.inputs(plan, "network:PublicIPAddress", lambda i: "nat" in i["publicIpAddressName"])
    record = azure.inputs(plan, "dns:RecordSet")
    record["targetResource"]["id"] = (
        f"{azure.SUBSCRIPTION}/resourceGroups/{way_out['resourceGroupName']}/providers/Microsoft.Network/publicIPAddresses/"
        f"{way_out['publicIpAddressName']}"
    )
    return True


@TABLE.mutation("A13", "the public authority signs what the edge shows the gateway")
def public_authority_for_the_edge(plan: Plan) -> bool:
    certificate = plan.first("Certificate", where=lambda i: i["metadata"]["name"] == "edge-client")
    assert certificate is not None
    plan.edit(certificate)["spec"]["issuerRef"]["name"] = _issuer(plan)["metadata"]["name"]
    return True


@TABLE.mutation("A13", "the public authority signs a name that is nobody's host")
def public_authority_for_another_name(plan: Plan) -> bool:
    certificate = plan.first("Certificate", where=lambda i: i["metadata"]["name"] == "edge-server")
    assert certificate is not None
    plan.edit(certificate)["spec"]["dnsNames"].append(f"{MARKER}.example")
    return True


@TABLE.mutation("A13", "cert-manager asks whoever answers in the authority's place")
def authority_unverified(plan: Plan) -> bool:
    _issuer(plan)["spec"]["acme"]["skipTLSVerify"] = True
    return True


@TABLE.mutation("A13", "cert-manager asks an authority without TLS")
def authority_in_clear(plan: Plan) -> bool:
    _issuer(plan)["spec"]["acme"]["server"] = "http://acme.example/directory"
    return True


@TABLE.mutation("P02", "cert-manager's pods get another argument")
def cert_manager_argument(plan: Plan) -> bool:
    release = plan.release("cert-manager")
    assert release is not None
    plan.edit(release)["values"]["extraArgs"].append("--issuer-ambient-credentials")
    return True
