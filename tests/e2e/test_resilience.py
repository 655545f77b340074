"""Parts that are killed, keys and certificates that change, a call that is revoked: what goes on, and what stays closed. Run by `make e2e`.

All of it happens to `abc` whose issuer's keys are kept for five seconds instead of five minutes: nobody waits that long for a test.
"""

import json
import os
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Final

import pytest
from cryptography import x509

import lab
from cli.conformance import subject
from components.edge.nginx.config import UNUSED
from conformance.verdict import Verdict
from conformance.verify import public_address
from tests.e2e import outages
from tests.e2e.asking import Asker, Keeping, asking, load, until
from tests.e2e.stack import Stack
from tests.e2e.system import (
    A_TO_B,
    A_TO_C,
    AT_GATEWAY,
    AT_INGRESS,
    B_TO_C,
    EDGE,
    ENTRANCE,
    GATEWAY,
    INGRESS,
    ISSUER,
    KEY_CACHE,
    NO_TOKEN,
    REVOKED,
    SLOWLY,
    A,
    System,
    questions,
    ways_around,
    written,
)
from topology.derive import certificates, names
from topology.derive.probes import Layer, Pods
from topology.load import load as load_topology
from topology.model.base import seconds

pytestmark = pytest.mark.skipif("PERIMETER_E2E" not in os.environ, reason="needs the embedded cluster: make e2e")

REFETCHING: Final = 60.0
"""Seconds after which istiod fetches keys again when a fetch has failed (`JwtPubKeyRefreshIntervalOnFailure`)."""
SLOW: Final = 40.0
"""Seconds that a machine of two cores may add to whatever is waited for: a push, a rollout, a proxy's new listener."""
FORGETTING: Final = UNUSED + SLOW
"""Seconds after which the edge asks nobody who is gone. A pod that goes without a word closes no connection, and each may cost one request
the door's time limit."""
DEPLOYING: Final = 150.0
UNAUTHORIZED: Final = 401
AFTERWARDS: Final = 5
"""Requests in a row that pass, or are refused, when it is over."""


