"""Real packets between network namespaces meet the rules in a real kernel."""

import json
import os
import socket
import struct
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lab.enforcer.objects import Json
from lab.enforcer.rules import TABLE, Ruleset, ruleset, transaction
from tests.lab.enforcer import world
from tests.lab.enforcer.naive import Naive
from tests.lab.enforcer.network import PATIENCE, Network, missing
from tests.lab.enforcer.world import ADDRESSES, API, DB, LEDGER, LOG, NODE, ODD, OUTSIDE, PORTS, PROTOCOLS, RANGE, WEB, meaning, policy

pytestmark = [pytest.mark.skipif(bool(reason := missing()), reason=reason), pytest.mark.xdist_group("packets")]

FAR = OUTSIDE[0]
COUNTED = ("handle", "packets", "bytes")
DENY = policy("shop/deny", policyTypes=["Ingress", "Egress"])


class Node:
    """The network, with the enforcer's table kept as the enforcer keeps it: by changes."""

    def __init__(self, network: Network) -> None:
        self.network = network
        self._content: Ruleset | None = None

    def enforce(self, *policies: Json, pods: tuple[Json, ...] = world.PODS) -> None:
        after = ruleset(meaning(*policies, pods=pods), RANGE)
        if text := transaction(self._content, after):
            self.network.nft(text)
        self._content = after

    def reaches(self, client: str, server: str, port: int = 80, protocol: str = "TCP") -> bool:
        question = (client, (server, protocol, port))
        return question in self.network.answered([question])


@pytest.fixture(scope="module")
def shared() -> Iterator[Node]:
    with Network(NODE, ADDRESSES, OUTSIDE) as network:
        network.serve((*ADDRESSES, *OUTSIDE, NODE), PROTOCOLS, PORTS)
        yield Node(network)


@pytest.fixture
def node(shared: Node) -> Node:
    shared.enforce()
    return shared


def test_without_policies_everyone_reaches_everyone(node: Node) -> None:
    assert node.network.answered(world.questions()) == set(world.questions())


def test_an_isolated_pod_neither_calls_nor_is_called(node: Node) -> None:
    node.enforce(DENY)
    assert not any(node.reaches(client, DB, protocol=protocol) for client in (WEB, API, FAR) for protocol in PROTOCOLS)
    assert not any(node.reaches(DB, server, protocol=protocol) for server in (WEB, API, FAR) for protocol in PROTOCOLS)
    assert node.reaches(API, LEDGER)


def test_a_range_of_ports_ends_where_it_says(node: Node) -> None:
    node.enforce(policy("shop/p", ingress=[{"ports": [{"port": 81, "endPort": 82}]}]))
    assert [port for port in PORTS if node.reaches(API, DB, port)] == [81, 82]


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture], database=None)
@given(policies=st.lists(world.policies(), min_size=1, max_size=6, unique_by=lambda one: one["metadata"]["name"]))
def test_any_policies_let_pass_what_the_documentation_says_word_by_word(node: Node, policies: list[Json]) -> None:
    node.enforce(*policies)
    naive = Naive(world.NAMESPACES, world.PODS, policies)
    questions = world.questions()
    expected = {question for question in questions if naive.admits(question[0], *question[1])}
    found = node.network.answered(questions)
    again = node.network.answered(found ^ expected)
    assert (found - (expected ^ found)) | again == expected, "asked twice where the first answer differed: a busy machine may lose patience"


def test_the_table_after_many_changes_is_the_table_written_at_once(node: Node) -> None:
    one = policy("shop/one", ingress=[{"from": [{"namespaceSelector": {}}], "ports": [{"port": "http"}, {"port": 81, "endPort": 90}]}])
    two = policy("bank/two", egress=[{"to": [{"ipBlock": {"cidr": "0.0.0.0/0", "except": ["10.0.0.0/8"]}}]}], policyTypes=["Egress"])
    for policies, pods in (((one,), 2), ((one, two), 6), ((two, DENY), 3), ((one,), 6), ((one, two, DENY), 5)):
        node.enforce(*policies, pods=world.PODS[:pods])
    changed = node.network.run("nft", "-j", "list", "table", *TABLE.split())
    node.network.nft(transaction(None, ruleset(meaning(one, two, DENY, pods=world.PODS[:5]), RANGE)))
    assert shape(changed) == shape(node.network.run("nft", "-j", "list", "table", *TABLE.split()))


def shape(listing: str) -> dict[str, list[object]]:
    """What a listing says by the names of its parts, whatever the order of names and elements, its handles and its counts."""
    found: dict[str, list[object]] = {}
    for entry in json.loads(listing, object_hook=lambda given: {key: value for key, value in given.items() if key not in COUNTED})[
        "nftables"
    ]:
        for kind, body in entry.items():
            if "elem" in body:
                body["elem"].sort(key=str)
            found.setdefault(f"{'chain' if kind == 'rule' else kind} {body.get('chain', body.get('name'))}", []).append(body)
    return found


