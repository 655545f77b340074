"""`make bench-path`: measure the request path layer by layer on a running cluster, and write docs/performance.md. Asserts nothing about time.

Needs path.topology.yaml deployed with the echo image, on the embedded cluster (`perimeter up local --topology tests/bench/path/path.topology.yaml`).
"""

import argparse
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import lab
from tests.bench.path import bed, caching, changes, memory, rollout, settings
from tests.bench.path.cluster import BenchError, Cluster, Pod
from tests.bench.path.figures import stages
from tests.bench.path.load import PROGRAM, Sample, Target, run
from tests.bench.path.report import Findings, command_line, markdown
from topology.derive import names

ROOT: Final = Path(__file__).parents[3]
OUTPUT: Final = ROOT / "docs" / "performance.md"
CATALOGUES: Final = (100, 1000, 5000)
SLOW_CONNECTIONS, FAST_CONNECTIONS = 4, 16

ORDER: Final[dict[str, str | None]] = {
    "direct": None,
    "+ sidecar of the service": "direct",
    "+ sidecar of the caller (service to service)": "+ sidecar of the service",
    "+ ingress": "+ sidecar of the service",
    "+ gateway": "+ ingress",
    "+ WAF (the whole path)": "+ gateway",
}
"""The paths, and the one that each adds a layer to."""


def say(text: str) -> None:
    sys.stderr.write(f"{text}\n")
    sys.stderr.flush()


@dataclass(frozen=True, kw_only=True)
class Layer:
    """A layer of the path as its neighbour before it sees it. Names are `namespace/name`."""

    service: str
    trusts: str
    """Secret with the authority that signed the layer's certificate."""
    shows: str | None
    """Secret with the certificate that the neighbour shows."""


INGRESS: Final = Layer(service="istio-ingress/ingress", trusts="istio-ingress/ingress-server", shows="gateway/gateway-client")
GATEWAY: Final = Layer(service="gateway/gateway", trusts="gateway/gateway-server", shows="edge/edge-client")
EDGE: Final = Layer(service="edge/edge", trusts="edge/edge-server", shows=None)


def _through(client: Pod, layer: Layer, token: str) -> tuple[Pod, Target]:
    """Return the way to a layer's Service: by its address, under the door's name, with the certificate of the layer before it."""
    cluster, (namespace, name) = client.cluster, layer.service.split("/")

    def secret(place: str, key: str) -> str:
        home, its = place.split("/")
        file = f"/work/{its}-{key}"
        client.write(file, cluster.secret(its, home)[key])
        return file

    address = cluster.get("service", name, namespace)["spec"]["clusterIP"]
    flags = ["-H", f"Authorization: Bearer {token}", "-resolve", address, "-cacert", secret(layer.trusts, "ca.crt")]
    if layer.shows:
        flags += ["-cert", secret(layer.shows, "tls.crt"), "-key", secret(layer.shows, "tls.key")]
    return client, Target(url=f"https://{caching.HOST}/a/info", flags=flags)


def targets(client: Pod, caller: Pod, token: str) -> dict[str, tuple[Pod, Target]]:
    """Return from where and what each path asks."""

    def inside(pod: Pod, service: str) -> tuple[Pod, Target]:
        return pod, Target(url=f"http://{service}.{bed.NAMESPACE}.svc.cluster.local:{bed.PORT}/b/info")

    ways = (
        inside(client, "plain"),
        inside(client, "one"),
        inside(caller, "b"),
        *(_through(client, layer, token) for layer in (INGRESS, GATEWAY, EDGE)),
    )
    return dict(zip(ORDER, ways, strict=True))


def _turns(rounds: int) -> Iterator[list[str]]:
    """Yield the order of each round: every path comes first once, so that none is always measured on a tired machine."""
    names = list(ORDER)
    for number in range(rounds):
        start = number % len(names)
        yield names[start:] + names[:start]


def ways_of(client: Pod, caller: Pod, arguments: argparse.Namespace) -> dict[str, tuple[Pod, Target]]:
    """Return from where and what each path asks, with a token that holds for as long as everything takes."""
    token = arguments.token or the_lab().issuer.token("https://login.path.example", "path-api", "bench", exp=int(time.time()) + 7200)
    return targets(client, caller, token)


def path(client: Pod, caller: Pod, arguments: argparse.Namespace) -> tuple[dict[str, list[Sample]], dict[str, list[Sample]]]:
    """Measure every path in every round."""
    ways = ways_of(client, caller, arguments)
    for name, (pod, target) in ways.items():
        say(f"warming up {name}")
        run(pod, target, rate=0, connections=FAST_CONNECTIONS, seconds=arguments.seconds / 2)
    slow: dict[str, list[Sample]] = {name: [] for name in ORDER}
    fast: dict[str, list[Sample]] = {name: [] for name in ORDER}
    for number, turn in enumerate(_turns(arguments.rounds), 1):
        for name in turn:
            pod, target = ways[name]
            slow[name].append(run(pod, target, rate=arguments.rate, connections=SLOW_CONNECTIONS, seconds=arguments.seconds))
            fast[name].append(run(pod, target, rate=0, connections=FAST_CONNECTIONS, seconds=arguments.seconds / 2))
            say(f"round {number}: {name}: p50 {slow[name][-1].milliseconds[50]:.2f} ms, {fast[name][-1].rate:,.0f}/s")
    return slow, fast


