"""Records of Route 53: where they lead the clients of a host."""

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from policies.reading.cloud.aws.balancers import is_application, is_public
from policies.reading.cloud.aws.kinds import CERTIFICATE, LOAD_BALANCER
from policies.reading.cloud.aws.references import one, values_at
from policies.reading.cloud.flaws import Flaw
from policies.reading.resource import Resource
from policies.reading.values import is_unknown

if TYPE_CHECKING:
    from policies.reading.stack import Stack

ACME: Final = "_acme-challenge"
"""Begins the name of a proof to a certificate authority (RFC 8555, 8.4)."""
LEADING_NOWHERE: Final = frozenset({"CAA", "TXT"})
"""Types by which no client connects anywhere (RFC 8659; RFC 1035, 3.3.14)."""

TO_ACM: Final = r".+\.acm-validations\.aws\.?"
PROOF: Final = ("name", "type", "records")
"""What ACM says of the record that proves a name (ACM User Guide, `dns-validation`)."""


def lead_to_the_edge(record: Resource, stack: "Stack") -> Iterator[Flaw]:
    """Check that a record leads clients to the edge's load balancer, by an alias of it and no address or name that somebody typed."""
    if _proves(record, stack):
        return
    if record.props.get("aliases") is None and record.at("type") in LEADING_NOWHERE:
        if str(record.at("name", default="")).startswith(ACME):
            yield Flaw(
                message="proves a host to a certificate authority, for whoever chose what it says", fix="remove it; ACM proves hosts"
            )
        return
    balancer = one(stack, record, "aliases", "name", kinds=(LOAD_BALANCER,))
    only = balancer is not None and set(record.property_dependencies.get("aliases", ())) == {balancer.urn}
    if balancer is None or not only or not is_application(balancer) or not is_public(balancer):
        yield Flaw(
            message="leads clients of a host to what is not the edge's load balancer",
            fix="give it an alias of the load balancer (aliases: name and zoneId of it), and no records",
        )


def _proves(record: Resource, stack: "Stack") -> bool:
    """Say whether a record only proves a name to ACM, for a certificate of the program: else somebody elsewhere gets a certificate for it.

    Its name begins with an underscore, which no host's name does (RFC 8552), and it leads to ACM.
    """
    said = (record.props.get("name"), record.props.get("type"), *values_at(record.props.get("records")))
    made = {urn for key in PROOF for urn in record.property_dependencies.get(key) or ("",)}
    of_certificates = all((found := stack.by_urn.get(urn)) is not None and found.kind == CERTIFICATE for urn in made)
    forms = ("_.+", "CNAME", *(TO_ACM for _ in said[2:]))
    return of_certificates and all(is_unknown(each) or re.fullmatch(form, str(each)) for each, form in zip(said, forms, strict=True))
