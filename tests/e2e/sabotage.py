"""Ways to break a running system by hand, each with the kind of probe that is there to notice it.

Every change is one of objects: written, patched or removed by kubectl, and put back as it was found.
"""

import json
from collections.abc import Callable, Generator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any, Final

from conformance.cluster import Cluster
from topology.derive import names
from topology.derive.probes import Family

Manifest = dict[str, Any]
Edit = Callable[[Manifest], None]
"""Changes an object in place."""

OWN: Final = ("creationTimestamp", "generation", "managedFields", "resourceVersion", "uid")
"""Metadata that the server writes."""
ROLLOUT: Final = "180s"


@dataclass(frozen=True, kw_only=True)
class Change:
    """One object: `edit` changes what is there, None removes it, `manifest` is put where nothing was."""

    kind: str
    name: str
    namespace: str
    edit: Edit | None = None
    manifest: Manifest | None = None
    restarts: str = ""
    """A Deployment of that namespace that must start anew to see it."""


@dataclass(frozen=True, kw_only=True)
class Sabotage:
    """A way to break a system."""

    name: str
    noticed_by: Family
    changes: tuple[Change, ...]


@contextmanager
def applied(cluster: Cluster, sabotage: Sabotage) -> Generator[None, None, None]:
    """Break the system, and put it back together whatever happens in between."""
    with ExitStack() as stack:
        for change in sabotage.changes:
            stack.enter_context(_changed(cluster, change))
        yield


@contextmanager
def _changed(cluster: Cluster, change: Change) -> Generator[None, None, None]:
    where = ("-n", change.namespace)
    before = None if change.manifest else _sound(cluster.get(change.kind, change.name, *where))
    try:
        if change.manifest:
            cluster.run("create", "-f", "-", given=json.dumps(change.manifest))
        elif before is None or change.edit is None:
            cluster.run("delete", change.kind, change.name, *where, "--wait=true")
        else:
            after = _sound(before)
            change.edit(after)
            assert after != _sound(before), f"{change.kind} {change.name} was not changed"
            cluster.run("replace", "-f", "-", given=json.dumps(after))
        _restart(cluster, change)
        yield
    finally:
        if before is None:
            cluster.run("delete", change.kind, change.name, *where, "--ignore-not-found")
        else:
            _put_back(cluster, change, before)
        _restart(cluster, change)


def _put_back(cluster: Cluster, change: Change, before: Manifest) -> None:
    cluster.run("create" if change.edit is None else "replace", "-f", "-", given=json.dumps(before))


def _sound(found: Manifest) -> Manifest:
    """Return a copy of an object without what the server writes, so that kubectl replaces whatever version is there."""
    kept: Manifest = json.loads(json.dumps({key: value for key, value in found.items() if key != "status"}))
    kept["metadata"] = {key: value for key, value in kept["metadata"].items() if key not in OWN}
    return kept


def _restart(cluster: Cluster, change: Change) -> None:
    if change.restarts:
        if change.kind != "deployment":
            cluster.run("rollout", "restart", "deployment", change.restarts, "-n", change.namespace)
        cluster.run("rollout", "status", "deployment", change.restarts, "-n", change.namespace, f"--timeout={ROLLOUT}", patience=200)


def _set(*path: str, to: Any) -> Edit:
    """Return the edit of one field."""

    def edit(found: Manifest) -> None:
        for key in path[:-1]:
            found = found.setdefault(key, {})
        found[path[-1]] = to

    return edit


def _drop(*path: str) -> Edit:
    """Return the edit that removes one field."""

    def edit(found: Manifest) -> None:
        for key in path[:-1]:
            found = found[key]
        del found[path[-1]]

    return edit


def _text(file: str, old: str, new: str) -> Edit:
    """Return the edit of one text in a file of a ConfigMap."""

    def edit(found: Manifest) -> None:
        assert old in found["data"][file], f"{old!r} is not in {file}"
        found["data"][file] = found["data"][file].replace(old, new)

    return edit


def _object(api: str, kind: str, name: str, namespace: str, spec: Manifest) -> Manifest:
    return {"apiVersion": api, "kind": kind, "metadata": {"name": name, "namespace": namespace}, "spec": spec}


def _any_method(policy: Manifest) -> None:
    for rule in policy["spec"]["rules"]:
        for to in rule["to"]:
            del to["operation"]["methods"]


