"""The values that Pulumi's protocols and state files give a special meaning, and the tokens that name resources.

Source of every signature: `sdk/go/common/resource/{properties,plugin/rpc}.go` and `pkg/resource/stack/deployment.go` of pulumi/pulumi.
"""

import json
from typing import TypeAlias

Json: TypeAlias = "bool | int | float | str | list[Json] | dict[str, Json] | None"

UNKNOWN = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"
"""Stands for a value, or a provider's id, that only a deployment knows."""

SIGNATURE = "4dabf18193072939515e22adb298388d"
"""The key that makes an object more than an object; its value is one of the signatures below."""

SECRET = "1b47061264138c4ac30d75fd1eb44270"  # noqa: S105 # names a kind of value
ASSET = "c44067f5952c0a294b673a41bacd8c17"
RESOURCE = "5cf8f73096256a8f31e491e813e4eb8e"
OUTPUT = "d0e6a833031e9bbcd3f4e8bde6ca49a4"
FLOAT = "8ad145fe-0d11-4827-bfd7-1abcbf086f5c"

PLACEHOLDER = "[secret]"
"""What a plan holds in place of every secret whose value is known."""

STACK_TYPE = "pulumi:pulumi:Stack"
PROVIDER_MODULE = "pulumi:providers:"
DYNAMIC_PACKAGE = "pulumi-python"
"""The package of `pulumi.dynamic.Resource`."""

DYNAMIC_CODE = "__provider"
"""The input of a dynamic resource that holds its pickled provider, with whatever the provider's code closes over."""

KNOWN_SECRET: dict[str, Json] = {SIGNATURE: SECRET, "plaintext": f'"{PLACEHOLDER}"'}
UNKNOWN_SECRET: dict[str, Json] = {SIGNATURE: SECRET, "plaintext": f'"{UNKNOWN}"'}


def is_provider(type_: str) -> bool:
    """Whether a type token names a provider."""
    return type_.startswith(PROVIDER_MODULE)


def package_of(type_: str) -> str:
    """Return the package of a type token: `kubernetes` for `kubernetes:core/v1:Service` and for `pulumi:providers:kubernetes`."""
    return type_.removeprefix(PROVIDER_MODULE) if is_provider(type_) else type_.partition(":")[0]


def qualified_type(urn: str) -> str:
    """Return the type of a urn's resource with the types of its ancestors: `a:b:C$kubernetes:core/v1:Service`."""
    return urn.split("::", 3)[2]


def name_of(urn: str) -> str:
    """Return the name of a urn's resource."""
    return urn.split("::", 3)[3]


def make_urn(stack: str, project: str, parent: str, type_: str, name: str) -> str:
    """Return the urn the engine gives a resource (`Deployment.generateURN`); the root stack adds nothing to its children's types."""
    if parent:
        above = qualified_type(parent)
        if above != STACK_TYPE:
            type_ = f"{above}${type_}"
    return f"urn:pulumi:{stack}::{project}::{type_}::{name}"


def has_unknown(value: Json) -> bool:
    """Whether a JSON value is, or holds, a value that only a deployment knows."""
    if isinstance(value, str):
        return value == UNKNOWN
    if isinstance(value, dict):
        if value.get(SIGNATURE) == SECRET:
            return UNKNOWN in str(value.get("plaintext", ""))
        return any(has_unknown(item) for item in value.values())
    return isinstance(value, list) and any(has_unknown(item) for item in value)


def plain(value: Json) -> Json:
    """Return a value with every secret replaced by what it holds."""
    if isinstance(value, list):
        return [plain(item) for item in value]
    if not isinstance(value, dict):
        return value
    if value.get(SIGNATURE) == SECRET:
        return plain(json.loads(str(value.get("plaintext"))))
    return {key: plain(item) for key, item in value.items()}
