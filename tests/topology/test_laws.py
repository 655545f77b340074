"""Every law, by the ways to break it: one change of abc, and everything that is then said."""

from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from topology.findings import TopologyError
from topology.laws import LAWS, Law, admit
from topology.load import parse, read
from topology.model.system import Topology

ABC = (Path(__file__).parents[2] / "stacks" / "abc.topology.yaml").read_text(encoding="utf-8")


@dataclass(frozen=True, kw_only=True)
class Case:
    """Replacements in abc's text, additions at its end, and every finding of the result."""

    law: str
    change: dict[str, str]
    expect: tuple[str, ...]
    add: str = ""

    def text(self) -> str:
        text = ABC
        for old, new in self.change.items():
            assert text.count(old) == 1, f"{old!r} stands {text.count(old)} times in abc"
            text = text.replace(old, new)
        return text + self.add


SECOND_MESH = """
  other:
    trustDomain: other.example
    namespace: elsewhere
    controlPlane: istio-other
    ingress: other-ingress
    egress: other-egress
    bridge: other-bridge
"""
MESH = "    trustDomain: abc.example\n"
A = "    description: The only service that clients know.\n"
B = "  b:\n    calls:\n      c:\n"
C = "    description: Reached by B alone.\n"
CALL_C = '        - {methods: [GET], paths: ["/c/*"]}\n'
DOOR = "    tiers: [standard]\n"
TIERS = "tiers:\n  standard:\n"
SECOND_DOOR = """\
  also:
    methods: [POST]
    paths: ["/a/b"]
    service: a
    auth: {jwt: customers}
    tiers: [standard]
"""
TWO_MESHES = {MESH: MESH + SECOND_MESH, A: f"{A}    mesh: main\n", B: f"  b:\n    mesh: main\n{B[5:]}", C: f"{C}    mesh: main\n"}

