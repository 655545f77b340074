"""Whether flow logs of Azure are written: by an identity that may, into an account that lets Network Watcher in."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from policies.reading.cloud.azure.belonging import IDENTITY
from policies.reading.cloud.azure.ids import along, last, speller, target
from policies.reading.cloud.azure.log_looks import FLOW_LOG
from policies.reading.cloud.azure.rights_looks import ACCOUNT
from policies.reading.cloud.azure.roles import ASSIGNMENT, BLOB_WRITER, holders_of
from policies.reading.cloud.flaws import Flaw, Reader
from policies.reading.cloud.references import meant
from policies.reading.resource import Resource

if TYPE_CHECKING:
    from policies.reading.stack import Stack


def may_write(flow_log: Resource, stack: "Stack") -> Iterator[Flaw]:
    """N09: accounts of the program take no keys, so a flow log needs an identity with the right to write (Learn, `vnet-flow-logs-managed-identity`)."""
    account = target(stack, flow_log, "storageId", flow_log.props.get("storageId"), ACCOUNT)
    writers = {
        owner
        for given in along(flow_log.props, ("identity", "userAssignedIdentities"))
        for owner in meant(stack, flow_log, "identity", given, among=stack.of(IDENTITY), spelled=speller(stack))
    }
    rights = (
        each
        for each in stack.of(ASSIGNMENT)
        if last(each.at("roleDefinitionId", default="")).lower() == BLOB_WRITER and writers & {*holders_of(each, stack)}
    )
    if account is None or not any(target(stack, each, "scope", each.props.get("scope"), ACCOUNT) is account for each in rights):
        yield Flaw(
            message=f"writes nothing down: it has no identity that may write into {account or 'an account of the program'}",
            fix="give it an identity of the program, with the role Storage Blob Data Contributor at the account",
        )


READERS: Final = (Reader(rule="N09", kinds=(FLOW_LOG,), look=may_write),)
