"""What creating a custom resource would answer: an id, and outputs as far as they follow from its inputs or from an earlier deployment."""

from collections.abc import Mapping
from typing import cast

from pulumi.runtime.proto import resource_pb2

from planner import providers, standins, values, wire
from planner.deployment import Deployment
from planner.goal import Goal
from planner.wire import Json


def create(state: Mapping[str, Json], goal: Goal, answer: resource_pb2.RegisterResourceResponse, deployment: Deployment) -> dict[str, Json]:
    """Return the id, inputs and outputs of a custom resource's creation, and complete with them the answer to the program."""
    urn, type_, inputs, mode = answer.urn, str(state["type"]), cast(dict[str, Json], state["inputs"]), deployment.mode
    if wire.is_provider(type_):
        answer.id = standins.identity(urn, type_, inputs, mode) or wire.UNKNOWN
        values.fill_struct(answer.object, {"version": goal.version} if goal.version else {})
        return {"id": answer.id, "outputs": providers.outputs_of(inputs)}
    known, names = deployment.known.get(urn), goal.additional_secret_outputs
    if known:
        answer.id = known.id
        answer.object.MergeFrom(values.write(known.outputs))
        values.mark_secret_struct(answer.object, names)
        return {"id": answer.id, "inputs": inputs, "outputs": values.read(answer.object, deployment.secret)}
    answer.id = goal.import_id or standins.identity(urn, type_, inputs, mode)
    extra = standins.outputs(urn, type_, inputs, mode)
    standins.reshape(type_, answer.object)
    values.fill_struct(answer.object, extra)
    values.mark_secret_struct(answer.object, names)
    # The engine hides only the outputs of these names; a plan hides the inputs as well, for they hold the same values.
    inputs = values.mark_secret(inputs, names, deployment.secret) if names else inputs
    return {"id": answer.id, "inputs": inputs, "outputs": values.fill(inputs, extra) if extra else inputs}
