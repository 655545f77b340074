"""Running probes: stage by stage, from all places at once, and then the word on each.

A refusal counts only where its controls passed in the same run: a service that is down refuses everybody. So does a control plane that is
down: a stranger without an identity was refused one only where the same control plane answers its own proxies.
"""

import subprocess
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from threading import Lock
from typing import Final

from conformance import curl, http2, outside
from conformance.addressing import Addressing
from conformance.answer import Answer
from conformance.credentials import stopped
from conformance.curl import Sent
from conformance.errors import CannotProbeError, NoIdentityError, NotRunError
from conformance.vantages import Vantages
from conformance.verdict import Judgement, Verdict, describe, judge, layer, written
from topology.derive import names
from topology.derive.probes import (
    CachedKeys,
    Closed,
    Contained,
    Ejected,
    Faulted,
    Layer,
    Limited,
    Place,
    Pods,
    Probe,
    Received,
    Refused,
    Rejected,
    Renewed,
    Retried,
    Scheme,
    Single,
    Spared,
    Split,
    Stage,
    Vantage,
)
from topology.derive.probes.retries import TRIES_HEADER
from topology.derive.probes.traffic import MOST_SENT

SHELLS: Final = 4
CLIENTS: Final = 8
PAUSES: Final = (1.0, 5.0, 30.0, 35.0)
"""Seconds before a request that met a limit or a fault meant for others is sent again: together longer than a minute's window."""
BREATH: Final = 2.0
"""Seconds between two bursts, so that limits by address do not meet."""
LONGEST_BURST: Final = 30.0
"""Seconds that using up a limit takes at most."""
LOG_DELAY: Final = 12.0
"""Seconds after which a request is in the logs: Envoy writes them every ten."""
RETURN: Final = 20.0
"""Seconds by which an instance may come back later than its ejection lasts: Envoy looks at intervals."""
OVERLOADED: Final = 429
MEANS_REFUSAL: Final = (Refused, Contained, Single, Rejected, Received, Closed)
"""Expectations that a system which is down would meet too."""
CONTROLLED: Final = frozenset({Verdict.PASSED})

Tell = Callable[[str, int, int], None]
"""Takes what is being done, how much of it is done, and how much there is."""


@dataclass(frozen=True, kw_only=True)
class Result:
    """A probe and the word on it."""

    probe: Probe
    verdict: Verdict
    said: str
    seconds: float = 0.0


