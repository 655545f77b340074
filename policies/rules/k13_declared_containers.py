"""K13: a pod runs what the topology declares, and nothing beside it."""

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from policies.checks import PodRule
from policies.layers import Layer, layers_of
from policies.reading.pods import Pod
from policies.reading.stack import Stack
from policies.reading.values import mapping, sequence
from policies.reading.versions import version_of
from policies.rule import Finding, Severity
from topology.model.service import Version

_TAG: Final = r"(:[A-Za-z0-9._-]+)?(@sha256:[0-9a-f]{64})?"
_LISTEN: Final = r"\./podinfo( --(grpc-)?port=[0-9]+)+"

STAND_INS: Final[Mapping[re.Pattern[str], re.Pattern[str]]] = {
    re.compile(image + _TAG): re.compile(command)
    for image, command in {
        r"ghcr\.io/stefanprodan/podinfo": _LISTEN,
        r"lab\.local/echo": _LISTEN,
        r"docker\.io/nginxinc/nginx-unprivileged": r"nginx -c [a-z0-9/._-]+ -g daemon off;",
        r"docker\.io/envoyproxy/ratelimit": "/bin/ratelimit",
        r"docker\.io/(library/)?redis": r"redis-server( --(bind|port|protected-mode|save|dir) [A-Za-z0-9.:/]*)+",
    }.items()
}
"""Images of workloads for which the topology names none, with the commands that they may be given: all that one does is to listen.

`lab.local` is no registry: what it names exists in the embedded cluster only.
"""

PINNED: Final = re.compile(r".+(:(?!latest$)[A-Za-z0-9._-]+|@sha256:[0-9a-f]{64})")

TEMPORARY: Final = "/tmp"  # noqa: S108 # a path inside of containers

BESIDE: Final = ("initContainers", "ephemeralContainers")


class K13(PodRule):
    """The pods of a service have one container: the image, command and variables that the topology gives it.

    Forbids:
        - a second container, an init container or an ephemeral container in a pod of the program;
        - an image, a command or variables other than those that the topology declares for the version of the service that the
          label `version` names; an image without a tag, or with `latest`;
        - a directory that a declared image may write to and that is neither `/tmp` nor one of the version's `scratch`;
        - a Secret in a pod of a service: as a volume, or in its environment without being one of the version's `secrets`; one that a
          Certificate of the program fills, whatever the topology says.

    Why:
        All containers of a pod share its identity, its addresses and its volumes. A helper that nobody declared may call what the
        service may call, listens where the service listens, and sees its requests. The same goes for another program under the
        service's name. A Secret that the topology does not give to a service is somebody else's: a key of the mesh or of the
        gateway.

    Instead:
        Declare the image in the topology, and give a helper a service of its own::

            services:
              orders:
                versions:
                  v1:
                    image: registry.example/orders:1.4.2
                    command: [./orders]
                    secrets: {DATABASE_PASSWORD: {secret: orders-database, key: password}}
    """

    id = "K13"
    name = "pods-run-what-is-declared"
    severity = Severity.HIGH
    frameworks = ("C-0012", "CKV_K8S_14", "CKV_K8S_35")

    def check(self, pod: Pod, stack: Stack) -> Iterator[Finding]:
        """Check the pods of one workload; the edge's have rules of their own (W02, W03)."""
        pod = next((each for each in stack.pods.of_namespace(pod.namespace) if each.resource is pod.resource), pod)
        if layers_of(stack).pods.get(pod) is Layer.EDGE:
            return
        for container in pod.containers:
            if not PINNED.fullmatch(image := str(container.get("image", ""))):
                yield self.broken(
                    pod.resource,
                    f"its image {image or '(none)'} is whatever is newest that day",
                    "give it a tag that does not move, or a digest",
                )
        for kind in BESIDE:
            for container in sequence(pod.spec.get(kind)):
                yield self._undeclared(pod, container, f"in {kind}")
        if pod.namespace in stack.app_namespaces:
            yield from self._service(pod, stack)
            yield from self._secrets(pod, stack)
        else:
            for container in pod.containers:
                if not _stands_in(container):
                    yield self._undeclared(pod, container, f"with the image {container.get('image', '')} and its command")

    def _service(self, pod: Pod, stack: Stack) -> Iterator[Finding]:
        declared = stack.declared.get(stack.identity(pod), {})
        if not declared:
            yield self.undecided(
                pod.resource,
                "no service of the topology has its identity, so nobody declared what it runs",
                "declare the service in the topology, or remove the workload",
            )
            return
        first, *others = pod.containers or ({},)
        for container in others:
            yield self._undeclared(pod, container, f"beside {first.get('name', '')}")
        label = version_of(pod)
        meant, versions = (f"version {label}", [declared[label]]) if label in declared else ("a version", declared.values())
        if not any(_runs(first, version) for version in versions):
            yield self.undecided(
                pod.resource,
                f"its image {first.get('image', '(none)')}, command or variables are not those of {meant} that the topology declares",
                "declare image, command and env of the version in the topology",
            )

        for path in sorted(_writable(pod, first) - {TEMPORARY, *(path for version in versions for path in version.scratch)}):
            if any(version.image for version in versions):
                yield self.undecided(
                    pod.resource, f"it may write to {path}, which is no `scratch` of {meant} in the topology", "declare it"
                )

    def _undeclared(self, pod: Pod, container: Mapping[str, Any], where: str) -> Finding:
        return self.undecided(
            pod.resource,
            f"its pods have the container {container.get('name', '')} {where}, which no topology declares: it shares their identity",
            "remove it; give a helper a service of its own",
        )

    def _secrets(self, pod: Pod, stack: Stack) -> Iterator[Finding]:
        versions = stack.declared.get(stack.identity(pod), {}).values()
        given = {value.secret for version in versions for value in version.secrets.values()}
        for place, name in _secrets(pod):
            if name in given and stack.certificates.of(pod.namespace, name) is None and not place.startswith("volume"):
                continue
            yield self.undecided(
                pod.resource, f"{place} reads the Secret {name}, which no topology gives it: whose key it holds is not known", "remove it"
            )