CASES = [
    # -- names
    Case(
        law="names_resolve",
        change={"    service: a\n": "    service: aa\n"},
        expect=('39: doors.a.service: "aa" is not a service (did you mean "a"?)',),
    ),
    Case(
        law="names_resolve",
        change={"jwt: customers": "jwt: customer"},
        expect=('40: doors.a.auth.jwt: "customer" is not an issuer (did you mean "customers"?)',),
    ),
    Case(
        law="names_resolve",
        change={"tiers: [standard]": "tiers: [premium]"},
        expect=('41: doors.a.tiers[0]: "premium" is not a tier (known: standard)',),
    ),
    Case(
        law="names_resolve",
        change={"      c:\n": "      cc:\n"},
        expect=('30: services.b.calls.cc: "cc" is not a service (did you mean "c"?)',),
    ),
    Case(
        law="names_resolve",
        change={A: f"{A}    mesh: mian\n    datacenters: [dc1]\n"},
        expect=(
            '25: services.a.mesh: "mian" is not a mesh (did you mean "main"?)',
            '26: services.a.datacenters[0]: "dc1" is not a datacenter (none is defined)',
        ),
    ),
    Case(
        law="names_resolve",
        change={C: f"{C}    faults: [{{percent: 1, abort: 500, callers: [bb]}}]\n"},
        expect=('34: services.c.faults[0].callers[0]: "bb" is not a service (did you mean "b"?)',),
    ),
    Case(
        law="names_resolve",
        change={C: f"{C}    canary: {{header: x-canary, value: yes please, version: v2}}\n    mirror: {{version: v3}}\n"},
        expect=(
            '34: services.c.canary.version: "v2" is not a version of c (known: v1)',
            '35: services.c.mirror.version: "v3" is not a version of c (known: v1)',
        ),
    ),
    Case(
        law="names_resolve",
        change={DOOR: f"{DOOR}    host: apl.abc.example\n    version: v2\n    api: {{name: abc, version: v1}}\n"},
        expect=(
            '42: doors.a.host: "apl.abc.example" is not one of the system\'s hosts (did you mean "api.abc.example"?)',
            '43: doors.a.version: "v2" is not a version of a (known: v1)',
            '44: doors.a.api.name: "abc" is not an API (none is defined)',
        ),
    ),
    Case(
        law="names_resolve",
        change={DOOR: f"{DOOR}    api: {{name: abc, version: v2.1}}\n"},
        add="  old:\n    methods: [GET]\n    paths: [/old]\n    service: a\n    auth: {jwt: customers}\n    tiers: [standard]\n    api: {name: abc, version: v2.0}\napis: {abc: {versions: {v2.0: {}}}}\n",
        expect=('42: doors.a.api.version: "v2.1" is not a version of abc (did you mean "v2.0"?)',),
    ),
    Case(
        law="names_resolve",
        change={},
        add="consumers: {acme: {tier: gold}}\nbridges: {x: {source: aa, target: b, operations: [{methods: [GET], paths: [/b]}]}}\negress: {e: {host: e.example, services: [bb]}}\n",
        expect=(
            '42: consumers.acme.tier: "gold" is not a tier (known: standard)',
            '43: bridges.x.source: "aa" is not a service (did you mean "a"?)',
            '44: egress.e.services[0]: "bb" is not a service (did you mean "b"?)',
        ),
    ),
    Case(
        law="names_resolve",
        change={},
        add="  b: {methods: [GET], paths: [/b], service: b, auth: {apiKey: [gold]}}\n",
        expect=('42: doors.b.auth.apiKey[0]: "gold" is not a tier (known: standard)',),
    ),
    Case(
        law="names_resolve",
        change={"    service: a\n": "    service: sum\n"},
        add="compositions: {sum: {mesh: mine, parts: {x: {service: aa, path: /x}, y: {service: a, path: /y}}}}\n",
        expect=(
            '42: compositions.sum.mesh: "mine" is not a mesh (did you mean "main"?)',
            '42: compositions.sum.parts.x.service: "aa" is not a service (did you mean "a"?)',
        ),
    ),
    Case(
        law="names_mean_one_workload",
        change={"      c:\n": "      default:\n", "  c:\n    desc": "  default:\n    desc"},
        expect=("32: services.default: is the name of the ServiceAccount that every namespace has (choose another name)",),
    ),
    Case(
        law="names_mean_one_workload",
        change={"    service: a\n": "    service: b\n"},
        add="compositions: {b: {parts: {x: {service: b, path: /x}, y: {service: c, path: /y}}}}\n",
        expect=("42: compositions.b: is also the name of a service (rename one)",),
    ),
    Case(
        law="names_mean_one_workload",
        change={"      b:\n": "      a-v2:\n", "  b:\n    calls": "  a-v2:\n    calls", A: f"{A}    versions: {{v2-v1: {{}}}}\n"},
        expect=("29: services.a-v2.versions.v1: makes a Deployment a-v2-v1, which a has too (rename one)",),
    ),
    # -- places
    Case(
        law="platform_namespaces_are_distinct",
        change={MESH: f"{MESH}    ingress: istio-system\n    egress: gateway\n"},
        expect=(
            '10: meshes.main.ingress: "istio-system" is already the namespace of another part of the platform (give each part a namespace of its own)',
            '11: meshes.main.egress: "gateway" is already the namespace of another part of the platform (give each part a namespace of its own)',
        ),
    ),
    Case(
        law="workloads_say_their_mesh",
        change={k: v for k, v in TWO_MESHES.items() if k != C}
        | {
            C: f"{C}    mesh: main\n    calls: {{d: []}}\n  d: {{protocol: tcp}}\n  e: {{mesh: other, calls: {{f: []}}}}\n  f: {{mesh: other, protocol: tcp}}\n"
        },
        expect=("46: services.d.mesh: is missing: there are several meshes (known: main, other)",),
    ),
    Case(
        law="namespaces_have_one_owner",
        change={"system: abc": "system: gateway"},
        expect=('3: system: "gateway" belongs to the platform (give mesh main a namespace of its own)',),
    ),
    Case(
        law="namespaces_have_one_owner",
        change={MESH: f"{MESH}    namespace: istio-system\n"},
        expect=('10: meshes.main.namespace: "istio-system" belongs to the platform (choose another namespace)',),
    ),
    Case(
        law="namespaces_have_one_owner",
        change={C: f"{C}    namespace: kube-public\n", A: f"{A}    namespace: kube-mine\n"},
        expect=(
            '25: services.a.namespace: "kube-mine" belongs to the platform (choose another namespace)',
            '35: services.c.namespace: "kube-public" belongs to the platform (choose another namespace)',
        ),
    ),
    Case(
        law="namespaces_have_one_owner",
        change=TWO_MESHES
        | {C: f"{C}    mesh: main\n  d: {{mesh: other, namespace: abc, calls: {{e: []}}}}\n  e: {{mesh: other, protocol: tcp}}\n"},
        expect=(
            '45: services.d.namespace: "abc" is a namespace of mesh main, and a namespace belongs to one mesh (choose another namespace)',
        ),
    ),
    Case(
        law="authorities_are_distinct",
        change={"trustDomain: abc.example": "trustDomain: boundary"},
        expect=('9: meshes.main.trustDomain: "boundary" is the trust domain of the edge and the gateway (choose another)',),
    ),
    Case(
        law="authorities_are_distinct",
        change=TWO_MESHES
        | {
            MESH: MESH + SECOND_MESH.replace("other.example", "abc.example"),
            C: f"{C}    mesh: main\n  d: {{mesh: other, calls: {{e: []}}}}\n  e: {{mesh: other, protocol: tcp}}\n",
        },
        expect=('12: meshes.other.trustDomain: "abc.example" is the trust domain of mesh main too (choose another)',),
    ),
    Case(
        law="authorities_are_distinct",
        change={
            "tiers:\n": "  again:\n    issuer: https://login.abc.example\n    audiences: [x]\n    jwksUri: https://login.abc.example/x\ntiers:\n",
            "service: a\n    auth: {jwt: customers}": "service: a\n    auth: {jwt: again}",
        },
        add="  b: {methods: [GET], paths: [/b], service: b, auth: {jwt: customers}, tiers: [standard]}\n",
        expect=(
            '18: issuers.again.issuer: "https://login.abc.example" is the URL of issuer customers too, so a token could not tell which of them signed it (keep one)',
        ),
    ),
    Case(
        law="hosts_are_outside",
        change={"hosts: [api.abc.example]": "hosts: [api.abc.svc]"},
        expect=('5: hosts[0]: "api.abc.svc" is a name inside the cluster (choose the name that clients use)',),
    ),
    Case(
        law="hosts_are_outside",
        change={},
        add="egress:\n  x: {host: api.abc.example, services: [a]}\n  y: {host: b.abc.svc.cluster.local, services: [a]}\n  z: {host: z.example, services: [a]}\n  zz: {host: z.example, services: [b]}\n",
        expect=(
            '43: egress.x.host: "api.abc.example" is one of our own hosts, and a call does not leave by the front door to come in again (write a call)',
            '44: egress.y.host: "b.abc.svc.cluster.local" is a name inside the cluster (write a call or a bridge)',
            '46: egress.zz.host: "z.example" is named by egress z too (merge the two)',
        ),
    ),
    Case(
        law="hosts_are_outside",
        change=TWO_MESHES | {C: f"{C}    mesh: main\n  d: {{mesh: other}}\n"},
        add="egress:\n  z: {host: z.example, services: [a, d]}\n",
        expect=("55: egress.z.services: are of several meshes (a in mesh main; d in mesh other) (write one egress for each mesh)",),
    ),
    Case(
        law="exits_speak_http",
        change={},
        add="egress:\n  db: {host: db.example, port: 5432, services: [c]}\n  api: {host: api.example, port: 8443, services: [c]}\n",
        expect=(
            "43: egress.db.port: 5432 is the port of PostgreSQL, where the egress gateway would speak HTTP over TLS (write `protocol: tcp` beside it)",
        ),
    ),
    # -- calls
    Case(
        law="calls_stay_in_the_mesh",
        change={"      b:\n": "      a:\n"},
        expect=(
            '26: services.a.calls.a: "a" is the service itself, and instances of one service do not reach each other in this model (make it two services, or keep the state elsewhere)',
        ),
    ),
    Case(
        law="calls_stay_in_the_mesh",
        change=TWO_MESHES | {C: f"{C}    mesh: other\n"},
        expect=('40: services.b.calls.c: "c" is in mesh other, b in mesh main (write a bridge)',),
    ),
    Case(
        law="calls_stay_in_the_mesh",
        change={},
        add="bridges: {x: {source: a, target: c, operations: [{methods: [GET], paths: [/c]}]}}\n",
        expect=('42: bridges.x.target: "c" is in mesh main like a (write a call)',),
    ),
    Case(
        law="calls_stay_in_the_mesh",
        change={},
        add="bridges: {x: {source: a, target: a, operations: [{methods: [GET], paths: [/c]}]}}\n",
        expect=('42: bridges.x.target: "a" is the source itself (remove the bridge)',),
    ),
    Case(
        law="calls_stay_in_the_mesh",
        change=TWO_MESHES | {C: f"{C}    mesh: main\n  d: {{mesh: other}}\n"},
        add="bridges:\n  x: {source: a, target: d, operations: [{methods: [GET], paths: [/x]}]}\n  y: {source: a, target: d, operations: [{methods: [GET], paths: [/y]}]}\n",
        expect=('56: bridges.y.target: "d" is reached from a by bridge x too (merge their operations)',),
    ),
    Case(
        law="operations_fit_the_protocol",
        change={C: f"{C}    protocol: tcp\n"},
        expect=("30: services.b.calls.c: lists operations, but c speaks tcp: one can connect or not (write an empty list: [])",),
    ),
    Case(
        law="operations_fit_the_protocol",
        change={C: f"{C}    protocol: grpc\n"},
        expect=("31: services.b.calls.c[0]: does not fit c, which speaks grpc (list rpcs)",),
    ),
    Case(
        law="operations_fit_the_protocol",
        change={f"      c:\n{CALL_C}": "      c: []\n"},
        expect=("30: services.b.calls.c: grants no operation (list methods and paths)",),
    ),
    Case(
        law="operations_fit_the_protocol",
        change={CALL_C: "        - {rpcs: [abc.C/*]}\n"},
        expect=("31: services.b.calls.c[0]: does not fit c, which speaks http (list methods and paths)",),
    ),
    Case(
        law="operations_fit_the_protocol",
        change=TWO_MESHES | {C: f"{C}    mesh: main\n  d: {{mesh: other, protocol: tcp}}\n  e: {{mesh: other, protocol: grpc}}\n"},
        add="bridges:\n  x: {source: a, target: d, operations: [{methods: [GET], paths: [/x]}]}\n  y: {source: a, target: e, operations: [{methods: [GET], paths: [/y]}]}\n",
        expect=(
            '56: bridges.x.target: "d" speaks tcp, which the internal gateway does not carry: it could not tell one call from another (bridge an http or grpc service)',
            "57: bridges.y.operations[0]: does not fit e, which speaks grpc (list rpcs)",
        ),
    ),
    Case(
        law="operations_are_said_once",
        change={CALL_C: f'{CALL_C}        - {{methods: [POST, GET], paths: ["/c/*"]}}\n'},
        expect=("32: services.b.calls.c[1]: grants GET /c/* a second time (remove one)",),
    ),
    Case(
        law="compositions_ask_for_one_answer",
        change={
            "    service: a\n": "    service: sum\n",
            f"      c:\n{CALL_C}": "      c: [{rpcs: [abc.C/*]}]\n",
            C: f"{C}    protocol: grpc\n",
        },
        add="compositions: {sum: {parts: {x: {service: c, path: /c/x}, y: {service: b, path: /b/*}}}}\n",
        expect=(
            '42: compositions.sum.parts.x.service: "c" speaks grpc, and only http answers can be composed (compose http services)',
            '42: compositions.sum.parts.y.path: "/b/*" is a pattern, and a composition asks for one path (write the path)',
        ),
    ),
    # -- images
    Case(
        law="images_stay_the_same",
        change={C: f'{C}    versions: {{v1: {{image: "registry.example/c:latest"}}}}\n'},
        expect=(
            '34: services.c.versions.v1.image: "registry.example/c:latest" names what was pushed last, which tomorrow is another image (write a tag that does not move, or a digest)',
        ),
    ),
    # -- traffic
    Case(
        law="weights_sum_to_100",
        change={C: f"{C}    versions: {{v1: {{weight: 90}}, v2: {{weight: 20}}}}\n"},
        expect=("34: services.c.versions: have weights of 90 + 20 = 110, not 100 (change the weights)",),
    ),
    Case(
        law="weights_sum_to_100",
        change={C: f"{C}    versions: {{v1: {{weight: 90}}, v2: {{}}}}\n"},
        expect=("34: services.c.versions: leave open which share goes to v2 (give every version a weight, 0 included)",),
    ),
    Case(
        law="weights_sum_to_100",
        change={C: f"{C}    versions: {{v1: {{}}, v2: {{}}}}\n"},
        expect=("34: services.c.versions: leave open which share goes to v1, v2 (give every version a weight, 0 included)",),
    ),
    Case(
        law="copies_go_elsewhere",
        change={C: f"{C}    mirror: {{version: v1}}\n"},
        expect=('34: services.c.mirror.version: "v1" answers every request already, and would get each twice (mirror to another version)',),
    ),
    Case(
        law="tcp_has_no_requests",
        change={
            f"      c:\n{CALL_C}": "      c: []\n",
            C: f"{C}    protocol: tcp\n    health: /health\n    limit: {{requests: 5, per: second}}\n    resilience:\n      retries: {{attempts: 1, perTry: 1s}}\n",
        },
        expect=(
            "34: services.c.health: needs requests, but c speaks tcp, in which one cannot be told from another (remove it)",
            "35: services.c.limit: needs requests, but c speaks tcp, in which one cannot be told from another (remove it)",
            "37: services.c.resilience.retries: needs requests, but c speaks tcp, in which one cannot be told from another (remove it)",
        ),
    ),
    Case(
        law="faults_happen",
        change={C: f"{C}    faults:\n      - {{percent: 10}}\n      - {{percent: 10, abort: 503, callers: [b, a]}}\n"},
        expect=(
            "35: services.c.faults[0]: does nothing (give `abort` or `delay`)",
            '36: services.c.faults[1].callers[1]: "a" does not call c, so the fault would never happen (name a caller, or remove it)',
        ),
    ),
    Case(
        law="instances_are_possible",
        change={C: f"{C}    port: 15021\n    availability: {{replicas: 3, maxReplicas: 2, maxUnavailable: 0, maxSurge: 0}}\n"},
        expect=(
            "34: services.c.port: 15021 is a port of the sidecar in the same pod (choose one outside 15000-15099)",
            "35: services.c.availability.maxReplicas: 2 is below replicas (3) (raise it)",
            "35: services.c.availability.maxSurge: 0 leaves no room for a rollout, because maxUnavailable is 0 too (allow one of the two)",
        ),
    ),
    Case(
        law="instances_are_possible",
        change={C: f"{C}    availability: {{replicas: 0, maxReplicas: 2}}\n"},
        expect=(
            "34: services.c.availability.replicas: 0 switches the service off, and autoscaling needs one instance to measure (write 1, or remove maxReplicas)",
        ),
    ),
    Case(
        law="tries_end_in_time",
        change={C: f"{C}    resilience: {{timeout: 900ms, retries: {{attempts: 2, perTry: 1s}}}}\n"},
        expect=('34: services.c.resilience.retries.perTry: "1s" is longer than the timeout of the whole call (900ms) (shorten it)',),
    ),
    # -- doors
    Case(
        law="doors_open_to_requests",
        change={f"      c:\n{CALL_C}": "      c: []\n", C: f"{C}    protocol: tcp\n", "    service: a\n": "    service: c\n"},
        expect=('39: doors.a.service: "c" speaks tcp, of which a gateway cannot check a single request (put an http service in front)',),
    ),
    Case(
        law="doors_open_to_requests",
        change={
            CALL_C: "        - {rpcs: [abc.C/*]}\n",
            C: f"{C}    protocol: grpc\n",
            "    service: a\n": "    service: c\n",
            'paths: ["/a/*"]\n': "paths: [/abc.C/*, /c]\n",
        },
        expect=(
            "38: doors.a.methods: lead to c, which speaks grpc and so is asked by POST alone (write [POST])",
            '39: doors.a.paths[1]: "/c" is no method of a gRPC service, and c has nothing else (write /package.Service/Method)',
        ),
    ),
    Case(
        law="doors_open_to_requests",
        change={A: f"{A}    protocol: websocket\n", "    methods: [GET]\n": "    methods: [GET, POST]\n"},
        expect=("38: doors.a.methods: lead to a, which speaks websocket and so is asked by GET alone (write [GET])",),
    ),
    Case(
        law="doors_open_to_requests",
        change={"    service: a\n": "    service: sum\n", "    methods: [GET]\n": "    methods: [GET, POST]\n"},
        add="compositions: {sum: {parts: {x: {service: c, path: /c/x}, y: {service: b, path: /b/x}}}}\n",
        expect=("37: doors.a.methods: lead to a composition, which answers GET alone (write [GET])",),
    ),
    Case(
        law="doors_are_narrow",
        change={'paths: ["/a/*"]\n': 'paths: ["/*", "/{*}/b", /Admin/users, /Health, /server-info, "/live/*", /status/]\n'},
        expect=(
            '38: doors.a.paths[0]: "/*" opens every path, those for operators included (begin with a segment of its own, as in /v1/*)',
            '38: doors.a.paths[1]: "/{*}/b" opens every path, those for operators included (begin with a segment of its own, as in /v1/*)',
            '38: doors.a.paths[2]: "/Admin/users" is below /admin, which speaks to operators (reach it from inside the mesh; for clients choose another word, as in /uptime)',
            '38: doors.a.paths[3]: "/Health" is /health, which speaks to operators (reach it from inside the mesh; for clients choose another word, as in /uptime)',
            '38: doors.a.paths[4]: "/server-info" is /server-info, which speaks to operators (reach it from inside the mesh; for clients choose another word, as in /uptime)',
            '38: doors.a.paths[5]: "/live/*" holds /live/, another spelling of /live, which speaks to operators (reach it from inside the mesh; for clients choose another word, or name what is below, as in /live/{*})',
            '38: doors.a.paths[6]: "/status/" is /status, which speaks to operators (reach it from inside the mesh; for clients choose another word, or name what is below, as in /status/{*})',
        ),
    ),
    Case(
        law="doors_are_narrow",
        change={DOOR: f"{DOOR}    rewrite: {{prefix: /b/, replacement: /}}\n"},
        expect=('38: doors.a.paths[0]: "/a/*" does not begin with the rewritten prefix /b/ (write a second door)',),
    ),
    Case(
        law="doors_are_narrow",
        change={DOOR: f"{DOOR}    rewrite: {{prefix: /a/, replacement: /debug/}}\n"},
        expect=(
            '38: doors.a.paths[0]: "/a/*" becomes /debug/*, which is below /debug, which speaks to operators (reach it from inside the mesh; for clients choose another word, as in /uptime)',
        ),
    ),
    Case(
        law="doors_are_narrow",
        change={DOOR: f"{DOOR}    rewrite: {{prefix: /a/, replacement: /}}\n"},
        expect=('38: doors.a.paths[0]: "/a/*" becomes /*, which opens every path of the service (reach it from inside the mesh)',),
    ),
    Case(
        law="doors_leave_no_doubt",
        change={},
        add="  open:\n    methods: [GET, HEAD]\n    paths: [/a/b]\n    service: a\n    auth: {public: An exception below a door that asks for a token.}\n    tiers: [standard]\n",
        expect=(
            '44: doors.open.paths[0]: "/a/b" is opened for GET with another credential by door a (/a/*) (ask for one credential, or choose paths apart)',
        ),
    ),
    Case(
        law="doors_leave_no_doubt",
        change={},
        add='  twin: {methods: [GET], paths: ["/a/*"], service: b, auth: {jwt: customers}, tiers: [standard]}\n',
        expect=('42: doors.twin.paths[0]: "/a/*" is opened for GET by door a too (merge the doors)',),
    ),
    Case(
        law="doors_leave_no_doubt",
        change={},
        add='  half: {methods: [GET], paths: ["/a/{*}/c"], service: b, auth: {jwt: customers}, tiers: [standard]}\n',
        expect=(
            '42: doors.half.paths[0]: "/a/{*}/c" and /a/* of door a match the same requests, and gateways disagree on which comes first (choose paths apart, or make the narrower one exact)',
        ),
    ),
    Case(
        law="doors_leave_no_doubt",
        change={'paths: ["/a/*"]\n': 'paths: ["/a/{*}/c"]\n'},
        add='  half: {methods: [GET], paths: ["/a/b/{*}"], service: b, auth: {jwt: customers}, tiers: [standard]}\n',
        expect=(
            '42: doors.half.paths[0]: "/a/b/{*}" and /a/{*}/c of door a match the same requests, and gateways disagree on which comes first (choose paths apart, or make the narrower one exact)',
        ),
    ),
    Case(
        law="headers_belong_to_one_layer",
        change={
            C: f"{C}    canary: {{header: x-forwarded-for, value: ok, version: v1}}\n",
            DOOR: f"{DOOR}    requestHeaders:\n      set: {{x-perimeter-subject: admin, x-a: b}}\n      remove: [authorization, x-a]\n    responseHeaders:\n      remove: [connection]\n",
        },
        add="apis: {abc: {versionHeader: host, versions: {v1: {lifecycle: draft}}}}\n",
        expect=(
            '34: services.c.canary.header: "x-forwarded-for" belongs to the layers, which tell each other by it who is calling (leave it to them)',
            '44: doors.a.requestHeaders.set.x-perimeter-subject: "x-perimeter-subject" belongs to the layers, which tell each other by it who is calling (leave it to them)',
            '45: doors.a.requestHeaders.remove[0]: "authorization" belongs to the layers, which tell each other by it who is calling (leave it to them)',
            '45: doors.a.requestHeaders.remove[1]: "x-a" is set and removed (keep one)',
            '47: doors.a.responseHeaders.remove[0]: "connection" belongs to the layers, which tell each other by it who is calling (leave it to them)',
            '48: apis.abc.versionHeader: "host" belongs to the layers, which tell each other by it who is calling (leave it to them)',
        ),
    ),
    Case(
        law="token_doors_can_verify",
        change={
            "    audiences: [abc-api]\n": "    audiences: [abc-api]\n    tierClaim: tier\n    requiredClaims: {tier: [gold, silver]}\n"
        },
        expect=(
            '43: doors.a.tiers[0]: "standard" is not among the values of tier that issuer customers requires, so no token can say it (required: gold, silver)',
        ),
    ),
    # -- clients
    Case(
        law="doors_know_their_clients",
        change={
            "    limits:\n": "    limits: &l\n",
            DOOR: "    tiers: [standard, fast]\n",
            "services:\n": "  fast: {limits: *l}\nservices:\n",
        },
        expect=(
            "42: doors.a.tiers: names several tiers, but issuer customers has no tierClaim to tell them by (give the issuer a tierClaim)",
        ),
    ),
    Case(
        law="doors_know_their_clients",
        change={
            "auth: {jwt: customers}": "auth: {public: Everybody may look at this one.}",
            "    limits:\n": "    limits: &l\n",
            DOOR: "    tiers: [standard, fast]\n",
            "services:\n": "  fast: {limits: *l}\nservices:\n",
        },
        add="  b: {methods: [GET], paths: [/b], service: b, auth: {jwt: customers}, tiers: [standard]}\n",
        expect=("42: doors.a.tiers: names several tiers, but public clients cannot be told apart (keep one)",),
    ),
    Case(
        law="doors_know_their_clients",
        change={},
        add="  b: {methods: [GET], paths: [/b], service: b, auth: {apiKey: [standard]}, tiers: [standard]}\n",
        expect=(
            '42: doors.b.auth.apiKey[0]: "standard" has no consumer, so nobody could use it (add a consumer)',
            "42: doors.b.tiers: is given twice: the API key says the tier (keep them in auth.apiKey)",
        ),
    ),
    Case(
        law="doors_are_limited",
        change={DOOR: ""},
        add="  b: {methods: [GET], paths: [/b], service: b, auth: {jwt: customers}, tiers: [standard]}\n",
        expect=("36: doors.a.tiers: is missing: clients could ask without limit (name a tier)",),
    ),
    Case(
        law="limits_bite",
        change={"burst: 20}\n": "burst: 20}\n      - {requests: 5, per: second}\n"},
        expect=("21: tiers.standard.limits[1]: is a second limit per second (keep one)",),
    ),
    Case(
        law="limits_bite",
        change={"burst: 20}\n": "burst: 20}\n      - {requests: 1220, per: minute}\n"},
        expect=("21: tiers.standard.limits[1]: (1220 per minute) is never reached: 20 per second admits 1220 (lower or remove it)",),
    ),
    Case(
        law="limits_bite",
        change={"burst: 20}\n": "burst: 20}\n      - {requests: 20, per: hour}\n"},
        expect=("20: tiers.standard.limits[0]: (20 per second) is never reached: 20 per hour ends first (lower or remove it)",),
    ),
    # -- life
    Case(
        law="versions_say_when_they_end",
        change={DOOR: f"{DOOR}    api: {{name: abc, version: v1}}\n"},
        add="apis:\n  abc:\n    versions:\n      v1: {lifecycle: deprecated}\n      v2: {lifecycle: draft, sunset: 2027-01-01}\n",
        expect=(
            "46: apis.abc.versions.v1.sunset: is missing: a deprecated version says when it ends (add a date)",
            '47: apis.abc.versions.v2.lifecycle: "draft" does not fit a date of deprecation or sunset (write deprecated)',
        ),
    ),
    Case(
        law="versions_say_when_they_end",
        change={DOOR: f"{DOOR}    api: {{name: abc, version: v1}}\n"},
        add="apis:\n  abc:\n    versions:\n      v1: {lifecycle: deprecated, deprecatedSince: 2027-01-01, sunset: 2026-01-01}\n",
        expect=(
            '46: apis.abc.versions.v1.sunset: "2026-01-01" is not after the day of deprecation (2027-01-01) (give clients time to move)',
        ),
    ),
    Case(
        law="doors_lead_to_living_versions",
        change={DOOR: f"{DOOR}    api: {{name: abc, version: v1}}\n"},
        add="apis:\n  abc:\n    versions:\n      v1: {lifecycle: retired}\n",
        expect=(
            '42: doors.a.api.version: "v1" is retired, and only published and deprecated versions have doors (remove the door, or change the lifecycle)',
        ),
    ),
    # -- data
    Case(
        law="sensitive_data_is_not_public",
        change={A: f"{A}    data: health\n"},
        add="  b:\n    methods: [GET]\n    paths: [/b]\n    service: a\n    auth: {public: Doctors asked for it to be open.}\n    tiers: [standard]\n",
        expect=("47: doors.b.auth: is public, but a holds health data (require jwt or apiKey)",),
    ),
    Case(
        law="sensitive_data_is_not_public",
        change={C: f"{C}    data: payment\n"},
        add="  b:\n    methods: [GET]\n    paths: [/b]\n    service: sum\n    auth: {public: Anybody may see the sum of it.}\n    tiers: [standard]\ncompositions: {sum: {parts: {x: {service: c, path: /c/x}, y: {service: b, path: /b/x}}}}\n",
        expect=("47: doors.b.auth: is public, but c holds payment data (require jwt or apiKey)",),
    ),
    Case(
        law="caches_hold_what_everybody_may_see",
        change={DOOR: f"{DOOR}    cache: {{ttl: 5s}}\n"},
        expect=(
            "42: doors.a.cache: would give internal data of a, asked for by one client, to the next (remove the cache, or say `data: public` if that is so)",
        ),
    ),
    Case(
        law="caches_hold_what_everybody_may_see",
        change={A: f"{A}    data: public\n    protocol: websocket\n", DOOR: f"{DOOR}    cache: {{ttl: 5s}}\n"},
        expect=("44: doors.a.cache: cannot keep what a says over websocket (remove the cache)",),
    ),
    Case(
        law="caches_hold_what_everybody_may_see",
        change={A: f"{A}    data: public\n", DOOR: f"{DOOR}    cache: {{ttl: 5s}}\n", "    methods: [GET]\n": "    methods: [GET, POST]\n"},
        expect=("43: doors.a.cache: would keep answers to writes (give reads a door of their own)",),
    ),
    # -- repetition
    Case(
        law="lists_hold_no_value_twice",
        change={
            "hosts: [api.abc.example]": "hosts: [api.abc.example, api.abc.example]",
            "audiences: [abc-api]": "audiences: [abc-api, abc-api]\n    requiredClaims: {role: [x, x]}",
            "    methods: [GET]\n": "    methods: [GET, GET]\n",
            DOOR: "    tiers: [standard, standard]\n",
        },
        expect=(
            '5: hosts[1]: "api.abc.example" is listed twice (remove one)',
            '14: issuers.customers.audiences[1]: "abc-api" is listed twice (remove one)',
            '15: issuers.customers.requiredClaims.role[1]: "x" is listed twice (remove one)',
            '38: doors.a.methods[1]: "GET" is listed twice (remove one)',
            '42: doors.a.tiers[1]: "standard" is listed twice (remove one)',
        ),
    ),
    Case(
        law="variables_have_one_value",
        change={C: f"{C}    versions: {{v1: {{env: {{MODE: fast}}, secrets: {{MODE: {{secret: c, key: mode}}}}}}}}\n"},
        expect=('34: services.c.versions.v1.secrets.MODE: "MODE" has a value in `env` too (remove one)',),
    ),
    # -- cors
    Case(
        law="names_resolve",
        change={DOOR: f"{DOOR}    cors: ap\n"},
        add="cors: {app: {origins: [https://app.abc.example]}}\n",
        expect=('42: doors.a.cors: "ap" is not a CORS policy (did you mean "app"?)',),
    ),
    Case(
        law="doors_are_asked_by_browsers",
        change={A: f"{A}    protocol: websocket\n", DOOR: f"{DOOR}    cors: app\n"},
        add="cors: {app: {origins: [https://app.abc.example]}}\n",
        expect=(
            '43: doors.a.cors: "app" says nothing here: a speaks websocket, and browsers open one from any page and ask nobody before (remove it)',
        ),
    ),
    Case(
        law="preflights_have_one_answer",
        change={DOOR: f"{DOOR}    cors: app\n"},
        add=f"{SECOND_DOOR}    cors: other\ncors:\n  app: {{origins: [https://app.abc.example]}}\n  other: {{origins: [https://b.abc.example]}}\n",
        expect=(
            '49: doors.also.cors: "other" is another policy than app of door a, which has paths in common, and a preflight does not say which it means (name one policy, or choose paths apart)',
        ),
    ),
    Case(
        law="preflights_have_one_answer",
        change={DOOR: f"{DOOR}    cors: app\n", "    methods: [GET]\n    paths": "    methods: [GET, OPTIONS]\n    paths"},
        add="cors: {app: {origins: [https://app.abc.example]}}\n",
        expect=(
            '37: doors.a.methods[1]: "OPTIONS" is what a preflight is asked by, which the gateway answers alone: it names the policy app (remove it)',
        ),
    ),
    Case(
        law="preflights_have_one_answer",
        change={DOOR: f"{DOOR}    cors: app\n"},
        add=SECOND_DOOR.replace("[POST]", "[OPTIONS]") + "cors: {app: {origins: [https://app.abc.example]}}\n",
        expect=(
            '44: doors.also.methods[0]: "OPTIONS" is what a preflight is asked by, which the gateway answers alone: a door that shares its paths names the policy app (remove it)',
        ),
    ),
    Case(
        law="policies_say_what_browsers_heed",
        change={DOOR: f"{DOOR}    cors: app\n"},
        add="cors: {app: {origins: [https://app.abc.example], expose: [x-request-id, set-cookie]}}\n",
        expect=('43: cors.app.expose[1]: "set-cookie" is a header that browsers let no script read (remove it)',),
    ),
    Case(
        law="answers_say_by_whom_they_differ",
        change={DOOR: f"{DOOR}    cors: app\n    responseHeaders: {{remove: [server, vary]}}\n"},
        add="cors: {app: {origins: [https://app.abc.example]}}\n",
        expect=(
            '43: doors.a.responseHeaders.remove[1]: "vary" tells caches what an answer depends on, to which the policy app adds Origin (leave it to the service)',
        ),
    ),
    Case(
        law="policies_say_what_browsers_heed",
        change={DOOR: f"{DOOR}    cors: app\n"},
        add="cors: {app: {origins: [https://app.abc.example], headers: [authorization, cookie, sec-fetch-mode, x-perimeter-tier], maxAge: 500ms}}\n",
        expect=(
            '43: cors.app.headers[1]: "cookie" is a header that browsers let no script set (remove it)',
            '43: cors.app.headers[2]: "sec-fetch-mode" is a header that browsers let no script set (remove it)',
            '43: cors.app.headers[3]: "x-perimeter-tier" belongs to the layers, which believe no client\'s word for it (remove it)',
            '43: cors.app.maxAge: "500ms" is no number of whole seconds, and browsers know no others (write 1s or more)',
        ),
    ),
    Case(
        law="lists_hold_no_value_twice",
        change={DOOR: f"{DOOR}    cors: app\n"},
        add="cors: {app: {origins: [https://app.abc.example, https://app.abc.example]}}\n",
        expect=('43: cors.app.origins[1]: "https://app.abc.example" is listed twice (remove one)',),
    ),
    Case(
        law="headers_belong_to_one_layer",
        change={DOOR: f"{DOOR}    responseHeaders: {{set: {{access-control-allow-origin: https://app.abc.example}}}}\n"},
        expect=(
            '42: doors.a.responseHeaders.set.access-control-allow-origin: "access-control-allow-origin" tells browsers whose scripts may ask and read, which the gateway says of a door with `cors`, and nobody else (write it under `cors` at the top)',
        ),
    ),
    Case(
        law="definitions_are_used",
        change={},
        add="cors: {app: {origins: [https://app.abc.example]}}\n",
        expect=("42: cors.app: is named by no door (use it, or remove it)",),
    ),
    # -- use
    Case(
        law="clients_have_doors",
        change={ABC[ABC.index("doors:\n") :]: "", "hosts: [api.abc.example]": "hosts: [api.abc.example, www.abc.example]"},
        add="consumers: {acme: {tier: standard}}\napis: {abc: {versions: {v1: {}}}}\ncompositions: {sum: {parts: {x: {service: c, path: /c/x}, y: {service: b, path: /b/x}}}}\n",
        expect=(
            "3: doors: are missing: nobody comes in from outside, and no door uses the further hosts, issuers, tiers, consumers and apis (write the ways in, or remove the further hosts, issuers, tiers, consumers and apis)",
        ),
    ),
    Case(
        law="workloads_are_used",
        change={C: f"{C}  d: {{}}\n"},
        add="compositions: {sum: {parts: {x: {service: c, path: /c/x}, y: {service: b, path: /b/x}}}}\n",
        expect=(
            "34: services.d: is reached by nobody (add a door or a caller, or remove it)",
            "43: compositions.sum: is reached by nobody (add a door or a caller, or remove it)",
        ),
    ),
    Case(
        law="definitions_are_used",
        change={
            "hosts: [api.abc.example]": "hosts: [api.abc.example, www.abc.example]",
            MESH: MESH + SECOND_MESH,
            TIERS: '  staff: {issuer: "https://staff.abc.example", audiences: [x], jwksUri: "https://staff.abc.example/keys"}\ntiers:\n  idle: {limits: [{requests: 1, per: second}]}\n  standard:\n',
            A: f"{A}    mesh: main\n    datacenters: [dc1]\n",
            B: f"  b:\n    mesh: main\n    datacenters: [dc1]\n{B[5:]}",
            C: f"{C}    mesh: main\n    datacenters: [dc1]\n",
        },
        add="consumers: {acme: {tier: standard}}\ndatacenters: {dc1: {region: north}, dc2: {region: south}}\n",
        expect=(
            '5: hosts[1]: "www.abc.example" has no door (use it, or remove it)',
            "11: meshes.other: has no service (use it, or remove it)",
            "25: issuers.staff: is trusted by no door (use it, or remove it)",
            "27: tiers.idle: limits no door (use it, or remove it)",
            "58: consumers.acme: is of tier standard, whose API keys open no door (name the tier in a door's auth.apiKey)",
            "59: datacenters.dc2: runs no service (use it, or remove it)",
        ),
    ),
    Case(
        law="promised_versions_have_doors",
        change={},
        add="apis:\n  abc:\n    versions:\n      v1: {}\n      v2: {lifecycle: draft}\n",
        expect=("45: apis.abc.versions.v1: is published, but has no door (add a door, or say draft or retired)",),
    ),
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.law}-{case.expect[0].split(': ')[1]}")
def test_a_broken_law_is_told_with_line_path_value_reason_and_advice(case: Case) -> None:
    with pytest.raises(TopologyError) as caught:
        parse(case.text())
    assert tuple(f"{finding.line}: {replace(finding, line=0)}" for finding in caught.value.findings) == case.expect


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.law}-{case.expect[0].split(': ')[1]}")
def test_the_finding_comes_from_the_law_that_the_case_is_about(case: Case) -> None:
    (law,) = [law for law in LAWS if law.__name__ == case.law]
    assert list(law(Topology.model_validate(read(case.text()).value)))


