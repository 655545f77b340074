"""Which features of the engine the monitor claims to support, as an SDK asks for them."""

import re

from pulumi.runtime.proto import resource_pb2

FEATURES = tuple(
    feature
    for name, feature in resource_pb2.ResourceMonitorFeature.items()
    if name.removeprefix("RESOURCE_MONITOR_FEATURE_")
    not in {"STATE_MIGRATIONS", "INVOKE_DEPENDS_ON", "INVOKE_PARENT", "INVOKE_OUTPUT_VALUES", "CALL_OUTPUT_VALUES"}
)
"""What the engine of this SDK's time supports, without what concerns earlier states or the functions of providers."""

FEATURE_NAMES = frozenset(
    re.sub(r"_(.)", lambda match: match[1].upper(), name.removeprefix("RESOURCE_MONITOR_FEATURE_").lower())
    for name, feature in resource_pb2.ResourceMonitorFeature.items()
    if feature in FEATURES
)
"""The same as older SDKs ask for them: `resourceReferences`."""
