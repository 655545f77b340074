"""What `verify` is given by the command line or by the running lab: a cluster, a public address, and who mints tokens."""

import shlex
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import BaseModel, Field, ValidationError

import lab
from cli.errors import UsageError
from conformance.cluster import Cluster
from conformance.credentials import Command, Issuer, Nobody
from conformance.outside import Address
from conformance.verify import IMAGE
from topology.derive import names
from topology.model.base import HostName


@dataclass(frozen=True, kw_only=True)
class Subject:
    """The running system that is probed."""

    name: str
    cluster: Cluster
    image: str
    issuer: Issuer
    forwarded: str | None = None
    """Host of this machine whose ports lead to its node ports, for where no address of a node does."""


@dataclass(frozen=True, kw_only=True)
class LabIssuer:
    """The lab's issuer, which signs whatever it is told."""

    running: lab.Lab

    def mint(self, claims: Mapping[str, Any]) -> str:
        """Return a token with exactly these claims."""
        given: dict[str, Any] = {"iat": None, "exp": None, **claims}
        return self.running.issuer.token(given.pop("iss"), given.pop("aud", None), given.pop("sub", None), **given)

    def key_set(self, issuer: str) -> Mapping[str, Any]:
        """Return the key set, which is the same for every issuer."""
        return self.running.issuer.key_set()

    def outage(self, down: bool) -> None:
        """Stop the issuer, or start it again."""
        if down:
            self.running.issuer.stop()
        else:
            self.running.issuer.start()


def subject(*, context: str | None, kubeconfig: Path | None, image: str, token_command: str) -> Subject:
    """Return what to probe: the cluster that is named, else the running lab. Never the current kube context, which nobody chose.

    Raises:
        UsageError: where neither is there.
    """
    if context or kubeconfig:
        return Subject(
            name=context or str(kubeconfig),
            cluster=Cluster(kubeconfig=kubeconfig, context=context or ""),
            image=image or IMAGE,
            issuer=Command(shlex.split(token_command)) if token_command else Nobody(),
        )
    running = lab.current()
    if running is None:
        raise UsageError(
            "the embedded cluster does not run, and no other was named, here or by the stack. Deploy to it first (perimeter up), "
            "or name one: --context NAME, --kubeconfig FILE, --kind."
        )
    return Subject(
        name="the embedded cluster",
        cluster=Cluster(kubectl=str(running.tools["kubectl"]), kubeconfig=running.kubeconfig, context=running.context),
        image=image or running.probe_image,
        issuer=Command(shlex.split(token_command)) if token_command else LabIssuer(running=running),
    )


@dataclass(frozen=True, kw_only=True)
class Public:
    """Where a system is reached from outside, as far as the command line says."""

    address: Address | None
    """Of every host that has none of its own; None: what the edge's Service says."""
    of: Mapping[HostName, Address]
    """By public host."""


def public(texts: Iterable[str]) -> Public:
    """Return what `HOST:PORT` and `NAME=HOST:PORT` say, the one of all hosts and the other of one of several edges.

    Raises:
        UsageError: where one of them says no address, or two speak of the same hosts.
    """
    found: dict[HostName, Address] = {}
    for text in texts:
        name, _, at = text.rpartition("=")
        host, _, port = at.rpartition(":")
        if not host or not port.isdecimal() or ("=" in text and not name):
            raise UsageError(
                f"--public {text}: write HOST:PORT, as in 127.0.0.1:{names.EDGE_NODE_PORT}, or for one public host NAME=HOST:PORT."
            )
        if name in found:
            raise UsageError(f"--public {text}: {name or 'every host'} is at {found[name]} already. Say it once.")
        found[name] = Address(host=host.strip("[]"), port=int(port))
    return Public(address=found.pop("", None), of=found)


class Outputs(BaseModel):
    """What a stack that is deployed says of its edges: the outputs of `components/system.py`."""

    edge: str
    port: int = Field(alias="publicPort")
    edges: dict[HostName, str] = {}


def outputs(text: str) -> Public:
    """Return what `pulumi stack output --json` says. An edge that is a Service of the cluster is left to the cluster to say.

    Raises:
        UsageError: where that is no stack of this program.
    """
    try:
        said = Outputs.model_validate_json(text)
    except ValidationError as error:
        found = "; ".join(f"{'.'.join(map(str, each['loc'])) or 'it'}: {each['msg']}" for each in error.errors())
        raise UsageError(f"--outputs: {found}. Give what `pulumi stack output --json` prints for a stack that is deployed.") from error
    at = {name: Address(host=name, port=said.port) for name in (said.edge, *said.edges.values()) if "/" not in name}
    return Public(address=at.get(said.edge), of={host: at[name] for host, name in said.edges.items() if name in at})
