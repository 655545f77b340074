"""Single probes of a running system while something in it is broken: put at once, without a second try, each judged by itself.

`verify` asks a whole system once and holds every refusal against its controls. Here the test says what has to pass before and after.
"""

import time
from collections import defaultdict
from collections.abc import Callable, Generator, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from threading import Event
from typing import Any, Final

import pytest

from cli.conformance import Subject
from conformance import curl, outside
from conformance.addressing import Addressing
from conformance.answer import Answer
from conformance.certificates import Certificates
from conformance.credentials import ApiKeys, Issuer
from conformance.curl import Sent
from conformance.errors import NotRunError
from conformance.vantages import Vantages
from conformance.verdict import Verdict, judge, layer
from conformance.verify import public_address
from topology.derive.probes import Layer, Place, Probe, Scheme, Vantage

PAUSE: Final = 0.3
"""Seconds between two looks."""
INTERVAL: Final = 0.5
"""Seconds between two requests of a load: fewer than the tier of `abc` allows, and than a small machine notices."""
AT_ONCE: Final = 8


@dataclass(frozen=True, kw_only=True)
class Word:
    """What came of one probe."""

    id: str
    verdict: Verdict
    said: str
    status: int = 0
    by: Layer | None = None
    """None: nothing could be asked."""

    def __str__(self) -> str:
        return f"{self.id}: {self.verdict}: {self.said}"


class Keeping:
    """An issuer's client who keeps the first token that he gets."""

    def __init__(self, issuer: Issuer) -> None:
        self._issuer, self._token = issuer, ""

    def mint(self, claims: Mapping[str, Any]) -> str:
        self._token = self._token or self._issuer.mint(claims)
        return self._token

    def key_set(self, issuer: str) -> Mapping[str, Any]:
        return self._issuer.key_set(issuer)

    def outage(self, down: bool) -> None:
        self._issuer.outage(down)


class Asker:
    """Puts probes of a system, by their ids."""

    def __init__(self, known: Iterable[Probe], running: Subject, vantages: Vantages) -> None:
        self._known = {probe.id: probe for probe in known}
        self._running, self._vantages = running, vantages
        self._addressing = Addressing(
            public=public_address(running.cluster),
            address_of=vantages.address,
            issuer=running.issuer,
            keys=ApiKeys(running.cluster, None),
            certificates=Certificates(running.cluster),
        )

    def anew(self, issuer: Issuer | None = None) -> "Asker":
        """Return one at the same places that reads certificates anew, and has its tokens from this issuer."""
        return Asker(self._known.values(), replace(self._running, issuer=issuer or self._running.issuer), self._vantages)

    def knowing(self, known: Iterable[Probe]) -> "Asker":
        """Return one at the same places with other probes."""
        return Asker(known, self._running, self._vantages)

    def ask(self, *ids: str) -> list[Word]:
        """Put probes, those of different places at the same time."""
        by_place: defaultdict[Vantage, list[Probe]] = defaultdict(list)
        for id_ in ids:
            by_place[self._known[id_].vantage].append(self._known[id_])
        with ThreadPoolExecutor(AT_ONCE) as pool:
            return [word for words in pool.map(self._from, by_place.keys(), by_place.values()) for word in words]

    def wrong(self, *ids: str) -> list[str]:
        """Put probes and return what did not pass, in words."""
        return [str(word) for word in self.ask(*ids) if word.verdict is not Verdict.PASSED]

    def run(self, at: str, script: str) -> str:
        """Return what a script prints at the place of a probe."""
        return self._vantages.shell(self._known[at].vantage)(script)

    def _from(self, place: Vantage, chosen: Sequence[Probe]) -> list[Word]:
        try:
            filled = [self._addressing.fill(probe) for probe in chosen]
            sent = [one for _, one in filled]
            answers = [_outside(one) for one in sent] if place.place is Place.OUTSIDE else curl.run(self._vantages.shell(place), sent)
        except NotRunError as error:
            return [Word(id=probe.id, verdict=Verdict.NOT_RUN, said=str(error)) for probe in chosen]
        return [_word(probe, found) for (probe, _), found in zip(filled, answers, strict=True)]


@contextmanager
def asking(known: Iterable[Probe], running: Subject, ids: Iterable[str]) -> Generator[Asker, None, None]:
    """Open the places of some probes for as long as they are needed."""
    every = {probe.id: probe for probe in known}
    with Vantages(running.cluster, running.image) as vantages:
        vantages.open(every[id_].vantage for id_ in ids)
        yield Asker(every.values(), running, vantages)


@dataclass(frozen=True, kw_only=True)
class Heard:
    """What a load was told, each with the seconds since its begin."""

    words: list[tuple[float, Word]] = field(default_factory=list[tuple[float, Word]])

    def of(self, id_: str) -> list[Word]:
        """Return the words on one probe."""
        return [word for _, word in self.words if word.id == id_]

    @property
    def wrong(self) -> list[str]:
        """Return everything that did not pass."""
        return [f"after {when:.1f} s, {word}" for when, word in self.words if word.verdict is not Verdict.PASSED]


@contextmanager
def load(ask: Asker, *ids: str) -> Generator[Heard, None, None]:
    """Put probes again and again in the background; one that is named twice is put by two at the same time."""
    heard, ended, began = Heard(), Event(), time.monotonic()

    def put(id_: str) -> None:
        while not ended.is_set():
            heard.words.extend((time.monotonic() - began, word) for word in ask.ask(id_))
            ended.wait(INTERVAL)

    with ThreadPoolExecutor(len(ids)) as pool:
        jobs = [pool.submit(put, id_) for id_ in ids]
        try:
            yield heard
        finally:
            ended.set()
        for job in jobs:
            job.result()


def until(what: str, seconds: float, wrong: Callable[[], object]) -> float:
    """Wait until nothing is wrong any more, and return how long that took; fail with what was wrong last."""
    began = time.monotonic()
    while found := wrong():
        if time.monotonic() > began + seconds:
            pytest.fail(f"waited for: {what}. It did not happen within {seconds:.0f} s; what was seen last: {found}")
        time.sleep(PAUSE)
    return time.monotonic() - began


def _outside(sent: Sent) -> list[Answer]:
    if sent.request.scheme is Scheme.SCAN:
        found = outside.scan(sent.address, sent.request.ports, sent.request.seconds)
        return [replace(found, open_ports=tuple(port for port in found.open_ports if port != sent.port))]
    return [outside.send(sent)]


def _word(probe: Probe, answers: Sequence[Answer]) -> Word:
    found = judge(probe, answers)
    return Word(id=probe.id, verdict=found.verdict, said=found.said, status=answers[-1].status, by=layer(probe, answers[-1]))
