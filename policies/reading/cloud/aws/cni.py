"""Amazon's VPC CNI, the network plugin of EKS: whether it enforces NetworkPolicies."""

import json
import re
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, Final

from policies.reading.cloud.aws.documents import once
from policies.reading.cloud.aws.eks import CNI, belongs
from policies.reading.cloud.aws.kinds import ADDON
from policies.reading.cloud.flaws import Flaw
from policies.reading.resource import Resource
from policies.reading.values import UnknownValueError, mapping

if TYPE_CHECKING:
    from policies.reading.stack import Stack


def policies_are_enforced(cluster: Resource, stack: "Stack") -> Iterator[Flaw]:
    """Check that Amazon's CNI enforces NetworkPolicies: it does not unless it is told to.

    https://docs.aws.amazon.com/eks/latest/userguide/cni-network-policy-configure.html
    """
    fix = 'give the add-on vpc-cni configurationValues {"enableNetworkPolicy": "true"}'
    own = [addon for addon in stack.of(ADDON) if addon.at("addonName") == CNI and belongs(stack, addon, cluster)]
    if not own:
        yield Flaw(message="no add-on vpc-cni of the program enforces NetworkPolicies: nothing does", fix=fix)
    for addon in own:
        values = configuration(addon)
        if str(values.get("enableNetworkPolicy", "false")).lower() != "true":
            yield Flaw(message="NetworkPolicies are accepted and not enforced (enableNetworkPolicy)", fix=fix, resource=addon)
        mode = str(mapping(values.get("env")).get("NETWORK_POLICY_ENFORCING_MODE", "standard"))
        if mode != "strict":
            yield Flaw(
                message=f"a new pod is open until its NetworkPolicies are there (NETWORK_POLICY_ENFORCING_MODE {mode})",
                fix='set env.NETWORK_POLICY_ENFORCING_MODE "strict", and write policies for what runs in kube-system',
                resource=addon,
            )
        yield from _old(addon)
        yield from _agent(addon, mapping(values.get("nodeAgent")))
        if addon.at("resolveConflictsOnUpdate", default="NONE") == "PRESERVE":
            yield Flaw(
                message="keeps what somebody changed of it in the cluster (resolveConflictsOnUpdate PRESERVE)",
                fix="set resolveConflictsOnUpdate: OVERWRITE",
                resource=addon,
            )
        for key in sorted(values.keys() - CNI_VALUES):
            yield Flaw(
                message=f"sets {key} of the CNI, and what that changes is not known", fix="remove it", resource=addon, undecided=True
            )
        for key, value in mapping(values.get("env")).items():
            if not _accepted(key, str(value)):
                yield Flaw(
                    message=f"sets {key}={value} of the CNI, and what that changes is not known",
                    fix="remove it",
                    resource=addon,
                    undecided=True,
                )


def _agent(addon: Resource, said: Mapping[str, Any]) -> Iterator[Flaw]:
    """Check that the container which enforces policies runs: without it they are accepted and nothing reads them."""
    if str(said.get("enabled", "true")).lower() != "true":
        yield Flaw(message="the container that enforces NetworkPolicies is off (nodeAgent.enabled)", fix="remove nodeAgent", resource=addon)
    for key in sorted(said.keys() - AGENT_VALUES):
        yield Flaw(
            message=f"sets nodeAgent.{key} of the CNI, and what that changes is not known", fix="remove it", resource=addon, undecided=True
        )


def _old(addon: Resource) -> Iterator[Flaw]:
    """Check that the version knows NetworkPolicies at all; without one EKS takes the newest that fits the cluster."""
    version = addon.at("addonVersion", default="")
    found = re.match(r"v(\d+)\.(\d+)\.", version)
    if version and (found is None or (int(found[1]), int(found[2])) < FIRST_WITH_POLICIES):
        yield Flaw(
            message=f"is vpc-cni {version}, which does not enforce NetworkPolicies from a pod's first packet",
            fix="take v1.17 or later",
            resource=addon,
            undecided=found is None,
        )


FIRST_WITH_POLICIES: Final = (1, 17)
"""That enforces them from a pod's first packet; since 1.14 it did so some seconds later, whatever it is told
(https://github.com/aws/amazon-vpc-cni-k8s/releases/tag/v1.17.1)."""

CNI_VALUES: Final = frozenset({"enableNetworkPolicy", "env", "nodeAgent", "resources", "tolerations", "livenessProbeTimeoutSeconds"})
"""Values of the add-on that do not decide who has which address or what is enforced, or that are read."""

AGENT_VALUES: Final = frozenset(
    {"enabled", "enableCloudWatchLogs", "enablePolicyEventLogs", "healthProbeBindAddr", "metricsBindAddr", "resources"}
)
"""Values of the container that enforces policies (`nodeAgent`) that do not decide what is enforced, or that are read.

https://github.com/aws/amazon-vpc-cni-k8s/blob/master/charts/aws-vpc-cni/values.yaml
"""

CNI_ENVIRONMENT: Final = {
    "NETWORK_POLICY_ENFORCING_MODE": None,
    "ENABLE_PREFIX_DELEGATION": ("true", "false"),
    "WARM_PREFIX_TARGET": None,
    "WARM_IP_TARGET": None,
    "WARM_ENI_TARGET": None,
    "MINIMUM_IP_TARGET": None,
    "AWS_VPC_K8S_CNI_LOGLEVEL": None,
    "AWS_VPC_K8S_CNI_EXTERNALSNAT": ("true", "false"),
    "ENABLE_POD_ENI": ("false",),
    "AWS_VPC_K8S_CNI_CUSTOM_NETWORK_CFG": ("false",),
}
"""Variables of the CNI and their values with which pods have addresses and groups of their nodes; None: any value.

https://github.com/aws/amazon-vpc-cni-k8s/blob/master/README.md
"""


def _accepted(key: str, value: str) -> bool:
    allowed = CNI_ENVIRONMENT.get(key, ())
    return allowed is None or value in allowed


def configuration(addon: Resource) -> dict[str, Any]:
    """Return the values with which an add-on is installed.

    Raises:
        UnknownValueError: if they are not known, or no JSON.
    """
    text = addon.at("configurationValues", default="")
    try:
        return mapping(json.loads(text, object_pairs_hook=once)) if text else {}
    except ValueError as error:
        raise UnknownValueError(f"{addon}: configurationValues", f"no JSON ({error})") from error
