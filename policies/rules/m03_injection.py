"""M03: every service has its sidecar, and the sidecar is Istio's own."""

from collections.abc import Iterator, Mapping
from typing import Any, Final, cast

import yaml

from policies.checks import at, attempt
from policies.reading.meshes import INJECT_LABEL, TEMPLATES_ANNOTATION, Mesh, mesh_by_revision
from policies.reading.namespaces import INJECTION_LABEL, REVISION_LABEL, Namespace
from policies.reading.pods import TEMPLATES, Pod, pod_of
from policies.reading.resource import Resource
from policies.reading.selectors import Labels
from policies.reading.stack import Stack
from policies.reading.values import UnknownValueError
from policies.rule import Finding, Rule, Severity

DATAPLANE_MODE: Final = "istio.io/dataplane-mode"
PROXY_CONFIG: Final = "proxy.istio.io/config"

PROXY_CONTAINERS: Final = frozenset({"istio-proxy", "istio-init", "istio-validation", "enable-core-dump"})
"""Containers of the injection template: one of the same name in the pod is laid over it (pkg/kube/inject/webhook.go)."""

REPLACEMENTS: Final[Mapping[str, str]] = {
    "sidecar.istio.io/proxyImage": "replaces the sidecar's image",
    "sidecar.istio.io/bootstrapOverride": "replaces the sidecar's bootstrap configuration",
    "sidecar.istio.io/discoveryAddress": "lets another control plane configure the sidecar",
    "sidecar.istio.io/userVolume": "puts files into the sidecar",
    "sidecar.istio.io/userVolumeMount": "puts files into the sidecar",
    "sidecar.istio.io/status": "makes the injector take containers of the pod for its own",
    "proxy.istio.io/overrides": "is laid over the sidecar's container",
}
"""Annotations that make the sidecar another program, or configured by somebody else."""

CONFIG_REPLACEMENTS: Final = (
    "configPath",
    "binaryPath",
    "discoveryAddress",
    "customConfigFile",
    "proxyBootstrapTemplatePath",
    "image",
    "caCertificatesPem",
)
"""The same in the annotation `proxy.istio.io/config` (istio.mesh.v1alpha1.ProxyConfig)."""


