"""What a program asks of the engine for one resource: the options of a registration, before and after transforms."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

from google.protobuf.struct_pb2 import Value
from pulumi.runtime.proto import alias_pb2, resource_pb2


@dataclass(slots=True, kw_only=True)
class Goal:
    """The options of one registration, under the names of the protocol (`pulumirpc.TransformResourceOptions`)."""

    depends_on: Sequence[str]
    protect: bool | None
    ignore_changes: Sequence[str]
    replace_on_changes: Sequence[str]
    replacement_trigger: Value | None
    version: str
    aliases: Sequence[alias_pb2.Alias]
    provider: str
    providers: Mapping[str, str]
    hide_diff: Sequence[str]
    custom_timeouts: resource_pb2.RegisterResourceRequest.CustomTimeouts | None
    plugin_download_url: str
    retain_on_delete: bool | None
    deleted_with: str
    replace_with: Sequence[str]
    delete_before_replace: bool | None
    additional_secret_outputs: Sequence[str]
    import_id: str
    hooks: resource_pb2.RegisterResourceRequest.ResourceHooksBinding | None


def goal_of(request: resource_pb2.RegisterResourceRequest) -> Goal:
    """Return the options of a registration as the program sent them."""
    return Goal(
        depends_on=request.dependencies,
        protect=request.protect if request.HasField("protect") else None,
        ignore_changes=request.ignoreChanges,
        replace_on_changes=request.replaceOnChanges,
        replacement_trigger=request.replacement_trigger if request.HasField("replacement_trigger") else None,
        version=request.version,
        aliases=[*(alias_pb2.Alias(urn=urn) for urn in request.aliasURNs), *_aliases(request)],
        provider=request.provider,
        providers=request.providers,
        hide_diff=request.hideDiffs,
        custom_timeouts=request.customTimeouts if request.HasField("customTimeouts") else None,
        plugin_download_url=request.pluginDownloadURL,
        retain_on_delete=request.retainOnDelete if request.HasField("retainOnDelete") else None,
        deleted_with=request.deletedWith,
        replace_with=request.replace_with,
        delete_before_replace=request.deleteBeforeReplace if request.deleteBeforeReplaceDefined or request.deleteBeforeReplace else None,
        additional_secret_outputs=request.additionalSecretOutputs,
        import_id=request.importId,
        hooks=request.hooks if request.HasField("hooks") else None,
    )


def options_of(goal: Goal) -> resource_pb2.TransformResourceOptions:
    """Return the options as a transform receives them."""
    options = resource_pb2.TransformResourceOptions(
        depends_on=goal.depends_on,
        protect=goal.protect,
        ignore_changes=goal.ignore_changes,
        replace_on_changes=goal.replace_on_changes,
        replacement_trigger=goal.replacement_trigger,
        version=goal.version,
        aliases=goal.aliases,
        provider=goal.provider,
        providers=goal.providers,
        hide_diff=goal.hide_diff,
        custom_timeouts=goal.custom_timeouts,
        plugin_download_url=goal.plugin_download_url,
        retain_on_delete=goal.retain_on_delete,
        deleted_with=goal.deleted_with,
        replace_with=goal.replace_with,
        delete_before_replace=goal.delete_before_replace,
        additional_secret_outputs=goal.additional_secret_outputs,
        hooks=goal.hooks,
    )
    setattr(options, "import", goal.import_id)  # a field named by a keyword of Python
    return options


def goal_from(options: resource_pb2.TransformResourceOptions) -> Goal:
    """Return the options that a transform gave back."""
    return Goal(
        depends_on=options.depends_on,
        protect=options.protect if options.HasField("protect") else None,
        ignore_changes=options.ignore_changes,
        replace_on_changes=options.replace_on_changes,
        replacement_trigger=options.replacement_trigger if options.HasField("replacement_trigger") else None,
        version=options.version,
        aliases=_aliases(options),
        provider=options.provider,
        providers=options.providers,
        hide_diff=options.hide_diff,
        custom_timeouts=options.custom_timeouts if options.HasField("custom_timeouts") else None,
        plugin_download_url=options.plugin_download_url,
        retain_on_delete=options.retain_on_delete if options.HasField("retain_on_delete") else None,
        deleted_with=options.deleted_with,
        replace_with=options.replace_with,
        delete_before_replace=options.delete_before_replace if options.HasField("delete_before_replace") else None,
        additional_secret_outputs=options.additional_secret_outputs,
        import_id=str(getattr(options, "import")),
        hooks=options.hooks if options.HasField("hooks") else None,
    )


def _aliases(
    message: resource_pb2.RegisterResourceRequest | resource_pb2.TransformResourceOptions,
) -> Sequence[alias_pb2.Alias]:
    return cast(Any, message).aliases  # the SDK's stubs import the type of this field from a module that does not exist
