"""Label selectors, as Kubernetes matches them."""

from collections.abc import Mapping
from typing import Any

from policies.reading.values import UnknownValueError, mapping, sequence

Labels = Mapping[str, str]


def matches(selector: Mapping[str, Any] | None, labels: Labels) -> bool:
    """Say whether a `LabelSelector` selects labels; an empty selector selects everything.

    Raises:
        UnknownValueError: if the answer depends on something unknown, or on an operator that does not exist.
    """
    if not selector:
        return True
    if not matches_labels(mapping(selector.get("matchLabels")), labels):
        return False
    return all(_expression(expression, labels) for expression in sequence(selector.get("matchExpressions")))


def matches_labels(wanted: Labels, labels: Labels) -> bool:
    """Say whether labels hold every wanted pair; nothing wanted is held by all."""
    return all(labels.get(key) == value for key, value in wanted.items())


def _expression(expression: Mapping[str, Any], labels: Labels) -> bool:
    key, operator, values = expression["key"], expression["operator"], sequence(expression.get("values"))
    match operator:
        case "In":
            return key in labels and labels[key] in values
        case "NotIn":
            return key not in labels or labels[key] not in values
        case "Exists":
            return key in labels
        case "DoesNotExist":
            return key not in labels
        case _:
            raise UnknownValueError("matchExpressions", f"of unknown operator {operator}")
