"""What the stack file says of an environment: the judge has it from the engine, beside the program and not from it.

The engine reads the stack file and hands a policy pack the whole configuration (`constructEnv` in sdk/go/common/resource/plugin/analyzer_plugin.go,
`RunPlugin` in sdk/python/cmd/pulumi-language-python/main.go of pulumi/pulumi): values by `namespace:name`, objects as JSON.
"""

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from policies.reading.values import UnknownValueError, mapping, sequence

if TYPE_CHECKING:
    from policies.reading.stack import Stack


AWS: Final = "perimeter:aws"
AZURE: Final = "perimeter:azure"


def listed(stack: "Stack", cloud: str, key: str) -> tuple[str, ...]:
    """Return the texts that the stack file lists for a cloud under a key; none where it does not have that key.

    Raises:
        UnknownValueError: if nobody gave the stack file to the judge, or it says nothing of that cloud.
    """
    return tuple(str(each) for each in sequence(said(stack, cloud).get(key)))


def named(stack: "Stack", cloud: str, key: str) -> Mapping[str, Any]:
    """Return what the stack file says of one thing of a cloud, by field; nothing where it does not have that key.

    Raises:
        UnknownValueError: if nobody gave the stack file to the judge, or it says nothing of that cloud.
    """
    return mapping(said(stack, cloud).get(key))


def held_to(stack: "Stack", cloud: str, key: str, found: str) -> str:
    """Return what a program says of itself where the stack file says the same, or where nobody gave that to the judge.

    Raises:
        UnknownValueError: if the stack file says something else.
    """
    if cloud in stack.config and (wanted := said(stack, cloud).get(key)) != found:
        raise UnknownValueError(f"{key} of the program", f"{found}, and the stack file says {wanted}")
    return found


def said(stack: "Stack", key: str) -> Mapping[str, Any]:
    """Return the object that the stack file has under a key of the program: `perimeter:aws`.

    Raises:
        UnknownValueError: if nobody gave the stack file to the judge, or it has no object there.
    """
    if key not in stack.config:
        raise UnknownValueError(f"{key} of the stack file", "not known here: judge in the project that has the stack's file")
    try:
        found: Any = json.loads(stack.config[key])
    except ValueError as error:
        raise UnknownValueError(f"{key} of the stack file", f"no JSON ({error})") from error
    if not isinstance(found, dict):
        raise UnknownValueError(f"{key} of the stack file", "no object")
    return mapping(found)