def test_an_established_connection_stays_and_a_new_one_is_refused(node: Node) -> None:
    with node.network.socket(WEB, socket.SOCK_STREAM) as server, node.network.socket(API, socket.SOCK_STREAM) as client:
        server.bind((WEB, 9000))
        server.listen()
        server.settimeout(5)
        client.settimeout(5)
        client.connect((WEB, 9000))
        accepted, _ = server.accept()
        with accepted:
            node.enforce(DENY)
            accepted.settimeout(5)
            client.sendall(b"still")
            assert accepted.recv(5) == b"still"
            accepted.sendall(b"there")
            assert client.recv(5) == b"there"
    assert not node.reaches(API, WEB)


def test_answers_pass_where_only_the_question_is_allowed(node: Node) -> None:
    node.enforce(
        policy("bare/out", podSelector={}, policyTypes=["Ingress", "Egress"], egress=[{"to": [{"namespaceSelector": {}}]}]),
        policy(
            "shop/in",
            policyTypes=["Ingress", "Egress"],
            ingress=[{"from": [{"namespaceSelector": {}}], "ports": [{"protocol": "UDP", "port": 9001}]}],
        ),
    )
    with node.network.socket(WEB, socket.SOCK_DGRAM) as server, node.network.socket(LOG, socket.SOCK_DGRAM) as client:
        server.bind((WEB, 9001))
        client.bind((LOG, 0))
        client.sendto(b"?", (WEB, 9001))
        server.settimeout(5)
        _, sender = server.recvfrom(1)
        server.sendto(b"!", sender)
        client.settimeout(5)
        assert client.recv(1) == b"!"


def test_the_node_reaches_its_pods_whatever_policies_say(node: Node) -> None:
    node.enforce(DENY, policy("bank/deny", policyTypes=["Ingress", "Egress"]))
    assert all(node.reaches(NODE, pod, protocol=protocol) for pod in ADDRESSES for protocol in PROTOCOLS)
    assert node.reaches(NODE, NODE), "though its address is of the pods' range, as that of their gateway is"


def test_a_pod_reaches_the_node_only_by_a_block(node: Node) -> None:
    selecting = policy("shop/p", policyTypes=["Egress"], egress=[{"to": [{"namespaceSelector": {}}]}])
    node.enforce(selecting)
    assert not node.reaches(DB, NODE)
    assert node.reaches(API, NODE)
    node.enforce(
        selecting,
        policy("shop/api-server", policyTypes=["Egress"], egress=[{"to": [{"ipBlock": {"cidr": f"{NODE}/32"}}], "ports": [{"port": 80}]}]),
    )
    assert node.reaches(DB, NODE)
    assert not node.reaches(DB, NODE, 81)


def test_a_pod_whose_address_is_not_known_yet_is_cut_off(node: Node) -> None:
    node.enforce(pods=world.PODS[:-1])
    assert not node.reaches(ODD, WEB)
    assert not node.reaches(WEB, ODD)
    assert not node.reaches(ODD, NODE)
    assert node.reaches(NODE, ODD)
    node.enforce()
    assert node.reaches(ODD, WEB)


SERVICE = "10.99.0.80"
PROXY = f"""table ip services {{
  chain translate {{ type nat hook prerouting priority dstnat; ip daddr {SERVICE} tcp dport 443 dnat to {DB}:8080; }}
  chain hairpin {{ type nat hook postrouting priority srcnat; ip saddr {DB} ip daddr {DB} masquerade; }}
}}
"""


def test_a_service_is_judged_by_the_pod_that_answers(node: Node) -> None:
    node.network.nft(PROXY)
    only_8080 = {"to": [{"podSelector": {"matchLabels": {"app": "db"}}}], "ports": [{"port": 8080}]}
    node.enforce(policy("shop/p", policyTypes=["Egress"], egress=[only_8080]), policy("shop/in", ingress=[{"ports": [{"port": 8080}]}]))
    try:
        with node.network.socket(WEB, socket.SOCK_STREAM) as client:
            client.settimeout(5)
            client.connect((SERVICE, 443))
        node.enforce(policy("shop/p", policyTypes=["Egress"], egress=[{"to": [{"ipBlock": {"cidr": f"{SERVICE}/32"}}]}]))
        with node.network.socket(WEB, socket.SOCK_STREAM) as client:
            client.settimeout(PATIENCE)
            with pytest.raises(TimeoutError):
                client.connect((SERVICE, 443))
    finally:
        node.network.nft("delete table ip services\n")


