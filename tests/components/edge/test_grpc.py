"""gRPC through the running edge: real nginx, a real gRPC client and server."""

from collections.abc import Generator, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import grpc
import pytest

from tests.components.edge import nginx_here
from tests.components.edge.nginx_here import Edge, Gateway
from tests.components.edge.systems import HOST, system
from topology.derive import names

pytestmark = [pytest.mark.skipif(bool(nginx_here.missing()), reason=nginx_here.missing()), pytest.mark.xdist_group("nginx")]


@contextmanager
def grpc_gateway(folder: Path) -> Generator[Gateway]:
    """Run a stand-in for the gateway that answers gRPC: every call with its own bytes, `Watch` three times."""
    gateway = Gateway()

    class Handler(grpc.GenericRpcHandler):
        def service(self, handler_call_details: Any) -> Any:
            metadata = dict(handler_call_details.invocation_metadata)
            gateway.seen.append({"method": handler_call_details.method, "headers": metadata})
            if handler_call_details.method.endswith("/Watch"):
                return grpc.unary_stream_rpc_method_handler(lambda request, _: iter([request] * 3))
            return grpc.unary_unary_rpc_method_handler(lambda request, _: request)

    def read(name: str) -> bytes:
        return (folder / name).read_bytes()

    credentials = grpc.ssl_server_credentials(
        [(read("gateway/tls.key"), read("gateway/tls.crt"))], root_certificates=read("ca.crt"), require_client_auth=True
    )
    with ThreadPoolExecutor(4) as pool:
        server = grpc.server(pool)
        server.add_generic_rpc_handlers((Handler(),))
        gateway.port = server.add_secure_port("127.0.0.1:0", credentials)
        server.start()
        try:
            yield gateway
        finally:
            server.stop(None).wait()


@pytest.fixture(scope="module")
def edge(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Edge]:
    doors = {
        "feed": {"paths": ["/market.v1.Feed/Get", "/market.v1.Feed/Watch"], "methods": ["POST"], "auth": {"jwt": "login"}},
        "every": {"paths": ["/market.v1.Open/*"], "methods": ["POST"]},
    }
    t = system(doors, services={"app": {"protocol": "grpc"}})
    with nginx_here.running(t, tmp_path_factory.mktemp("edge"), grpc_gateway) as running:
        yield running


@pytest.fixture(scope="module")
def channel(edge: Edge) -> Iterator[grpc.Channel]:
    credentials = grpc.ssl_channel_credentials(edge.authority.read_bytes())
    options = [("grpc.ssl_target_name_override", HOST), ("grpc.default_authority", HOST)]
    with grpc.secure_channel(f"127.0.0.1:{edge.port}", credentials, options) as opened:
        yield opened


def test_a_call_and_its_answer_pass(edge: Edge, channel: grpc.Channel) -> None:
    assert channel.unary_unary("/market.v1.Feed/Get")(b"\x00\xff hello", timeout=20) == b"\x00\xff hello"
    assert edge.gateway.seen[-1]["method"] == "/market.v1.Feed/Get"


def test_a_stream_of_answers_passes(channel: grpc.Channel) -> None:
    assert list(channel.unary_stream("/market.v1.Feed/Watch")(b"x", timeout=20)) == [b"x", b"x", b"x"]


def test_a_door_for_a_whole_service_takes_each_of_its_methods(channel: grpc.Channel) -> None:
    assert channel.unary_unary("/market.v1.Open/Anything")(b"x", timeout=20) == b"x"


@pytest.mark.parametrize(
    "method", ["/market.v1.Feed/Put", "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo", "/grpc.health.v1.Health/Check"]
)
def test_a_method_of_no_door_is_not_there(channel: grpc.Channel, method: str) -> None:
    with pytest.raises(grpc.RpcError) as caught:
        channel.unary_unary(method)(b"x", timeout=20)
    assert caught.value.code() is grpc.StatusCode.UNIMPLEMENTED


def test_calls_lose_what_belongs_inside_and_get_what_the_edge_says(edge: Edge, channel: grpc.Channel) -> None:
    sent = [
        ("x-perimeter-tier", "gold"),
        ("x-envoy-max-retries", "9"),
        ("x-request-id", "mine"),
        ("x-api-key", "k"),
        ("authorization", "Bearer a.b.c"),
    ]
    channel.unary_unary("/market.v1.Feed/Get")(b"x", timeout=20, metadata=sent)
    headers = edge.gateway.seen[-1]["headers"]
    assert headers["authorization"] == "Bearer a.b.c"
    assert headers[names.REQUEST_ID_HEADER] != "mine"
    assert headers["x-forwarded-for"] == "127.0.0.1"
    assert headers.keys() & {"x-perimeter-tier", "x-envoy-max-retries", "x-api-key"} == set()