@dataclass
class Runner:
    """What is needed to run probes."""

    vantages: Vantages
    addressing: Addressing
    pace: float
    """Requests per second from outside, at most."""
    tell: Tell
    _found: dict[str, Result] = field(default_factory=dict[str, Result])
    _nobody: set[str] = field(default_factory=set[str])
    """Probes that nobody could put, because a stranger was refused an identity."""
    _last: float = 0.0
    _lock: Lock = field(default_factory=Lock)

    def run(self, probes: Sequence[Probe]) -> list[Result]:
        """Run probes and return the word on each, in their order."""
        began = time.monotonic()
        self.tell("opening places", 0, 1)
        self.vantages.open(probe.vantage for probe in probes)
        for stage in (Stage.CONTROL, Stage.PLAIN):
            self._plain(f"{stage.name.lower()} probes", [probe for probe in probes if probe.stage is stage])
        self._limits([probe for probe in probes if probe.stage is Stage.LOAD])
        self._damage([probe for probe in probes if probe.stage is Stage.DAMAGE])
        self._trails([probe for probe in probes if isinstance(probe.expect, Renewed)], began)
        return [self._controlled(probe) for probe in probes]

    def _controlled(self, probe: Probe) -> Result:
        """Return a probe's result, or that it means nothing because a control did not pass."""
        found = self._found[probe.id]
        refused = isinstance(probe.expect, MEANS_REFUSAL) or probe.id in self._nobody
        if found.verdict is not Verdict.PASSED or not refused:
            return found
        if not probe.controls:
            return replace(found, verdict=Verdict.NOT_RUN, said=f"nothing shows that anybody is answered ({found.said})")
        for control in probe.controls:
            other = self._controlled(self._found[control].probe) if control in self._found else None
            if other is None or other.verdict not in CONTROLLED:
                said = other.said if other else "it is not among the probes of this run"
                return replace(found, verdict=Verdict.NOT_RUN, said=f"its control did not pass ({control}): {said}")
        return found

    def _note(self, probe: Probe, answers: Sequence[Answer]) -> None:
        seconds = sum(answer.seconds for answer in answers)
        self._put(probe, judge(probe, answers), seconds)

    def _put(self, probe: Probe, word: Judgement, seconds: float = 0.0) -> None:
        with self._lock:
            self._found[probe.id] = Result(probe=probe, verdict=word.verdict, said=word.said, seconds=seconds)

    def _skip(self, probe: Probe, why: object) -> None:
        self._put(probe, Judgement(verdict=Verdict.NOT_RUN, said=str(why)))

    def _plain(self, what: str, probes: list[Probe]) -> None:
        """Send everything; what was lost, or met a limit or fault that was meant for another probe, is sent again after a while."""
        left = probes
        for number, pause in enumerate((0.0, *PAUSES)):
            if not left:
                return
            if pause:
                time.sleep(pause)
            again = self._once(what if not number else f"{what}, again", left)
            left = again if number < len(PAUSES) else []

    def _once(self, what: str, probes: list[Probe]) -> list[Probe]:
        """Send each probe once, and return those that something else was in the way of."""
        by_place: defaultdict[Vantage, list[Probe]] = defaultdict(list)
        for probe in probes:
            by_place[probe.vantage].append(probe)
        again: list[Probe] = []
        done = Counter[str]()

        def finished(probe: Probe, filled: Probe, answers: Sequence[Answer]) -> None:
            self._note(filled, answers)
            word = self._found[probe.id].verdict
            if (
                _disturbed(filled, answers)
                or (word is Verdict.NOT_RUN and _interrupted(filled, answers))
                or _held_back(filled, word, answers)
            ):
                again.append(probe)
            done[what] += 1
            self.tell(what, done[what], len(probes))

        with ThreadPoolExecutor(SHELLS + 1) as pool:
            jobs = [
                pool.submit(self._outside if vantage.place is Place.OUTSIDE else self._inside, chosen, finished)
                for vantage, chosen in by_place.items()
            ]
            for job in jobs:
                job.result()
        return again

    def _filled(self, probes: Iterable[Probe]) -> list[tuple[Probe, Probe, Sent]]:
        found: list[tuple[Probe, Probe, Sent]] = []
        for probe in probes:
            try:
                filled, sent = self.addressing.fill(probe)
                found.append((probe, filled, sent))
            except NotRunError as error:
                self._skip(probe, error)
        return found

    def _inside(self, probes: list[Probe], finished: Callable[[Probe, Probe, Sequence[Answer]], None]) -> None:
        ready = self._filled(probes)
        try:
            shell = self.vantages.shell(probes[0].vantage)
            answers = curl.run(shell, [sent for _, _, sent in ready])
        except NoIdentityError as error:
            for probe, _, _ in ready:
                self._nobody.add(probe.id)
                self._put(probe, Judgement(verdict=Verdict.PASSED, said=str(error)))
            return
        except NotRunError as error:
            for probe in probes:
                self._skip(probe, error)
            return
        for (probe, filled, _), found in zip(ready, answers, strict=True):
            finished(probe, filled, found)

    def _outside(self, probes: list[Probe], finished: Callable[[Probe, Probe, Sequence[Answer]], None]) -> None:
        ready = self._filled(probes)

        def one(item: tuple[Probe, Probe, Sent]) -> None:
            probe, filled, sent = item
            try:
                finished(probe, filled, self._ask(sent))
            except NotRunError as error:
                self._skip(probe, error)

        with ThreadPoolExecutor(CLIENTS) as pool:
            list(pool.map(one, ready))

    def _ask(self, sent: Sent) -> list[Answer]:
        """Return the answers to a request from outside, each sent at its time."""
        request = sent.request
        if request.scheme is Scheme.SCAN:
            found = outside.scan(sent.address, request.ports, request.seconds)
            return [replace(found, open_ports=tuple(port for port in found.open_ports if port != sent.port))]
        answers: list[Answer] = []
        for _ in range(request.count):
            self._wait()
            if request.scheme is Scheme.GRPC:
                answers += curl.run(_local, [replace(sent, request=replace(request, count=1))])[0]
            elif request.scheme is Scheme.HTTP2:
                self._wait()  # for the second of its two requests
                answers += http2.send(sent)
            else:
                answers.append(outside.send(sent))
        return answers

    def _wait(self) -> None:
        with self._lock:
            now = time.monotonic()
            self._last = max(now, self._last + 1 / self.pace)
            pause = self._last - now
        time.sleep(pause)

    def _limits(self, probes: list[Probe]) -> None:
        """Use up each limit, one after the other; then, after each one's rest, ask again."""
        waiting: list[tuple[Probe, Sent, list[Answer], float, float]] = []
        for number, (_, probe, sent) in enumerate(self._filled(probes)):
            self.tell("limits", number, len(probes))
            _avoid_end(probe.expect)
            began = time.monotonic()
            try:
                filled = self._counted(probe)
                answers = self._burst(filled, replace(sent, request=filled.request))
            except NotRunError as error:
                self._skip(probe, error)
                continue
            ended = time.monotonic()
            waiting.append((filled, sent, answers, ended - began, ended))
            time.sleep(BREATH)
        for filled, sent, answers, elapsed, ended in waiting:
            assert isinstance(filled.expect, Limited)  # noqa: S101 # what this stage is for
            time.sleep(max(0.0, ended + filled.expect.rest + 1 - time.monotonic()))
            once = replace(sent, request=replace(sent.request, count=1))
            try:
                last = self._burst(replace(filled, request=once.request), once)[-1]
                self._note(filled, [*answers, replace(last, seconds=elapsed)])
            except NotRunError as error:
                self._skip(filled, error)

    def _counted(self, probe: Probe) -> Probe:
        """Say how many pods count, and ask faster than all of them together allow: an autoscaler may have added some."""
        if not isinstance(probe.expect, Limited) or probe.expect.counted_by is None:
            return probe
        pods = max(1, self.vantages.ready(probe.expect.counted_by))
        request = probe.request
        if request.pace:
            request = replace(request, count=min(request.count * pods, MOST_SENT), pace=request.pace * pods)
        return replace(probe, request=request, expect=replace(probe.expect, counters=pods))

    def _burst(self, probe: Probe, sent: Sent) -> list[Answer]:
        if probe.vantage.place is Place.OUTSIDE:
            return outside.burst(sent)
        return curl.run(self.vantages.shell(probe.vantage), [sent], one_by_one=probe.request.spread)[0]

    def _damage(self, probes: list[Probe]) -> None:
        """Run what takes something out for a while, one after the other."""
        for number, (_, filled, sent) in enumerate(self._filled(probes)):
            self.tell("outages", number, len(probes))
            try:
                if isinstance(filled.expect, Ejected):
                    self._note(filled, self._eject(filled, sent, filled.expect))
                elif isinstance(filled.expect, Retried):
                    self._note(filled, self._try_again(filled, sent, filled.expect))
                elif isinstance(filled.expect, CachedKeys):
                    self._ask(sent)  # the keys are known from here on
                    with stopped(self.addressing.issuer):
                        self._note(filled, self._ask(sent))
            except NotRunError as error:
                self._skip(filled, error)

    def _try_again(self, probe: Probe, sent: Sent, expect: Retried) -> list[Answer]:
        """Send what fails, then ask the service's instances how many tries they saw of it."""
        answers = self._burst(probe, sent)
        for _ in PAUSES:  # a fault or a limit that is meant for others never reached the service; what was lost may not have, either
            if not _disturbed(probe, answers) and not _interrupted(probe, answers):
                break
            time.sleep(BREATH)
            answers = self._burst(probe, sent)
        echo = answers[-1].echo()
        identifier = echo.values(names.REQUEST_ID_HEADER) if echo else []
        if not identifier:
            return answers[-1:]
        headers = (*sent.headers[:-1], (TRIES_HEADER, identifier[0]))  # the last one makes the service fail
        request = replace(sent.request, headers=headers, count=expect.asked)
        return [*answers[-1:], *self._burst(probe, replace(sent, headers=headers, request=request))]

    def _eject(self, probe: Probe, sent: Sent, expect: Ejected) -> list[Answer]:
        failing = self._burst(probe, sent)
        plain = probe.request.headers[:-1]  # without the header that makes the service fail
        sound = replace(sent, headers=plain, request=replace(sent.request, headers=plain, count=1))
        deadline = time.monotonic() + expect.duration + RETURN
        back = failing[-1]
        if back.status:
            time.sleep(expect.duration)
        while time.monotonic() < deadline:
            back = self._burst(probe, sound)[-1]
            if layer(probe, back) is Layer.SERVICE:
                break
            time.sleep(BREATH)
        return [*failing, back]

    def _trails(self, probes: list[Probe], began: float) -> None:
        """Look for request ids in the logs of the layers that the requests passed."""
        passed = [probe for probe in probes if self._found[probe.id].verdict is Verdict.PASSED]
        if not passed:
            return
        self.tell("logs", 0, 1)
        time.sleep(LOG_DELAY)
        logs: dict[Pods, str] = {}
        for probe in passed:
            assert isinstance(probe.expect, Renewed)  # noqa: S101 # chosen by it
            identifier = self._found[probe.id].said
            for pods in probe.expect.trail:
                if pods not in logs:
                    logs[pods] = self._logs(pods, time.monotonic() - began + LOG_DELAY)
            unread = [str(pods) for pods in probe.expect.trail if not logs[pods]]
            missing = [str(pods) for pods in probe.expect.trail if logs[pods] and not written(identifier).search(logs[pods])]
            if missing:
                self._put(probe, Judgement(verdict=Verdict.FAILED, said=f"{identifier} is not in the log of {', '.join(missing)}"))
            elif unread:
                self._skip(probe, f"there is no log of {', '.join(unread)}")

    def _logs(self, pods: Pods, since: float) -> str:
        try:
            return self.vantages.logs(pods, since)
        except CannotProbeError:
            return ""