def _any_request(policy: Manifest) -> None:
    for rule in policy["spec"]["rules"]:
        for source in rule["from"]:
            del source["source"]["requestPrincipals"]


def _no_token(policy: Manifest) -> None:
    del policy["spec"]["jwt"]
    policy["spec"]["authorization"] = {"defaultAction": "Allow"}


def _services_speak_to_browsers(routes: Manifest) -> None:
    for route in routes["spec"]["http"]:
        del route["headers"]["response"]


def _client_certificate_not_asked_for(gateway: Manifest) -> None:
    for server in gateway["spec"]["servers"]:
        server["tls"] = {key: value for key, value in server["tls"].items() if key != "subjectAltNames"} | {"mode": "SIMPLE"}


ABC: Final = "abc"
POLICY: Final = "authorizationpolicies.security.istio.io"
SIDECARS: Final = "sidecars.networking.istio.io"
CONFIG: Final = "configmap"
ROOT: Final = "istio-system"

SABOTAGES: Final = (
    Sabotage(
        name="mutual TLS is optional",
        noticed_by=Family.ENCRYPTION,
        changes=(
            Change(
                kind="peerauthentications.security.istio.io",
                name="default",
                namespace=ROOT,
                edit=_set("spec", "mtls", "mode", to="PERMISSIVE"),
            ),
        ),
    ),
    Sabotage(
        name="a policy that allows everything was added",
        noticed_by=Family.CALLS,
        changes=(
            Change(
                kind=POLICY,
                name="sabotage",
                namespace=ROOT,
                manifest=_object("security.istio.io/v1", "AuthorizationPolicy", "sabotage", ROOT, {"rules": [{}]}),
            ),
        ),
    ),
    Sabotage(
        name="b's policy is gone, and with it its callers' leave",
        noticed_by=Family.CALLS,
        changes=(Change(kind=POLICY, name="b", namespace=ABC),),
    ),
    Sabotage(
        name="b's policy and the one that allows nothing are gone",
        noticed_by=Family.CALLS,
        changes=(Change(kind=POLICY, name="b", namespace=ABC), Change(kind=POLICY, name="allow-nothing", namespace=ROOT)),
    ),
    Sabotage(
        name="b lets every method pass",
        noticed_by=Family.CALLS,
        changes=(
            Change(
                kind=POLICY,
                name="b",
                namespace=ABC,
                edit=_any_method,
            ),
        ),
    ),
    Sabotage(
        # The port alone answers nobody: a's NetworkPolicy stops whoever comes by it.
        name="a has a node port, and lets everybody come",
        noticed_by=Family.EXPOSURE,
        changes=(
            Change(kind="networkpolicy", name="a", namespace=ABC, edit=_set("spec", "ingress", to=[{}])),
            Change(
                kind="service",
                name="sabotage",
                namespace=ABC,
                manifest=_object(
                    "v1",
                    "Service",
                    "sabotage",
                    ABC,
                    {"type": "NodePort", "selector": {"app": "a"}, "ports": [{"port": 8080, "nodePort": 31999}]},
                ),
            ),
        ),
    ),
    Sabotage(
        name="the firewall only looks on",
        noticed_by=Family.FIREWALL,
        changes=(
            Change(
                kind=CONFIG,
                name=names.EDGE,
                namespace=names.EDGE_NAMESPACE,
                edit=_text("modsecurity.conf", "SecRuleEngine On", "SecRuleEngine DetectionOnly"),
                restarts=names.EDGE,
            ),
        ),
    ),
    Sabotage(
        name="the edge believes a client's request id",
        noticed_by=Family.REQUEST_IDS,
        changes=(
            Change(
                kind=CONFIG,
                name=names.EDGE,
                namespace=names.EDGE_NAMESPACE,
                edit=_text("nginx.conf", '"$u1-$u2-4$u3-8$u4-$u5"', "$http_x_request_id"),
                restarts=names.EDGE,
            ),
        ),
    ),
    Sabotage(
        name="the door's security policy is gone",
        noticed_by=Family.DOORS,
        changes=(Change(kind="securitypolicies.gateway.envoyproxy.io", name="a", namespace=names.GATEWAY_NAMESPACE),),
    ),
    Sabotage(
        name="gateway and ingress ask for no token",
        noticed_by=Family.TOKENS,
        changes=(
            Change(
                kind="securitypolicies.gateway.envoyproxy.io",
                name="a",
                namespace=names.GATEWAY_NAMESPACE,
                edit=_no_token,
            ),
            Change(
                kind=POLICY,
                name=names.INGRESS,
                namespace="istio-ingress",
                edit=_any_request,
            ),
        ),
    ),
    Sabotage(
        name="the door lets the scripts of every page read answers",
        noticed_by=Family.BROWSERS,
        changes=(
            Change(
                kind="securitypolicies.gateway.envoyproxy.io",
                name="a",
                namespace=names.GATEWAY_NAMESPACE,
                edit=_set("spec", "cors", to={"allowOrigins": ["*"], "allowMethods": ["GET"]}),
            ),
        ),
    ),
    Sabotage(
        name="what services say to browsers gets out",
        noticed_by=Family.BROWSERS,
        changes=(
            Change(
                kind="virtualservices.networking.istio.io",
                name="api.abc.example",
                namespace="istio-ingress",
                edit=_services_speak_to_browsers,
            ),
        ),
    ),
    Sabotage(
        name="the door has no limit",
        noticed_by=Family.TIERS,
        changes=(
            Change(
                kind="backendtrafficpolicies.gateway.envoyproxy.io",
                name="a",
                namespace=names.GATEWAY_NAMESPACE,
                edit=_drop("spec", "rateLimit"),
            ),
        ),
    ),
    Sabotage(
        name="c's network policies are gone",
        noticed_by=Family.NETWORK,
        changes=(
            Change(kind="networkpolicy", name="c", namespace=ABC),
            Change(kind="networkpolicy", name="default-deny", namespace=ABC),
        ),
    ),
    Sabotage(
        name="b's port bypasses its sidecar",
        noticed_by=Family.ENCRYPTION,
        changes=(
            Change(
                kind="deployment",
                name="b-v1",
                namespace=ABC,
                edit=_set("spec", "template", "metadata", "annotations", "traffic.sidecar.istio.io/excludeInboundPorts", to="8080"),
                restarts="b-v1",
            ),
        ),
    ),
    Sabotage(
        name="the ingress takes any client",
        noticed_by=Family.CERTIFICATES,
        changes=(
            Change(
                kind="gateways.networking.istio.io",
                name=names.INGRESS,
                namespace="istio-ingress",
                edit=_client_certificate_not_asked_for,
            ),
        ),
    ),
    Sabotage(
        name="b's sidecar does not look at policies",
        noticed_by=Family.CALLS,
        changes=(
            Change(
                kind="envoyfilters.networking.istio.io",
                name="sabotage",
                namespace=ABC,
                manifest=_object(
                    "networking.istio.io/v1alpha3",
                    "EnvoyFilter",
                    "sabotage",
                    ABC,
                    {
                        "workloadSelector": {"labels": {"app": "b"}},
                        "configPatches": [
                            {
                                "applyTo": "HTTP_FILTER",
                                "match": {
                                    "context": "SIDECAR_INBOUND",
                                    "listener": {
                                        "filterChain": {
                                            "filter": {
                                                "name": "envoy.filters.network.http_connection_manager",
                                                "subFilter": {"name": "envoy.filters.http.rbac"},
                                            }
                                        }
                                    },
                                },
                                "patch": {"operation": "REMOVE"},
                            }
                        ],
                    },
                ),
            ),
        ),
    ),
    Sabotage(
        name="a may ask anybody outside",
        noticed_by=Family.EGRESS,
        changes=(Change(kind=SIDECARS, name="a", namespace=ABC, edit=_set("spec", "outboundTrafficPolicy", "mode", to="ALLOW_ANY")),),
    ),
    Sabotage(
        name="a knows c, and c lets a in",
        noticed_by=Family.CALLS,
        changes=(
            Change(kind=SIDECARS, name="a", namespace=ABC, edit=_set("spec", "egress", to=[{"hosts": [f"{ABC}/*"]}])),
            Change(kind=POLICY, name="c", namespace=ABC, edit=_set("spec", "rules", to=[{}])),
            Change(kind="networkpolicy", name="a", namespace=ABC, edit=_set("spec", "egress", to=[{}])),
            Change(kind="networkpolicy", name="c", namespace=ABC, edit=_set("spec", "ingress", to=[{}])),
        ),
    ),
)
"""Breaks of `stacks/abc.topology.yaml` with the default layers."""