@pytest.mark.parametrize("law", LAWS, ids=lambda law: law.__name__)
def test_every_law_has_a_docstring_and_an_example_that_breaks_it(law: Law) -> None:
    assert law.__doc__
    assert any(case.law == law.__name__ for case in CASES)


TWIN = "  twin:\n    methods: [GET]\n    paths: [{path}]\n    service: b\n    auth: {{jwt: customers}}\n    tiers: [standard]\n"


@pytest.mark.parametrize("path", ["/a/b", "/a/b/*", "/b/*", "/ab"])
def test_a_door_may_lie_inside_another_of_the_same_credential_if_all_gateways_agree_which_is_narrower(path: str) -> None:
    parse(ABC + TWIN.format(path=path))


def test_doors_of_other_methods_or_other_hosts_never_overlap() -> None:
    parse(ABC + TWIN.format(path='"/a/*"').replace("GET", "POST"))
    hosts = ABC.replace("hosts: [api.abc.example]", "hosts: [api.abc.example, www.abc.example]")
    parse(hosts + TWIN.format(path='"/a/*"') + "    host: www.abc.example\n")


def test_doors_of_versions_told_apart_by_a_header_may_share_a_path() -> None:
    api = "    api: {{name: abc, version: {}}}\n"
    text = ABC + api.format("v1") + TWIN.format(path='"/a/*"') + api.format("v2")
    parse(text + "apis: {abc: {versionHeader: x-api-version, versions: {v1: {}, v2: {}}}}\n")
    with pytest.raises(TopologyError, match="is opened for GET by door a too"):
        parse(text + "apis: {abc: {versions: {v1: {}, v2: {}}}}\n")


