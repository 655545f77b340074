"""A cloud that answers: ids and outputs of a deployment, so that a plan can be judged as its second preview shows it.

What providers answer is read from what they recorded of themselves (`provider/**/testdata/recorded/TestProviderUpgrade/*/stack.json` of
pulumi/pulumi-aws and pulumi/pulumi-azure-native): outputs hold the id, the inputs, and much that nobody gave. Keys and certificates are made
by the program's own providers.
"""

import base64
import hashlib
import json
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from typing import Any, Final

from planner.dynamic import Provider, dynamic_provider
from planner.plan import Known
from planner.program import resolve_program
from planner.wire import SECRET, SIGNATURE, has_unknown, name_of, plain
from tests.policies.checked import properties
from tests.systems import ROOT, topology_file

Record = dict[str, Any]
Properties = Mapping[str, Any]

ROUNDS: Final = 8
"""How often a program is asked at most, until nothing that it says waits for an answer."""

DYNAMIC: Final = "pulumi-python:"

ADDRESS: Final = "203.0.113.20"
OBJECT: Final = "00000000-0000-0000-0000-00000000000a"
"""An object of Entra ID, and a subscription, that nobody compares."""

ARNS: Final = ("aws:lb/", "aws:acm/certificate:", "aws:iam/policy:", "aws:secretsmanager/secret:")
"""Resources of AWS whose id is their ARN."""
NUMBERED: Final = ("aws:ec2/", "aws:vpc/", "aws:kms/", "aws:wafv2/")
"""Resources of AWS whose id AWS makes up; that of all others is their name."""


def _certificate(inputs: Properties) -> Properties:
    record = {"resourceRecordName": "_a.example", "resourceRecordType": "CNAME", "resourceRecordValue": "_b.acm-validations.aws."}
    hosts = [inputs.get("domainName"), *(inputs.get("subjectAlternativeNames") or ())]
    return {"domainValidationOptions": [{"domainName": host, **record} for host in hosts]}


def _cluster(inputs: Properties) -> Properties:
    return {
        "certificateAuthority": {"data": "Q0E="},
        "identities": [{"oidcs": [{"issuer": "https://oidc.eks.example/id/1"}]}],
        "vpcConfig": {**inputs["vpcConfig"], "clusterSecurityGroupId": "sg-0123456789abcdef0", "vpcId": "vpc-0123456789abcdef0"},
    }


STRUCTURED: Final[Mapping[str, Callable[[Properties], Properties]]] = {
    "aws:acm/certificate:Certificate": _certificate,
    "aws:ec2/launchTemplate:LaunchTemplate": lambda _: {"latestVersion": 1, "defaultVersion": 1},
    "aws:eks/cluster:Cluster": _cluster,
}
"""Outputs of AWS that are no texts."""

READ: Final[Mapping[str, Callable[[Properties], Properties]]] = {
    "azure-native:apimanagement:ApiManagementService": lambda _: {"privateIPAddresses": ["10.60.5.4"], "publicIPAddresses": [ADDRESS]},
    "azure-native:applicationinsights:Component": lambda _: {"connectionString": "InstrumentationKey=00000000-0000-0000-0000-00000000000b"},
    "azure-native:keyvault:Key": lambda key: {
        "keyUriWithVersion": f"https://{key['vaultName']}.vault.azure.net/keys/{key['keyName']}/0123456789abcdef0123456789abcdef"
    },
    "azure-native:managedidentity:UserAssignedIdentity": lambda _: {"clientId": OBJECT, "tenantId": OBJECT},
    "azure-native:network:PublicIPAddress": lambda _: {"ipAddress": ADDRESS},
}
"""Outputs of Azure that the program reads, by what was asked for."""


@cache
def deployed(stack: str, system: str) -> tuple[Record, ...]:
    """Return the resources of a stack that is deployed: every input is known, ids and outputs are there.

    Raises:
        AssertionError: if an input waits for an output that nobody here answers.
    """
    config = {"perimeter:topology": str(topology_file(system))}
    known: dict[str, Known] = {}
    waiting: list[str] = []
    with dynamic_provider(ROOT, stack, config) as makers:
        for _ in range(ROUNDS):
            resources = resolve_program(ROOT, stack, config, known).resources
            waiting = [record["urn"] for record in resources if record["custom"] and has_unknown(record["inputs"])]
            if not waiting:
                return tuple(map(_answered, resources))
            known |= {record["urn"]: answer for record in resources if (answer := _answer(record))}
            known |= dict(_made(resources, known, makers))
    raise AssertionError(f"nobody answers: {waiting}")


