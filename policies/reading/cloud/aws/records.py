"""Records of Route 53: where they lead the clients of a host."""

import re
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Final

from policies.reading.cloud.aws.balancers import is_application, is_public
from policies.reading.cloud.aws.kinds import CERTIFICATE, LOAD_BALANCER
from policies.reading.cloud.flaws import Flaw
from policies.reading.cloud.references import one, values_at
from policies.reading.resource import Resource
from policies.reading.values import is_unknown

if TYPE_CHECKING:
    from policies.reading.stack import Stack

LEADING_NOWHERE: Final[Mapping[str, re.Pattern[str]]] = {
    "CAA": re.compile(r'\d+ (issue|issuewild|iodef) "[^"]*"', re.IGNORECASE),
    "TXT": re.compile(r'"?v=(spf1|DKIM1|DMARC1|STSv1|TLSRPTv1)\b.*', re.IGNORECASE),
}
"""Types by which no client connects anywhere, and what they may say: who issues certificates, and what holds for mail (RFC 8659, 7208, 6376,
7489, 8461, 8460). Any other text, and an address in CAA, may prove a host to a certificate authority for whoever chose it, under whatever name
(RFC 8555, 8.4; CA/Browser Forum Baseline Requirements, 3.2.2.4.7, .13 and .14)."""

TO_ACM: Final = r".+\.acm-validations\.aws\.?"
PROOF: Final = ("name", "type", "records")
"""What ACM says of the record that proves a name (ACM User Guide, `dns-validation`)."""


def lead_to_the_edge(record: Resource, stack: "Stack") -> Iterator[Flaw]:
    """Check that a record leads clients to the edge's load balancer, by an alias of it and no address or name that somebody typed."""
    if _proves(record, stack):
        return
    if record.props.get("aliases") is None and (form := LEADING_NOWHERE.get(record.at("type"))):
        if not all(form.fullmatch(str(said)) for said in record.at("records", default=[])):
            yield Flaw(
                message="may prove a host to a certificate authority, for whoever chose what it says", fix="remove it; ACM proves hosts"
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
