"""Waits until objects are what they are to become, or says what is missing."""

import time
from collections.abc import Callable, Mapping
from typing import Final

from deploy import awaits, settling
from deploy.api import Object
from deploy.items import Item, Sort
from deploy.objects import Change
from deploy.session import Session
from deploy.troubles import Interrupted, NotReady

_SETTLED: Final = 300.0
"""Seconds until custom resources must have taken effect, all pods being ready by then."""
_POLL: Final = 0.25
_SLOWEST: Final = 2.0


def until_ready(session: Session, item: Item, live: Object) -> Object:
    """Wait as pulumi-kubernetes would for this kind; returns the object as it is then.

    Raises:
        Interrupted: the run ends before.
        NotReady: with what is missing when its time is over.
    """
    check = awaits.check_of(item.inputs)
    if check is None:
        return live
    return _wait(session, item, live, lambda each: check(session.api, each), awaits.timeout_of(item.inputs, item.timeout))


def settle(session: Session, items: Mapping[str, Item], live: Mapping[str, Object]) -> None:
    """Wait until controllers have put custom resources into effect.

    Args:
        session: the run.
        items: what was made, by urn.
        live: the objects that came of it, by urn.

    Raises:
        DeployError: with every object that was not taken up in time.
    """
    waited = [item for item in items.values() if item.sort is Sort.OBJECT and settling.settles(item.key.group, item.key.kind)]
    kind = "Status of custom resources"
    session.progress.expect([kind] * len(waited))

    def one(urn: str) -> None:
        with session.progress.running(kind, str(items[urn])):
            _wait(session, items[urn], live[urn], settling.unsettled, _SETTLED)
        session.progress.finished(kind, Change.SAME)

    session.do_all({item.urn: () for item in waited}, one, items, stops=False)


def _wait(session: Session, item: Item, live: Object, check: Callable[[Object], str], timeout: float) -> Object:
    """Look at an object until nothing is missing; returns it as it is then."""
    began, pause = time.monotonic(), _POLL
    while missing := _look(check, live):
        session.progress.waiting(str(item), missing)
        if session.ends_within(pause):
            raise Interrupted(missing)
        if time.monotonic() - began > timeout:
            raise NotReady(f"not ready within {timeout:.0f} s: {missing}", live)
        pause = min(pause * 1.3, _SLOWEST)
        found = session.objects.get(item.key, str(live["apiVersion"]))
        if found is None:
            raise NotReady("somebody deleted it while it was waited for", live)
        live = found
    return live


def _look(check: Callable[[Object], str], live: Object) -> str:
    try:
        return check(live)
    except awaits.Failed as error:
        raise NotReady(str(error), live) from error
