"""Label selectors, as Kubernetes defines them (meta/v1 LabelSelector)."""

from collections.abc import Callable, Mapping, Sequence
from typing import Final

from lab.enforcer.objects import Json, Labels

_OPERATORS: Final[Mapping[str, Callable[[str | None, Sequence[str]], bool]]] = {
    "In": lambda value, values: value in values,
    "NotIn": lambda value, values: value not in values,
    "Exists": lambda value, values: value is not None,
    "DoesNotExist": lambda value, values: value is None,
}
"""What each operator asks of a label's value; None is a label that is absent, which `NotIn` accepts."""


def matches(selector: Json, labels: Labels) -> bool:
    """Tell whether labels satisfy every requirement of a selector. The empty selector has none, so everything matches.

    Raises:
        ValueError: an operator that this version does not know.
    """
    labelled: Labels = selector.get("matchLabels") or {}
    expressions: Sequence[Json] = selector.get("matchExpressions") or ()
    for expression in expressions:
        if expression["operator"] not in _OPERATORS:
            raise ValueError(f"label selector: operator {expression['operator']!r} is none of {', '.join(_OPERATORS)}")
    return all(labels.get(key) == value for key, value in labelled.items()) and all(
        _OPERATORS[expression["operator"]](labels.get(expression["key"]), expression.get("values") or ()) for expression in expressions
    )
