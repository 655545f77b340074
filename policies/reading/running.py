"""What runs, as a stack's state tells it: what the API server answered, without what it alone writes."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, Final

from policies.reading.takeover import without_what_goes
from policies.reading.values import SIGNATURE, UNKNOWN_SENTINELS, is_known, mapping, sequence

SERVED: Final = frozenset({"managedFields", "uid", "resourceVersion", "generation", "creationTimestamp", "selfLink"})
"""Parts of `metadata` that the API server writes."""

ANSWERED: Final = frozenset({"status", "resourceNames"})
"""Properties that only a deployment knows: what the API server, or Helm, answers."""

KUBERNETES: Final = "kubernetes:"
SECRET: Final = "kubernetes:core/v1:Secret"  # noqa: S105 # a type of resource

Record = Mapping[str, Any]


def said(props: Mapping[str, Any]) -> dict[str, Any]:
    """Return the outputs of a Kubernetes resource without what the provider or the API server alone adds, and what is about to go."""
    props = {key: value for key, value in without_what_goes(props).items() if key not in ANSWERED and not key.startswith("__")}
    if isinstance(props.get("metadata"), dict):
        props["metadata"] = {key: value for key, value in props["metadata"].items() if key not in SERVED}
    return props


def answered(props: Mapping[str, Any]) -> bool:
    """Return whether the outputs of a Kubernetes resource hold a whole object.

    They are empty where the object is not made, and where the engine plans it for a cluster that is not made: what a provider with unknown
    configuration would answer is not known (`Create` and `Update` in sdk/go/common/resource/plugin/provider_plugin.go of pulumi/pulumi).
    """
    return bool({"metadata", "chart"} & props.keys())


def as_given(secret: Mapping[str, Any], entries: Iterable[str] = (), typed: Callable[[Any], bool] = lambda _: False) -> dict[str, Any]:
    """Return a Secret whose values are made on deployment as the program gave it: entries whose values are not known, under `stringData`.

    The provider writes `stringData` as `data`; the SDK takes the mark off what is secret, and an export encrypts all entries as one.

    Args:
        secret: its properties.
        entries: names of its entries, where the properties do not show them.
        typed: says whether a value, as the program or the provider writes it, is one that nothing in the program made; it stays.
    """
    shown = {**mapping(secret.get("data")), **mapping(secret.get("stringData"))}
    given = dict.fromkeys(entries) if SIGNATURE in shown else shown
    read = {name: value if typed(value) else UNKNOWN_SENTINELS[0] for name, value in given.items()}
    return {**{key: value for key, value in secret.items() if key != "data"}, "stringData": read}


def hidden(props: Mapping[str, Any], path: tuple[str, ...]) -> dict[str, Any]:
    """Return properties with what stands at the end of a path, through lists, as not known; as they are where nothing does."""
    first, *rest = path
    if not rest:
        return {**props, **({first: UNKNOWN_SENTINELS[0]} if first in props else {})}
    inside = props.get(first)
    if is_known(inside, list):
        return {**props, first: [hidden(mapping(each), tuple(rest)) if is_known(each, dict) else each for each in sequence(inside)]}
    return {**props, **({first: hidden(mapping(inside), tuple(rest))} if is_known(inside, dict) else {})}


def exported(records: Iterable[Record]) -> Iterator[Record]:
    """Yield the records of an export with every Secret as the program gave it."""
    for record in records:
        if record["type"] == SECRET and mapping(record.get("propertyDependencies")).get("stringData"):
            inputs, outputs = mapping(record.get("inputs")), mapping(record.get("outputs"))
            entries = sorted(_applied_entries(outputs))
            yield {**record, "inputs": as_given(inputs, entries), "outputs": as_given(outputs, entries)}
        else:
            yield record


def _applied_entries(outputs: Mapping[str, Any]) -> set[str]:
    """Return the names of a Secret's entries by what the API server says of who set them (`metadata.managedFields`)."""
    fields = [mapping(mapping(manager).get("fieldsV1")) for manager in sequence(mapping(outputs.get("metadata")).get("managedFields"))]
    return {name.removeprefix("f:") for field in fields for name in mapping(field.get("f:data")) if name.startswith("f:")}


def running(records: Iterable[Record]) -> Iterator[Record]:
    """Yield the records of an export with outputs in the place of inputs, wherever the state holds a whole object.

    After a refresh inputs are what the program said, and outputs what somebody may have made of it since.
    """
    for record in records:
        outputs = mapping(record.get("outputs"))
        whole = str(record["type"]).startswith(KUBERNETES) and answered(outputs)
        yield {**record, "inputs": said(outputs)} if whole else record
