"""What every layer of reading needs of the stack around it, so that none of them needs the stack itself."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from policies.reading.meshes import Mesh, Proxy
from policies.reading.namespaces import Namespace
from policies.reading.pods import Pod, Pods
from policies.reading.resource import Resource
from policies.reading.services import Service
from policies.reading.values import UnknownValueError

T = TypeVar("T")


@dataclass(frozen=True, kw_only=True)
class Surroundings:
    """Lookups of a stack."""

    pods: Pods
    meshes: tuple[Mesh, ...]
    find: Callable[[str, str, str], Resource | None]
    """A resource by kind, namespace and name."""
    service: Callable[[str, str], Service | None]
    """A Service by namespace and name."""
    namespace: Callable[[str], Namespace]
    member: Callable[[Pod], tuple[Mesh, Proxy] | None]
    note: Callable[[Resource, UnknownValueError], None]
    """Takes what cannot be read; the verdict is then undecided."""

    def reading(self, resource: Resource, read: Callable[[Resource], T]) -> T | None:
        """Return what is read of a resource; where something in it is unknown or malformed, note that and return None."""
        try:
            return read(resource)
        except UnknownValueError as error:
            self.note(resource, error)
        except (TypeError, KeyError, AttributeError, ValueError, IndexError) as error:
            self.note(resource, UnknownValueError(str(resource), f"not of the expected shape ({type(error).__name__}: {error})"))
        return None
