"""Which cluster a Kubernetes provider leads to."""

from policies.reading.opaque import holds_unknown
from policies.reading.resource import Resource
from policies.reading.values import is_unknown


def same_cluster(one: Resource, other: Resource) -> bool:
    """Say whether two providers lead to the same cluster: their kubeconfig comes from the same resource, and all else is alike.

    A program needs two where something has to be in a new cluster before its nodes, and everything else after them. Kubeconfigs that
    can be read must be equal besides.
    """
    sources = [frozenset(each.property_dependencies.get("kubeconfig", ())) for each in (one, other)]
    configs = [each.props.get("kubeconfig") for each in (one, other)]
    alike = all(map(is_unknown, configs)) or (not any(map(is_unknown, configs)) and configs[0] == configs[1])
    rest = [{key: value for key, value in each.props.items() if key != "kubeconfig"} for each in (one, other)]
    return alike and len(sources[0]) == 1 and sources[0] == sources[1] and not any(map(holds_unknown, rest)) and rest[0] == rest[1]
