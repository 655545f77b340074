"""Makes a cluster what a program asks for, with kubectl and helm."""

from collections.abc import Generator
from contextlib import contextmanager

from deploy import leftovers, waiter
from deploy.api import Api, ApiError, connect
from deploy.errors import DeployError
from deploy.lease import held
from deploy.maker import Maker
from deploy.membership import members
from deploy.progress import Progress
from deploy.remover import Remover
from deploy.session import Session
from deploy.state import Store
from deploy.target import Result, Target


def up(target: Target, progress: Progress) -> Result:
    """Make the cluster what the program asks for. Running it again continues what was interrupted.

    Raises:
        DeployError: with everything that went wrong.
        PlanError: the program cannot be registered.
    """
    with _session(target, progress, create=True) as session:
        with session.dynamics() as dynamics:
            maker = Maker(session, dynamics)
            items = maker.wanted()
            session.members = members(session, items)
            session.store.members = session.members.keys()
            session.remember_too(items)
            items = maker.make_all(items)
            # First what no longer may be, then what the rest of the cluster makes of it.
            Remover(session, dynamics).prune(items)
            waiter.settle(session, items, maker.live)
        return session.result()


def down(target: Target, progress: Progress) -> Result:
    """Remove everything that was made for the stack, in the reverse order.

    Raises:
        DeployError: with everything that could not be removed, or that is there although nothing is remembered.
    """
    with _session(target, progress, create=False) as session:
        if session.store.found is None:
            leftovers.refuse(session)
        else:
            session.members = members(session, {})
            with session.dynamics() as dynamics:
                Remover(session, dynamics).remove_all()
            session.store.forget()
        return session.result()


def remembers(target: Target) -> bool:
    """Whether the cluster remembers that the stack was deployed from here.

    Raises:
        DeployError: it cannot be asked.
    """
    with _store(target) as (_, store):
        return store.exists()


@contextmanager
def _store(target: Target) -> Generator[tuple[Api, Store]]:
    with connect(target.tools) as api:
        try:
            yield api, Store(api, target.project, target.stack)
        except ApiError as error:
            raise DeployError([str(error)]) from error


@contextmanager
def _session(target: Target, progress: Progress, *, create: bool) -> Generator[Session]:
    with _store(target) as (api, store):
        if not create and not store.exists():
            yield Session(target, api, store, progress, lambda: True)
            return
        store.prepare()
        with held(api, store.parent.name, progress.note) as still_held:
            yield Session(target, api, store, progress, still_held)


__all__ = ["Result", "Target", "down", "remembers", "up"]