def test_a_pod_reaches_itself_through_a_service_though_it_may_reach_nobody(node: Node) -> None:
    node.network.nft(PROXY)
    node.enforce(DENY)
    try:
        with node.network.socket(DB, socket.SOCK_STREAM) as client:
            client.settimeout(5)
            client.connect((SERVICE, 443))
    finally:
        node.network.nft("delete table ip services\n")


def test_sctp_is_judged_by_its_ports(node: Node) -> None:
    node.enforce(policy("shop/p", ingress=[{"ports": [{"protocol": "SCTP", "port": 80, "endPort": 81}]}]))

    def arrives(port: int) -> bool:
        # A first packet of SCTP (RFC 9260: common header, INIT), which passes no checks beyond ours: many kernels speak no SCTP themselves.
        init = struct.pack("!BBHIIHHI", 1, 0, 20, 1, 65536, 1, 1, 1)
        head = struct.pack("!HHI", 40000 + port, port, 0)
        packet = head + struct.pack("<I", crc32c(head + bytes(4) + init)) + init
        with (
            node.network.socket(DB, socket.SOCK_RAW, socket.IPPROTO_SCTP) as server,
            node.network.socket(API, socket.SOCK_RAW, socket.IPPROTO_SCTP) as client,
        ):
            server.settimeout(PATIENCE)
            client.sendto(packet, (DB, 0))
            with suppress(TimeoutError):
                return packet in server.recv(200)
        return False

    assert [port for port in (79, 80, 81, 82) if arrives(port)] == [80, 81]


def crc32c(data: bytes) -> int:
    """The checksum of SCTP (RFC 9260 appendix A), bit by bit."""
    crc = 0xFFFFFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = (crc >> 1) ^ (0x82F63B78 if crc & 1 else 0)
    return crc ^ 0xFFFFFFFF


def test_four_hundred_pods_and_three_hundred_policies_are_one_transaction(node: Node) -> None:
    spaces = [world.namespace(f"n{number}", team=f"t{number % 7}") for number in range(40)]
    pods = [
        world.pod(
            f"n{number % 40}/p{number}",
            f"10.88.1.{number % 250}" if number < 250 else f"10.88.2.{number % 250}",
            {"http": ("TCP", 8080)},
            app=f"a{number % 100}",
        )
        for number in range(400)
    ]
    peer = {"namespaceSelector": {"matchExpressions": [{"key": "team", "operator": "In", "values": ["t1", "t2"]}]}, "podSelector": {}}
    policies = [
        policy(f"n{number % 40}/q{number}", podSelector={"matchLabels": {"app": f"a{number % 100}"}}, policyTypes=["Ingress", "Egress"], ingress=[{"from": [peer], "ports": [{"port": "http"}]}], egress=[{"to": [peer, {"ipBlock": {"cidr": "0.0.0.0/0", "except": ["10.0.0.0/8"]}}], "ports": [{"port": 443}]}])
        for number in range(300)
    ]  # fmt: skip
    full = ruleset(meaning(*policies, pods=tuple(pods), namespaces=tuple(spaces)), RANGE)
    node.network.nft(transaction(None, full))
    fewer = ruleset(meaning(*policies, pods=tuple(pods[:-1]), namespaces=tuple(spaces)), RANGE)
    change = transaction(full, fewer)
    node.network.nft(change)
    assert "add rule" not in change
    node.network.nft(transaction(None, ruleset(meaning(), RANGE)))


def test_the_process_closes_the_node_first_and_leaves_nothing_behind(node: Node, tmp_path: object) -> None:
    """No API server answers at all: pods stay cut off until SIGTERM, which removes the table."""
    config = f"{tmp_path}/kubeconfig"
    with open(config, "w", encoding="utf-8") as file:
        file.write(
            '{"current-context": "x", "contexts": [{"name": "x", "context": {"cluster": "x", "user": "x"}}],'
            ' "clusters": [{"name": "x", "cluster": {"server": "https://127.0.0.1:1"}}], "users": [{"name": "x", "user": {"token": "t"}}]}'
        )
    node.network.nft(f"delete table {TABLE}\n")
    command = ["ip", "netns", "exec", node.network.node, sys.executable, "-m", "lab.enforcer", "--kubeconfig", config, "--pods", RANGE]
    process = subprocess.Popen(command, env={**os.environ, "PYTHONPATH": os.getcwd()}, stderr=subprocess.DEVNULL)
    try:
        deadline = time.monotonic() + 30
        while "chain judge-egress" not in node.network.run("nft", "list", "ruleset"):
            assert time.monotonic() < deadline
            time.sleep(0.1)
        assert not node.reaches(WEB, DB)
        assert node.reaches(NODE, DB)
    finally:
        process.terminate()
        assert process.wait(10) == 0
    assert "perimeter_lab" not in node.network.run("nft", "list", "ruleset")
    node.network.nft(transaction(None, ruleset(meaning(), RANGE)))