def test_a_consumer_may_bear_the_name_of_a_service_because_it_is_not_an_identity() -> None:
    parse(
        ABC + "  keyed: {methods: [GET], paths: [/keyed], service: b, auth: {apiKey: [standard]}}\n" + "consumers: {b: {tier: standard}}\n"
    )


def test_findings_of_many_laws_come_at_once_in_the_order_of_the_file() -> None:
    text = ABC.replace("trustDomain: abc.example", "trustDomain: boundary").replace("jwt: customers", "jwt: custommers")
    text = text.replace("tiers: [standard]", "cache: {ttl: 1m}")
    with pytest.raises(TopologyError) as caught:
        parse(text, file="abc.yaml")
    assert str(caught.value).splitlines() == [
        'abc.yaml:9: meshes.main.trustDomain: "boundary" is the trust domain of the edge and the gateway (choose another)',
        "abc.yaml:18: tiers.standard: limits no door (use it, or remove it)",
        "abc.yaml:36: doors.a.tiers: is missing: clients could ask without limit (name a tier)",
        'abc.yaml:40: doors.a.auth.jwt: "custommers" is not an issuer (did you mean "customers"?)',
        "abc.yaml:41: doors.a.cache: would give internal data of a, asked for by one client, to the next "
        "(remove the cache, or say `data: public` if that is so)",
    ]


@pytest.mark.parametrize("file", sorted((Path(__file__).parents[2] / "stacks").glob("*.topology.yaml")), ids=lambda file: file.name)
def test_the_systems_of_the_sources_keep_every_law(file: Path) -> None:
    text = file.read_text(encoding="utf-8")
    assert admit(parse(text)) == parse(text)
    assert text.startswith("# yaml-language-server: $schema=../docs/topology.schema.json\n")
