"""Looks at every resource and at the stack, and finds nothing."""

from pulumi_policy import (
    PolicyPack,
    ReportViolation,
    ResourceValidationArgs,
    ResourceValidationPolicy,
    StackValidationArgs,
    StackValidationPolicy,
)


def look(args: ResourceValidationArgs, report: ReportViolation) -> None:
    if not args.urn:
        report("a resource without a urn")


def look_at_all(args: StackValidationArgs, report: ReportViolation) -> None:
    if not args.resources:
        report("a stack without resources")


PolicyPack(
    name="calm",
    policies=[ResourceValidationPolicy("look", "Looks.", look), StackValidationPolicy("look-at-all", "Looks at all.", look_at_all)],
)
