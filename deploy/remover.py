"""Removes what a stack no longer consists of, or all of it."""

from collections.abc import Mapping, Set

from deploy import removal
from deploy.dynamics import Dynamics
from deploy.items import Item, Key, Sort
from deploy.objects import Change
from deploy.session import Session
from deploy.state import Made


class Remover:
    """Removes one stack's resources."""

    def __init__(self, session: Session, dynamics: Dynamics) -> None:
        self._session = session
        self._dynamics = dynamics

    def prune(self, items: Mapping[str, Item]) -> None:
        """Remove what left the plan.

        Raises:
            DeployError: with everything that could not be removed.
        """
        kept = {item.key for item in items.values()}
        gone = {urn: made for urn, made in self._session.memory.made.items() if urn not in items}
        # What has the same key under another urn only moved within the program.
        moved = {urn for urn, made in gone.items() if made.key in kept}
        self._remove({urn: made for urn, made in gone.items() if urn not in moved}, kept)
        self._session.remember({urn: made for urn, made in self._session.memory.made.items() if urn in items})

    def remove_all(self) -> None:
        """Remove everything that was made.

        Raises:
            DeployError: with everything that could not be removed.
        """
        self._remove(dict(self._session.memory.made), set())

    def _remove(self, gone: Mapping[str, Made], kept: Set[Key]) -> None:
        session = self._session
        leaving = removal.plan(gone, session.members, kept)
        session.progress.expect(_kind(made) for made in leaving.values())

        def remove(urn: str) -> None:
            session.go_on()
            made = leaving[urn]
            with session.progress.running(_kind(made), f"removal of {made.key}"):
                removed = self._remove_one(urn, made)
            session.count(_kind(made), Change.REMOVED if removed else Change.SAME)

        session.do_all(removal.order(leaving), remove, {urn: made.key for urn, made in leaving.items()})
        self._dynamics.remove_replaced()

    def _remove_one(self, urn: str, made: Made) -> bool:
        session = self._session
        if made.retained:
            session.progress.note(f"{made.key}: stays, for the program says so (retain_on_delete).")
            return False
        match made.sort:
            case Sort.OBJECT:
                return session.objects.remove(made.key, tell=lambda why: session.progress.waiting(f"removal of {made.key}", why))
            case Sort.RELEASE:
                with session.helm:
                    removed = session.releases.remove(made.key.namespace, made.key.name)
                session.memory.releases.pop(urn, None)
                return removed
            case Sort.DYNAMIC:
                return self._dynamics.remove(urn)


def _kind(made: Made) -> str:
    return f"{made.key.kind} (removal)"
