"""Fields of a pod that are accepted: those that some rule reads, and those that cannot open a path (Kubernetes 1.36)."""

from typing import Final

from policies.reading.allowed_values import Table, all_of, under

_NUMBER: Final = "[0-9]+"


_CONTEXT: Final = all_of(
    "runAsUser runAsGroup runAsNonRoot seccompProfile.type seccompProfile.localhostProfile appArmorProfile.type seLinuxOptions.*"
    " windowsOptions.* fsGroup fsGroupChangePolicy supplementalGroups.* sysctls.* allowPrivilegeEscalation privileged procMount"
    " capabilities.add.* capabilities.drop.* readOnlyRootFilesystem"
)
_PROBE: Final = {
    **all_of("httpGet.path httpGet.port httpGet.scheme tcpSocket.port grpc.port grpc.service"),
    "httpGet.httpHeaders.0.name": "Host",
    "httpGet.httpHeaders.0.value": "[a-z0-9-]+",
    **{f"exec.command.{place}": word for place, word in enumerate(("redis-cli", "-h", r"127\.0\.0\.1|::1|localhost", "ping"))},
    **all_of("initialDelaySeconds periodSeconds timeoutSeconds successThreshold failureThreshold terminationGracePeriodSeconds", _NUMBER),
}
"""Without `host`, and with no header but a Host that DNS does not know: the kubelet would ask somebody else, or ask as somebody else. A
command runs in the pod, as the service: only Redis is asked by one, where it listens to its own pod alone."""

_CONTAINER: Final = {
    **all_of("name image imagePullPolicy command.* args.* resources.limits.* resources.requests.*"),
    **all_of("ports.*.name ports.*.containerPort ports.*.protocol ports.*.hostPort"),
    **all_of("env.*.name env.*.value env.*.valueFrom.configMapKeyRef.* env.*.valueFrom.secretKeyRef.*"),
    **all_of("env.*.valueFrom.fieldRef.* env.*.valueFrom.resourceFieldRef.* envFrom.*.prefix"),
    **all_of("envFrom.*.configMapRef.* envFrom.*.secretRef.*"),
    **all_of("volumeMounts.*.name volumeMounts.*.mountPath volumeMounts.*.readOnly volumeMounts.*.subPath"),
    "volumeMounts.*.mountPropagation": "None",
    "lifecycle.preStop.sleep.seconds": _NUMBER,
    "restartPolicy": "Always",
    "terminationMessagePath": "/dev/termination-log",
    "terminationMessagePolicy": "File|FallbackToLogsOnError",
    **under("securityContext", _CONTEXT),
    **under("livenessProbe", _PROBE),
    **under("readinessProbe", _PROBE),
    **under("startupProbe", _PROBE),
}

_FILES: Final = all_of("items.* defaultMode optional")
_VOLUME: Final = {
    **all_of("name emptyDir.sizeLimit emptyDir.medium configMap.name secret.secretName"),
    **under("configMap", _FILES),
    **under("secret", _FILES),
    **all_of("downwardAPI.items.* downwardAPI.defaultMode projected.defaultMode projected.sources.*.downwardAPI.*"),
    **all_of("projected.sources.*.configMap.* projected.sources.*.secret.*"),
}
"""Without tokens for other audiences, certificates, drivers and claims: what they bring is in no resource of the program."""

POD: Final[Table] = {
    **all_of("hostAliases.*.ip hostAliases.*.hostnames.*"),
    **all_of("affinity.* nodeSelector.* tolerations.* topologySpreadConstraints.* priorityClassName imagePullSecrets.*.name"),
    **all_of("automountServiceAccountToken serviceAccountName serviceAccount hostNetwork hostPID hostIPC hostUsers"),
    **all_of("terminationGracePeriodSeconds activeDeadlineSeconds", _NUMBER),
    "dnsPolicy": "ClusterFirst",
    "enableServiceLinks": "true|false",
    "restartPolicy": "Always|OnFailure|Never",
    "schedulerName": "default-scheduler",
    "shareProcessNamespace": "false",
    **under("securityContext", _CONTEXT),
    **under("volumes.*", _VOLUME),
    **{f"{kind}.*.{path}": value for kind in ("containers", "initContainers", "ephemeralContainers") for path, value in _CONTAINER.items()},
}
"""Accepted paths below the pod's `spec`."""
