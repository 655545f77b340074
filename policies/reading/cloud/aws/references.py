"""Which resource a property names: by what the engine says it depends on, since ids are known only after the deployment."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from policies.reading.resource import Resource
from policies.reading.values import UnknownValueError, is_unknown

if TYPE_CHECKING:
    from policies.reading.stack import Stack


def values_at(value: Any, *path: str) -> Iterator[Any]:
    """Yield what stands at the end of a path, through every list on the way; unknown values as they are.

    Raises:
        UnknownValueError: if a mapping or list on the way is not known.
    """
    if value is None:
        return
    if isinstance_of(value, list):
        for item in value:
            yield from values_at(item, *path)
    elif not path:
        yield value
    elif isinstance_of(value, dict):
        yield from values_at(value.get(path[0]), *path[1:])
    else:
        bool(value)  # an unknown raises with its own path
        raise UnknownValueError(".".join(path), f"not of the expected shape: {type(value).__name__} where a mapping belongs")


def isinstance_of(value: Any, kind: type) -> bool:
    """Say whether a value is of a type, without asking an unknown one."""
    return not is_unknown(value) and isinstance(value, kind)


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
    strange = [value for value in given if not is_unknown(value) and not any(value in target.known_as for target in found)]
    if strange or len(found) != len(given):
        where, wanted = ".".join(path), " or ".join(sorted(kind.rpartition(":")[2] for kind in kinds))
        raise UnknownValueError(
            f"{resource}: {where}",
            f"not to be followed: it names {strange[0] if strange else len(given)}, and the program has {len(found)} such {wanted}",
        )
    return tuple(found)


def names(resource: Resource, field: str, target: Resource, *known_as: Any) -> bool:
    """Say whether a property names a resource of the program.

    Where its value is known, it is what the resource is known as, by its id or as given here. Where it is not, the property depends on that
    resource, and on nothing else.
    """
    given = resource.props.get(field)
    if is_unknown(given):
        return set(resource.property_dependencies.get(field, ())) == {target.urn}
    return any(given == each for each in (*target.known_as, *known_as) if not is_unknown(each))


def one(stack: "Stack", resource: Resource, *path: str, kinds: tuple[str, ...]) -> Resource | None:
    """Return the one resource that a property names, or None where it names nothing.

    Raises:
        UnknownValueError: where that is no resource of the program, or more than one.
    """
    found = named(stack, resource, *path, kinds=kinds)
    if len(found) > 1:
        raise UnknownValueError(f"{resource}: {'.'.join(path)}", f"not to be followed: it names {len(found)} resources where one belongs")
    return found[0] if found else None
