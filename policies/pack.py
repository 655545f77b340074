"""The judge as a Pulumi policy pack: a few stack policies over one judgement, and one that notes what the program gave.

The SDK hands every stack policy all resources again, so there is one policy for each severity and not for each rule; the first
that runs builds the stack and judges it, the others share the report. Every finding is reported as a mandatory violation, an
undecided one too: the SDK would make an unknown value an advisory line.
"""

import traceback
from base64 import b64encode
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any, Final

import pulumi
from pulumi_policy import (
    EnforcementLevel,
    Policy,
    PolicyResource,
    ReportViolation,
    ResourceValidationArgs,
    ResourceValidationPolicy,
    StackValidationArgs,
    StackValidationPolicy,
)
from pulumi_policy import Severity as PackSeverity
from pulumi_policy.deserialize import serialize_properties

from policies import exemptions
from policies.harness import Report, judge
from policies.intent import find_intent, load_intent, topology_named_by
from policies.reading.cloud.joined import credentials_of
from policies.reading.normalise import normalise
from policies.reading.running import KUBERNETES, SECRET, answered, as_given, hidden, said
from policies.reading.stack import Stack
from policies.reading.values import is_known, mapping, sequence
from policies.registry import rules
from policies.rule import Finding, Severity

NAME: Final = "perimeter"
COMPONENTS: Final = ("perimeter:", "pulumi:pulumi:")
"""Types of resources that no provider makes. The SDK does not say which those are."""

ENGINE: Final = "pulumi:"
"""Begins the types that are the engine's own: the stack, and providers, of which it makes some itself."""

ROOT: Final = Path(__file__).parent.parent
"""The project's root: topology files are named from here."""

SEVERITIES: Final[Mapping[Severity, PackSeverity]] = {
    Severity.CRITICAL: PackSeverity.CRITICAL,
    Severity.HIGH: PackSeverity.HIGH,
    Severity.MEDIUM: PackSeverity.MEDIUM,
    Severity.LOW: PackSeverity.LOW,
}


Inputs = Mapping[str, Mapping[str, Any]]
"""What the program gave, by urn, as a plan lists it."""


def plain(props: Any) -> dict[str, Any]:
    """Return properties without the SDK's proxies: unknown values stay what the engine sent."""
    return mapping(_whole(serialize_properties(props)))


def record_of(resource: PolicyResource, given: Inputs) -> dict[str, Any]:
    """Return a resource of the SDK as a plan lists it.

    In a stack policy the props are a resource's outputs: for a planned resource its inputs, afterwards what its provider answered
    (`AnalyzeResources` in pkg/resource/deploy/step_generator.go of pulumi/pulumi). What the API server of Kubernetes answered is judged,
    without what it alone adds. Clouds answer with much that nobody gave, so of any other resource the inputs are judged, which the engine
    has shown before to resource policies; where it has not, all of the outputs are, and what is no input there is undecided. Of an object
    whose cluster is only planned, too, the inputs are judged: the engine shows no outputs of it.
    """
    options = resource.opts
    token = resource.resource_type
    outputs = plain(resource.props)
    inputs = said(outputs) if token.startswith(KUBERNETES) and answered(outputs) else given.get(resource.urn, outputs)
    dependencies = {key: [other.urn for other in others] for key, others in resource.property_dependencies.items()}
    if token == SECRET and (makers := resource.property_dependencies.get("stringData")):
        inputs = as_given(inputs, typed=lambda value: not any(_made(maker, [value], given) for maker in makers))
    # The SDK takes the mark off what is secret: what other resources made is not known, as it is in a plan.
    for path in credentials_of(token):
        if any(_made(maker, [*_at(inputs, path)], given) for maker in resource.property_dependencies.get(path[0], ())):
            inputs = hidden(inputs, path)
    return {
        "urn": resource.urn,
        "type": token,
        "custom": not token.startswith(COMPONENTS),
        "id": outputs.get("id"),
        "inputs": inputs,
        "outputs": outputs,
        "parent": resource.parent.urn if resource.parent else "",
        "provider": f"{resource.provider.urn}::" if resource.provider else "",
        "dependencies": [other.urn for other in resource.dependencies],
        "propertyDependencies": dependencies,
        "ignoreChanges": list(options.ignore_changes),
        "protect": options.protect,
    }


def _made(maker: PolicyResource, values: Sequence[Any], given: Inputs) -> bool:
    """Return whether a resource made credentials: it answered them, and nobody gave it them."""
    said_of_it = given.get(maker.urn)
    if said_of_it is None or not values:
        return False
    answers = [answer for key, answer in plain(maker.props).items() if key not in said_of_it and is_known(answer, str)]
    encoded = [b64encode(answer.encode()).decode() for answer in answers]  # as the provider writes the data of a Secret
    return all(is_known(value, str) and value in (*answers, *encoded) for value in values)


