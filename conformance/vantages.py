"""The places that probes are put from: containers added to pods that run, and a few pods of our own in namespaces that go away again.

A container that was added to a pod (`ephemeralContainers`) shares its network and so its sidecar, and ends by itself; Kubernetes keeps
its name in the pod until the pod goes. Nothing of the system is restarted or changed.
"""

import json
import secrets
import time
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, suppress
from types import TracebackType
from typing import Any, Final

from conformance import sidecar
from conformance.cluster import Cluster
from conformance.curl import Shell
from conformance.errors import CannotProbeError, NoIdentityError, NotRunError
from topology.derive import names
from topology.derive.probes import Place, Pods, Vantage

Manifest = dict[str, Any]

LIFETIME: Final = 3600
"""Seconds after which a container of ours ends by itself."""
READY: Final = 90.0
"""Seconds that a container may take to start."""
READY_PROXY: Final = 30.0
"""Seconds that the sidecar of a stranger may take before it is asked why: where the control plane answers only who it knows, it never gets
ready."""
UNREADY: Final = "its sidecar is not ready, and does not say that anybody refused it"
PROXY: Final = "istio-proxy"
USERS: Final = {Place.POD: 65532, Place.UNCAPTURED: 1337, Place.STRANGER: 65532, Place.MEMBER: 65532, Place.NODE: 65532}
"""1337 is the user of Istio's proxy, whose traffic is not captured."""
AT_ONCE: Final = 6
LABEL: Final = "perimeter.dev/probe"
SLEEP: Final = ["sh", "-c", f"trap 'exit 0' TERM; sleep {LIFETIME} & wait"]
"""The first process of a container ignores what it has no handler for, and its pod would end only with the whole grace period."""


