"""The verdict as Markdown, for those who review a boundary: what is open on which terms, what was held against it, what is wrong and how."""

from collections.abc import Iterator
from typing import Final

from cli.judging import Judged
from cli.problems import nearby
from cli.report.entrances import entrances
from cli.report.environment import environment
from cli.report.findings import Said, outcomes, said
from cli.report.markup import code, codes, escaped, table
from cli.report.rows import call_rows, shown
from cli.report.text import MARK, WORD, summary
from policies.rule import Verdict
from topology.edges import Direction
from topology.laws import notes
from topology.model.door import Auth, JwtAuth, PublicAuth
from topology.model.system import Topology
from topology.terms import limits_text

CALLS: Final = {Direction.EAST_WEST: "Calls", Direction.BRIDGE: "Bridges", Direction.EGRESS: "Ways out"}
"""The tables of calls, by direction."""

ENDS: Final = {Direction.EGRESS: ("caller", "outside host")}
"""What the parties of a table are called where they are not caller and callee."""


def render(judged: Judged) -> str:
    """Return the verdict as a Markdown document."""
    intent = judged.stack.intent
    return "\n".join(
        [
            f"# Boundary of {escaped(intent.system)} for {escaped(judged.subject)}: {judged.verdict}",
            "",
            f"**{MARK[judged.verdict][0]} {WORD[judged.verdict].partition(' ')[0]}**: {WORD[judged.verdict].partition(' ')[2].strip()}.",
            "",
            *(f"{escaped(line)}  " for line in (intent.description, *environment(judged).lines(), *summary(judged)) if line),
            "",
            *_findings(judged),
            *_section("Doors", _doors(intent)),
            *(line for direction, heading in CALLS.items() for line in _section(heading, _calls(judged, direction))),
            *_section("Ways in", table(("host", "public by"), ((code(host), codes(by)) for host, by in entrances(judged).items()))),
            *_section("Notes", [*(f"- {escaped(str(note))}" for note in notes(intent)), ""]),
            *_section("Exemptions", _exemptions(judged)),
            *_section("Rules", _rules(judged)),
        ]
    )


def _section(heading: str, lines: list[str]) -> Iterator[str]:
    """Yield a section; nothing where there is nothing in it."""
    if any(lines):
        yield from (f"## {heading}", "", *lines)


def _doors(t: Topology) -> list[str]:
    columns = ("door", "methods", "host", "paths", "service", "credential", "limits", "reason")
    return table(
        columns,
        (
            (
                code(name),
                code(",".join(door.methods)),
                code(t.host_of(door)),
                codes(door.paths),
                code(door.service),
                escaped(shown(t, door, most=len(t.consumers))) + _issuer(t, door.auth),
                escaped(limits_text(t, door)),
                escaped(door.auth.public) if isinstance(door.auth, PublicAuth) else "",
            )
            for name, door in sorted(t.doors.items(), key=lambda item: (t.host_of(item[1]), item[1].paths))
        ),
    )


def _issuer(t: Topology, auth: Auth) -> str:
    return f" {code(t.issuers[auth.jwt].issuer)}" if isinstance(auth, JwtAuth) else ""


def _calls(judged: Judged, direction: Direction) -> list[str]:
    rows = [(code(row.source), code(row.target), code(row.methods), code(row.path)) for row in call_rows(judged, direction)]
    columns = (*ENDS.get(direction, ("caller", "callee")), "methods", "path")
    width = 2 if direction is Direction.EGRESS else len(columns)
    return table(columns[:width], (row[:width] for row in rows))


def _rules(judged: Judged) -> list[str]:
    found = outcomes(judged)
    rows = (
        (
            r.rule.id,
            escaped(r.rule.name.replace("-", " ")),
            r.rule.severity,
            f"{MARK[found[r.rule.id]][0]} {found[r.rule.id]}",
            escaped(", ".join(r.rule.frameworks)),
        )
        for r in judged.report.rules
    )
    return table(("rule", "name", "severity", "verdict", "see also"), rows)


def _exemptions(judged: Judged) -> list[str]:
    """Return what is accepted, by whom and until when; an exemption that excuses nothing is told too, for its reason is gone."""
    used = [(each.exemption, escaped(each.finding.message)) for each in judged.report.exempted]
    unused = [(each, "excuses nothing: remove it") for each in judged.report.unused]
    rows = (
        (each.rule, code(each.resource), escaped(each.owner), str(each.expires), escaped(each.reason), excuses)
        for each, excuses in (*used, *unused)
    )
    return table(("rule", "resource", "owner", "last day", "reason", "finding"), rows)


def _findings(judged: Judged) -> Iterator[str]:
    if found := said(judged):
        yield from ("## Findings", "")
        for each in found:
            yield from _finding(each, nearby(judged.topology))


def _finding(each: Said, topology: str) -> Iterator[str]:
    finding = each.finding
    mark = MARK[finding.verdict][0]
    word = finding.verdict if finding.verdict is not Verdict.BROKEN else each.severity
    yield from (f"### {mark} {', '.join(each.rules)} ({word}) {code(finding.resource)}".rstrip(), "", escaped(finding.message), "")
    if origin := each.origin:
        yield from (f"Made for {code(origin.where)}, {escaped(f'{topology}:{origin.line}')}.", "")
    if finding.path:
        for number, hop in enumerate(finding.path, 1):
            yield f"{number}. {code(hop.place)}{f': {escaped(hop.allowed_by)}' if hop.allowed_by else ''}"
        yield ""
    if finding.fix:
        yield from (f"**Instead:** {escaped(finding.fix)}", "")
