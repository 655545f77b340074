"""Policies that show what a pack gets to see."""

import pulumi
from pulumi_policy import (
    EnforcementLevel,
    PolicyConfigSchema,
    PolicyPack,
    ReportViolation,
    ResourceValidationArgs,
    ResourceValidationPolicy,
    Severity,
    StackValidationArgs,
    StackValidationPolicy,
)


def no_load_balancers(args: ResourceValidationArgs, report: ReportViolation) -> None:
    if args.resource_type == "kubernetes:core/v1:Service" and args.props["spec"]["type"] == "LoadBalancer":
        report(f"{args.name} is public")


def reads_an_unknown(args: ResourceValidationArgs, report: ReportViolation) -> None:
    if args.name == "policy" and args.props["metadata"]["annotations"]["key"] == "":
        report("never said")


def sees_options(args: ResourceValidationArgs, report: ReportViolation) -> None:
    if args.name == "policy":
        options = args.opts
        report(
            f"{options.protect} {list(options.ignore_changes)} {options.delete_before_replace} {options.custom_timeouts.create_seconds} "
            f"{len(options.aliases)} {args.provider.name} {args.provider.props['namespace']} {args.get_config()['limit']}"
        )


def sees_secrets(args: ResourceValidationArgs, report: ReportViolation) -> None:
    if args.name in {"login", "signing", "orders"}:
        report(
            ", ".join(sorted(f"{key}={args.props[key]}" for key in args.props if key in {"stringData", "__provider", "token"})) or "nothing"
        )


def sees_the_stack(args: StackValidationArgs, report: ReportViolation) -> None:
    by_name = {resource.name: resource for resource in args.resources}
    policy = by_name["policy"]
    report(f"{pulumi.get_project()} {pulumi.get_stack()} {pulumi.Config('everything').get('size')}")
    report(f"{sorted(dependency.name for dependency in policy.property_dependencies['metadata'])}", policy.urn)
    report(f"{by_name['orders'].parent.name} {by_name['orders'].props['address'] is None}", by_name["orders"].urn)


def sees_only_what_is_created(args: StackValidationArgs, report: ReportViolation) -> None:
    report(f"{'cluster-info' in {resource.name for resource in args.resources}}")


PolicyPack(
    name="rules",
    enforcement_level=EnforcementLevel.MANDATORY,
    initial_config={"sees-options": {"limit": 7}, "switched-off": EnforcementLevel.DISABLED},
    policies=[
        ResourceValidationPolicy("no-load-balancers", "Nothing is public.", no_load_balancers, severity=Severity.HIGH),
        ResourceValidationPolicy("reads-an-unknown", "Reads.", reads_an_unknown),
        ResourceValidationPolicy(
            "sees-options",
            "Options.",
            sees_options,
            enforcement_level=EnforcementLevel.ADVISORY,
            config_schema=PolicyConfigSchema(properties={"limit": {"type": "number", "default": 3}}),
        ),
        ResourceValidationPolicy("sees-secrets", "Secrets.", sees_secrets, enforcement_level=EnforcementLevel.REMEDIATE),
        ResourceValidationPolicy("switched-off", "Off.", no_load_balancers),
        StackValidationPolicy("sees-the-stack", "Stack.", sees_the_stack, severity=Severity.LOW),
        StackValidationPolicy("sees-only-what-is-created", "Created.", sees_only_what_is_created),
    ],
)
