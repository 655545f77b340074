"""Helm releases, all installed in one way."""

from collections.abc import Iterable, Mapping
from typing import Any, Final, cast

import pulumi
import pulumi_kubernetes.helm.v3 as helm

from components.binding import Binding

TIMEOUT: Final = 600
"""Seconds until a release must be ready."""


def release(  # noqa: PLR0913 # the parts of a release
    binding: Binding,
    chart: str,
    name: str,
    namespace: str,
    values: Mapping[str, Any],
    *,
    parent: pulumi.Resource,
    after: Iterable[pulumi.Resource] = (),
) -> helm.Release:
    """Install a chart; its resource is ready when everything it installs is.

    Args:
        binding: says where the chart comes from.
        chart: key of `components.versions.CHARTS`.
        name: name of the release, which charts use in the names of their objects.
        namespace: must exist.
        values: values of the chart.
        parent: the component that owns the release.
        after: single resources that must exist first.
    """
    source = binding.chart(chart)
    return helm.Release(
        f"{namespace}/{name}",
        helm.ReleaseArgs(
            name=name,
            namespace=namespace,
            chart=source.chart,
            version=source.version or None,
            repository_opts=helm.RepositoryOptsArgs(repo=source.repository) if source.repository else None,
            values=_over(values, binding.values.get(chart, {})),
            create_namespace=False,
            atomic=True,
            skip_await=False,
            timeout=TIMEOUT,
        ),
        opts=pulumi.ResourceOptions(parent=parent, depends_on=list(after)),
    )


def _over(base: Mapping[str, Any], top: Mapping[str, Any]) -> dict[str, Any]:
    """Lay one mapping over another, level by level, as Helm does with several value files."""
    merged = dict(base)
    for key, value in top.items():
        below = merged.get(key)
        if isinstance(below, dict) and isinstance(value, dict):
            value = _over(cast("dict[str, Any]", below), cast("dict[str, Any]", value))  # noqa: PLW2901 # one value, looked into
        merged[key] = value
    return merged
