"""Fields of a pod that are accepted: those that some rule reads, and those that cannot open a path (Kubernetes 1.36)."""

from typing import Final

from policies.reading.allowed_values import ANY, Table

_NUMBER: Final = "[0-9]+"


def _all(paths: str, value: str = ANY) -> dict[str, str]:
    return dict.fromkeys(paths.split(), value)


def _under(place: str, fields: Table) -> dict[str, str]:
    return {f"{place}.{path}": value for path, value in fields.items()}


_CONTEXT: Final = _all(
    "runAsUser runAsGroup runAsNonRoot seccompProfile.type seccompProfile.localhostProfile appArmorProfile.type seLinuxOptions.*"
    " windowsOptions.* fsGroup fsGroupChangePolicy supplementalGroups.* sysctls.* allowPrivilegeEscalation privileged procMount"
    " capabilities.add.* capabilities.drop.* readOnlyRootFilesystem"
)
_PROBE: Final = {
    **_all("httpGet.path httpGet.port httpGet.scheme tcpSocket.port grpc.port grpc.service exec.command.*"),
    **_all("initialDelaySeconds periodSeconds timeoutSeconds successThreshold failureThreshold terminationGracePeriodSeconds", _NUMBER),
}
"""Without `host` and `httpHeaders`: the kubelet would ask somebody else, or ask as somebody else."""

_CONTAINER: Final = {
    **_all("name image imagePullPolicy command.* args.* resources.limits.* resources.requests.*"),
    **_all("ports.*.name ports.*.containerPort ports.*.protocol ports.*.hostPort"),
    **_all("env.*.name env.*.value env.*.valueFrom.configMapKeyRef.* env.*.valueFrom.secretKeyRef.*"),
    **_all("env.*.valueFrom.fieldRef.* env.*.valueFrom.resourceFieldRef.* envFrom.*.prefix"),
    **_all("envFrom.*.configMapRef.* envFrom.*.secretRef.*"),
    **_all("volumeMounts.*.name volumeMounts.*.mountPath volumeMounts.*.readOnly volumeMounts.*.subPath"),
    "volumeMounts.*.mountPropagation": "None",
    "lifecycle.preStop.sleep.seconds": _NUMBER,
    "restartPolicy": "Always",
    "terminationMessagePath": "/dev/termination-log",
    "terminationMessagePolicy": "File|FallbackToLogsOnError",
    **_under("securityContext", _CONTEXT),
    **_under("livenessProbe", _PROBE),
    **_under("readinessProbe", _PROBE),
    **_under("startupProbe", _PROBE),
}

_FILES: Final = _all("items.* defaultMode optional")
_VOLUME: Final = {
    **_all("name emptyDir.sizeLimit emptyDir.medium configMap.name secret.secretName"),
    **_under("configMap", _FILES),
    **_under("secret", _FILES),
    **_all("downwardAPI.items.* downwardAPI.defaultMode projected.defaultMode projected.sources.*.downwardAPI.*"),
    **_all("projected.sources.*.configMap.* projected.sources.*.secret.*"),
}
"""Without tokens for other audiences, certificates, drivers and claims: what they bring is in no resource of the program."""

POD: Final[Table] = {
    **_all("affinity.* nodeSelector.* tolerations.* topologySpreadConstraints.* priorityClassName imagePullSecrets.*.name"),
    **_all("automountServiceAccountToken serviceAccountName serviceAccount hostNetwork hostPID hostIPC hostUsers"),
    **_all("terminationGracePeriodSeconds activeDeadlineSeconds", _NUMBER),
    "dnsPolicy": "ClusterFirst",
    "enableServiceLinks": "true|false",
    "restartPolicy": "Always|OnFailure|Never",
    "schedulerName": "default-scheduler",
    "shareProcessNamespace": "false",
    **_under("securityContext", _CONTEXT),
    **_under("volumes.*", _VOLUME),
    **{f"{kind}.*.{path}": value for kind in ("containers", "initContainers", "ephemeralContainers") for path, value in _CONTAINER.items()},
}
"""Accepted paths below the pod's `spec`."""