class Vantages(AbstractContextManager["Vantages"]):
    """Opens vantages, gives a shell at each, and takes away what it made."""

    def __init__(self, cluster: Cluster, image: str) -> None:
        self._cluster = cluster
        self._image = image
        self._suffix = secrets.token_hex(3)
        self._pods: list[Manifest] = []
        self._where: dict[Vantage, tuple[str, str, str] | str] = {}
        """Namespace, pod and container; or why there is none."""
        self._nobody: dict[Vantage, str] = {}
        """How a stranger was refused an identity."""
        self._made: list[str] = []

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        """Remove our namespaces, without waiting until they are gone."""
        if self._made:
            with suppress(CannotProbeError):
                self._cluster.run("delete", "namespace", *self._made, "--wait=false", "--ignore-not-found")

    def open(self, wanted: Iterable[Vantage]) -> None:
        """Open vantages; one that cannot be opened tells why when it is used."""
        self._pods = self._cluster.items("pods", "-A")
        inside = [vantage for vantage in dict.fromkeys(wanted) if vantage.place is not Place.OUTSIDE]
        own = [vantage for vantage in inside if vantage.pods is None]
        self._make(own)
        by_pod: dict[Pods, list[Vantage]] = {}
        for vantage in inside:
            if vantage.pods is not None:
                by_pod.setdefault(vantage.pods, []).append(vantage)
        with ThreadPoolExecutor(AT_ONCE) as pool:
            list(pool.map(self._add, by_pod.keys(), by_pod.values()))
        self._await()

    def shell(self, vantage: Vantage) -> Shell:
        """Return the shell of a vantage.

        Raises:
            NotRunError: where there is none.
            NoIdentityError: where there is none because a stranger was refused an identity.
        """
        if refused := self._nobody.get(vantage):
            raise NoIdentityError(refused)
        found = self._where.get(vantage, "nobody opened it")
        if isinstance(found, str):
            raise NotRunError(f"nothing can be asked from {vantage}: {found}")
        namespace, pod, container = found

        def run(script: str) -> str:
            try:
                return self._cluster.run("exec", "-i", "-n", namespace, pod, "-c", container, "--", "sh", given=script, patience=600)
            except CannotProbeError as error:
                raise NotRunError(f"nothing can be asked from {vantage}: {error}") from error

        return run

    def address(self, pods: Pods) -> str:
        """Return the address of one ready pod.

        Raises:
            NotRunError: where none is ready.
        """
        return str(self._ready(pods)["status"]["podIP"])

    def ready(self, pods: Pods) -> int:
        """Return how many of some pods are ready now.

        Raises:
            NotRunError: the cluster does not say.
        """
        try:
            found = self._cluster.items("pods", "-n", pods.namespace, "-l", f"{pods.label}={pods.value}")
        except CannotProbeError as error:
            raise NotRunError(f"nobody knows how many pods of {pods} count: {error}") from error
        return sum(_is_ready(pod) for pod in found)

    def logs(self, pods: Pods, since: float) -> str:
        """Return what all containers of some pods have logged in so many seconds."""
        arguments = ("-l", f"{pods.label}={pods.value}", "--all-containers", "--tail=-1", "--max-log-requests=50", f"--since={since:.0f}s")
        return self._cluster.run("logs", "-n", pods.namespace, *arguments)

    def _ready(self, pods: Pods) -> Manifest:
        for pod in self._pods:
            about = pod["metadata"]
            if about["namespace"] == pods.namespace and about.get("labels", {}).get(pods.label) == pods.value and _is_ready(pod):
                return pod
        raise NotRunError(f"no pod of {pods} is ready")

    def _add(self, pods: Pods, vantages: list[Vantage]) -> None:
        """Add a container for each vantage at a pod, unless one of a former run is still there."""
        try:
            pod = self._ready(pods)
            about = pod["metadata"]
            added = pod["spec"].setdefault("ephemeralContainers", [])
            running = {status["name"] for status in pod["status"].get("ephemeralContainerStatuses", []) if "running" in status["state"]}
            changed = False
            for vantage in vantages:
                user = USERS[vantage.place]
                usable = [found for found in added if found["name"] in running and _same(found, self._image, user)]
                name = usable[0]["name"] if usable else f"perimeter-probe-{user}-{self._suffix}"
                if not usable:
                    added.append(_container(name, self._image, user))
                    changed = True
                self._where[vantage] = (about["namespace"], about["name"], name)
            if changed:
                # Whatever else changed since it was read: this resource takes nothing but ephemeral containers, and loses none (kube-apiserver
                # registry/core/pod, `podEphemeralContainersStrategy`).
                about.pop("resourceVersion", None)
                path = f"/api/v1/namespaces/{about['namespace']}/pods/{about['name']}/ephemeralcontainers"
                self._cluster.run("replace", "--raw", path, "-f", "-", given=json.dumps(pod))
        except (NotRunError, CannotProbeError) as error:
            for vantage in vantages:
                self._where[vantage] = str(error)

    def _make(self, vantages: list[Vantage]) -> None:
        """Make the pods that are nobody's."""
        documents: list[Manifest] = []
        for vantage in vantages:
            namespace, labels = self._namespace(vantage)
            if namespace not in self._made:
                self._made.append(namespace)
                documents.append({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace, "labels": labels}})
            name = vantage.place.name.lower()
            documents.append(_pod(vantage.place, namespace, self._image))
            self._where[vantage] = (namespace, name, "probe")
        try:
            for kinds in (("Namespace",), ("Pod",)):
                chosen = [document for document in documents if document["kind"] in kinds]
                if chosen:
                    self._apply(chosen)
        except CannotProbeError as error:
            self._where |= dict.fromkeys(vantages, str(error))

    def _apply(self, documents: list[Manifest]) -> None:
        deadline = time.monotonic() + 15
        while True:
            try:
                self._cluster.run("create", "-f", "-", given=json.dumps({"apiVersion": "v1", "kind": "List", "items": documents}))
            except CannotProbeError as error:
                # A new namespace has no default ServiceAccount for a moment, and no pod is admitted without.
                if "serviceaccount" not in str(error) or time.monotonic() > deadline:
                    raise
                time.sleep(1)
                continue
            return

    def _namespace(self, vantage: Vantage) -> tuple[str, Mapping[str, str]]:
        if vantage.place is Place.MEMBER:
            member = {names.REVISION_LABEL: vantage.mesh, names.MESH_LABEL: vantage.mesh}
            return f"perimeter-probe-{self._suffix}-{vantage.mesh}", {LABEL: "true", **member}
        name = "node" if vantage.place is Place.NODE else "stranger"
        level = {"pod-security.kubernetes.io/enforce": "privileged"} if vantage.place is Place.NODE else {}
        return f"perimeter-probe-{self._suffix}-{name}", {LABEL: "true", **level}

    def _await(self) -> None:
        """Wait until every container runs, or its sidecar says who refuses it."""
        began = time.monotonic()
        while missing := self._missing():
            waited = time.monotonic() - began
            logs = {vantage: self._log(vantage) for vantage, why in missing.items() if why == UNREADY and waited > READY_PROXY}
            self._nobody = {vantage: how for vantage, log in logs.items() if (how := sidecar.refusal(log))}
            if missing.keys() == self._nobody.keys() or waited > READY:
                self._where |= missing | {vantage: f"{UNREADY} ({sidecar.last_words(log)})" for vantage, log in logs.items()}
                return
            time.sleep(1)
        self._nobody = {}

    def _log(self, vantage: Vantage) -> str:
        """Return what a stranger's sidecar has logged, empty where nobody can tell."""
        namespace, pod, _ = self._where[vantage]
        try:
            return self._cluster.run("logs", "-n", namespace, str(pod), "-c", PROXY)
        except CannotProbeError:
            return ""

    def _missing(self) -> dict[Vantage, str]:
        by_name = {(pod["metadata"]["namespace"], pod["metadata"]["name"]): pod for pod in self._cluster.items("pods", "-A")}
        found: dict[Vantage, str] = {}
        for vantage, where in self._where.items():
            if isinstance(where, str):
                continue
            namespace, name, container = where
            state = _state(by_name.get((namespace, name), {}), container)
            if "running" not in state and vantage.place is Place.MEMBER and _waits_for_proxy(by_name.get((namespace, name), {})):
                found[vantage] = UNREADY
            elif "running" not in state:
                reason = next(iter(state.values()), {"reason": "it was not started"})
                found[vantage] = f"its container does not run: {reason.get('reason', '')} {reason.get('message', '')}".strip()
        return found