@pytest.fixture(scope="module")
def system(tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    file = written(tmp_path_factory.mktemp("resilience") / "abc.topology.yaml", lambda _: None)
    t, stack = load_topology(file), Stack()
    try:
        stack.up(file=file)
        yield System(
            stack=stack,
            file=file,
            t=t,
            running=subject(context="", kubeconfig=None, image="", token_command=""),
            probes=questions(t),
        )
    finally:
        stack.up()


@pytest.fixture
def tell(capsys: pytest.CaptureFixture[str], record_property: Callable[[str, object], None]) -> Callable[[str, float], None]:
    """Say how long something took: in the report, and to whoever looks on."""

    def told(what: str, took: float) -> None:
        record_property(what, round(took, 1))
        with capsys.disabled():
            os.write(2, f"\n  {what}: {took:.1f} s\n".encode())

    return told


def passes(ask: Asker, *ids: str) -> None:
    """Hold that these pass; a proxy that has just been given another configuration may drop the first."""
    until("what is to pass before and after passes", SLOW, lambda: ask.wrong(*ids))


def stays_closed(ask: Asker, *ids: str) -> None:
    """Hold that none of these is let through; one that was lost on its way is put again."""
    left = list(ids)

    def lost() -> list[str]:
        words = ask.ask(*left)
        assert [str(word) for word in words if word.verdict is Verdict.FAILED] == []
        left[:] = [word.id for word in words if word.verdict is not Verdict.PASSED]
        return [str(word) for word in words if word.id in left]

    until("every way around is seen to be closed", SLOW, lost)


def test_without_istiod_traffic_goes_on_and_new_pods_do_not_get_ready(system: System) -> None:
    cluster, istiod = system.cluster, names.istiod("main")
    pods = Pods(namespace=system.t.meshes["main"].control_plane, label=names.APP_LABEL, value="istiod")

    def more_of_c(replicas: int) -> None:
        cluster.run("scale", "deployment/c-v1", "-n", "abc", f"--replicas={replicas}")

    def status_of_c() -> dict[str, Any]:
        return cluster.get("deployment", "c-v1", "-n", "abc")["status"]

    def not_refused() -> dict[str, Any] | None:
        conditions = status_of_c().get("conditions", [])
        refused = any(each["type"] == "ReplicaFailure" and "webhook" in each.get("message", "") for each in conditions)
        return None if refused else status_of_c()

    with asking(system.probes, system.running, (ENTRANCE, A_TO_B, B_TO_C, A_TO_C)) as ask:
        passes(ask, ENTRANCE, A_TO_B, B_TO_C, A_TO_C)
        with load(ask, ENTRANCE, A_TO_B, B_TO_C, A_TO_C) as heard, outages.gone(cluster, istiod, pods):
            try:
                more_of_c(2)
                until("nobody makes a pod that istiod has not seen", SLOW, not_refused)
                assert status_of_c().get("readyReplicas") == 1, status_of_c()
                passes(ask, ENTRANCE, A_TO_B, B_TO_C, A_TO_C)
            finally:
                more_of_c(1)
        assert heard.wrong == []
        try:
            more_of_c(2)
            outages.ready(cluster, "c-v1", "abc")
        finally:
            more_of_c(1)
        passes(ask, ENTRANCE, A_TO_B, B_TO_C, A_TO_C)


def test_without_the_firewall_nobody_comes_in_and_no_way_leads_around_it(system: System) -> None:
    around = ways_around(system.probes)
    with asking(system.probes, system.running, (ENTRANCE, A_TO_B, *around)) as ask:

        def taken() -> list[str]:
            return [str(word) for word in ask.ask(ENTRANCE) if word.by is not Layer.NETWORK]

        passes(ask, ENTRANCE, A_TO_B)
        stays_closed(ask, *around)
        with outages.gone(system.cluster, names.EDGE, EDGE):
            until("the public address takes no connection", SLOW, taken)
            stays_closed(ask, *around)
            # Whoever stands behind it is there: that is why it means something that nobody is let in.
            outages.ready(system.cluster, names.INGRESS, system.t.meshes["main"].ingress)
            assert outages.running(system.cluster, GATEWAY)
            passes(ask, A_TO_B)
            assert taken() == []
        passes(ask, ENTRANCE, A_TO_B)
        stays_closed(ask, *around)


def test_a_killed_gateway_comes_back_and_meanwhile_no_way_leads_around_it(system: System, tell: Callable[[str, float], None]) -> None:
    around = ways_around(system.probes)
    with asking(system.probes, system.running, (ENTRANCE, NO_TOKEN, *around)) as ask:
        passes(ask, ENTRANCE, NO_TOKEN)
        stays_closed(ask, *around)
        killed = set(outages.running(system.cluster, GATEWAY))
        with load(ask, ENTRANCE, NO_TOKEN) as heard:
            outages.kill(system.cluster, GATEWAY)

            def still_killed() -> str:
                found = outages.running(system.cluster, GATEWAY)
                return "" if set(found) - killed and not ask.wrong(ENTRANCE) else f"{found}, {ask.wrong(ENTRANCE)}"

            with ThreadPoolExecutor(1) as pool:
                closed = pool.submit(stays_closed, ask, *around)
                tell("a killed gateway is replaced", until("another gateway passes requests on", outages.STARTING, still_killed))
                closed.result()
        assert any(word.verdict is not Verdict.PASSED for word in heard.of(ENTRANCE)), "nobody noticed that the gateway was killed"
        assert [str(word) for word in heard.of(NO_TOKEN) if word.by is Layer.SERVICE] == []

        def still_waited_for() -> str:
            wrong = [word for _ in range(AFTERWARDS) for word in ask.ask(ENTRANCE, NO_TOKEN) if word.verdict is not Verdict.PASSED]
            assert {word.by for word in wrong} <= {Layer.EDGE}, wrong
            return "; ".join(map(str, wrong))

        tell("the edge has forgotten the killed one", until("the edge asks the gateway that is there", FORGETTING, still_waited_for))


def test_certificates_and_their_authorities_are_renewed_under_load_without_an_error(
    system: System, tell: Callable[[str, float], None]
) -> None:
    cluster, t = system.cluster, system.t
    roots = [each for each in certificates.authorities(t) if each["kind"] == "Certificate"]
    leaves = list(certificates.leaves(t))
    homes = {each["spec"]["secretName"]: each["metadata"]["namespace"] for each in (*roots, *leaves)}
    host, ingress = t.hosts[0], t.meshes["main"].ingress

    def shown_to(ask: Asker, at: str, service: str) -> int:
        """Return the number of the certificate that the layer before sees."""
        script = f"openssl s_client -connect {service}:{names.HTTPS_PORT} -servername {host} </dev/null 2>/dev/null || :\n"
        _, begin, rest = ask.run(at, script).partition("-----BEGIN CERTIFICATE-----")
        return x509.load_pem_x509_certificate((begin + rest).encode()).serial_number if begin else 0

    def seen(ask: Asker) -> dict[str, int]:
        return {
            names.EDGE_SERVER_SECRET: outages.shown(public_address(cluster), host),
            names.GATEWAY_SERVER_SECRET: shown_to(ask, AT_GATEWAY, names.fqdn(names.GATEWAY, names.GATEWAY_NAMESPACE)),
            names.INGRESS_SERVER_SECRET: shown_to(ask, AT_INGRESS, names.fqdn(names.INGRESS, ingress)),
        }

    def stale(ask: Asker) -> dict[str, tuple[int, int]]:
        """Return the layers that show something else than their Secret holds: what they show, and what it holds."""
        both = {secret: (number, outages.kept(cluster, secret, homes[secret])) for secret, number in seen(ask).items()}
        return {secret: pair for secret, pair in both.items() if pair[0] != pair[1]}

    with asking(system.probes, system.running, (ENTRANCE, A_TO_B, B_TO_C, AT_GATEWAY, AT_INGRESS)) as ask:
        passes(ask, ENTRANCE, A_TO_B, B_TO_C, AT_GATEWAY, AT_INGRESS)
        until("each layer shows what its Secret holds", outages.STARTING, lambda: stale(ask))
        before = {secret: outages.kept(cluster, secret, home) for secret, home in homes.items()}
        with load(ask, ENTRANCE, ENTRANCE, A_TO_B, B_TO_C) as heard:
            outages.renew(cluster, roots)
            outages.renew(cluster, leaves)
            outages.read_again(cluster, EDGE)
            tell("renewed certificates are shown", until("each layer shows its new certificate", outages.STARTING, lambda: stale(ask)))
            passes(ask.anew(), AT_GATEWAY, AT_INGRESS)
        after = {secret: outages.kept(cluster, secret, home) for secret, home in homes.items()}
        assert [secret for secret, number in after.items() if number == before[secret]] == []
        assert len(heard.of(ENTRANCE)) > AFTERWARDS
        assert heard.wrong == []


@pytest.mark.parametrize(
    ("deployment", "pods"),
    [
        (names.EDGE, EDGE),
        (names.GATEWAY, GATEWAY),
        (names.INGRESS, INGRESS),
        ("a-v1", A),
    ],
    ids=("edge", "gateway", "ingress", "service"),
)
def test_whatever_is_replaced_on_the_way_no_request_is_lost(system: System, deployment: str, pods: Pods) -> None:
    asked = (ENTRANCE,) * 4 + (SLOWLY,) * 8
    with asking(system.probes, system.running, (ENTRANCE, SLOWLY)) as ask:
        passes(ask, ENTRANCE, SLOWLY)
        before = set(outages.running(system.cluster, pods))
        with load(ask, *asked) as heard:
            outages.replace(system.cluster, deployment, pods)
            until(
                "those that were there before are gone",
                outages.STARTING,
                lambda: before.intersection(outages.running(system.cluster, pods)),
            )
        assert len(heard.of(ENTRANCE)) > AFTERWARDS
        assert heard.wrong == []


def test_a_withdrawn_key_opens_nothing_and_the_new_one_does_within_the_time_that_keys_are_kept(
    system: System, tell: Callable[[str, float], None]
) -> None:
    issuer, doors = lab.Issuer(), (ENTRANCE, AT_INGRESS)
    within = seconds(KEY_CACHE) + REFETCHING + SLOW
    with asking(system.probes, system.running, doors) as ask:
        old = ask.anew(Keeping(system.running.issuer))
        passes(old, *doors)
        try:
            issuer.rotate()
            _served(ask, issuer, system.t.issuers[ISSUER].jwks_uri)
            new = ask.anew(Keeping(system.running.issuer))
            refused_early: list[str] = []

            def unknown() -> list[str]:
                refused_early.extend(str(word) for word in old.ask(*doors) if word.status == UNAUTHORIZED)
                return new.wrong(*doors)

            took = for_good("a token of the new key opens the door, at the gateway and at the ingress", within, unknown)
            tell("a new key is known", took)
            assert refused_early == [], "the old key is still published"

            issuer.withdraw()
            lost: list[str] = []

            def believed() -> list[str]:
                lost.extend(str(word) for word in new.ask(*doors) if word.status == UNAUTHORIZED)
                return [str(word) for word in old.ask(*doors) if (word.by, word.status) != (Layer.PROXY, UNAUTHORIZED)]

            took = for_good("a token of the withdrawn key is answered with 401, by the gateway and by the ingress", within, believed)
            tell("a withdrawn key is forgotten", took)
            assert lost == [], "nobody withdrew the new key"
        finally:
            issuer.restore()
            for_good("the first key opens the door again", within, lambda: old.wrong(*doors))


def for_good(what: str, within: float, wrong: Callable[[], list[str]]) -> float:
    """Wait until nothing is wrong for as long as keys are kept, and return how long it took until then.

    One answer is the word of one instance: each of them has its keys from a fetch of its own, and there may be several (autoscaling).
    """
    began, since = time.monotonic(), 0.0

    def moved() -> list[str] | float:
        nonlocal since
        if found := wrong():
            since = 0.0
            return found
        since = since or time.monotonic()
        return max(0.0, since + seconds(KEY_CACHE) - time.monotonic())

    until(what, within, moved)
    return since - began


def _served(ask: Asker, issuer: lab.Issuer, address: str) -> None:
    """Hold that the gateway can read the issuer's new set: the lab's stand-in for the internet may be older than this checkout."""
    text = ask.run(AT_INGRESS, f"curl --silent --insecure --max-time 5 '{address}'\n")
    served = {key["kid"] for key in json.loads(text or "{}").get("keys", [])}
    wanted = {key["kid"] for key in issuer.key_set()["keys"]}
    todo = "If the lab was started by an older checkout, end it (perimeter lab stop) and let it be started again."
    assert served == wanted, f"{address}, as the gateway's pod sees it, is {text or 'silent'}. {todo}"


def test_a_revoked_call_is_refused_everybody_else_passes_and_it_comes_back(
    system: System, tmp_path: Path, tell: Callable[[str, float], None]
) -> None:
    fewer = written(tmp_path / "abc.topology.yaml", lambda found: found["services"]["a"].pop("calls"))
    with asking(system.probes, system.running, (ENTRANCE, A_TO_B, B_TO_C)) as ask:
        passes(ask, ENTRANCE, A_TO_B, B_TO_C)
        assert [word.by for word in ask.ask(REVOKED)] == [Layer.SERVICE]
        try:
            with ThreadPoolExecutor(1) as pool:
                deploying = pool.submit(system.stack.up, file=fewer)

                def let_through() -> list[str]:
                    if deploying.done():
                        deploying.result()
                    return ask.wrong(REVOKED)

                tell("a call is refused after its revocation began", until("b refuses a", DEPLOYING, let_through))
            deploying.result()
            for _ in range(AFTERWARDS):
                assert ask.wrong(REVOKED) == []
            passes(ask, ENTRANCE, B_TO_C)
        finally:
            system.stack.up(file=system.file)
        passes(ask, ENTRANCE, A_TO_B, B_TO_C)
