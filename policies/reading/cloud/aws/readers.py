"""Which rule is told of which resources of AWS, and by what."""

from typing import Final

from policies.reading.cloud.aws import doors, edge, eks, firewall, openings, stored
from policies.reading.cloud.aws.kinds import (
    ADDON,
    CLASSIC_LOAD_BALANCER,
    CLUSTER,
    DEFAULT_GROUP,
    EGRESS_RULE,
    EIP,
    GROUP,
    GROUP_RULE,
    INGRESS_RULE,
    LISTENER,
    LOAD_BALANCER,
    NODE_GROUP,
    SECRET_VERSION,
    TARGET_BINDING,
    WEB_ACL,
)
from policies.reading.cloud.flaws import Reader, by_rule

BALANCERS: Final = (LOAD_BALANCER, CLASSIC_LOAD_BALANCER)
OPENINGS: Final = (GROUP, DEFAULT_GROUP, GROUP_RULE, INGRESS_RULE, EGRESS_RULE)

READERS: Final = by_rule(
    Reader(rule="W01", kinds=(WEB_ACL,), look=firewall.refuses),
    Reader(rule="W02", kinds=BALANCERS, look=firewall.stands_before),
    Reader(rule="W03", kinds=(WEB_ACL,), look=firewall.is_whole),
    Reader(rule="W04", kinds=(WEB_ACL,), look=firewall.logs),
    Reader(rule="W04", kinds=(LOAD_BALANCER,), look=edge.writes_log),
    Reader(rule="W05", kinds=(LISTENER,), look=edge.serves_tls),
    Reader(rule="W06", kinds=(LISTENER,), look=edge.speaks_modern_tls),
    Reader(rule="W07", kinds=(LOAD_BALANCER,), look=edge.reads_one_way),
    Reader(rule="W07", kinds=(WEB_ACL,), look=doors.refuses_ambiguous),
    Reader(rule="W09", kinds=(LOAD_BALANCER,), look=edge.leads_to_gateway),
    Reader(rule="W09", kinds=(LOAD_BALANCER,), look=edge.sends_nowhere_else),
    Reader(rule="W09", kinds=OPENINGS, look=openings.edge_reaches_gateway_alone),
    Reader(rule="W10", kinds=(WEB_ACL,), look=firewall.counts_addresses),
    Reader(rule="W11", kinds=(LOAD_BALANCER,), look=doors.opens_doors_alone),
    Reader(rule="W11", kinds=(LOAD_BALANCER,), look=doors.lets_doors_through),
    Reader(rule="W11", kinds=(LOAD_BALANCER,), look=doors.takes_bodies),
    Reader(rule="A07", kinds=(LOAD_BALANCER,), look=doors.forges_no_headers),
    Reader(rule="A07", kinds=(LOAD_BALANCER,), look=doors.makes_request_ids),
    Reader(rule="K04", kinds=(TARGET_BINDING,), look=edge.binds_the_gateway),
    Reader(rule="A02", kinds=(TARGET_BINDING,), look=edge.binding_opens_nothing),
    Reader(rule="N02", kinds=(CLUSTER,), look=eks.api_is_private),
    Reader(rule="N03", kinds=(NODE_GROUP,), look=eks.nodes_are_private),
    Reader(rule="N03", kinds=(NODE_GROUP,), look=eks.instance_metadata),
    Reader(rule="N05", kinds=OPENINGS, look=openings.lets_internet_in),
    Reader(rule="N05", kinds=(GROUP, DEFAULT_GROUP), look=openings.is_in_one_place),
    Reader(rule="N06", kinds=(CLUSTER,), look=eks.policies_are_enforced),
    Reader(rule="N07", kinds=(CLUSTER,), look=eks.secrets_are_encrypted),
    Reader(rule="N08", kinds=(CLUSTER,), look=eks.local_access),
    Reader(rule="N09", kinds=(CLUSTER,), look=eks.api_logs),
    Reader(rule="N10", kinds=(EIP,), look=edge.attached),
    Reader(rule="N10", kinds=BALANCERS, look=edge.fixed_addresses),
    Reader(rule="P02", kinds=(ADDON,), look=eks.is_known_addon),
    Reader(rule="P08", kinds=(SECRET_VERSION,), look=stored.is_secret),
)
