"""Doors that nobody can use as the topology says: the edge refuses their requests, or limits and counters promise less."""

import re

from tests.policies.mutations.mutation import Family, Table
from tests.policies.mutations.plan import Plan, name, namespace

TABLE = Table(Family.EDGE)

METHODS = r"tx\.allowed_methods=[A-Z ]+"


def _text(plan: Plan, pattern: str, replacement: str) -> bool:
    found = plan.edge_files(pattern)
    if found is None:
        return False
    plan.replace_text(*found, pattern, replacement, count=1)
    return True


@TABLE.mutation("W11", "browsers may not ask first at a door with `cors`")
def edge_refuses_preflights(plan: Plan) -> bool:
    return _text(plan, r"^(\s*if \(\$request_method !~ [^)]*)\|OPTIONS", r"\1")


@TABLE.mutation("W11", "the firewall's core rule set refuses the doors' methods")
def core_rule_set_refuses_methods(plan: Plan) -> bool:
    return _text(plan, METHODS, "tx.allowed_methods=HEAD")


@TABLE.mutation("W11", "the firewall's core rule set was not set up, and refuses everything")
def core_rule_set_not_set_up(plan: Plan) -> bool:
    return _text(plan, r"^SecAction [^\n]*tx\.crs_setup_version=[^\n]*\n", "")


@TABLE.mutation("W11", "a host of the topology is taken for nobody's")
def edge_knows_a_host_by_another_name(plan: Plan) -> bool:
    return _text(plan, r'(map \$ssl_server_name \$sni \{\s*default "";\s*"[^"]+") "[^"]+";', r'\1 "elsewhere.example";')


@TABLE.mutation("W10", "the edge lets no client do what its tier promises")
def edge_limit_below_every_tier(plan: Plan) -> bool:
    return _text(plan, r"rate=\d+r/s", "rate=1r/m") and _text(plan, r"(limit_req zone=\S+) burst=\d+", r"\1 burst=1")


@TABLE.mutation("W10", "the edge refuses bodies that a door takes")
def edge_takes_short_bodies(plan: Plan) -> bool:
    return _text(plan, r"client_max_body_size \d{3,};", "client_max_body_size 10;")


@TABLE.mutation("W10", "the firewall refuses bodies that a door takes")
def firewall_takes_short_bodies(plan: Plan) -> bool:
    return _text(plan, r"^SecRequestBodyLimit \d+", "SecRequestBodyLimit 10")


def _says(header: str, description: str, line: str) -> None:
    def change(plan: Plan) -> bool:
        return _text(plan, rf"^\s*proxy_set_header {header} [^;]*;", line)

    change.__name__ = f"edge_says_{header}_{'otherwise' if line else 'not'}".replace("-", "_")
    TABLE.mutation("A07", description)(change)


_says("x-forwarded-host", "a client says for which host it asked", "")
_says("x-forwarded-proto", "a client says how it asked", "")
_says("x-forwarded-for", "all clients have one address", "proxy_set_header x-forwarded-for 192.0.2.1;")
_says("true-client-ip", "a client says its address in a header of other products", "")


@TABLE.mutation("A11", "nothing counts for the limits of all gateway pods together")
def counters_removed(plan: Plan) -> bool:
    counter = plan.first("Deployment", where=lambda i: (namespace(i), name(i)) == ("ratelimit", "redis"))
    if counter is None or plan.is_kong():
        return False
    plan.remove(counter)
    return True


@TABLE.mutation("A11", "the name under which limits are counted leads nowhere")
def counters_renamed(plan: Plan) -> bool:
    counter = plan.first("Service", where=lambda i: (namespace(i), name(i)) == ("ratelimit", "redis"))
    if counter is None or plan.is_kong():
        return False
    plan.edit(counter)["metadata"]["name"] = "counters"
    return True


def without_preflights(text: str) -> str:
    """Return a text without the method of preflights, however methods are listed in it."""
    return re.sub(r'\|OPTIONS|OPTIONS\||, "OPTIONS"|"OPTIONS", ', "", text)
