"""Inputs of Releases and of the Kubernetes provider that are accepted: they do not change what the plan says will run.

Read from the schema of pulumi-kubernetes 4.34 (https://www.pulumi.com/registry/packages/kubernetes/api-docs/helm/v3/release/).
"""

from typing import Final

from policies.reading.allowed_values import ANY, Table

_SWITCH: Final = "true|false"
_UNUSED: Final = "false|"
"""The provider fills in what nobody set."""

RELEASE: Final[Table] = {
    **dict.fromkeys(("chart", "name", "namespace", "repositoryOpts.repo", "values.*", "version"), ANY),
    **dict.fromkeys(("postrender", "reuseValues", "valueYamlFiles.*"), ANY),
    **dict.fromkeys(("checksum", "description", "manifest.*", "manifest", "resourceNames.*", "resourceNames", "status.*", "__*"), ANY),
    **dict.fromkeys(
        ("atomic", "cleanupOnFail", "lint", "recreatePods", "renderSubchartNotes", "resetValues", "verify", "waitForJobs"), _SWITCH
    ),
    **dict.fromkeys(("maxHistory", "timeout"), "[0-9]+"),
    **dict.fromkeys(("allowNullValues", "createNamespace", "dependencyUpdate", "devel", "disableCRDHooks"), _UNUSED),
    **dict.fromkeys(("disableOpenapiValidation", "disableWebhooks", "forceUpdate", "keyring", "replace", "skipAwait", "skipCrds"), _UNUSED),
    "compat": "true",
}
"""Inputs of `helm.v3.Release`. What the chart's place, version and values may be is asked elsewhere (P02)."""

PROVIDER: Final[Table] = {
    **dict.fromkeys(("cluster", "context", "kubeconfig", "namespace", "version", "__internal*", "clusterIdentifier"), ANY),
    **dict.fromkeys(("enableConfigMapMutable", "enablePatchForce", "enableSecretMutable", "enableServerSideApply", "strictMode"), _SWITCH),
    **dict.fromkeys(("suppressDeprecationWarnings", "suppressHelmHookWarnings", "kubeClientSettings.*"), ANY),
    "renderYamlToDirectory": ANY,
}
"""Inputs of `pulumi:providers:kubernetes`. Without a place to take the plugin from, plugins of Helm, or skipping what is unreachable."""