def the_lab() -> lab.Lab:
    """Return the embedded cluster.

    Raises:
        BenchError: it does not run.
    """
    found = lab.current()
    if found is None:
        raise BenchError(
            "the embedded cluster does not run: `perimeter up local --topology tests/bench/path/path.topology.yaml` starts it and deploys"
        )
    return found


@dataclass(frozen=True, kw_only=True)
class Bench:
    """A cluster with the test bed on it."""

    cluster: Cluster
    client: Pod
    caller: Pod
    image: str
    arguments: argparse.Namespace

    @property
    def edge(self) -> caching.Edge:
        """The system's public door."""
        return caching.Edge(
            address=self.cluster.address, port=names.EDGE_NODE_PORT, ca=self.cluster.secret("edge-server", "edge")["ca.crt"]
        )


def _path(bench: Bench, found: Findings) -> None:
    found.stages = stages(ORDER, *path(bench.client, bench.caller, bench.arguments))


def _cache(bench: Bench, found: Findings) -> None:
    found.shares = [caching.measure(bench.edge, items) for items in CATALOGUES]


def _changes(bench: Bench, found: Findings) -> None:
    rounds = bench.arguments.rounds
    found.delays["AuthorizationPolicy (istiod, sidecar)"] = changes.measure(bench.caller, changes.MESH, rounds)
    found.delays["NetworkPolicy (the lab's enforcer)"] = changes.measure(bed.pod_of(bench.cluster, "plain"), changes.NETWORK, rounds)


def _memory(bench: Bench, found: Findings) -> None:
    found.memory = memory.measure(bench.cluster, bench.caller, bench.image)


def _rollout(bench: Bench, found: Findings) -> None:
    found.delays["a door in the topology (`perimeter up`, once)"] = rollout.measure(bench.edge)


def _settings(bench: Bench, found: Findings) -> None:
    ways, arguments = ways_of(bench.client, bench.caller, bench.arguments), bench.arguments
    for setting in settings.SETTINGS:

        def sample(pod: Pod = ways[setting.path][0], target: Target = ways[setting.path][1]) -> tuple[Sample, Sample]:
            run(pod, target, rate=0, connections=FAST_CONNECTIONS, seconds=1)  # so that connections are open and proxies know the way
            slow = run(pod, target, rate=arguments.rate, connections=SLOW_CONNECTIONS, seconds=arguments.seconds)
            return slow, run(pod, target, rate=0, connections=FAST_CONNECTIONS, seconds=arguments.seconds / 2)

        found.worth.append(settings.measure(bench.cluster, setting, sample, min(arguments.rounds, settings.ROUNDS)))
        say(f"{setting.shipped} / {setting.other}: {found.worth[-1].latency.text()} ms, {found.worth[-1].rate.text()}")


PARTS: Final = {"path": _path, "settings": _settings, "cache": _cache, "changes": _changes, "memory": _memory, "rollout": _rollout}
"""What is measured, in this order."""


def measure(arguments: argparse.Namespace) -> Findings:
    """Make the test bed, measure everything that was asked for, remove it."""
    found = Findings(command=command_line(sys.argv[1:]), rate=arguments.rate, rounds=arguments.rounds)
    here = the_lab()
    cluster = Cluster(kubectl=here.tools["kubectl"], kubeconfig=here.kubeconfig, address=here.node_address)
    with bed.made(cluster, here.probe_image) as (client, caller):
        program = (arguments.fortio or here.tools["fortio"]).read_bytes()
        for pod in (client, caller):
            pod.write(PROGRAM, program, executable=True)
        bench = Bench(cluster=cluster, client=client, caller=caller, image=here.probe_image, arguments=arguments)
        for name, part in PARTS.items():
            if name not in (arguments.only or PARTS):
                found.missing.append(f"{name}: left out by --only")
                continue
            say(f"measuring {name}")
            try:
                part(bench, found)
            except BenchError as error:
                say(f"{name}: {error}")
                found.missing.append(f"{name}: {error}")
                found.failed = True
    return found


def main() -> int:
    """Measure and write. Returns the exit code: 2 where something that was asked for could not be measured."""
    parser = argparse.ArgumentParser(prog="make bench-path", description=__doc__)
    parser.add_argument("--rounds", type=int, default=6, help="rounds; default 6, so that each path comes first once")
    parser.add_argument("--seconds", type=float, default=6, help="of each latency run; throughput takes half")
    parser.add_argument("--rate", type=float, default=100, help="requests a second of the latency runs")
    parser.add_argument("--token", help="bearer token for the door; default: the embedded cluster's issuer makes one")
    parser.add_argument("--fortio", type=Path, help="another fortio than the embedded cluster's; linked statically")
    parser.add_argument("--only", nargs="+", choices=tuple(PARTS), help="measure these alone")
    parser.add_argument("--out", type=Path, default=OUTPUT, help="the document to write")
    arguments = parser.parse_args()
    try:
        found = measure(arguments)
    except BenchError as error:
        say(str(error))
        return 2
    text = markdown(found)
    arguments.out.write_text(text, encoding="utf-8")
    sys.stdout.write(text)
    return 2 if found.failed else 0


if __name__ == "__main__":
    sys.exit(main())
