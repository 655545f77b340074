"""What the parts of one run share: the cluster, what is remembered of the stack, how far it is, and whether it is to end."""

import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from typing import Final

from deploy.api import Api, Object
from deploy.discovery import Kinds
from deploy.dynamics import Dynamics
from deploy.errors import DeployError
from deploy.items import Item, Key
from deploy.objects import Change, Objects
from deploy.parallel import run_all
from deploy.progress import Progress
from deploy.releases import Releases
from deploy.state import Made, Store
from deploy.target import Result, Target
from deploy.troubles import Interrupted, trouble

_HELM_AT_A_TIME: Final = 4


class Session:
    """One run against one cluster. Threads may share it.

    Attributes:
        target: what is deployed and where.
        api: the cluster.
        store: where the stack's memory is kept.
        memory: what is remembered of it.
        progress: who is told.
        kinds: what the cluster calls its kinds.
        objects: its objects.
        releases: its Helm releases.
        helm: held while helm runs, which takes much memory.
        members: what exists of the stack, in the versions in which it will be applied.
    """

    def __init__(self, target: Target, api: Api, store: Store, progress: Progress, still_held: Callable[[], bool]) -> None:
        self.target = target
        self.api = api
        self.store = store
        self.progress = progress
        self.kinds = Kinds(api)
        self.objects = Objects(api, self.kinds, store.id)
        self.releases = Releases(api, self.objects, target.tools, target.root, target.mirror)
        self.memory = store.load()
        self.members: dict[Key, Object] = {}
        self.helm = threading.BoundedSemaphore(_HELM_AT_A_TIME)
        self._still_held = still_held
        self._began = time.monotonic()
        self._changes: Counter[Change] = Counter()
        self._stopped = threading.Event()

    def dynamics(self) -> Dynamics:
        """Return the stack's dynamic resources."""
        return Dynamics(self.target.root, self.target.stack, self.target.config, self.store)

    def remember(self, made: dict[str, Made]) -> None:
        """Write down what exists, or may exist in a moment: whatever interrupts a run, the next one knows."""
        before = (self.memory.made, self.store.found is not None)
        self.memory.made = made
        if before != (made, True):
            self.store.save()

    def remember_too(self, items: Mapping[str, Item]) -> None:
        """Write down what is about to be made, beside what exists."""
        self.remember({**self.memory.made, **{urn: Made.of(item) for urn, item in items.items()}})

    def go_on(self) -> None:
        """Let a part of the run begin.

        Raises:
            Interrupted: the run is to end, or another one has taken the stack over.
        """
        if self.ends_within(0):
            raise Interrupted

    def ends_within(self, seconds: float) -> bool:
        """Wait so long, and return whether the run is to end."""
        return self._stopped.wait(seconds) or not self._still_held()

    def count(self, kind: str, change: Change) -> None:
        """Take note of what became of one thing."""
        self._changes[change] += 1
        self.progress.finished(kind, change)

    def do_all(
        self, after: Mapping[str, Iterable[str]], do: Callable[[str], object], named: Mapping[str, object], *, stops: bool = True
    ) -> None:
        """Do everything in its order.

        Args:
            after: what comes after what, by urn.
            do: does one thing; runs on several threads.
            named: what people call each.
            stops: what is in hand ends when something fails; otherwise it is seen through.

        Raises:
            DeployError: with everything that failed.
        """
        failed = run_all(after, do, self._stopped.set if stops else lambda: None)
        if not failed:
            return
        if not self._still_held():
            raise DeployError(["another run has taken this stack over. Look whether somebody else deploys it."])
        told = {urn: error for urn, error in failed.items() if not isinstance(error, Interrupted)}
        waited = sorted(
            f"{named.get(urn, urn)} ({error})" for urn, error in failed.items() if isinstance(error, Interrupted) and str(error)
        )
        found = [trouble(self.api, str(named.get(urn, urn)), error) for urn, error in told.items()]
        raise DeployError([*found, *([f"Not ready by then: {'; '.join(waited)}."] if waited else [])])

    def result(self) -> Result:
        """Return what the run has done so far."""
        return Result(changes=self._changes, seconds=time.monotonic() - self._began)
