"""Makes a cluster what a program asks for, with kubectl and helm."""

import threading
import time
from collections import Counter
from collections.abc import Callable, Generator, Iterable, Mapping
from contextlib import contextmanager
from typing import Final

from deploy import applyset, awaits, removal, settling, strangers
from deploy.api import Api, ApiError, Object, connect
from deploy.discovery import Kinds
from deploy.dynamics import Dynamics
from deploy.errors import DeployError
from deploy.items import Item, Key, Sort, items_of
from deploy.lease import held
from deploy.objects import Change, Objects
from deploy.order import held_up
from deploy.parallel import run_all
from deploy.progress import Progress
from deploy.releases import Releases
from deploy.state import Made, Store
from deploy.target import Result, Target
from deploy.troubles import Interrupted, NotReady, trouble
from planner.plan import Known
from planner.program import resolve_program

_APPLIED_AT_A_TIME: Final = 8
_HELM_AT_A_TIME: Final = 4
_SETTLED: Final = 300.0
"""Seconds until custom resources must have taken effect, all pods being ready by then."""
_POLL: Final = 0.25
_SLOWEST: Final = 2.0


def up(target: Target, progress: Progress) -> Result:
    """Make the cluster what the program asks for. Running it again continues what was interrupted.

    Raises:
        DeployError: with everything that went wrong.
        PlanError: the program cannot be registered.
    """
    with _run(target, progress, create=True) as run:
        return run.up()


def down(target: Target, progress: Progress) -> Result:
    """Remove everything that was made for the stack, in the reverse order.

    Raises:
        DeployError: with everything that could not be removed.
    """
    with _run(target, progress, create=False) as run:
        return run.down()


@contextmanager
def _run(target: Target, progress: Progress, *, create: bool) -> "Generator[_Run]":
    with connect(target.tools) as api:
        store = Store(api, target.project, target.stack)
        if not create and not store.exists():
            yield _Run(target, api, store, progress, lambda: True)
            return
        store.prepare()
        with held(api, store.parent.name, progress.note) as still_held:
            try:
                yield _Run(target, api, store, progress, still_held)
            except ApiError as error:
                raise DeployError([str(error)]) from error