def _disturbed(probe: Probe, answers: Sequence[Answer]) -> bool:
    """Say whether a limit that was meant for others was in the way, or a fault that the topology injects."""
    if isinstance(probe.expect, Limited | Faulted | Spared | Ejected):
        return False
    passing = {Layer.LIMIT, Layer.FAULT} if probe.may_fail and not isinstance(probe.expect, Split) else {Layer.LIMIT}
    met = [one for answer in answers for one in answer.way()]
    return any(answer.status == OVERLOADED or layer(probe, answer) in passing for answer in met)


def _interrupted(probe: Probe, answers: Sequence[Answer]) -> bool:
    """Say whether a request was lost on its way: proxies that have just been given another configuration drop connections."""
    return layer(probe, answers[-1]) in {Layer.NETWORK, Layer.UPSTREAM}


def _held_back(probe: Probe, word: Verdict, answers: Sequence[Answer]) -> bool:
    """Say whether calls were slow that should not be: a machine under load is slow for a while, a fault every time.

    Of many calls at once, some may take longer than their callers wait.
    """
    late = isinstance(probe.expect, Split) and any(layer(probe, answer) is Layer.UPSTREAM for answer in answers)
    return word is Verdict.FAILED and (late or isinstance(probe.expect, Spared))


def _avoid_end(expect: object) -> None:
    """Wait for the next window where the end of this one is near."""
    if isinstance(expect, Limited) and expect.window > LONGEST_BURST:
        left = expect.window - time.time() % expect.window
        if left < LONGEST_BURST:
            time.sleep(left + 1)


def _local(script: str) -> str:
    return subprocess.run(["sh"], input=script, capture_output=True, text=True, check=False).stdout


def counted(results: Iterable[Result]) -> Mapping[Verdict, int]:
    """Return how many results there are of each verdict."""
    found = Counter(result.verdict for result in results)
    return {verdict: found[verdict] for verdict in Verdict}


__all__ = ["Result", "Runner", "counted", "describe"]
