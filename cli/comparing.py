"""What one topology opens that another does not."""

import subprocess
from dataclasses import dataclass
from pathlib import Path

from cli.errors import UsageError
from topology.changes import Change, changes
from topology.load import load, parse
from topology.model.system import Topology
from topology.terms import Width


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """Two topologies, as they were named, and every difference in what crosses their boundaries: the widest first."""

    old: str
    new: str
    system: str
    changes: tuple[Change, ...]

    @property
    def wider(self) -> tuple[Change, ...]:
        """Return the differences that let more through."""
        return tuple(each for each in self.changes if each.width is Width.WIDER)


def compare(old: str, new: str) -> Comparison:
    """Compare two topologies, each a file or what git calls one: `main:stacks/abc.topology.yaml`.

    Raises:
        TopologyError: with everything that is wrong with one of them.
        UsageError: for what is neither a file nor in git.
    """
    before, after = _topology(old), _topology(new)
    return Comparison(old=old, new=new, system=after.system, changes=changes(before, after))


def _topology(given: str) -> Topology:
    if ":" not in given or Path(given).exists():
        return load(Path(given))
    return parse(_in_git(given), file=given)


def _in_git(name: str) -> str:
    """Return the text of a file at a revision (gitrevisions(7): `<rev>:<path>`, from the repository's root; `<rev>:./<path>` from here)."""
    try:
        shown = subprocess.run(["git", "cat-file", "blob", name], capture_output=True, check=False)
        if shown.returncode:
            said = shown.stderr.decode(errors="replace").strip().rpartition("\n")[2]
            raise UsageError(f"{name}: neither a file, nor one that git knows ({said}). Give FILE, or REVISION:FILE as for git show.")
        return shown.stdout.decode("utf-8")
    except FileNotFoundError as error:
        raise UsageError(f"{name}: there is no such file, and no git to ask for a revision. Give two files.") from error
    except UnicodeDecodeError as error:
        raise UsageError(f"{name}: is not UTF-8 (offset {error.start}). Name a topology file.") from error
