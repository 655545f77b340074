"""NetworkPolicies word by word, one question at a time and straight from the API's objects: slow, and written without looking at the enforcer."""

from collections.abc import Sequence
from ipaddress import ip_address, ip_network
from typing import Any

from lab.enforcer.objects import Json


def says(selector: Json, labels: Json) -> bool:
    for key, value in selector.get("matchLabels", {}).items():
        if key not in labels or labels[key] != value:
            return False
    for requirement in selector.get("matchExpressions", []):
        key, operator = requirement["key"], requirement["operator"]
        present = key in labels
        if operator == "Exists" and not present:
            return False
        if operator == "DoesNotExist" and present:
            return False
        if operator == "In" and not (present and labels[key] in requirement["values"]):
            return False
        if operator == "NotIn" and present and labels[key] in requirement["values"]:
            return False
    return True


class Naive:
    def __init__(self, namespaces: Sequence[Json], pods: Sequence[Json], policies: Sequence[Json]) -> None:
        self.labels_of = {one["metadata"]["name"]: one["metadata"]["labels"] for one in namespaces}
        self.pods = {one["status"]["podIP"]: one for one in pods}
        self.policies = policies

    def admits(self, client: str, server: str, protocol: str, port: int) -> bool:
        if client == server:
            return True
        target = (server, protocol, port)
        return self.passes(("Egress", "egress", "to"), client, server, target) and self.passes(
            ("Ingress", "ingress", "from"), server, client, target
        )

    def passes(self, direction: tuple[str, str, str], own: str, other: str, target: tuple[str, str, int]) -> bool:
        kind, rules, side = direction
        if own not in self.pods:
            return True
        isolated = False
        for policy in self.policies:
            spec = policy["spec"]
            types = spec.get("policyTypes") or (["Ingress", "Egress"] if spec.get("egress") else ["Ingress"])
            pod = self.pods[own]["metadata"]
            if kind not in types or pod["namespace"] != policy["metadata"]["namespace"] or not says(spec["podSelector"], pod["labels"]):
                continue
            isolated = True
            for rule in spec.get(rules, []):
                peers, ports = rule.get(side, []), rule.get("ports", [])
                home = policy["metadata"]["namespace"]
                if (not peers or any(self.peer(peer, home, other) for peer in peers)) and (
                    not ports or any(self.port(one, *target) for one in ports)
                ):
                    return True
        return not isolated

    def peer(self, peer: Json, home: str, address: str) -> bool:
        if "ipBlock" in peer:
            block = peer["ipBlock"]
            inside = ip_address(address) in ip_network(block["cidr"])
            return inside and not any(ip_address(address) in ip_network(hole) for hole in block.get("except", []))
        if address not in self.pods:
            return False
        pod = self.pods[address]["metadata"]
        if "namespaceSelector" in peer:
            if not says(peer["namespaceSelector"], self.labels_of[pod["namespace"]]):
                return False
        elif pod["namespace"] != home:
            return False
        return "podSelector" not in peer or says(peer["podSelector"], pod["labels"])

    def port(self, wanted: Json, server: str, protocol: str, port: int) -> bool:
        if wanted.get("protocol", "TCP") != protocol:
            return False
        number: Any = wanted.get("port")
        if number is None:
            return True
        if isinstance(number, int):
            return number <= port <= wanted.get("endPort", number)
        if server not in self.pods:
            return False
        containers = self.pods[server]["spec"]["containers"]
        return any(
            one["name"] == number and one["protocol"] == protocol and one["containerPort"] == port for c in containers for one in c["ports"]
        )
