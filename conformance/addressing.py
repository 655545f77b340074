"""From a probe to what goes out: addresses, credentials and certificates filled in."""

import base64
import ipaddress
import json
import secrets
import socket
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final

from conformance.certificates import Certificates
from conformance.credentials import ApiKeys, Issuer
from conformance.curl import Sent
from conformance.errors import NotRunError
from conformance.forging import bearer
from conformance.outside import Address
from topology.derive import names
from topology.derive.probes import ApiKey, At, Carried, Flaw, Place, Pods, Probe, Received, Scheme, Token
from topology.model.base import HostName

Header = tuple[str, str]


@dataclass(frozen=True, kw_only=True)
class Addressing:
    """Everything that a probe leaves open."""

    public: Address
    address_of: Callable[[Pods], str]
    issuer: Issuer
    keys: ApiKeys
    certificates: Certificates
    public_of: Mapping[HostName, Address] = field(default_factory=dict[HostName, Address])
    """By public host, where it is at another public address than the others."""

    def fill(self, probe: Probe) -> tuple[Probe, Sent]:
        """Return a probe as it can be judged, and what to send for it.

        Raises:
            NotRunError: where something cannot be had.
        """
        path, headers = probe.request.path, list(probe.request.headers)
        match probe.request.credential:
            case Token() as token:
                text = bearer(token, self.issuer)
                probe = _for_subject(probe, token, text)
                path, shown = CARRY_TOKEN[token.carried](path, text)
                headers += shown
            case ApiKey() as key:
                text = self.keys.key_of(key.consumer) if key.consumer else secrets.token_hex(16)
                path, shown = CARRY_KEY[key.carried](path, text)
                headers += shown
            case None:
                pass
        address, port = self._place(probe)
        files = self.certificates.get(probe.request.certificate)
        return probe, Sent(request=probe.request, address=address, port=port, path=path, headers=tuple(headers), files=files)

    def _place(self, probe: Probe) -> tuple[str, int]:
        target = probe.target
        match target.at:
            case At.EDGE:
                public = self.public_of.get(probe.request.sni or probe.request.host, self.public)
                if probe.vantage.place is not Place.OUTSIDE:
                    return _anywhere(public.host, "and another one in the cluster"), public.port
                if probe.request.scheme is Scheme.SCAN:
                    _anywhere(public.host, "whose other ports are other programs'")
                return public.host, public.port
            case At.NAME:
                return target.name, target.port
            case At.POD:
                assert target.pods is not None  # noqa: S101 # a pod target names its pods
                return self.address_of(target.pods), target.port


def _anywhere(host: str, why: str) -> str:
    """Return the public address as a number: somebody inside is not to depend on the cluster's name service.

    Args:
        host: its name or number.
        why: why it does not do where this machine alone reaches it.

    Raises:
        NotRunError: where this machine alone reaches it.
    """
    try:
        known = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    except OSError as error:
        raise NotRunError(f"the public address {host} is not found: {error}") from error
    # IPv4 first: not every cluster has IPv6.
    found = min((ipaddress.ip_address(address[0]) for *_, address in known), key=lambda each: each.version)
    if found.is_loopback:
        raise NotRunError(f"the public address {host} is this machine's own, {why}")
    return str(found)


def _for_subject(probe: Probe, token: Token, text: str) -> Probe:
    """Return the probe for the subject that the issuer gave a good token, where it is another than the one asked for.

    Raises:
        NotRunError: where the issuer changed anything else.
    """
    if token.flaw is not Flaw.NONE:
        return probe
    payload = text.split(".")[1]
    claims: dict[str, Any] = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    wanted = {"iss": token.issuer, **dict(token.claims)}
    other = [name for name, value in wanted.items() if claims.get(name) != value]
    audiences = claims.get("aud")
    if token.audience not in (audiences if isinstance(audiences, list) else [audiences]):
        other.append("aud")
    if other:
        raise NotRunError(f"the issuer gave a token with other values of {', '.join(other)}")
    expect, subject = probe.expect, str(claims.get("sub", ""))
    if isinstance(expect, Received) and subject != token.subject:
        equal = tuple((name, subject if value == token.subject else value) for name, value in expect.equal)
        return replace(probe, expect=replace(expect, equal=equal))
    return probe


def _query(name: str) -> Callable[[str, str], tuple[str, list[Header]]]:
    return lambda path, text: (f"{path}{'&' if '?' in path else '?'}{name}={text}", [])


def _header(*names_: str, before: str = "") -> Callable[[str, str], tuple[str, list[Header]]]:
    return lambda path, text: (path, [(name, before + text) for name in names_])


def _basic(path: str, text: str) -> tuple[str, list[Header]]:
    return path, [("authorization", "Basic " + base64.b64encode(f"probe:{text}".encode()).decode())]


AUTHORIZATION: Final = "authorization"
CARRY_TOKEN: Final = {
    Carried.USUAL: _header(AUTHORIZATION, before="Bearer "),
    Carried.QUERY: _query("access_token"),
    Carried.COOKIE: _header("cookie", before="access_token="),
    Carried.BASIC: _basic,
    Carried.TWICE: _header(AUTHORIZATION, AUTHORIZATION, before="Bearer "),
    Carried.OTHER_HEADER: _header("x-authorization", before="Bearer "),
}
CARRY_KEY: Final = {
    Carried.USUAL: _header(names.API_KEY_HEADER),
    Carried.QUERY: _query(names.API_KEY_HEADER),
    Carried.COOKIE: _header("cookie", before=f"{names.API_KEY_HEADER}="),
    Carried.BASIC: _basic,
    Carried.TWICE: _header(names.API_KEY_HEADER, names.API_KEY_HEADER),
    Carried.OTHER_HEADER: _header("x-authorization"),
}
