"""The charts, packed from the modules that their makers publish: a mirror of what the manifests name."""

import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from lab.builder import download
from lab.commands import run
from lab.digests import digest
from lab.parts import CERT_MANAGER, ENVOY_GATEWAY, ISTIO, ISTIO_MODULE, Module
from lab.settings import CACHE

_PART: Final = "charts"
_EG: Final = Module(name="github.com/envoyproxy/gateway", version=ENVOY_GATEWAY, sum="h1:vAVp6/AlBXJ1aOhp1mxL7fNEzVEfjADUguUhm2wzxQY=")
_CM: Final = Module(
    name="github.com/cert-manager/cert-manager", version=CERT_MANAGER, sum="h1:UWgoYM+KLNtRlqmoWOKjKBOBUPVHeepQ6/ac3ERJW68="
)


@dataclass(frozen=True, kw_only=True)
class Chart:
    """One chart: what releases call it, and where it is in a module."""

    key: str
    reference: str
    source: Module
    folder: str
    version: str


CHARTS: Final = (
    Chart(key="istio-base", reference="base", source=ISTIO_MODULE, folder="manifests/charts/base", version=ISTIO),
    Chart(key="istiod", reference="istiod", source=ISTIO_MODULE, folder="manifests/charts/istio-control/istio-discovery", version=ISTIO),
    Chart(key="istio-gateway", reference="gateway", source=ISTIO_MODULE, folder="manifests/charts/gateway", version=ISTIO),
    Chart(
        key="cert-manager",
        reference="oci://quay.io/jetstack/charts/cert-manager",
        source=_CM,
        folder="deploy/charts/cert-manager",
        version=CERT_MANAGER,
    ),
    Chart(
        key="envoy-gateway",
        reference="oci://docker.io/envoyproxy/gateway-helm",
        source=_EG,
        folder="charts/gateway-helm",
        version=ENVOY_GATEWAY,
    ),
)
"""By the keys of `perimeter:charts`."""

_TEMPLATE_VALUES: Final = {"${GatewayImage}": f"docker.io/envoyproxy/gateway:{ENVOY_GATEWAY}", "${GatewayImagePullPolicy}": "IfNotPresent"}
"""What Envoy Gateway's release process writes into `values.tmpl.yaml`."""


def bootstrap(toolchain: Path) -> Path:
    """Return the template of sidecars' Envoy configuration, which Istio's proxy image holds."""
    target = CACHE / "charts" / f"envoy_bootstrap-{ISTIO_MODULE.version}.json"
    if not target.exists():
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(download(_PART, ISTIO_MODULE, toolchain) / "tools/packaging/common/envoy_bootstrap.json", target)
    return target


def pack(toolchain: Path, helm: Path) -> Mapping[str, Path]:
    """Return the charts as packages, by key; they are packed once."""
    return {chart.key: _pack(chart, toolchain, helm) for chart in CHARTS}


def _pack(chart: Chart, toolchain: Path, helm: Path) -> Path:
    folder = CACHE / "charts" / f"{chart.key}-{digest((repr(chart), repr(_TEMPLATE_VALUES)))}"
    if not folder.is_dir():
        draft = folder.with_name(f".{folder.name}")
        shutil.rmtree(draft, ignore_errors=True)
        unpacked = draft / "chart"
        # The module cache is read-only, copies of it need not be.
        shutil.copytree(download(_PART, chart.source, toolchain) / chart.folder, unpacked, copy_function=shutil.copyfile)
        if (template := unpacked / "values.tmpl.yaml").exists():
            text = template.read_text()
            for name, value in _TEMPLATE_VALUES.items():
                text = text.replace(name, value)
            (unpacked / "values.yaml").write_text(text)
        run(
            f"chart {chart.key}",
            (helm, "package", unpacked, "--version", chart.version, "--app-version", chart.version, "--destination", draft),
        )
        shutil.rmtree(unpacked)
        draft.rename(folder)
    return next(folder.glob("*.tgz"))
