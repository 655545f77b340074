"""A node, its pods and machines outside as network namespaces, joined the way the CNI plugin `ptp` does it; and packets between them."""

import ctypes
import os
import selectors
import socket
import struct
import subprocess
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any, TypeVar

from lab.enforcer.semantics import Endpoint

CLONE_NEWNET = 0x40000000
GATEWAY = "169.254.1.1"
PATIENCE = 0.35
"""Seconds after which a packet counts as lost: everything here happens within one kernel."""
T = TypeVar("T")
Question = tuple[str, Endpoint]


def within(namespace: str, action: Callable[[], T]) -> T:
    """Run something in a network namespace. Sockets made there belong to it for ever."""
    found: list[T] = []
    failed: list[OSError] = []

    def enter() -> None:
        libc = ctypes.CDLL(None, use_errno=True)
        descriptor = os.open(f"/run/netns/{namespace}", os.O_RDONLY)
        try:
            if libc.setns(descriptor, CLONE_NEWNET):
                raise OSError(ctypes.get_errno(), f"setns {namespace}")
            found.append(action())
        except OSError as error:
            failed.append(error)
        finally:
            os.close(descriptor)

    thread = threading.Thread(target=enter)
    thread.start()
    thread.join()
    if failed:
        raise failed[0]
    return found[0]


class Network(ExitStack):
    """The namespaces. `hosts` are addresses; those of `outside` share one machine."""

    def __init__(self, node: str, pods: Sequence[str], outside: Sequence[str]) -> None:
        super().__init__()
        self._prefix = f"pt{os.getpid()}"
        self.node = f"{self._prefix}n"
        self._place = {address: f"{self._prefix}p{number}" for number, address in enumerate(pods)}
        self._place |= dict.fromkeys(outside, f"{self._prefix}o")
        self._place[node] = self.node
        self._servers: dict[tuple[str, str, int], socket.socket] = {}
        self._namespace(self.node)
        self.run("sysctl", "-qw", "net.ipv4.ip_forward=1")
        self.run("ip", "address", "add", f"{node}/32", "dev", "lo")
        for namespace in dict.fromkeys(place for place in self._place.values() if place != self.node):
            self._link(namespace, [address for address, place in self._place.items() if place == namespace])

    def _namespace(self, name: str) -> None:
        subprocess.run(["ip", "netns", "add", name], check=True)
        self.callback(subprocess.run, ["ip", "netns", "del", name], check=True)
        self.run("ip", "link", "set", "lo", "up", namespace=name)

    def _link(self, namespace: str, addresses: list[str]) -> None:
        self._namespace(namespace)
        device = namespace.removeprefix(self._prefix)
        self.run("ip", "link", "add", device, "type", "veth", "peer", "name", "eth0", "netns", namespace)
        self.run("ip", "address", "add", f"{GATEWAY}/32", "dev", device)
        self.run("ip", "link", "set", device, "up")
        self.run("ip", "link", "set", "eth0", "up", namespace=namespace)
        for address in addresses:
            self.run("ip", "address", "add", f"{address}/32", "dev", "eth0", namespace=namespace)
            self.run("ip", "route", "add", f"{address}/32", "dev", device)
        self.run("ip", "route", "add", GATEWAY, "dev", "eth0", namespace=namespace)
        self.run("ip", "route", "add", "default", "via", GATEWAY, "src", addresses[0], namespace=namespace)

    def run(self, *command: str, namespace: str = "", given: str = "") -> str:
        """Run a command on the node, or in another namespace."""
        done = subprocess.run(
            ["ip", "netns", "exec", namespace or self.node, *command], input=given, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, f"{' '.join(command)}: {done.stderr}"
        return done.stdout

    def nft(self, text: str) -> None:
        self.run("nft", "-f", "-", given=text)

    def socket(self, address: str, kind: socket.SocketKind, protocol: int = 0) -> socket.socket:
        made = within(self._place[address], lambda: socket.socket(socket.AF_INET, kind, protocol))
        made.setblocking(False)
        return made

    def serve(self, addresses: Iterable[str], protocols: Iterable[str], ports: Sequence[int]) -> None:
        """Listen at every address on every port."""
        for address in addresses:
            for protocol in protocols:
                for port in ports:
                    server = self.enter_context(self.socket(address, socket.SOCK_STREAM if protocol == "TCP" else socket.SOCK_DGRAM))
                    server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                    server.bind((address, port))
                    if protocol == "TCP":
                        server.listen(64)
                    self._servers[address, protocol, port] = server

    def answered(self, questions: Iterable[Question]) -> set[Question]:
        """Open all these connections at once; return those that reached their server."""
        questions = list(questions)
        found = self._tcp([one for one in questions if one[1][1] == "TCP"]) | self._udp([one for one in questions if one[1][1] == "UDP"])
        for (_, protocol, _), server in self._servers.items():
            _drain(server, protocol)
        return found

    def _tcp(self, questions: list[Question]) -> set[Question]:
        found: set[Question] = set()
        with ExitStack() as stack, selectors.DefaultSelector() as selector:
            for client, (server, protocol, port) in questions:
                made = stack.enter_context(self.socket(client, socket.SOCK_STREAM))
                made.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                made.bind((client, 0))
                made.connect_ex((server, port))
                selector.register(made, selectors.EVENT_WRITE, (client, (server, protocol, port)))
            for key, made in _ready(selector):
                assert isinstance(made, socket.socket)
                if made.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR) == 0:
                    found.add(key)
        return found

    def _udp(self, questions: list[Question]) -> set[Question]:
        with ExitStack() as stack:
            asked = {str(number).encode(): question for number, question in enumerate(questions)}
            for payload, (client, (server, _, port)) in asked.items():
                made = stack.enter_context(self.socket(client, socket.SOCK_DGRAM))
                made.bind((client, 0))
                made.sendto(payload, (server, port))
            time.sleep(PATIENCE / 3 if questions else 0)
            received = {
                (payload, endpoint)
                for endpoint, server in self._servers.items()
                if endpoint[1] == "UDP"
                for payload in _drain(server, "UDP")
            }
        return {question for payload, question in asked.items() if (payload, question[1]) in received}


def _ready(selector: selectors.BaseSelector) -> Iterable[tuple[Any, Any]]:
    """Yield what becomes ready until nothing did for a while."""
    while selector.get_map() and (events := selector.select(PATIENCE)):
        for key, _ in events:
            selector.unregister(key.fileobj)
            yield key.data, key.fileobj


def _drain(server: socket.socket, protocol: str) -> list[bytes]:
    """Take everything that waits at a server."""
    found: list[bytes] = []
    while True:
        try:
            if protocol == "TCP":
                server.accept()[0].close()
            else:
                found.append(server.recv(64))
        except BlockingIOError:
            return found


def missing() -> str:
    """Say what this machine lacks for real packets; empty: nothing."""
    if os.geteuid():
        return "needs root, to make network namespaces"
    lacking = [
        tool for tool in ("ip", "nft", "sysctl") if not any(Path(folder, tool).exists() for folder in ("/usr/sbin", "/sbin", "/usr/bin"))
    ]
    if lacking:
        return f"needs {' and '.join(lacking)}"
    probe = f"pt{os.getpid()}x"
    made = subprocess.run(["ip", "netns", "add", probe], capture_output=True, text=True, check=False)
    if made.returncode:
        return f"cannot make network namespaces: {made.stderr.strip()}"
    subprocess.run(["ip", "netns", "del", probe], check=True)
    return ""
