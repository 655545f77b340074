"""Fails while it is asked."""

from pulumi_policy import PolicyPack, ReportViolation, StackValidationArgs, StackValidationPolicy


def fail(args: StackValidationArgs, report: ReportViolation) -> None:
    raise RuntimeError("out of order")


PolicyPack(name="crashing", policies=[StackValidationPolicy("fail", "Fails.", fail)])
