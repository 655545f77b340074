"""Which resource a property names: by its value where that is known, else by what the engine says that the property depends on.

Ids are known only after the deployment, so before it a dependency has to do. Of a value that is known it says nothing: a program may type
an id by hand and keep what the property depended on.
"""

from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Any

from policies.reading.resource import Resource
from policies.reading.values import UnknownValueError, is_known, is_unknown, values_in

if TYPE_CHECKING:
    from policies.reading.stack import Stack

Spelled = Callable[[Resource, Any], bool]
"""Says whether a known value names a resource."""


def is_known_as(resource: Resource, value: Any) -> bool:
    """Say whether a known value is a name that a deployment gave a resource: its id, its ARN, its principal."""
    return value in resource.known_as


def meant(  # noqa: PLR0913 # a value, where it stands, and what it may be
    stack: "Stack", resource: Resource, field: str, value: Any, *, among: Iterable[Resource], spelled: Spelled = is_known_as
) -> tuple[Resource, ...]:
    """Return those of some resources that a value inside a property may name; where none is, it names something outside of the program.

    A known value names what is spelled so. One that is not known may be of each that the property depends on.

    Args:
        stack: the stack of both.
        resource: what has the property.
        field: the property, at the top: the engine tells dependencies of no other.
        value: the value, at the top of the property or inside it.
        among: what may be meant.
        spelled: how a value names one.
    """
    if is_unknown(value):
        found = stack.sources(resource, field)
        return tuple(each for each in among if each in found)
    return tuple(each for each in among if spelled(each, value))


def names(resource: Resource, field: str, target: Resource, *known_as: Any) -> bool:
    """Say whether a property, all of it, names a resource of the program.

    Where its value is known, it is what the resource is known as, by its id or as given here. Where it is not, the property depends on that
    resource, and on nothing else.
    """
    given = resource.props.get(field)
    if is_unknown(given):
        return set(resource.property_dependencies.get(field, ())) == {target.urn}
    return is_known_as(target, given) or any(given == each for each in known_as if not is_unknown(each))


def named(stack: "Stack", resource: Resource, *path: str, kinds: tuple[str, ...]) -> tuple[Resource, ...]:
    """Return the resources of some kinds that a property names.

    The engine says of each property at the top on which resources it depends. Values below it are counted: where they are as many
    as the resources of the wanted kinds, they are these. A value that is known must be the id of one of them.

    Raises:
        UnknownValueError: where something else is named as well: an id typed by hand, a resource of another stack.
    """
    given = list(values_at(resource.props.get(path[0]), *path[1:]))
    if not given:
        return ()
    found = [source for source in stack.sources(resource, path[0]) if source.kind in kinds]
    strange = [value for value in given if not meant(stack, resource, path[0], value, among=found)]
    if strange or len(found) != len(given):
        where, wanted = ".".join(path), " or ".join(sorted(kind.rpartition(":")[2] for kind in kinds))
        typed = next((value for value in strange if not is_unknown(value)), len(given))
        raise UnknownValueError(
            f"{resource}: {where}", f"not to be followed: it names {typed}, and the program has {len(found)} such {wanted}"
        )
    return tuple(found)


def one(stack: "Stack", resource: Resource, *path: str, kinds: tuple[str, ...]) -> Resource | None:
    """Return the one resource that a property names, or None where it names nothing.

    Raises:
        UnknownValueError: where that is no resource of the program, or more than one.
    """
    found = named(stack, resource, *path, kinds=kinds)
    if len(found) > 1:
        raise UnknownValueError(f"{resource}: {'.'.join(path)}", f"not to be followed: it names {len(found)} resources where one belongs")
    return found[0] if found else None


def values_at(value: Any, *path: str) -> Iterator[Any]:
    """Yield what stands at the end of a path, through every list on the way; unknown values as they are.

    Raises:
        UnknownValueError: if a mapping or list on the way is not known.
    """
    if value is None:
        return
    if is_known(value, list):
        for item in value:
            yield from values_at(item, *path)
    elif not path:
        yield value
    elif is_known(value, dict):
        yield from values_at(value.get(path[0]), *path[1:])
    else:
        bool(value)  # an unknown raises with its own path
        raise UnknownValueError(".".join(path), f"not of the expected shape: {type(value).__name__} where a mapping belongs")


def refers(resource: Resource, target: Resource, spelled: Spelled = is_known_as) -> bool:
    """Say whether anything that a resource says names another one: by value, or, in a property that is not all known, by depending on it."""
    for field, given in resource.props.items():
        said = values_in(given)
        if target.urn in resource.property_dependencies.get(field, ()) and any(map(is_unknown, said)):
            return True
        if any(spelled(target, each) for each in said if is_known(each, str)):
            return True
    return False
