"""Makes what a program asks for, and registers the program again as values become known."""

import threading
from collections.abc import Iterable, Mapping
from typing import Final

from deploy import waiter
from deploy.api import Object
from deploy.dynamics import Dynamics
from deploy.errors import DeployError
from deploy.items import Item, Sort, items_of
from deploy.objects import Change
from deploy.order import held_up
from deploy.session import Session
from planner.plan import Known
from planner.program import resolve_program

_APPLIED_AT_A_TIME: Final = 8


class Maker:
    """Makes one program's resources.

    Attributes:
        live: the objects that were made, by urn, as they were when they were ready.
    """

    def __init__(self, session: Session, dynamics: Dynamics) -> None:
        self.live: dict[str, Object] = {}
        self._session = session
        self._dynamics = dynamics
        self._known: dict[str, Known] = dict(session.memory.outputs)
        self._applying = threading.BoundedSemaphore(_APPLIED_AT_A_TIME)

    def wanted(self) -> dict[str, Item]:
        """Return what the program asks for, by urn, with what is known of it before anything is made.

        Raises:
            DeployError: only the Pulumi CLI can deploy some of it.
            PlanError: the program cannot be registered.
        """
        items = self._resolve()
        if stale := self._dynamics.stale(items):
            # Their outputs are about to change, and with them whatever is made from those.
            self._known = {urn: known for urn, known in self._known.items() if urn not in stale}
            items = self._resolve()
        return items

    def make_all(self, items: dict[str, Item]) -> dict[str, Item]:
        """Make everything, registering the program again for as long as values become known; returns the items as they were made.

        Raises:
            DeployError: with everything that failed.
        """
        made: set[str] = set()
        self._session.progress.expect(item.key.kind for item in items.values())
        while True:
            after = {urn: item.after for urn, item in items.items() if urn not in made}
            unknown = [urn for urn in after if items[urn].unknown]
            later = {*unknown, *held_up(after, unknown)}
            now = {urn: before for urn, before in after.items() if urn not in later}
            if not now and later:
                raise DeployError([f"{items[urn]}: a value of it never becomes known." for urn in unknown])
            self._make_now(items, now)
            made |= now.keys()
            if not later:
                return items
            self._known |= self._outputs(items, made)
            items = self._resolve()
            self._session.remember_too(items)

    def _resolve(self) -> dict[str, Item]:
        target = self._session.target
        return items_of(resolve_program(target.root, target.stack, target.config, self._known))

    def _make_now(self, items: Mapping[str, Item], order: Mapping[str, Iterable[str]]) -> None:
        self._session.do_all(order, lambda urn: self._make(items[urn]), items)

    def _outputs(self, items: Mapping[str, Item], made: set[str]) -> dict[str, Known]:
        live = {
            urn: Known(id=items[urn].key.namespace + "/" + items[urn].key.name, outputs=self.live[urn]) for urn in made if urn in self.live
        }
        return {**live, **self._session.memory.outputs}

    def _make(self, item: Item) -> None:
        self._session.go_on()
        with self._session.progress.running(item.key.kind, str(item)):
            match item.sort:
                case Sort.OBJECT:
                    change = self._make_object(item)
                case Sort.RELEASE:
                    change = self._make_release(item)
                case Sort.DYNAMIC:
                    change = self._dynamics.make(item)
        self._session.count(item.key.kind, change)

    def _make_object(self, item: Item) -> Change:
        with self._applying:
            change, live = self._session.objects.apply(item.inputs, self._session.members.get(item.key))
        self.live[item.urn] = live
        self.live[item.urn] = waiter.until_ready(self._session, item, live)
        return change

    def _make_release(self, item: Item) -> Change:
        releases, memory = self._session.releases, self._session.memory
        with self._session.helm:
            change = releases.apply(item.inputs, memory.releases.get(item.urn))
        digest = releases.digest(item.inputs)
        if memory.releases.get(item.urn) != digest:
            memory.releases[item.urn] = digest
            self._session.store.save()
        return change