class _Run:
    def __init__(self, target: Target, api: Api, store: Store, progress: Progress, still_held: Callable[[], bool]) -> None:
        self._target = target
        self._api = api
        self._store = store
        self._progress = progress
        self._still_held = still_held
        self._began = time.monotonic()
        kinds = Kinds(api)
        self._kinds = kinds
        self._objects = Objects(api, kinds, store.id)
        self._releases = Releases(api, self._objects, target.tools, target.root, target.mirror)
        self._memory = store.load()
        self._members: dict[Key, Object] = {}
        self._known: dict[str, Known] = {}
        self._live: dict[str, Object] = {}
        self._changes: Counter[Change] = Counter()
        self._stopped = threading.Event()
        self._applying = threading.BoundedSemaphore(_APPLIED_AT_A_TIME)
        self._installing = threading.BoundedSemaphore(_HELM_AT_A_TIME)

    # Up

    def up(self) -> Result:
        with Dynamics(self._target.root, self._target.stack, self._target.config, self._store) as dynamics:
            self._known = dict(self._memory.outputs)
            items = self._resolve()
            if stale := dynamics.stale(items):
                # Their outputs are about to change, and with them whatever is made from those.
                self._known = {urn: known for urn, known in self._known.items() if urn not in stale}
                items = self._resolve()
            self._members = self._find_members(items)
            self._store.members = self._members.keys()
            self._remember({**self._memory.made, **{urn: Made.of(item) for urn, item in items.items()}})
            items = self._make_all(items, dynamics)
            # First what no longer may be, then what the rest of the cluster makes of it.
            self._prune(items, dynamics)
            self._settle(items)
        return self._result()

    def _resolve(self) -> dict[str, Item]:
        target = self._target
        return items_of(resolve_program(target.root, target.stack, target.config, self._known))

    def _find_members(self, items: Mapping[str, Item]) -> dict[Key, Object]:
        """Return everything that exists of the stack, in the versions in which it will be applied."""
        objects = [item for item in items.values() if item.sort is Sort.OBJECT]
        remembered: dict[tuple[str, str], str | None] = dict.fromkeys(applyset.member_kinds(self._store.found or {}))
        wanted = {(item.key.group, item.key.kind): str(item.inputs["apiVersion"]) for item in objects}
        members = applyset.members(self._api, self._kinds, self._store.id, {**remembered, **wanted})
        others = strangers.existing(self._objects, objects, members)
        refused = [said for key, live in others.items() if (said := strangers.refusal(key, live, self._store.id, adopt=self._target.adopt))]
        if refused:
            raise DeployError([*sorted(refused), "Nothing was applied."])
        return {**members, **others}

    def _remember(self, made: dict[str, Made]) -> None:
        """Write down what exists, or may exist in a moment: whatever interrupts a run, the next one knows."""
        before = (self._memory.made, self._store.found is not None)
        self._memory.made = made
        if before != (made, True):
            self._store.save()

    def _make_all(self, items: dict[str, Item], dynamics: Dynamics) -> dict[str, Item]:
        """Make everything, registering the program again for as long as values become known; returns the items as they were made."""
        made: set[str] = set()
        self._progress.expect(item.key.kind for item in items.values())
        while True:
            after = {urn: item.after for urn, item in items.items() if urn not in made}
            unknown = [urn for urn in after if items[urn].unknown]
            later = {*unknown, *held_up(after, unknown)}
            now = {urn: before for urn, before in after.items() if urn not in later}
            if not now and later:
                raise DeployError([f"{items[urn]}: a value of it never becomes known." for urn in unknown])
            self._make_now(items, now, dynamics)
            made |= now.keys()
            if not later:
                return items
            self._known |= self._outputs(items, made)
            items = self._resolve()
            self._remember({**self._memory.made, **{urn: Made.of(item) for urn, item in items.items()}})

    def _make_now(self, items: Mapping[str, Item], order: Mapping[str, Iterable[str]], dynamics: Dynamics) -> None:
        self._raise(run_all(order, lambda urn: self._make(items[urn], dynamics), self._stopped.set), items)

    def _outputs(self, items: Mapping[str, Item], made: set[str]) -> dict[str, Known]:
        live = {
            urn: Known(id=items[urn].key.namespace + "/" + items[urn].key.name, outputs=self._live[urn])
            for urn in made
            if urn in self._live
        }
        return {**live, **self._memory.outputs}

    def _make(self, item: Item, dynamics: Dynamics) -> None:
        if self._stopped.is_set() or not self._still_held():
            raise Interrupted
        with self._progress.running(item.key.kind, str(item)):
            match item.sort:
                case Sort.OBJECT:
                    change = self._make_object(item)
                case Sort.RELEASE:
                    change = self._make_release(item)
                case Sort.DYNAMIC:
                    change = dynamics.make(item)
        self._count(item.key, change)

    def _make_object(self, item: Item) -> Change:
        with self._applying:
            change, live = self._objects.apply(item.inputs, self._members.get(item.key))
        self._live[item.urn] = live
        if check := awaits.check_of(item.inputs):
            self._live[item.urn] = self._wait(item, live, lambda each: check(self._api, each), awaits.timeout_of(item.inputs, item.timeout))
        return change

    def _make_release(self, item: Item) -> Change:
        with self._installing:
            change = self._releases.apply(item.inputs, self._memory.releases.get(item.urn))
        digest = self._releases.digest(item.inputs)
        if self._memory.releases.get(item.urn) != digest:
            self._memory.releases[item.urn] = digest
            self._store.save()
        return change

    def _wait(self, item: Item, live: Object, check: Callable[[Object], str], timeout: float) -> Object:
        """Look at an object until nothing is missing; returns it as it is then."""
        began, pause = time.monotonic(), _POLL
        while missing := _look(check, live):
            self._progress.waiting(str(item), missing)
            if self._stopped.wait(pause) or not self._still_held():
                raise Interrupted(missing)
            if time.monotonic() - began > timeout:
                raise NotReady(f"not ready within {timeout:.0f} s: {missing}", live)
            pause = min(pause * 1.3, _SLOWEST)
            found = self._objects.get(item.key, str(live["apiVersion"]))
            if found is None:
                raise NotReady("somebody deleted it while it was waited for", live)
            live = found
        return live

    def _settle(self, items: Mapping[str, Item]) -> None:
        """Wait until controllers have put custom resources into effect."""
        waited = [item for item in items.values() if item.sort is Sort.OBJECT and settling.settles(item.key.group, item.key.kind)]
        kind = "Status of custom resources"
        self._progress.expect([kind] * len(waited))

        def settle(urn: str) -> None:
            with self._progress.running(kind, str(items[urn])):
                self._wait(items[urn], self._live[urn], settling.unsettled, _SETTLED)
            self._progress.finished(kind, Change.SAME)

        self._raise(run_all({item.urn: () for item in waited}, settle, lambda: None), items)

    # Removing

    def _prune(self, items: Mapping[str, Item], dynamics: Dynamics) -> None:
        """Remove what left the plan."""
        kept = {item.key for item in items.values()}
        gone = {urn: made for urn, made in self._memory.made.items() if urn not in items}
        # What has the same key under another urn only moved within the program.
        moved = {urn for urn, made in gone.items() if made.key in kept}
        self._remove({urn: made for urn, made in gone.items() if urn not in moved}, kept, dynamics)
        self._remember({urn: made for urn, made in self._memory.made.items() if urn in items})

    def down(self) -> Result:
        if self._store.found is None:
            return self._result()
        self._members = self._find_members({})
        with Dynamics(self._target.root, self._target.stack, self._target.config, self._store) as dynamics:
            self._remove(dict(self._memory.made), set(), dynamics)
        self._store.forget()
        return self._result()

    def _remove(self, gone: Mapping[str, Made], kept: set[Key], dynamics: Dynamics) -> None:
        leaving = removal.plan(gone, self._members, kept)
        self._progress.expect(f"{each.key.kind} (removal)" for each in leaving.values())

        def remove(urn: str) -> None:
            if self._stopped.is_set() or not self._still_held():
                raise Interrupted
            made = leaving[urn]
            with self._progress.running(f"{made.key.kind} (removal)", f"removal of {made.key}"):
                removed = self._remove_one(urn, made, dynamics)
            self._changes[Change.REMOVED if removed else Change.SAME] += 1
            self._progress.finished(f"{made.key.kind} (removal)", Change.REMOVED if removed else Change.SAME)

        named = {urn: made.key for urn, made in leaving.items()}
        self._raise(run_all(removal.order(leaving), remove, self._stopped.set), named)
        dynamics.remove_replaced()

    def _remove_one(self, urn: str, made: Made, dynamics: Dynamics) -> bool:
        if made.retained:
            self._progress.note(f"{made.key}: stays, for the program says so (retain_on_delete).")
            return False
        match made.sort:
            case Sort.OBJECT:
                return self._objects.remove(made.key, tell=lambda why: self._progress.waiting(f"removal of {made.key}", why))
            case Sort.RELEASE:
                with self._installing:
                    removed = self._releases.remove(made.key.namespace, made.key.name)
                self._memory.releases.pop(urn, None)
                return removed
            case Sort.DYNAMIC:
                return dynamics.remove(urn)

    # What is said

    def _count(self, key: Key, change: Change) -> None:
        self._changes[change] += 1
        self._progress.finished(key.kind, change)

    def _raise(self, failed: Mapping[str, Exception], named: Mapping[str, object]) -> None:
        if not failed:
            return
        if not self._still_held():
            raise DeployError(["another run has taken this stack over. Look whether somebody else deploys it."])
        told = {urn: error for urn, error in failed.items() if not isinstance(error, Interrupted)}
        waited = sorted(
            f"{named.get(urn, urn)} ({error})" for urn, error in failed.items() if isinstance(error, Interrupted) and str(error)
        )
        found = [trouble(self._api, str(named.get(urn, urn)), error) for urn, error in told.items()]
        raise DeployError([*found, *([f"Not ready by then: {'; '.join(waited)}."] if waited else [])])

    def _result(self) -> Result:
        return Result(changes=self._changes, seconds=time.monotonic() - self._began)


def _look(check: Callable[[Object], str], live: Object) -> str:
    try:
        return check(live)
    except awaits.Failed as error:
        raise NotReady(str(error), live) from error


__all__ = ["Result", "Target", "down", "up"]
