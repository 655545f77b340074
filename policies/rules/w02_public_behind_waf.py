"""W02: whatever is public has a WAF in its path."""

from collections.abc import Iterator

from policies.cloud_rule import in_clouds
from policies.reading import edge_container, edge_surface
from policies.reading.exposure import Exposure
from policies.reading.pods import Pod
from policies.reading.stack import Stack
from policies.reading.waf import Front, fronts
from policies.rule import Finding, Hop, Rule, Severity

FIX = "send it through the edge: `modsecurity on;` and `modsecurity_rules_file` in the http block, nothing switched off below"


class W02(Rule):
    """Whatever is public has a WAF in its path, at every place.

    Forbids:
        A public address whose pods are no nginx with ModSecurity; a place in a public nginx where requests are sent on with
        `modsecurity off`, without rules, or as a stream of bytes that nobody reads (`stream`). A directive of nginx, or a part of
        its pods, of which it is not known what it does (another container, a variable, a hook) leaves it undecided. In a cloud: an
        Application Gateway with a rule that no firewall policy holds for, or a public load balancer without a web ACL.

    Why:
        A WAF inspects what goes through it. One location with `modsecurity off`, one Service that selects the gateway's pods
        instead of the edge's, and attackers use exactly that way.

    Instead:
        Let one nginx stand at the only public address, and switch the WAF on for all of it::

            http {
              modsecurity on;
              modsecurity_rules_file /etc/waf/modsecurity.conf;
              server {
                location /a/ { proxy_pass https://gateway; }
              }
            }
    """

    id = "W02"
    name = "public-means-behind-the-waf"
    severity = Severity.CRITICAL
    frameworks = ("AzPolicy 564feb30", "ELB.16", "CKV2_AWS_28", "CKV2_AWS_29")

    def judge(self, stack: Stack) -> Iterator[Finding]:
        """Check every public address, then every place at which a public nginx sends requests on."""
        readable = {front.nginx.pod for front in fronts(stack)}
        for exposure in stack.exposures:
            for pod in exposure.pods:
                if pod not in readable:
                    yield self._without_waf(exposure, pod, stack)
        for front in fronts(stack):
            yield from self.over([front.resource], lambda _, front=front: self._front(front, stack))
        yield from in_clouds(self, stack)

    def _without_waf(self, exposure: Exposure, pod: Pod, stack: Stack) -> Finding:
        for resource, error in stack.unreadable:
            if resource is pod.resource:
                return self.undecided(resource, f"{exposure.why}, and whether the {pod} are a WAF cannot be read: {error}")
        path = (
            Hop(place="internet", allowed_by=exposure.why, urn=exposure.resource.urn),
            Hop(place=str(pod), allowed_by="no WAF on the way"),
        )
        return self.broken(exposure.resource, f"{exposure.why}, and the {pod} behind it are no WAF", exposure.fix, path)

    def _front(self, front: Front, stack: Stack) -> Iterator[Finding]:
        for doubt in (*edge_surface.doubts(front.nginx), *edge_container.doubts(front.nginx, stack.certificates)):
            yield self.undecided(front.resource, doubt, "leave it out, or say the same with what the judge knows")
        if not front.servers and not front.streams:
            yield self.undecided(
                front.resource,
                f"{front.exposure.why} leads to port {front.exposure.port} of the {front.nginx.pod}, where this configuration has no server",
                "let the Service's targetPort be a port that nginx listens on",
            )
        for stream in front.streams:
            yield self.broken(front.resource, f"{stream.file}:{stream.line}: a stream passes connections on that no WAF reads", FIX)
        for passage in front.passages:
            if not passage.is_inspected:
                switch = passage.get("modsecurity")
                why = f"`modsecurity {' '.join(switch.args)}` holds" if switch else "`modsecurity on` is nowhere around it"
                yield self.broken(front.resource, f"{passage}: {passage.directive.name} sends requests on that no WAF has seen: {why}", FIX)
            elif not passage.rules:
                yield self.broken(front.resource, f"{passage}: the WAF is on and has no rules (`modsecurity_rules_file`)", FIX)