def _writable(pod: Pod, container: Mapping[str, Any]) -> set[str]:
    """Return the directories that a container may write to: nothing of the image itself (K07)."""
    empty = {volume.get("name") for volume in pod.volumes if volume.get("emptyDir") is not None}
    return {str(mount["mountPath"]) for mount in sequence(container.get("volumeMounts")) if mount.get("name") in empty}


def _runs(container: Mapping[str, Any], version: Version) -> bool:
    """Say whether a container is what a version declares, or the stand-in of a version without image."""
    image, command = str(container.get("image", "")), tuple(sequence(container.get("command")))
    given = {entry["name"]: _source(entry) for entry in sequence(container.get("env"))}
    if given != _sources(version) or sequence(container.get("args")) or sequence(container.get("envFrom")):
        return False
    if version.image is None:
        return _stands_in({"image": image}) and command == version.command if version.command else _stands_in(container)
    return (image, command) == (version.image, version.command)


_Source = str | tuple[str, str] | None
"""A variable's value, or the Secret and the key that hold it; None: something else."""


def _sources(version: Version) -> dict[str, _Source]:
    return {**version.env, **{name: (value.secret, value.key) for name, value in version.secrets.items()}}


def _source(entry: Mapping[str, Any]) -> _Source:
    source = mapping(entry.get("valueFrom"))
    secret = mapping(source.get("secretKeyRef"))
    if set(source) == {"secretKeyRef"} and set(secret) == {"name", "key"}:
        return str(secret["name"]), str(secret["key"])
    return None if source else entry.get("value")


def _stands_in(container: Mapping[str, Any]) -> bool:
    """Say whether a container is a known program that is told to listen, and no more."""
    image, command = str(container.get("image", "")), " ".join(sequence(container.get("command")))
    return any(known.fullmatch(image) and (not command or does.fullmatch(command)) for known, does in STAND_INS.items())


def _secrets(pod: Pod) -> Iterator[tuple[str, str]]:
    """Yield place and name of every Secret that a pod reads."""
    for volume in pod.volumes:
        sources = [
            mapping(volume.get("secret")),
            *(mapping(each.get("secret")) for each in sequence(mapping(volume.get("projected")).get("sources"))),
        ]
        for source in sources:
            if source:
                yield f"volume {volume.get('name', '')}", str(source.get("secretName") or source.get("name", ""))
    for container in pod.all_containers:
        where = f"container {container.get('name', '')}"
        for source in sequence(container.get("envFrom")):
            if name := mapping(source.get("secretRef")).get("name"):
                yield where, str(name)
        for entry in sequence(container.get("env")):
            if name := mapping(mapping(entry.get("valueFrom")).get("secretKeyRef")).get("name"):
                yield where, str(name)