def _at(value: Any, path: tuple[str, ...]) -> Iterator[Any]:
    """Yield what stands at the end of a path, through lists."""
    if is_known(value, list):
        for each in sequence(value):
            yield from _at(each, path)
    elif not path:
        yield value
    elif is_known(value, dict) and path[0] in value:
        yield from _at(mapping(value)[path[0]], path[1:])


def _whole(value: Any) -> Any:
    """Return a value with whole numbers as integers: the wire has only floats."""
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, dict):
        return {key: _whole(item) for key, item in mapping(value).items()}
    if isinstance(value, list):
        return [_whole(item) for item in sequence(value)]
    return value


def judged(resources: Iterable[PolicyResource], given: Inputs, config: Mapping[str, str]) -> Report:
    """Judge the resources that the engine shows.

    After a refresh (`refresh: always` in Pulumi.yaml) the engine shows also what is about to be deleted: `executeStep` in
    pkg/resource/deploy/step_executor.go of pulumi/pulumi takes every refreshed resource for one of the program. So what the program has
    not registered is not judged; with `--target` that is also what the program has no longer and the engine leaves alone.

    Args:
        resources: all of the stack.
        given: the inputs of what the program registered, as the engine showed them before; empty: it showed none, and all is judged.
        config: the stack's configuration.

    Raises:
        IntentError, TopologyError, ExemptionError: if the topology or the exemptions cannot be read.
    """
    present = (each for each in resources if not given or each.urn in given or each.resource_type.startswith(ENGINE))
    records = [record_of(resource, given) for resource in present]
    path = find_intent(topology_named_by(records, ROOT), ROOT)
    stack = Stack(normalise(records), load_intent(path), topology_path=str(path), config=config)
    return judge(stack, rules(), exemptions.load(ROOT / "policies" / "exemptions.yaml"), today=date.today())


@dataclass(kw_only=True)
class _Shared:
    """One judgement for all policies of a round: the engine asks each policy once about the same resources."""

    given: dict[str, Mapping[str, Any]] = field(default_factory=dict[str, Mapping[str, Any]])
    asked: set[Severity] = field(default_factory=set[Severity])
    report: Report | None = None
    failure: str = ""

    def note(self, urn: str, props: Any) -> None:
        """Take the inputs of a resource. What comes after a judgement belongs to the next round."""
        if self.asked:
            self.asked, self.given = set(), {}
        self.given[urn] = plain(props)

    def begin(self, severity: Severity, resources: list[PolicyResource]) -> None:
        """Judge, unless another policy did so in this round. A policy that asks again begins the next round."""
        if self.asked and severity not in self.asked:
            self.asked.add(severity)
            return
        self.asked, self.report, self.failure = {severity}, None, ""
        try:
            self.report = judged(resources, self.given, pulumi.runtime.get_config_env())
        except Exception as error:  # whatever keeps the judge from an answer blocks
            self.failure = f"undecided: the judge could not judge: {error}\n{traceback.format_exc(limit=3)}"


def policies() -> list[Policy]:
    """Return the policies of the pack: one that notes inputs and forbids nothing, and a stack policy for each severity."""
    shared = _Shared()

    def note(args: ResourceValidationArgs, _report_violation: ReportViolation) -> None:
        shared.note(args.urn, args.props)

    inputs = ResourceValidationPolicy(
        name=f"{NAME}-inputs",
        description="Notes what the program gave each resource, for the policies of the whole stack; forbids nothing itself.",
        enforcement_level=EnforcementLevel.ADVISORY,
        validate=note,
    )
    return [
        inputs,
        *(
            StackValidationPolicy(
                name=f"{NAME}-{severity}",
                description=f"The plan keeps every {severity} rule of the boundary.",
                enforcement_level=EnforcementLevel.MANDATORY,
                severity=level,
                validate=_validator(severity, shared),
            )
            for severity, level in SEVERITIES.items()
        ),
    ]


def _validator(severity: Severity, shared: _Shared) -> Callable[[StackValidationArgs, ReportViolation], None]:
    def validate(args: StackValidationArgs, report_violation: ReportViolation) -> None:
        shared.begin(severity, args.resources)
        if shared.report is None:
            report_violation(shared.failure, None)
            return
        of_severity = {result.rule.id for result in shared.report.rules if result.rule.severity is severity}
        for finding in shared.report.findings:
            if finding.rule in of_severity:
                report_violation("\n".join(_lines(finding)), finding.urn or None)

    return validate


def _lines(finding: Finding) -> Iterator[str]:
    resource = f"{finding.resource}: " if finding.resource else ""
    yield f"{finding.rule} {finding.verdict}: {resource}{finding.message}"
    for number, hop in enumerate(finding.path, 1):
        yield f"  {number}. {hop.place}{f'  [{hop.allowed_by}]' if hop.allowed_by else ''}"
    if finding.fix:
        yield f"  → {finding.fix}"
