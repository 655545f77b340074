"""The pods of an edge: what beside nginx and its configuration may decide what becomes of a request there.

Everything that is not known to be harmless is a doubt.
"""

import re
from collections.abc import Iterator, Mapping
from pathlib import PurePosixPath
from typing import Any, Final

from policies.reading.certificates import Certificates
from policies.reading.nginx import Nginx
from policies.reading.values import mapping, sequence

IMAGE_FOLDERS: Final = ("/opt/owasp-crs", "/etc/modsecurity.d", "/etc/nginx", "/usr", "/lib", "/bin", "/sbin", "/etc/ld.so.preload")
"""Where the image keeps what it runs."""

COMMANDS: Final = frozenset({"nginx", "/usr/sbin/nginx", "/usr/local/sbin/nginx"})

INJECTED: Final = frozenset({"istio-proxy"})

OF_THE_POD: Final = frozenset(
    [
        *(
            "affinity",
            "automountServiceAccountToken",
            "containers",
            "enableServiceLinks",
            "imagePullSecrets",
            "nodeSelector",
            "preemptionPolicy",
        ),
        *("priorityClassName", "restartPolicy", "securityContext", "serviceAccount", "serviceAccountName", "terminationGracePeriodSeconds"),
        *("tolerations", "topologySpreadConstraints", "volumes"),
    ]
)
"""Fields of a pod's spec that leave to nginx what becomes of a request, or that other rules judge."""

OF_THE_CONTAINER: Final = frozenset(
    [
        *(
            "args",
            "command",
            "env",
            "image",
            "imagePullPolicy",
            "lifecycle",
            "livenessProbe",
            "name",
            "ports",
            "readinessProbe",
            "resources",
        ),
        *("securityContext", "startupProbe", "terminationMessagePath", "terminationMessagePolicy", "volumeMounts"),
    ]
)
"""Fields of a container that are read here, or that leave to nginx what becomes of a request."""

OF_A_VOLUME: Final = frozenset({"configMap", "downwardAPI", "emptyDir", "projected", "secret"})
"""Kinds of volumes whose content the program, or nobody, decides."""

ENVIRONMENT: Final = re.compile(r"^(TZ|LANG|LC_[A-Z]+)$")
"""Variables by which a program writes dates and texts otherwise. Any other may change what the image starts, or what that loads."""


def doubts(nginx: Nginx, certificates: Certificates) -> Iterator[str]:
    """Yield everything about the pods of a public nginx that may change what it does and that is not read."""
    pod = nginx.pod
    containers = [each for each in pod.containers if each.get("name") not in INJECTED]
    others = [each for each in (*pod.init_containers, *sequence(pod.spec.get("ephemeralContainers"))) if each.get("name") not in INJECTED]
    if len(containers) + len(others) > 1:
        names = ", ".join(str(each.get("name")) for each in (*containers, *others))
        yield f"the {pod} have several containers ({names}): each may answer at the public address, or change what another one reads"
    for part in sorted(set(pod.spec) - OF_THE_POD - {"initContainers", "ephemeralContainers"}):
        if pod.spec[part] and pod.spec[part] != _DEFAULTS.get(part):
            yield f"the {pod} have {part}, and what comes of it is not known"
    for volume in pod.volumes:
        yield from _volume(nginx, volume, certificates)
    for container in containers:
        yield from _container(nginx, container)


def _volume(nginx: Nginx, volume: Mapping[str, Any], certificates: Certificates) -> Iterator[str]:
    where = f"the volume {volume['name']} of the {nginx.pod}"
    sources = sequence(mapping(volume.get("projected")).get("sources"))
    for kind in sorted({*volume, *(kind for source in sources for kind in source)} - OF_A_VOLUME - {"name"}):
        yield f"{where} is of the kind {kind}, and what comes of it is not known"
    secrets = [mapping(volume.get("secret")).get("secretName"), *(mapping(source.get("secret")).get("name") for source in sources)]
    for secret in filter(None, secrets):
        if certificates.of(nginx.pod.namespace, secret) is None:
            yield f"{where} holds the Secret {secret}, which no Certificate of the program fills"


_DEFAULTS: Final[Mapping[str, str]] = {"dnsPolicy": "ClusterFirst", "schedulerName": "default-scheduler"}


def _container(nginx: Nginx, container: Mapping[str, Any]) -> Iterator[str]:
    where = f"container {container.get('name')} of the {nginx.pod}"
    for part in sorted(set(container) - OF_THE_CONTAINER):
        if container[part]:
            yield f"{where}: {part}, and what comes of it is not known"
    yield from _command(container, where)
    for entry in sequence(container.get("env")):
        if not ENVIRONMENT.match(str(entry["name"])):
            yield f"{where}: the variable {entry['name']} may change what the program loads or starts"
    for handler in ("postStart", "preStop"):
        if strange := sorted(set(mapping(mapping(container.get("lifecycle")).get(handler))) - {"sleep"}):
            yield f"{where}: {handler} does more than to wait ({', '.join(strange)})"
    for probe in ("startupProbe", "readinessProbe", "livenessProbe"):
        given = mapping(container.get(probe))
        if given.get("exec"):
            yield f"{where}: {probe} runs a command"
        if host := mapping(given.get("httpGet")).get("host") or mapping(given.get("tcpSocket")).get("host"):
            yield f"{where}: {probe} asks {host} instead of the pod"
    yield from _mounts(nginx, container, where)


def _command(container: Mapping[str, Any], where: str) -> Iterator[str]:
    words = [str(word) for word in (*sequence(container.get("command")), *sequence(container.get("args")))]
    if not words:
        return
    options = dict(zip(words[1::2], words[2::2], strict=False))
    known = all(name in {"-c", "-e"} or (name == "-g" and value == "daemon off;") for name, value in options.items())
    if words[0] not in COMMANDS or len(words) % 2 == 0 or len(options) != len(words) // 2 or not known:
        yield f"{where}: the command {' '.join(words)} may do more than start nginx with this configuration"


def _mounts(nginx: Nginx, container: Mapping[str, Any], where: str) -> Iterator[str]:
    for mount in sequence(container.get("volumeMounts")):
        path = PurePosixPath(mount["mountPath"])
        read = any(file == str(path) or PurePosixPath(file).is_relative_to(path) for file in nginx.files)
        for folder in map(PurePosixPath, IMAGE_FOLDERS):
            over_rules = str(folder) == "/opt/owasp-crs" and path.is_relative_to(folder)
            if folder.is_relative_to(path) or (path.is_relative_to(folder) and (over_rules or not read)):
                yield f"{where}: {mount['mountPath']} is mounted over files of the image, so what nginx and ModSecurity read there is not known"
                break
    paths = [PurePosixPath(mount["mountPath"]) for mount in sequence(container.get("volumeMounts"))]
    for file in map(PurePosixPath, nginx.files):
        if sum(1 for path in paths if file.is_relative_to(path)) > 1:
            yield f"{where}: several volumes are mounted at {file}, and which one is read is not followed"
