"""A small cluster that the tests speak about: three namespaces, six pods, and machines outside."""

from typing import Any

from hypothesis import strategies as st

from lab.enforcer.objects import Cluster, Json, Known
from lab.enforcer.semantics import Compiled, Endpoint, compiled

RANGE = "10.88.0.0/16"
NODE = "10.88.255.1"
OUTSIDE = ("192.0.2.10", "192.0.2.130")
PORTS = (80, 81, 82, 8080)
PROTOCOLS = ("TCP", "UDP")


def namespace(name: str, **labels: str) -> Json:
    return {"metadata": {"name": name, "labels": {"kubernetes.io/metadata.name": name, **labels}}}


def pod(
    place: str,
    address: str,
    ports: dict[str, tuple[str, int]] | None = None,
    /,
    *,
    host: bool = False,
    phase: str = "Running",
    **labels: str,
) -> Json:
    home, name = place.split("/")
    named = [{"name": port, "protocol": protocol, "containerPort": number} for port, (protocol, number) in (ports or {}).items()]
    return {
        "metadata": {"namespace": home, "name": name, "labels": labels, "creationTimestamp": "2026-11-21T09:00:00Z"},
        "spec": {"hostNetwork": host, "containers": [{"name": "app", "ports": named}]},
        "status": {"phase": phase, "podIP": address},
    }


def policy(place: str, **spec: Any) -> Json:
    home, name = place.split("/")
    return {"metadata": {"namespace": home, "name": name}, "spec": {"podSelector": {}, **spec}}


NAMESPACES = (namespace("shop", team="a"), namespace("bank", team="b"), namespace("bare"))
WEB, DB, API, LEDGER, LOG, ODD = "10.88.0.11", "10.88.0.12", "10.88.0.21", "10.88.0.22", "10.88.0.31", "10.88.0.32"
PODS = (
    pod("shop/web", WEB, {"http": ("TCP", 80)}, app="web", tier="front"),
    pod("shop/db", DB, {"sql": ("TCP", 81), "http": ("TCP", 8080)}, app="db", tier="back"),
    pod("bank/api", API, {"http": ("TCP", 8080), "dns": ("UDP", 81)}, app="web", tier="front"),
    pod("bank/ledger", LEDGER, {"http": ("UDP", 80)}, app="ledger"),
    pod("bare/log", LOG, {"sql": ("TCP", 82)}, tier="back"),
    pod("bare/odd", ODD),
)
ADDRESSES = (WEB, DB, API, LEDGER, LOG, ODD)


def known(*policies: Json, pods: tuple[Json, ...] = PODS, namespaces: tuple[Json, ...] = NAMESPACES) -> Cluster:
    everything = Known()
    everything.replace("namespaces", namespaces)
    everything.replace("pods", pods)
    everything.replace("networkpolicies", policies)
    return everything.cluster()


def meaning(*policies: Json, **given: Any) -> Compiled:
    return compiled(known(*policies, **given))


def questions() -> list[tuple[str, Endpoint]]:
    """Every connection that policies may decide, from and to the pods."""
    ends = (*ADDRESSES, *OUTSIDE)
    return [
        (client, (server, protocol, port))
        for client in ends
        for server in ends
        for protocol in PROTOCOLS
        for port in PORTS
        if {client, server} & set(ADDRESSES)
    ]


_KEYS = {
    "app": ("web", "db", "ledger"),
    "tier": ("front", "back"),
    "team": ("a", "b"),
    "kubernetes.io/metadata.name": ("shop", "bank", "bare"),
}


@st.composite
def _expressions(draw: st.DrawFn) -> Json:
    key = draw(st.sampled_from(sorted(_KEYS)))
    operator = draw(st.sampled_from(("In", "NotIn", "Exists", "DoesNotExist")))
    values = draw(st.lists(st.sampled_from(_KEYS[key]), min_size=1, max_size=2, unique=True)) if operator.endswith("In") else []
    return {"key": key, "operator": operator, "values": values} if values else {"key": key, "operator": operator}


@st.composite
def selectors(draw: st.DrawFn) -> Json:
    """Selectors that often mean some of the small cluster, sometimes all, sometimes none."""
    keys = draw(st.lists(st.sampled_from(sorted(_KEYS)), max_size=1))
    selector: dict[str, Any] = {}
    if keys:
        selector["matchLabels"] = {key: draw(st.sampled_from(_KEYS[key])) for key in keys}
    if expressions := draw(st.lists(_expressions(), max_size=1)):
        selector["matchExpressions"] = expressions
    return selector


_BLOCKS = (
    {"cidr": "192.0.2.0/24"},
    {"cidr": "192.0.2.0/24", "except": ["192.0.2.128/25"]},
    {"cidr": "0.0.0.0/0", "except": ["10.88.0.0/16", "192.0.2.10/32"]},
    {"cidr": "10.88.0.0/27", "except": ["10.88.0.12/32"]},
    {"cidr": "0.0.0.0/0"},
    {"cidr": "2001:db8::/32"},
)


def peers() -> st.SearchStrategy[Json]:
    return st.one_of(
        st.sampled_from(_BLOCKS).map(lambda block: {"ipBlock": block}),
        selectors().map(lambda chosen: {"podSelector": chosen}),
        selectors().map(lambda chosen: {"namespaceSelector": chosen}),
        st.tuples(selectors(), selectors()).map(lambda both: {"namespaceSelector": both[0], "podSelector": both[1]}),
    )


_PORTS: tuple[Json, ...] = (
    {"port": 80},
    {"port": 81},
    {"port": 80, "endPort": 81},
    {"port": 8080},
    {"port": "http"},
    {"port": "sql"},
    {"port": "dns"},
    {},
)


def ports() -> st.SearchStrategy[Json]:
    return st.tuples(st.sampled_from(_PORTS), st.sampled_from(({}, {"protocol": "TCP"}, {"protocol": "UDP"}))).map(
        lambda both: {**both[0], **both[1]}
    )


@st.composite
def policies(draw: st.DrawFn) -> Json:
    spec: dict[str, Any] = {"podSelector": draw(selectors())}
    if types := draw(st.lists(st.sampled_from(("Ingress", "Egress")), unique=True)):
        spec["policyTypes"] = types
    for direction, side in (("ingress", "from"), ("egress", "to")):
        rules = st.fixed_dictionaries({}, optional={side: st.lists(peers(), max_size=2), "ports": st.lists(ports(), max_size=2)})
        if draw(st.booleans()):
            spec[direction] = draw(st.lists(rules, max_size=2))
    home = draw(st.sampled_from(("shop", "bank", "bare")))
    return policy(f"{home}/p{draw(st.integers(0, 10**9))}", **spec)
