"""Resources of dynamic providers: created, compared, updated and deleted by the program's own code, their outputs kept as secrets."""

import threading
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Final

from deploy.items import Item, Sort
from deploy.objects import Change
from deploy.state import Store
from planner.dynamic import Provider, dynamic_provider
from planner.plan import Known
from planner.wire import Json, plain

_REPLACED: Final = "#replaced"
"""Marks in the state what has a successor and is still to be deleted, as the engine does after everything else."""


class Dynamics:
    """The dynamic resources of one stack; the process that runs their providers starts when it is needed."""

    def __init__(self, root: Path, stack: str, config: Mapping[str, str], store: Store) -> None:
        self._where = (root, stack, config)
        self._store = store
        self._lock = threading.Lock()
        self._exit = ExitStack()
        self._started: Provider | None = None

    def __enter__(self) -> "Dynamics":
        """Begin."""
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        """End the process, if there is one."""
        self._exit.close()

    def stale(self, items: Mapping[str, Item]) -> set[str]:
        """Return the urns of existing resources whose provider would change them."""
        existing = [item for item in items.values() if item.sort is Sort.DYNAMIC and item.urn in self._outputs and not item.unknown]
        return {item.urn for item in existing if self._provider.diff(item.urn, self._outputs[item.urn], self._inputs(item)).changes}

    def make(self, item: Item) -> Change:
        """Make one resource what it should be; its outputs are in the state before anything uses them."""
        old, provider = self._outputs.get(item.urn), self._provider
        inputs = provider.check(item.urn, old.outputs if old else {}, self._inputs(item))
        if old is None:
            return self._keep(item.urn, provider.create(item.urn, inputs), Change.CREATED)
        difference = provider.diff(item.urn, old, inputs)
        if not difference.changes:
            return Change.SAME
        if not difference.replaces:
            return self._keep(item.urn, provider.update(item.urn, old, inputs), Change.CHANGED)
        if difference.delete_before_replace:
            provider.delete(item.urn, old)
        else:
            self._outputs[f"{item.urn}{_REPLACED}"] = old
        return self._keep(item.urn, provider.create(item.urn, inputs), Change.REPLACED)

    def remove(self, urn: str) -> bool:
        """Delete a resource; returns whether there was one."""
        old = self._outputs.get(urn)
        if old is None:
            return False
        self._provider.delete(urn.removesuffix(_REPLACED), old)
        with self._lock:
            del self._outputs[urn]
        self._store.save()
        return True

    def remove_replaced(self) -> None:
        """Delete what has a successor."""
        for urn in [urn for urn in self._outputs if urn.endswith(_REPLACED)]:
            self.remove(urn)

    @property
    def _outputs(self) -> dict[str, Known]:
        return self._store.memory.outputs

    @property
    def _provider(self) -> Provider:
        with self._lock:
            if self._started is None:
                self._started = self._exit.enter_context(dynamic_provider(*self._where))
            return self._started

    def _keep(self, urn: str, known: Known, change: Change) -> Change:
        with self._lock:
            self._outputs[urn] = known
        self._store.save()
        return change

    @staticmethod
    def _inputs(item: Item) -> dict[str, Json]:
        found = plain(dict(item.inputs))
        return found if isinstance(found, dict) else {}