def _answered(record: Record) -> Record:
    answer = _answer(record)
    return {**record, "id": answer.id, "outputs": answer.outputs} if answer else record


def _answer(record: Record) -> Known | None:
    answers = ANSWERS.get(record["type"].partition(":")[0])
    return answers(record) if answers and record["custom"] else None


def _made(resources: tuple[Record, ...], known: Mapping[str, Known], makers: Provider) -> Iterator[tuple[str, Known]]:
    """Make keys and certificates, each once, when all is known that goes into them."""
    for record in resources:
        urn, inputs = record["urn"], record["inputs"] if record["custom"] else {}
        if record["type"].startswith(DYNAMIC) and urn not in known and not has_unknown(inputs):
            yield urn, makers.create(urn, {key: plain(value) for key, value in inputs.items()})


def _aws(record: Record) -> Known:
    token, inputs, number = record["type"], record["inputs"], _number(record)
    name = inputs.get("name") or inputs.get("bucket") or f"{name_of(record['urn'])}-{number[:7]}"
    arn = f"arn:aws:{token.split(':')[1].partition('/')[0]}:eu-central-1:000000000000:{name}/{number[:8]}"
    id_ = arn if token.startswith(ARNS) else f"id-{number[:17]}" if token.startswith(NUMBERED) else name
    texts = {
        each.name: "" if each.given else f"{each.name.lower()}.{number[:8]}.example" for each in properties(token) if each.kind == "str"
    }
    extra = STRUCTURED.get(token, lambda _: {})(inputs)
    return Known(id=id_, outputs={**texts, "name": name, "arn": arn, **inputs, **extra, "id": id_})


def _azure(record: Record) -> Known:
    token, inputs = record["type"], record["inputs"]
    name = f"{name_of(record['urn'])}-{_number(record)[:8]}"
    id_ = f"/subscriptions/{OBJECT}/resourceGroups/{inputs.get('resourceGroupName')}/providers/Microsoft.{token.split(':')[1]}/{name}"
    extra: dict[str, Any] = {
        "provisioningState": "Succeeded",
        "name": name,
        "azureApiVersion": "2025-01-01",
        **READ.get(token, lambda _: {})(inputs),
    }
    if token.endswith(":UserAssignedIdentity"):
        extra["principalId"] = _principal(record)
    if "identity" in inputs:
        extra["identity"] = {**_identity(inputs["identity"]), "principalId": _principal(record)}
    if "oidcIssuerProfile" in inputs:
        extra["oidcIssuerProfile"] = {**inputs["oidcIssuerProfile"], "issuerURL": "https://oidc.aks.example/1"}
    return Known(id=id_, outputs={**inputs, **extra, "id": id_})


def _identity(given: Properties) -> Properties:
    """Return an identity as Azure answers: a list of ids has become a mapping."""
    ids = given.get("userAssignedIdentities") or ()
    listed = {"userAssignedIdentities": {each: {"clientId": OBJECT, "principalId": OBJECT} for each in ids}} if ids else {}
    return {**given, "tenantId": OBJECT, **listed}


def _principal(record: Record) -> str:
    """Return the object of Entra ID that an identity is: each is one of its own."""
    return f"00000000-0000-4000-8000-{_number(record)[:12]}"


def _kubernetes(record: Record) -> Known:
    """Return an object as it was given, but for what is in a Secret: that is answered as `data`, and hidden as one."""
    given = record["inputs"]
    outputs = {key: value for key, value in given.items() if key != "stringData"}
    if "stringData" in given:
        data = {key: base64.b64encode(str(plain(value)).encode()).decode() for key, value in given["stringData"].items()}
        outputs["data"] = {SIGNATURE: SECRET, "plaintext": json.dumps(data)}
        outputs["metadata"] = {**given["metadata"], "managedFields": [{"fieldsV1": {"f:data": {f"f:{key}": {} for key in data}}}]}
    return Known(id=name_of(record["urn"]), outputs=outputs)


def _number(record: Record) -> str:
    return hashlib.sha256(record["urn"].encode()).hexdigest()


ANSWERS: Final[Mapping[str, Callable[[Record], Known]]] = {"aws": _aws, "azure-native": _azure, "kubernetes": _kubernetes}
"""Who answers, by package."""
