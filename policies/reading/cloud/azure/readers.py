"""What Azure's resources tell the rules."""

from typing import Final

from policies.reading.cloud.azure import (
    answers,
    belonging,
    cors_looks,
    door_counts,
    door_looks,
    door_promises,
    edge_looks,
    edge_waits,
    edge_ways,
    exits,
    flow_log_looks,
    gateway_looks,
    holders,
    log_looks,
    network_looks,
    portal_looks,
    rights_looks,
    secret_looks,
    subnet_looks,
    trust_looks,
    users_looks,
    written_looks,
)
from policies.reading.cloud.flaws import by_rule

READERS: Final = by_rule(
    *holders.READERS,
    *gateway_looks.READERS,
    *door_looks.READERS,
    *door_promises.READERS,
    *door_counts.READERS,
    *cors_looks.READERS,
    *portal_looks.READERS,
    *secret_looks.READERS,
    *edge_looks.READERS,
    *edge_ways.READERS,
    *edge_waits.READERS,
    *answers.READERS,
    *network_looks.READERS,
    *subnet_looks.READERS,
    *exits.READERS,
    *log_looks.READERS,
    *flow_log_looks.READERS,
    *trust_looks.READERS,
    *rights_looks.READERS,
    *belonging.READERS,
    *users_looks.READERS,
    *written_looks.READERS,
)