def _is_ready(pod: Manifest) -> bool:
    conditions = pod["status"].get("conditions", [])
    alive = "deletionTimestamp" not in pod["metadata"]
    return alive and any(condition["type"] == "Ready" and condition["status"] == "True" for condition in conditions)


def _waits_for_proxy(pod: Manifest) -> bool:
    """Say whether a pod's sidecar runs and is not ready."""
    status = pod.get("status", {})
    proxies = [found for key in ("initContainerStatuses", "containerStatuses") for found in status.get(key, []) if found["name"] == PROXY]
    return any("running" in found["state"] and not found.get("ready") for found in proxies)


def _state(pod: Manifest, container: str) -> dict[str, Any]:
    status = pod.get("status", {})
    for found in (*status.get("containerStatuses", []), *status.get("ephemeralContainerStatuses", [])):
        if found["name"] == container:
            return found["state"]
    return {}


def _same(container: Manifest, image: str, user: int) -> bool:
    return container["image"] == image and container["securityContext"]["runAsUser"] == user


def _container(name: str, image: str, user: int) -> Manifest:
    """Return a container that meets the restricted Pod Security Standard."""
    return {
        "name": name,
        "image": image,
        "imagePullPolicy": "IfNotPresent",
        "command": SLEEP,
        "terminationMessagePolicy": "File",
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "capabilities": {"drop": ["ALL"]},
            "runAsNonRoot": True,
            "runAsUser": user,
            "runAsGroup": user,
            "seccompProfile": {"type": "RuntimeDefault"},
        },
    }


def _pod(place: Place, namespace: str, image: str) -> Manifest:
    spec: Manifest = {
        "automountServiceAccountToken": False,
        "enableServiceLinks": False,
        "terminationGracePeriodSeconds": 0,
        "restartPolicy": "Never",
        "containers": [_container("probe", image, USERS[Place.STRANGER])],
    }
    if place is Place.NODE:
        spec |= {"hostNetwork": True, "dnsPolicy": "ClusterFirstWithHostNet"}
    name = place.name.lower()
    about: Manifest = {"name": name, "namespace": namespace, "labels": {LABEL: name}}
    if place is Place.MEMBER:
        about["annotations"] = sidecar.LOG_LEVEL
    return {"apiVersion": "v1", "kind": "Pod", "metadata": about, "spec": spec}
