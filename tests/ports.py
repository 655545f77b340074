"""Ports of loopback for servers that tests start."""

import socket
from collections.abc import Generator
from contextlib import ExitStack, contextmanager


@contextmanager
def held_ports(count: int) -> Generator[list[int]]:
    """Hold so many ports until the context ends: the kernel gives them to nobody who asks for any port.

    The holding sockets are bound and never listen, so a server that sets SO_REUSEADDR, as nginx and every Go program do, can listen there.
    """
    with ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for holder in sockets:
            holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            holder.bind(("127.0.0.1", 0))
        yield [int(holder.getsockname()[1]) for holder in sockets]
