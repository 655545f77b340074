"""One run: which probes, from where, and the report of it."""

import math
import time
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from conformance.addressing import Addressing
from conformance.certificates import Certificates
from conformance.cluster import Cluster
from conformance.credentials import ApiKeys, Issuer
from conformance.errors import CannotProbeError
from conformance.outside import Address, answers
from conformance.report import Report
from conformance.runner import Runner, Tell
from conformance.vantages import Vantages
from topology.derive import names
from topology.derive.probes import Family, Probe, probes, unasked
from topology.model.base import HostName
from topology.model.system import Topology

IMAGE: Final = "docker.io/curlimages/curl:8.17.0"
"""Needs `sh`, `cat`, `sleep` and curl 7.84 or later."""
SECONDS: Final = {"second": 1, "minute": 60, "hour": 3600}
FASTEST: Final = 40.0
"""Requests per second from outside, so that a small machine is not what is measured."""
KEPT_LOW: Final = 2.0
"""The edge lets one address have four times what one client may."""


@dataclass(frozen=True, kw_only=True)
class Choice:
    """What a run is asked to do."""

    only: frozenset[Family] = field(default_factory=frozenset[Family])
    """Empty: every kind."""
    without: frozenset[Family] = field(default_factory=frozenset[Family])

    def chosen(self, all_: Collection[Probe]) -> tuple[Probe, ...]:
        """Return the chosen probes, and the controls that they need."""
        wanted = [probe for probe in all_ if (not self.only or probe.family in self.only) and probe.family not in self.without]
        by_id = {probe.id: probe for probe in all_}
        needed: set[str] = set()
        left = [probe.id for probe in wanted]
        while left:
            if (identifier := left.pop()) not in needed:
                needed.add(identifier)
                left += by_id[identifier].controls if identifier in by_id else ()
        return tuple(probe for probe in all_ if probe.id in needed)


def verify(  # noqa: PLR0913 # each is a choice of the user's
    t: Topology,
    cluster: Cluster,
    *,
    public: Address | None,
    public_of: Mapping[HostName, Address] = {},
    forwarded: str | None = None,
    image: str,
    issuer: Issuer,
    api_keys: Path | None,
    choice: Choice,
    tell: Tell,
    subject: str,
) -> Report:
    """Probe a running system and return the report.

    Args:
        t: the system.
        cluster: where it runs.
        public: the public address; default: what the edge's Service says.
        public_of: by public host, the address of those that are at another one.
        forwarded: host of this machine whose ports lead to node ports, for where no address of a node does.
        image: to ask with.
        issuer: who mints tokens.
        api_keys: file with the keys of consumers, if the cluster has none.
        choice: which families of probes.
        tell: told how far it is.
        subject: what is probed, for people.

    Raises:
        CannotProbeError: where nothing can be probed.
    """
    began = time.monotonic()
    hosts = t.public_hosts()
    if strange := sorted(set(public_of) - set(hosts)):
        raise CannotProbeError(
            f"a public address was given for {', '.join(strange)}, which is no host of the topology ({', '.join(hosts)})."
        )
    address = public or (public_of[hosts[0]] if set(hosts) <= set(public_of) else public_address(cluster, forwarded))
    chosen = choice.chosen(probes(t))
    with Vantages(cluster, image) as vantages:
        addressing = Addressing(
            public=address,
            address_of=vantages.address,
            issuer=issuer,
            keys=ApiKeys(cluster, api_keys),
            certificates=Certificates(cluster),
            public_of=public_of,
        )
        results = Runner(vantages=vantages, addressing=addressing, pace=pace(t), tell=tell).run(chosen)
    left_out = [(what, why) for family, what, why in unasked(t) if not choice.only or family in choice.only]
    left_out += [(str(family), "left out by choice") for family in Family if family in choice.without]
    if choice.only:
        left_out.append(("other kinds of probes", f"only {', '.join(sorted(choice.only))} were asked for"))
    return Report(
        system=t.system,
        subject=f"{subject} ({', '.join(dict.fromkeys(map(str, (address, *public_of.values()))))})",
        results=tuple(results),
        left_out=tuple(left_out),
        seconds=time.monotonic() - began,
    )


def pace(t: Topology) -> float:
    """Return how many requests a second one address may send without meeting the limits that it shares with its neighbours."""
    rates = [math.ceil(rate.requests / SECONDS[rate.per]) for tier in t.tiers.values() for rate in tier.limits]
    return min(FASTEST, KEPT_LOW * max(rates, default=1))


def public_address(cluster: Cluster, forwarded: str | None = None) -> Address:
    """Return where the edge's Service is reached from outside: its load balancer, or its port on the first node.

    Args:
        cluster: where it runs.
        forwarded: host of this machine whose ports lead to node ports; taken only where it answers and the node does not.

    Raises:
        CannotProbeError: where it has no public address.
    """
    try:
        service = cluster.get("service", names.EDGE, "-n", names.EDGE_NAMESPACE)
    except CannotProbeError as error:
        raise CannotProbeError(f"the public address is not known ({error}). Give --public HOST:PORT.") from error
    port: dict[str, Any] = service["spec"]["ports"][0]
    for entry in service.get("status", {}).get("loadBalancer", {}).get("ingress", []):
        return Address(host=entry.get("ip") or entry["hostname"], port=port["port"])
    for node in cluster.items("nodes"):
        known = {address["type"]: address["address"] for address in node["status"]["addresses"]}
        if "nodePort" in port and (found := known.get("ExternalIP") or known.get("InternalIP")):
            own = Address(host=found, port=port["nodePort"])
            if not forwarded or answers(own):
                return own
            if answers(here := Address(host=forwarded, port=own.port)):
                return here
            raise CannotProbeError(
                f"nobody answers at the edge's node port, neither at {own} nor at {here}, where a cluster of --kind publishes it when it is made. "
                "Make the cluster anew with this port, or give --public HOST:PORT."
            )
    raise CannotProbeError("Service edge/edge has neither a load balancer nor a node port. Give --public HOST:PORT.")


def quiet(_what: str, _done: int, _of: int) -> None:
    """Tell nobody how far the run is."""