class M03(Rule):
    """Every pod of a service gets the sidecar of its own mesh, and no pod can refuse or replace it.

    Forbids:
        A namespace of services without the label of its mesh's revision, or with `istio-injection`, or that its control plane
        does not discover; pods with `sidecar.istio.io/inject: "false"` (label or annotation), `istio.io/dataplane-mode`, another
        injection template, a container called istio-proxy or istio-init, or annotations that replace the sidecar's image,
        bootstrap or control plane; a control plane that does not inject by default.

    Why:
        Everything the mesh promises is done by the sidecar: without it a pod takes any connection that NetworkPolicy lets
        through, and calls others without an identity. `istio-injection` beats the revision label, so both together may mean
        another control plane, or none. A namespace that istiod does not discover has sidecars without policies.

    Instead:
        Label the namespace, and nothing in the pods::

            kind: Namespace
            metadata:
              name: shop
              labels:
                istio.io/rev: main
                perimeter.dev/mesh: main
    """

    id = "M03"
    name = "every-pod-has-its-sidecar"
    severity = Severity.CRITICAL
    frameworks = ("IST0102", "IST0103")

    def judge(self, stack: Stack) -> Iterator[Finding]:
        """Check control planes, then namespaces of services, then their pods."""
        for mesh in stack.meshes:
            yield from attempt(self, mesh.release, self._control_plane(mesh))
        meshes = mesh_by_revision(stack.meshes)
        expected = _trust_domains(stack)
        for name in sorted(stack.app_namespaces):
            namespace = stack.namespaces.get(name)
            if namespace is None:
                yield self.broken(
                    None,
                    f"no resource makes the namespace {name}, so nothing says that its pods get sidecars",
                    f"declare the Namespace {name}",
                )
            else:
                yield from attempt(self, namespace.resource, self._namespace(namespace, meshes, expected[name]))
        apps = (resource for resource in stack.of(*TEMPLATES) if resource.namespace in stack.app_namespaces)
        yield from self.over(apps, self._workload)

    def _control_plane(self, mesh: Mesh) -> Iterator[Finding]:
        values = mesh.values
        proxy: Mapping[str, Any] = at(values, "global", "proxy", default={})
        if proxy.get("autoInject", "enabled") != "enabled":
            yield self.broken(mesh.release, "it injects no sidecar unless a pod asks for one", "remove global.proxy.autoInject")
        webhook: Mapping[str, Any] = values.get("sidecarInjectorWebhook") or {}
        if webhook.get("neverInjectSelector"):
            yield self.broken(mesh.release, "its neverInjectSelector lets pods choose to have no sidecar", "remove neverInjectSelector")
        if webhook.get("templates") or [name for name in webhook.get("defaultTemplates") or () if name != "sidecar"]:
            yield self.undecided(
                mesh.release, "its injection templates are not Istio's own: what they inject is not known", "remove templates"
            )
        for switch in ("omitSidecarInjectorConfigMap", "operatorManageWebhooks"):
            if at(values, "global", switch):
                yield self.undecided(mesh.release, f"with {switch} somebody else decides what is injected", f"remove global.{switch}")
        remote: Mapping[str, Any] = values.get("istiodRemote") or {}
        if remote.get("injectionURL") or remote.get("injectionPath", "/inject") != "/inject":
            yield self.broken(mesh.release, "sidecars are injected by another control plane", "remove istiodRemote")

    def _namespace(self, namespace: Namespace, meshes: Mapping[str, Mesh], expected: frozenset[str]) -> Iterator[Finding]:
        labels, resource = namespace.labels, namespace.resource
        if DATAPLANE_MODE in labels:
            yield self.broken(
                resource,
                f"{DATAPLANE_MODE} {labels[DATAPLANE_MODE]} takes it out of the sidecars' hands",
                f"remove the label {DATAPLANE_MODE}",
            )
        if INJECTION_LABEL in labels and REVISION_LABEL in labels:
            yield self.broken(
                resource,
                f"{INJECTION_LABEL} beats {REVISION_LABEL}, so its own mesh does not inject it",
                f"remove the label {INJECTION_LABEL}",
            )
            return
        if not namespace.revision:
            said = f"{INJECTION_LABEL}={labels[INJECTION_LABEL]}" if INJECTION_LABEL in labels else f"no label {REVISION_LABEL}"
            yield self.broken(resource, f"it has {said}: its pods get no sidecar", f"label it {REVISION_LABEL}: <revision of its mesh>")
            return
        mesh = meshes.get(namespace.revision)
        if mesh is None:
            yield self.undecided(
                resource,
                f"no control plane of this stack has the revision {namespace.revision}",
                "install it in this stack, or correct the label",
            )
            return
        if mesh.trust_domain not in expected:
            yield self.broken(
                resource,
                f"the control plane of revision {namespace.revision} signs for {mesh.trust_domain}, its services belong to {', '.join(sorted(expected))}",
                "label it with the revision of its own mesh",
            )
        if not mesh.discovers(namespace):
            yield self.broken(
                resource,
                f"{mesh} does not discover it: its policies do not reach the pods here",
                "give it the labels of the mesh's discoverySelectors",
            )

    def _workload(self, resource: Resource) -> Iterator[Finding]:
        pod = pod_of(resource)
        if pod is None:
            return
        yield from self._refusals(pod)
        yield from self._replacements(pod)

    def _refusals(self, pod: Pod) -> Iterator[Finding]:
        for where, said in (("label", pod.labels), ("annotation", pod.annotations)):
            if said.get(INJECT_LABEL) == "false":
                yield self.broken(pod.resource, f'its {where} {INJECT_LABEL}: "false" refuses the sidecar', f"remove the {where}")
            if DATAPLANE_MODE in said:
                yield self.broken(
                    pod.resource, f"its {where} {DATAPLANE_MODE}: {said[DATAPLANE_MODE]} leaves the sidecars' mesh", f"remove the {where}"
                )
        if pod.host_network:
            yield self.broken(pod.resource, "Istio injects no sidecar into pods of the host network", "remove hostNetwork")
        if (template := pod.annotations.get(TEMPLATES_ANNOTATION, "sidecar")) != "sidecar":
            yield self.broken(
                pod.resource,
                f"its annotation {TEMPLATES_ANNOTATION}: {template} chooses another proxy than the sidecar",
                "remove the annotation",
            )

    def _replacements(self, pod: Pod) -> Iterator[Finding]:
        for annotation, consequence in REPLACEMENTS.items():
            if annotation in pod.annotations:
                yield self.broken(pod.resource, f"its annotation {annotation} {consequence}", "remove the annotation")
        for key in sorted(set(proxy_config(pod.annotations)) & set(CONFIG_REPLACEMENTS)):
            yield self.broken(
                pod.resource, f"{key} in its annotation {PROXY_CONFIG} replaces the sidecar's program or configuration", f"remove {key}"
            )
        for container in pod.all_containers:
            if (name := container.get("name", "")) in PROXY_CONTAINERS:
                yield self.broken(
                    pod.resource,
                    f"its container {name} is laid over the injected one, and may replace its image and arguments",
                    "rename the container",
                )


def proxy_config(annotations: Labels) -> Mapping[str, Any]:
    """Return the ProxyConfig in a pod's annotations; empty where there is none.

    Raises:
        UnknownValueError: if the annotation is no YAML mapping.
    """
    try:
        value: Any = yaml.safe_load(annotations.get(PROXY_CONFIG, "")) or {}
    except yaml.YAMLError:
        value = None
    if not isinstance(value, dict):
        raise UnknownValueError(f"annotation {PROXY_CONFIG}", "not a YAML mapping")
    return cast("dict[str, Any]", value)


def _trust_domains(stack: Stack) -> Mapping[str, frozenset[str]]:
    """Return, for each namespace of services, the trust domains that its services belong to."""
    t = stack.intent
    found: dict[str, set[str]] = {}
    for name in (*t.services, *t.compositions):
        found.setdefault(t.namespace_of(name), set()).add(t.meshes[t.mesh_of(name)].trust_domain)
    return {namespace: frozenset(domains) for namespace, domains in found.items()}
