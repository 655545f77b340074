"""P02: nothing in the plan hides what it deploys."""

from collections.abc import Iterator
from typing import Final

from policies.cloud_rule import in_clouds
from policies.reading import engine_inputs
from policies.reading.allowed_values import Table
from policies.reading.allowed_values import unaccepted as unaccepted_in
from policies.reading.chart_values import INTERNAL_DEFAULTS, of_several_lines, unaccepted
from policies.reading.charts import chart_name, is_known
from policies.reading.cloud.joined import accepted_fields
from policies.reading.clusters import same_cluster
from policies.reading.normalise import PROVIDER, RELEASE
from policies.reading.opaque import (
    CHART_SOURCES,
    ENGINE_TYPES,
    KINDS,
    OUR_COMPONENTS,
    OUR_DYNAMICS,
    REMOTE_COMPONENTS,
    REWRITERS,
    is_kubernetes_object,
    is_patch,
)
from policies.reading.resource import Resource
from policies.reading.stack import Stack
from policies.rule import Finding, Rule, Severity

KIND_NAMES: Final = frozenset(kind for _, kind in KINDS)

STACK_REFERENCE: Final = "pulumi:pulumi:StackReference"

REGISTER: Final = "register the objects themselves in the program, one resource each"


class P02(Rule):
    """Nothing in the plan hides what it deploys.

    Forbids:
        - commands (`command:*`) and `*Patch` resources, which change a cluster behind the plan;
        - charts as components, YAML files and kustomizations, whose objects appear somewhere else or not at all;
        - a release of a chart that is not on the list of known charts, comes from another place, has no pinned version, or
          is changed after rendering (`postrender`) or by values that the plan does not show (`valueYamlFiles`, `reuseValues`);
        - an input of a release or of the Kubernetes provider that is not accepted in `policies/reading/engine_inputs.py`
          (`disableWebhooks`, `skipCrds`, `forceUpdate`, `pluginDownloadURL`), and a chart from a repository of somebody's account;
        - a value or variable of a chart that is not accepted in `policies/reading/chart_values.py`, an image from elsewhere included, or
          that is a text of several lines;
        - dynamic resources other than the generator of API keys, references to other stacks, a second Kubernetes provider;
        - add-ons of a cloud's cluster other than its own parts, or that keep what somebody changed of them in the cluster;
        - kinds and types of resources that no rule knows: what is not known to open nothing is undecided.

    Why:
        The boundary is proved from what the plan says. One `kubectl apply` in a command, one chart with a LoadBalancer inside,
        one Service that another stack owns, and the proof is about something else than what runs.

    Instead:
        Write the objects as resources of the program. A chart is fine for what carries no boundary (CRDs, controllers) when
        its name, its source and its version are on the list::

            type: kubernetes:helm.sh/v3:Release
            inputs:
              chart: istiod
              version: 1.31.1
              repositoryOpts: {repo: https://istio-release.storage.googleapis.com/charts}

        A mirror, or a kind of your own that really opens nothing, is exempted by name, with a reason, an owner and a date.
    """

    id = "P02"
    name = "nothing-is-opaque"
    severity = Severity.CRITICAL
    frameworks = ("NSA Kubernetes Hardening Guide: audit configurations",)

    def judge(self, stack: Stack) -> Iterator[Finding]:
        """Sort every resource into known and opaque."""
        yield from self.over(stack.resources, self._check)
        yield from self._providers(stack)
        yield from in_clouds(self, stack)

    def _check(self, resource: Resource) -> Iterator[Finding]:
        token = resource.token
        if token == RELEASE:
            yield from self._release(resource)
        elif is_patch(resource):
            yield self.broken(
                resource, "changes fields of an object that this program does not own, so the object is never seen whole", REGISTER
            )
        elif is_kubernetes_object(resource):
            yield from self._object(resource)
        elif token.startswith("command:"):
            yield self.broken(
                resource,
                "runs a command, which may change anything on the cluster or beside it",
                "express what the command does as resources, or run it outside the deployment of the boundary",
            )
        elif REMOTE_COMPONENTS.match(token):
            yield self.broken(resource, "makes its objects from a chart, files or addresses that the plan does not show", REGISTER)
        elif token == STACK_REFERENCE:
            yield self.undecided(
                resource,
                f"takes values from the stack `{resource.at('name', default=resource.name)}`, whose resources are not in this plan: "
                "it may own a way in that nobody judges here",
                "bring its resources into this program, or judge both plans and exempt the reference with owner and expiry",
            )
        elif token.startswith(("pulumi-python:dynamic", "pulumi-nodejs:dynamic")):
            if token not in OUR_DYNAMICS:
                yield self.undecided(resource, "is a dynamic resource: what its code does on deploy is in no plan", REGISTER)
        elif token not in ENGINE_TYPES and accepted_fields(resource) is None and not (OUR_COMPONENTS.match(token) and not resource.custom):
            what = "resource" if resource.custom else "component"
            yield self.undecided(
                resource,
                f"is a {what} of type `{token}`, which no rule knows: whether it opens a path cannot be told",
                "remove it from this stack, write a rule for it, or exempt it with a reason, an owner and an expiry",
            )

    def _object(self, resource: Resource) -> Iterator[Finding]:
        named = (resource.group, resource.kind)
        if reason := REWRITERS.get(named):
            yield self.undecided(
                resource, f"{reason}: nothing behind it can be read", "remove it; say the same with a kind that rules can read"
            )
        elif named not in KINDS and resource.kind not in KIND_NAMES:
            yield self.undecided(
                resource,
                f"is of kind {resource.kind} ({resource.group or 'core'}/{resource.version}), which no rule knows: whether it opens a path cannot be told",
                "remove it from this stack, or add the kind to policies/reading/opaque.py when it is known what it opens",
            )

    def _release(self, resource: Resource) -> Iterator[Finding]:
        source: str = resource.at("chart", default="")
        repository: str = resource.at("repositoryOpts", "repo", default="")
        name = chart_name(resource)
        place = source.rstrip("/").rpartition("/")[0] or repository
        sources = CHART_SOURCES.get(name)
        if sources is None or not is_known(resource):
            yield self.undecided(
                resource,
                f"installs the chart `{source}`, and what that creates is not known (known charts: {', '.join(sorted(CHART_SOURCES))})",
                "register the chart's objects in the program, one resource each, or exempt the release with owner and expiry",
            )
        elif place.rstrip("/") not in sources:
            yield self.undecided(
                resource,
                f"takes the chart `{name}` from {place or 'the working directory'}, where anything may be under that name "
                f"(its makers publish it at {' and '.join(sources)})",
                "take the chart from its makers, or exempt the mirror with owner and expiry",
            )
        if not resource.at("version", default=""):
            yield self.broken(resource, "has no version, so it installs whatever is newest that day", "pin `version`")
        if resource.at("postrender", default=""):
            yield self.broken(
                resource, "is changed by a program after rendering (`postrender`)", "remove `postrender`; use the chart's values"
            )
        for key, why in (("valueYamlFiles", "takes values from files"), ("reuseValues", "keeps the values of its last installation")):
            if resource.at(key, default=None):
                yield self.undecided(resource, f"{why} (`{key}`) that the plan does not show", "write all values under `values`")
        yield from self._inputs(resource, engine_inputs.RELEASE)
        if is_known(resource):
            yield from self._values(resource, name)

    def _inputs(self, resource: Resource, table: Table) -> Iterator[Finding]:
        for path, value in unaccepted_in(resource.props, table):
            given = f" to `{value}`" if value else ""
            yield self.undecided(
                resource,
                f"sets its input {path}{given}, and what is deployed then is not known",
                "remove it, or add it to policies/reading/engine_inputs.py after review",
            )

    def _values(self, release: Resource, chart: str) -> Iterator[Finding]:
        seen: set[str] = set()
        for path, value in unaccepted(release):
            if path.partition(".")[0] == INTERNAL_DEFAULTS:
                if INTERNAL_DEFAULTS not in seen:
                    yield self.broken(
                        release,
                        f"sets the chart's defaults (values.{INTERNAL_DEFAULTS}), beneath every other value",
                        f"remove {INTERNAL_DEFAULTS}",
                    )
                seen.add(INTERNAL_DEFAULTS)
            elif path not in seen:
                seen.add(path)
                given = f" to `{value}`" if value else ""
                yield self.undecided(
                    release,
                    f"gives the chart `{chart}` a value that nobody reviewed: it sets values.{path}{given}, and what that opens is not known",
                    "remove it, or add it to policies/reading/chart_values.py after review",
                )
        for text in of_several_lines(release):
            yield self.undecided(
                release,
                f"gives the chart `{chart}` a text of several lines ({text.splitlines()[0]!r} and more), which charts print as it stands: "
                "the further lines may be fields or objects of their own",
                "say it in one line",
            )

    def _providers(self, stack: Stack) -> Iterator[Finding]:
        providers = list(stack.of(PROVIDER))
        yield from self.over(providers, self._provider)
        for provider in providers[1:]:
            if same_cluster(provider, providers[0]):
                continue
            yield self.undecided(
                provider,
                f"is a second Kubernetes provider beside `{providers[0].name}`: which guard lands on which cluster cannot be told",
                "give one explicit provider to every resource and set pulumi:disable-default-providers",
            )

    def _provider(self, provider: Resource) -> Iterator[Finding]:
        yield from self._inputs(provider, engine_inputs.PROVIDER)
        if provider.at("renderYamlToDirectory", default=""):
            yield self.broken(
                provider,
                "writes files instead of applying objects (`renderYamlToDirectory`): nothing of what is judged will run",
                "remove the option",
            )
